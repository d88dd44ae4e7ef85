"""A drill: clocks that differ by five minutes. A worker's machine whose clock is wrong does nobody any harm, because
all processes go by the database's; and Graph may be ahead or behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.jobs.background_world import Background
from tests.jobs.test_push import PUBLIC, Reachable, in_oro, make_in_outlook

from orosync import bootstrap
from orosync.core.due import SAFETY_POLL_S
from orosync.core.push import is_alive
from orosync.core.records import Entity, Side
from orosync.outlook.subscriptions import LIFE
from orosync.store import tables
from orosync.store.clock import SystemClock
from orosync.store.database import Database
from orosync.store.due_work import CLAIM
from orosync.store.engine import open_engine
from orosync.store.migrations import upgrade

OFF = [timedelta(minutes=5), -timedelta(minutes=5)]
WAYS = ["ahead", "behind"]
NEAR = timedelta(seconds=60)  # a test takes seconds, and clocks are five minutes apart


@pytest.fixture(params=OFF, ids=WAYS)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """The clock of the machine on which the program runs is off; those of the systems around it are right."""
    off: timedelta = request.param

    class Kind(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, datetime)

    class Wrong(datetime, metaclass=Kind):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + off

    for name, module in list(sys.modules.items()):
        ours = name.startswith("orosync.") and not name.startswith("orosync.sandbox")
        if ours and getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", Wrong)
    assert abs(SystemClock().now() - datetime.now(UTC) - off) < NEAR, "it is off"
    return off


@pytest.fixture
def empty(postgresql_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(postgresql_url)
    upgrade(engine)
    with engine.begin() as connection:
        names = ", ".join(f'"{table.name}"' for table in tables.metadata.sorted_tables)
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    yield engine
    engine.dispose()


@pytest.fixture
def world(empty: sa.Engine, postgresql_url: str, machine: timedelta, tmp_path: Path) -> Iterator[Background]:
    made = Background(tmp_path, postgresql=postgresql_url)
    yield made
    made.close()


def close(at: datetime | None, to: datetime) -> bool:
    return at is not None and abs(at - to) < NEAR


def carry_out_now(world: Background) -> None:
    """As if neither side had ever been read."""
    anna, now = world.ids["anna"], world.database.clock.now()
    world.database.due_work.change(anna, lambda work: replace(work, due_at=now, read_at={}))
    world.work.carry_out(anna)


def test_a_worker_whose_clock_is_wrong_takes_nothing_from_others_and_is_late_for_nothing(
    world: Background, empty: sa.Engine
) -> None:
    others = Database(empty, now=lambda: datetime.now(UTC))  # of a machine whose clock is right
    anna = world.ids["anna"]
    flask = world.go_online(PUBLIC)
    world.first_sync()
    assert close(others.due_work.get(anna).due_at, datetime.now(UTC) + timedelta(seconds=30))

    # a sign of life, a claim and a lease, as the others read them
    assert world.second() == 0, "nothing is due yet, nor is a worker given up"
    world.database.due_work.ask(anna)
    assert [each.name for each in others.workers.all()] == ["here:1"]
    assert others.workers.bury() == []
    assert others.due_work.claim(10, 4) == [], "it was handed out just now"
    seen: list[tuple[bool, bool]] = []

    def look(*_: object) -> None:
        holder = others.leases.holder(anna)
        taken = others.leases.take(anna, "there:2:b", datetime.now(UTC), CLAIM)
        seen.append((holder is not None and close(holder.expires, datetime.now(UTC)), taken is None))

    stop = world.graph.after_request(look)
    make_in_outlook(world, "Grace")
    carry_out_now(world)
    stop()
    assert seen
    assert set(seen) == {(True, True)}, "nobody could take the account meanwhile"
    assert in_oro(world) == {"Grace"}
    work = others.due_work.get(anna)
    assert close(work.read_at[Side.OUTLOOK], datetime.now(UTC))

    # push: as long as Graph says, and kept
    rows = others.subscriptions.of_account(anna, Side.OUTLOOK)
    assert {each.entity for each in rows} == set(Entity)
    assert all(is_alive(each, datetime.now(UTC)) for each in rows)
    assert all(close(each.expires, datetime.now(UTC) + LIFE[each.entity]) for each in rows)
    at_graph = set(world.graph.notifications.subscriptions)
    carry_out_now(world)
    assert set(world.graph.notifications.subscriptions) == at_graph
    pace = bootstrap.pace_of(world.database, world.account())
    assert pace.interval_s[Side.OUTLOOK] == SAFETY_POLL_S
    flask.extensions["orosync.calls"].close()


@pytest.mark.parametrize("ahead", OFF, ids=WAYS)
def test_a_graph_whose_clock_differs_calls_is_renewed_in_time_and_nothing_is_lost(
    ahead: timedelta, tmp_path: Path
) -> None:
    world = Background(tmp_path, graph_ahead=ahead)
    reachable = Reachable(world)
    reachable.settle()
    first = reachable.rows()
    assert reachable.living() == set(Entity)
    make_in_outlook(world, "Grace")
    assert reachable.seconds_until(lambda: "Grace" in in_oro(world)) <= 4
    world.oro.back_office_as(world.oro.user("admin")).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    given = lambda: {each["givenName"] for each in world.mailbox().items("contact")}  # noqa: E731
    reachable.seconds_until(lambda: "Ada" in given(), at_once=5)
    world.clock.forward(seconds=LIFE[Entity.TASK].total_seconds() * 0.7)
    reachable.seconds(150, at_once=10)
    now = reachable.rows()
    assert {entity: row.id for entity, row in now.items()} == {entity: row.id for entity, row in first.items()}
    assert now[Entity.TASK].expires != first[Entity.TASK].expires, "renewed, long before it ends by either clock"
    assert given() == in_oro(world) == {"Ada", "Grace"}
    world.close()
