"""What runs cost: requests (exact), and records a second of the engine with durable intents, simulators in process.

Run by `make bench`. Times hold for the machine they were taken on; the table is printed at the end.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.sync.world import World, new_vault, writes

from orosync.core.records import Entity, Side
from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.store.migrations import upgrade
from orosync.sync.run import Report

RECORDS = 1000
ROWS: list[tuple[str, int, int, int, float]] = []


@pytest.fixture
def world(tmp_path: Path) -> World:
    engine = open_engine(f"sqlite:///{tmp_path / 'bench.db'}")
    upgrade(engine)
    world = World(Database(engine, new_vault()))
    world.oro.settings.audited = False
    return world


@pytest.fixture(scope="module", autouse=True)
def table() -> Any:
    yield
    print("\nwork | records written | requests to Graph | requests to OroCRM | seconds | records/s")
    for what, count, outlook, oro, seconds in ROWS:
        print(f"{what} | {count} | {outlook} | {oro} | {seconds:.2f} | {count / seconds if seconds else 0:.0f}")


def measured(what: str, benchmark: Any, world: World, **request: Any) -> Report:
    started = time.perf_counter()
    report: Report = benchmark.pedantic(lambda: world.sync(**request), rounds=1, iterations=1)
    row = (what, writes(report), report.requests[Side.OUTLOOK], report.requests[Side.ORO])
    ROWS.append((*row, time.perf_counter() - started))
    benchmark.extra_info["requests"] = json.dumps({side.value: n for side, n in report.requests.items()})
    return report


def fill_oro(world: World, count: int = RECORDS) -> None:
    for number in range(count):
        values = {"firstName": f"G{number}", "lastName": "Hopper", "emails": [f"g{number}@navy.example"]}
        world.office.create("contact", {**values, "jobTitle": "Admiral", "phones": [f"+1 202 555 {number:04d}"]})


def fill_outlook(world: World, count: int = RECORDS) -> None:
    for number in range(count):
        address = {"name": f"A{number}", "address": f"a{number}@bletchley.example"}
        item = {"givenName": f"A{number}", "surname": "Turing", "emailAddresses": [address], "jobTitle": "Fellow"}
        world.mailbox.user_create("contact", item)


def test_first_sync_to_outlook(benchmark: Any, world: World) -> None:
    fill_oro(world)
    approve = world.sync(mode="preview").plan_hash
    report = measured(f"first sync of {RECORDS} contacts to Outlook", benchmark, world, approve=approve)
    assert report.entities[Entity.CONTACT]["outlook"]["created"] == RECORDS
    assert report.requests[Side.OUTLOOK] <= RECORDS // 20 + 5


def test_first_sync_to_oro(benchmark: Any, world: World) -> None:
    fill_outlook(world)
    approve = world.sync(mode="preview").plan_hash
    report = measured(f"first sync of {RECORDS} contacts to OroCRM", benchmark, world, approve=approve)
    assert report.entities[Entity.CONTACT]["oro"]["created"] == RECORDS
    assert report.requests[Side.ORO] <= RECORDS + 20


def in_step(world: World) -> None:
    fill_oro(world)
    world.sync(approve=world.sync(mode="preview").plan_hash)
    world.settle()


def test_idle_cycle(benchmark: Any, world: World) -> None:
    in_step(world)
    report = measured(f"idle cycle, {RECORDS} contacts", benchmark, world)
    assert report.requests[Side.OUTLOOK] == 1
    assert report.requests[Side.ORO] <= 4


def test_a_hundred_changed_in_oro(benchmark: Any, world: World) -> None:
    in_step(world)
    for number in range(1, 101):
        world.office.edit("contact", number, {"jobTitle": "Commodore"})
    report = measured("100 contacts changed in OroCRM", benchmark, world)
    assert writes(report) == 100
    assert report.requests[Side.OUTLOOK] <= 11


def test_a_hundred_changed_in_outlook(benchmark: Any, world: World) -> None:
    in_step(world)
    for item in world.outlook()[:100]:
        world.mailbox.user_update("contact", item["id"], {"jobTitle": "Commodore"})
    report = measured("100 contacts changed in Outlook", benchmark, world)
    assert writes(report) == 100
    assert report.requests[Side.OUTLOOK] <= 7
    assert report.requests[Side.ORO] <= 105
