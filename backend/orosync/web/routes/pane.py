"""`/addin/`: the task pane's files, and what it has to know before anybody signed in."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, request, send_from_directory

from orosync import __version__
from orosync.web.parts import parts
from orosync.web.sign_in.local import LocalSignIn
from orosync.web.sign_in.tokens import api_scope, sign_in_tenant

blueprint = Blueprint("pane", __name__, url_prefix="/addin")

_SERVED = frozenset({".html", ".css", ".js", ".json", ".png", ".svg", ".txt"})
_PACKED = _SERVED - {".png"}
_MAX_AGE_S = 300  # names carry no version, so a new one has to be seen soon


@blueprint.get("/config.json")
def config() -> Response:
    """Where and as what the pane signs in; no secret."""
    own = parts()
    local = isinstance(own.authenticator, LocalSignIn)
    response = jsonify(
        sign_in="local" if local else "entra",
        client_id=own.config.pane_client_id,
        authority="" if local else f"{own.config.authority}/{sign_in_tenant(own.config)}",
        scope="" if local else api_scope(own.config),
        api="/api/v1",
        version=__version__,
        demo=own.demo,
    )
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/<path:name>")
def file(name: str) -> Response:
    """A file of the pane. Outlook adds parameters to the address; they mean nothing here."""
    folder: Path = current_app.extensions["orosync.pane"]
    if Path(name).suffix not in _SERVED:
        name = ""  # tools' files lie beside; send_from_directory answers 404
    if name == "taskpane.html" and parts().demo and request.args.get("office") == "none":
        return Response(_without_office(folder / name), content_type="text/html; charset=utf-8")
    response = send_from_directory(folder, name, max_age=None if name.endswith(".html") else _MAX_AGE_S)
    if Path(name).suffix in _PACKED:
        _pack(response, folder / name)
    return response


def _without_office(path: Path) -> str:
    """The pane beside two simulated systems has no Outlook around it and may have no network: it waits for neither."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if "appsforoffice.microsoft.com" not in line)


def _pack(response: Response, path: Path) -> None:
    """Compressed for who can read it: the pane is a third as long then. Its tag says that it is not byte for byte."""
    response.vary.add("Accept-Encoding")
    if response.status_code != 200 or not request.accept_encodings.quality("gzip"):
        return
    response.close()  # the file that was opened to be sent as it is
    response.direct_passthrough = False
    response.set_data(_packed(path, path.stat().st_mtime_ns))
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)
    if tag := response.get_etag()[0]:
        response.set_etag(tag, weak=True)


@lru_cache(maxsize=256)
def _packed(path: Path, _changed_at: int) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)
