"""The key file: where the keys that secrets are encrypted with lie when the environment names none.

`secret.key` in the data folder, one Fernet key a line, newest first, readable by its owner alone. Whoever loses it has
to sign in to every account again.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from orosync.config_values import MAKE_A_KEY, PREFIX, fernet_keys
from orosync.errors import ConfigurationError

KEY_FILE = "secret.key"


def keys_in(data_dir: Path, *, make: bool = True) -> tuple[str, ...]:
    """The keys in the file, newest first. make: a missing file is made, and there is always a key.

    Raises ConfigurationError if it cannot be written or read, is open to others, or holds no keys.
    """
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            if not make:
                return ()
            _create_key_file(path)
        open_to_others = sys.platform != "win32" and path.stat().st_mode & 0o077
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigurationError(
            [f"{PREFIX}SECRET_KEYS is not set and {path} cannot be used: {reason}. Set it, or {PREFIX}DATA_DIR."]
        ) from error
    if open_to_others:
        raise ConfigurationError([f"{path} is open to other users. Run: chmod 600 {path}"])
    try:
        keys = fernet_keys(",".join(text.split()))
    except ValueError as error:
        raise ConfigurationError([f"{path}: {error}"]) from error
    if not keys:
        raise ConfigurationError([f"{path} is empty. Restore it, or write a new key into it: {MAKE_A_KEY}"])
    return keys


def add_key(data_dir: Path) -> None:
    """A new key becomes the newest; the others stay, because secrets and backups have them. Raises as `keys_in`, and
    when somebody else is changing the file."""
    _write(data_dir, (Fernet.generate_key().decode(), *keys_in(data_dir)))


def forget_older_keys(data_dir: Path) -> int:
    """Only the newest stays; returns how many went. Raises as `add_key`."""
    newest, *older = keys_in(data_dir)
    if older:
        _write(data_dir, (newest,))
    return len(older)


def _write(data_dir: Path, keys: tuple[str, ...]) -> None:
    """In one step: whoever reads meanwhile sees all of the old keys or all of the new."""
    path = data_dir / KEY_FILE
    aside = path.with_name(f"{KEY_FILE}.new")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        problem = f"{aside} is there: somebody is changing the keys. If nobody is, remove it and try again."
        raise ConfigurationError([problem]) from None
    except OSError as error:
        raise ConfigurationError([f"{aside} cannot be written: {error.strerror}."]) from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _create_key_file(path: Path) -> None:
    # Written aside and then linked: of two processes that start together one wins, and nobody reads half a key.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=KEY_FILE, dir=path.parent)  # mode 0600
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink()
