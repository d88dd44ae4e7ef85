"""A fresh world for each test of the run, and a look into every outbox when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from tests.sync.world import World, new_vault

from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.store.migrations import upgrade


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = open_engine(f"sqlite:///{tmp_path / 'orosync.db'}")
    upgrade(engine)
    database = Database(engine, new_vault())
    yield database
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    return World(database)
