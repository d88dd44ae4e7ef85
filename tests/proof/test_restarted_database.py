"""The database server is stopped as if the power had gone, in the middle of runs, and started again (T5).

A server of the test's own, really stopped (`-m immediate`): transactions end unfinished, connections break, and it
recovers from its log.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from tests.cli.houses import COUNTS, House, ended, started
from tests.cli.test_killed_processes import may_travel, names_in_oro, names_in_outlook
from tests.jobs.brokers import needs_broker, wait_until
from tests.jobs.cluster import cluster
from tests.jobs.cluster_story import everything_is_there_once, settle, settle_what_waits
from tests.proof.effort import minutes
from tests.proof.private_postgresql import Server, private_postgresql
from tests.proof.tally import count, owe

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the server is told by signals"),
]
PEOPLE = 16


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with private_postgresql() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, server: Server) -> Iterator[House]:
    graph, oro = started("graph", *COUNTS), started("oro", *COUNTS)
    made = House(graph, oro, tmp_path / "data")
    made.changed["OROSYNC_DATABASE_URL"] = server.new_database(f"house_{uuid4().hex}")
    made.changed["OROSYNC_SECRET_KEYS"] = Fernet.generate_key().decode()
    try:
        upgraded = made.run("db", "upgrade")
        assert upgraded.code == 0, upgraded.err
        yield made
    finally:
        ended(graph)
        ended(oro)


MOMENTS = [
    pytest.param("oro", {"method": "POST", "path": "/api/contacts$"}, id="a create in OroCRM"),
    pytest.param("outlook", {"path": r"/\$batch$", "body": r'"givenName"\s*:'}, id="creates in Outlook"),
    pytest.param("oro", {"method": "GET", "path": "/api/tasks$"}, id="a feed of OroCRM"),
]


@pytest.mark.parametrize(("side", "wish"), MOMENTS if minutes() else MOMENTS[:1])
def test_a_run_whose_database_went_away_says_so_and_the_next_one_finishes_it(
    house: House, server: Server, side: str, wish: dict[str, Any]
) -> None:
    owe("fault", "PostgreSQL stopped at once", 1)
    house.add()
    before = {entity: (names_in_oro(house, entity), names_in_outlook(house, entity)) for entity in ("contact", "event")}
    system = house.oro if side == "oro" else house.graph
    system.send("POST", "hold", wish)
    process = house.start("sync", "anna")
    assert system.get("hold?wait=60"), f"no request met {wish}"
    server.stop_at_once()
    try:
        system.send("DELETE", "hold")
        _, said = process.communicate(timeout=120)
    finally:
        server.start()
    assert process.returncode == 1, said
    assert "The database could not take part just now" in said
    assert "Traceback" not in said
    count("fault", "PostgreSQL stopped at once")

    last: list[Any] = []

    def done() -> bool:
        last.append(house.run("sync", "anna", "--json"))
        if last[-1].code != 0:
            assert "is working on account anna" in last[-1].err, last[-1].err  # the lease of the run that broke off
            return False
        waiting = [each["waiting"] for each in last[-1].json["entities"].values()]
        return not any(waiting)

    wait_until(done, "the next run finishes it", 60, every_s=0.5)
    for entity, (in_oro, in_outlook) in before.items():
        assert names_in_oro(house, entity) == in_oro | may_travel(house, entity, in_outlook)
        assert names_in_outlook(house, entity) - in_outlook == in_oro - in_outlook
    quiet = house.run("sync", "anna", "--json").json
    assert sum(sum(each[side].values()) for each in quiet["entities"].values() for side in ("outlook", "oro")) == 0


def test_workers_and_dispatcher_live_through_it_and_lose_and_double_nothing(tmp_path: Path, server: Server) -> None:
    outages = {3: "Late", 7: "Later"} if minutes() else {7: "Late"}
    owe("fault", "PostgreSQL stopped at once", len(outages))
    needs_broker("redis")
    url = server.new_database("cluster")
    with cluster(tmp_path, url, "redis", accounts=PEOPLE) as running:
        running.start_workers(2)
        running.start("dispatcher", "dispatcher")
        wait_until(lambda: running.workers_seen() == 2, "two workers gave a sign of life", 90)
        for person, late in outages.items():
            running.systems.hold_create(person)
            running.make_due()
            running.systems.wait_for_held(person, 120)
            server.stop_at_once()
            running.systems.let_go(person)
            server.start()
            count("fault", "PostgreSQL stopped at once")
            running.database.engine.dispose()  # ours, which asks how far they are
            settle(running, 120)
            settle_what_waits(running)
            running.systems.add_contact(7, late)
        running.make_due([7])
        settle(running, 120)
        settle_what_waits(running)
        assert [each.poll() for each in running.processes.values()] == [None, None, None], "nobody died of it"
        everything_is_there_once(running)
        assert running.systems.in_oro()["7"] == sorted(["G0 g7", "T0 t7", *(f"{each} t7" for each in outages.values())])
        for name in list(running.processes):
            running.end(name)
