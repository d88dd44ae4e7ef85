"""A copy of the database while it is in use: SQLite's own online backup. PostgreSQL brings its own tools."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import sqlalchemy as sa

from orosync.config import Config
from orosync.errors import BadInput, TryLater

_WAIT_S = 30.0


def backup_database(config: Config, target: Path) -> int:
    """A consistent copy of the SQLite database as a new file that only its owner can read; returns its size in bytes.

    Others may write meanwhile: what they commit after the beginning is not in it. Raises BadInput if there is such a
    file already, it cannot be written, or the database is PostgreSQL; TryLater if the copy is not sound.
    """
    source = _file_of(config)
    if target.exists():
        raise BadInput(f"{target} is there already.", field="FILE", remedy="Name a new file.")
    aside = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise BadInput(f"{aside} cannot be written: {error.strerror}.", field="FILE") from error
    try:
        _copy(source, aside)
        size = aside.stat().st_size
        aside.replace(target)
    except sqlite3.Error as error:
        raise TryLater(
            f"The copy could not be made ({error.sqlite_errorname or type(error).__name__}).",
            remedy="Look at the disk's space, then try again.",
        ) from error
    finally:
        with suppress(FileNotFoundError):
            aside.unlink()
    return size


def _file_of(config: Config) -> Path:
    url = sa.make_url(config.database_url)
    if url.get_backend_name() != "sqlite":
        raise BadInput(
            "This copies an SQLite file, and the database is PostgreSQL.",
            field="OROSYNC_DATABASE_URL",
            remedy="Use pg_dump, as in docs/operations.md.",
        )
    file = Path(url.database or "")
    if not file.is_file():
        raise BadInput(f"There is no database at {file}.", field="OROSYNC_DATABASE_URL")
    return file


def _copy(source: Path, target: Path) -> None:
    """All pages in one step, which is one snapshot; and in a journal mode that needs no files beside it."""
    with closing(sqlite3.connect(source, timeout=_WAIT_S)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
        (found,) = new.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise TryLater("The copy is not sound.", remedy="Look at the disk; the database itself may be damaged.")
    with target.open("rb+") as file:
        os.fsync(file.fileno())
