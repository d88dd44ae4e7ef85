"""Where the product's files beside its code are (`addin/`, `manifest.xml`), and the manifest made of them."""

from __future__ import annotations

from pathlib import Path

import orosync
from orosync.errors import ConfigurationError
from orosync.web import manifest

_PACKAGE = Path(orosync.__file__).parent
# an installed wheel carries them; an editable install has them in the repository
_PLACES = (_PACKAGE / "files", _PACKAGE.parent.parent)


def product_file(name: str) -> Path:
    """A file or folder, as "addin" or "manifest.xml". Raises ConfigurationError if it was not installed."""
    for place in _PLACES:
        if (place / name).exists():
            return place / name
    raise ConfigurationError([f"{name} is missing beside the program; install the package anew"])


def manifest_for(base_url: str, *, name: str = "", field: str = "base_url") -> str:
    """The add-in's manifest for this version of the program at base_url. Raises BadInput; see `web/manifest.py`."""
    template = product_file("manifest.xml").read_text(encoding="utf-8")
    return manifest.render(template, base_url, version=orosync.__version__, name=name, field=field)
