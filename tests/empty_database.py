"""A database file with all tables: copied, since making them takes longer than a run."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from orosync.store.engine import open_engine
from orosync.store.migrations import upgrade


@cache
def _made_once() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="orosync-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = open_engine(f"sqlite:///{folder / 'empty.db'}")
    upgrade(engine)
    engine.dispose()
    return folder / "empty.db"


def put_empty_database(path: Path) -> Path:
    """A new file at `path`."""
    shutil.copyfile(_made_once(), path)
    return path


def without_waiting_for_the_disk(engine: sa.Engine) -> sa.Engine:
    """For stories that are not about the disk: waiting for it is a third of their time."""
    sa.event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    return engine
