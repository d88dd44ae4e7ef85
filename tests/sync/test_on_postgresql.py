"""Whole runs on PostgreSQL: the same story ends the same as on SQLite, also when it is killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.proof.boundaries import Boundary, Fault, Wire
from tests.proof.end_state import end_state, what_differs
from tests.proof.fault_stories import STORIES
from tests.proof.forked import engine_in_memory
from tests.proof.wire_faults import CRASHES
from tests.sync.world import World, new_vault

from orosync.store import tables
from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.store.migrations import upgrade


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(postgresql_url)
    upgrade(engine)
    with engine.begin() as connection:
        names = ", ".join(f'"{table.name}"' for table in tables.metadata.sorted_tables)
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    yield engine
    engine.dispose()


def end_of(name: str, engine: sa.Engine, crash: Fault | None = None) -> dict[str, Any]:
    """Of a story that ends in the middle of its fourth request that writes, or at the commit after it."""
    world = World(Database(engine, new_vault()), system=dict(STORIES[name].settings))
    wire = Wire(world)
    story = STORIES[name](world, wire)
    story.begin()
    written: list[Boundary] = []
    met: list[Boundary] = []

    def meet(boundary: Boundary) -> Fault | None:
        written.extend([boundary] if boundary.writes else [])
        if crash is None or met or len(written) < 4 or crash not in [each for each in CRASHES if each.where(boundary)]:
            return None
        met.append(boundary)
        return crash

    wire.meet, wire.watched = meet, True
    story.act()
    wire.watched = False
    story.come_to_rest()
    assert len(met) == (crash is not None)
    return end_state(world)


@pytest.mark.parametrize("crash", [None, *CRASHES], ids=lambda each: each.name if each else "no crash")
@pytest.mark.parametrize("name", ["first sync", "edits"])
def test_a_story_ends_on_postgresql_as_it_does_on_sqlite(
    postgresql: sa.Engine, name: str, crash: Fault | None, tmp_path: Path
) -> None:
    assert what_differs(end_of(name, postgresql, crash), end_of(name, engine_in_memory(tmp_path))) == []
