"""Whole runs on PostgreSQL: the same story ends the same as on SQLite, also when it is killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from tests.sync.faults import Wire
from tests.sync.test_faults import NOTES, STORIES, converge, cut, new_world, state_of
from tests.sync.world import World, new_vault

from orosync.store import tables
from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.store.migrations import upgrade


@pytest.fixture
def on_postgresql(postgresql_url: str) -> Iterator[World]:
    engine = open_engine(postgresql_url)
    upgrade(engine)
    with engine.begin() as connection:
        names = ", ".join(f'"{table.name}"' for table in tables.metadata.sorted_tables)
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    yield World(Database(engine, new_vault()), system=dict(NOTES))
    engine.dispose()


@pytest.mark.parametrize("fault", ["", "killed after", "answer lost"])
@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_on_postgresql_as_it_does_on_sqlite(
    on_postgresql: World, story: str, fault: str, tmp_path: Any
) -> None:
    plain = new_world(tmp_path)
    STORIES[story](plain)
    converge(plain)
    STORIES[story](on_postgresql)
    wire = Wire(4, fault) if fault else Wire()
    cut(on_postgresql, wire)
    converge(on_postgresql)
    assert wire.passed >= 4
    assert state_of(on_postgresql) == state_of(plain)
    plain.database.close()
