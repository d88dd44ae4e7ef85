"""A fresh world for each test of the run, and a look into every outbox when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from tests.sync.world import WORLDS, World, new_vault

from orosync.store.database import Database
from orosync.store.engine import open_engine


@pytest.fixture(autouse=True)
def nobody_is_mailed() -> Iterator[None]:
    """design.md 4, point 8: no meeting mail because of sync, in no story that does not ask for it."""
    WORLDS.clear()
    yield
    for world in WORLDS:
        if not world.mails_wanted:
            assert world.mailbox.outbox == []
            assert world.oro.mails == []


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    path = put_empty_database(tmp_path / "orosync.db")
    database = Database(without_waiting_for_the_disk(open_engine(f"sqlite:///{path}")), new_vault())
    yield database
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    return World(database)
