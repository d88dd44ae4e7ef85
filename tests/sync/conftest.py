"""A fresh world for each test of the run, and a look into every outbox when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
import sqlalchemy as sa
from tests.sync.world import WORLDS, World, new_vault

from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.store.migrations import upgrade


@pytest.fixture(autouse=True)
def nobody_is_mailed() -> Iterator[None]:
    """design.md 4, point 8: no meeting mail because of sync, in no story that does not ask for it."""
    WORLDS.clear()
    yield
    for world in WORLDS:
        if not world.mails_wanted:
            assert world.mailbox.outbox == []
            assert world.oro.mails == []


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables: copied, since making them takes longer than a run."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Iterator[Database]:
    copyfile(empty_database, tmp_path / "orosync.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'orosync.db'}")
    # the disk is not what these stories are about, and waiting for it is a third of their time
    sa.event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    database = Database(engine, new_vault())
    yield database
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    return World(database)
