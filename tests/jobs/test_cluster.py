"""The cluster as it is run: PostgreSQL, RabbitMQ or Redis, workers and a dispatcher as processes, killed and cut off.

Sixty accounts here; `tests/bench/test_cluster.py` tells the same story with two thousand.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from tests.jobs.brokers import needs_broker, wait_until
from tests.jobs.cluster import COMMAND, Cluster, cluster
from tests.jobs.cluster_story import everything_is_there_once, kill_in_mid_run, settle, settle_what_waits

from orosync.bootstrap.readiness import Readiness
from orosync.core.due import DueWork
from orosync.errors import TryLater
from orosync.jobs.cluster import ClusterQueue
from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.store.vault import Vault

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows"),
]
PEOPLE = 24
SOME = range(6)


@pytest.fixture(params=["rabbitmq", "redis"])
def running(request: pytest.FixtureRequest, tmp_path: Path, bare_postgresql_url: str) -> Iterator[Cluster]:
    """Four workers and a dispatcher, with sixty accounts at two OroCRM instances."""
    needs_broker(request.param)
    with cluster(tmp_path, bare_postgresql_url, request.param, accounts=PEOPLE, instances=2) as made:
        made.start_workers(4)
        made.start("dispatcher", "dispatcher")
        wait_until(lambda: made.workers_seen() == 4, "four workers gave a sign of life", 90)
        yield made
        print(made.logs())


def test_each_account_runs_once_and_kills_and_stops_lose_and_double_nothing(running: Cluster) -> None:
    killed = kill_in_mid_run(running, person=7, how_many=2)
    settle(running, 120)
    settle_what_waits(running)

    everything_is_there_once(running)
    assert running.systems.most_at_once() <= 4
    ran = {person: count for person, count in running.systems.feeds_read().items() if count != 1}
    again = {running.systems.told["people"][running.ids.index(each)]["upn"] for each in killed.accounts}
    assert set(ran) <= again, "nobody ran twice but those whose worker was killed"
    finished = Counter(each for (each, state) in running.runs().elements() if state == "done")
    assert {finished[each] for each in running.ids if each not in killed.accounts} == {1}, "one row of history each"
    assert set(running.ids) - set(finished) <= killed.accounts, "a killed run may have done all but say so"
    print(f"taken up again {killed.first_s:.1f} s after the kill, all of them after {killed.all_s:.1f} s")
    assert killed.first_s < 30, "8 s of lease and a round, and what waits for a slow machine"

    the_op_in_hand_is_finished(running)
    without_the_broker(running)
    if running.environment["OROSYNC_BROKER_URL"].startswith("redis"):  # of the others, no broker knows anything
        without_the_database(running)
        without_orocrm(running)
    everything_is_there_once(running)
    for name in list(running.processes):
        running.end(name)
    assert running.workers_seen() == 0, "who ends says so"


def the_op_in_hand_is_finished(running: Cluster) -> None:
    """SIGTERM while OroCRM makes a contact: its answer is waited for, and nothing is left open."""
    running.systems.add_contact(3, "Late")
    running.systems.add_contact(5, "Later")
    running.systems.hold_create(3)
    running.make_due([3])
    running.systems.wait_for_held(3)
    name = running.whose(3)
    worker = running.processes.pop(name)
    worker.send_signal(signal.SIGTERM)
    running.make_due([5])
    wait_until(lambda: "Later t5" in running.systems.in_oro()["5"], "others go on meanwhile", 60)
    assert worker.poll() is None, "it waits for the answer"
    running.systems.let_go(3)
    assert worker.wait(timeout=30) == 0
    assert not running.open_intents(), "the answer was heard"
    wait_until(lambda: running.done() == PEOPLE, "the rest of the run is done by another one", 60)
    assert running.systems.in_oro()["3"] == ["G0 g3", "Late t3", "T0 t3"]


def without_the_broker(running: Cluster) -> None:
    queue = ClusterQueue(running.environment["OROSYNC_BROKER_URL"])
    running.broker.cut()
    assert lacking(running.database, queue) == {"queue"}
    running.make_due(SOME)
    wait_until(lambda: "the dispatcher waits" in running.log("dispatcher"), "it says that it waits", 30)
    assert "The broker cannot be reached" in running.log("dispatcher")
    assert ":guest@" not in running.logs()
    assert running.done() == PEOPLE - len(SOME)
    assert running.workers_seen() == 1, "the worker is alive all the same"
    assert running.database.due_work.lag().waiting == len(SOME), "all of it is due as before"
    running.broker.mend()
    took = wait_until(lambda: running.done() == PEOPLE, "work goes on by itself", 60)
    print(f"done {took:.1f} s after the broker came back")
    assert lacking(running.database, queue) == set()
    queue.close()
    assert "the dispatcher goes on" in running.log("dispatcher")


def lacking(database: Database, queue: ClusterQueue | None = None) -> set[str]:
    """What `/readyz` and the doctor miss."""
    return {each.part for each in Readiness(database, queue).lacks()}


def without_the_database(running: Cluster) -> None:
    vault = Vault([running.environment["OROSYNC_SECRET_KEYS"]])
    seen_from_inside = Database(open_engine(running.environment["OROSYNC_DATABASE_URL"]), vault)
    assert lacking(seen_from_inside) == set()
    waits = running.log("dispatcher").count("the dispatcher waits")
    running.database_proxy.cut()
    assert lacking(seen_from_inside) == {"database"}
    with pytest.raises(TryLater):
        seen_from_inside.due_work.lag()
    running.make_due(SOME)
    wait_until(lambda: running.log("dispatcher").count("the dispatcher waits") > waits, "it says that it waits", 30)
    assert "The database could not take part just now" in running.log("dispatcher")
    running.database_proxy.mend()
    took = wait_until(lambda: running.done() == PEOPLE, "work goes on by itself", 60)
    print(f"done {took:.1f} s after the database came back")
    assert lacking(seen_from_inside) == set()
    seen_from_inside.close()


def without_orocrm(running: Cluster) -> None:
    running.systems.add_contact(0, "Meanwhile")
    for each in running.oro_proxies:
        each.cut()
    running.make_due(SOME)
    wait_until(lambda: running.in_trouble() == len(SOME), "each account says what the trouble is", 60)
    work = running.database.due_work.get(running.ids[0])
    assert (work.trouble, work.attempts) == ("failing", 1)
    assert work.reason
    assert work.since is not None
    assert work.due_at is not None
    assert work.due_at > work.since, "it is tried again by itself"
    for each in running.oro_proxies:
        each.mend()
    for account_id in running.ids[: len(SOME)]:  # nobody wants to wait for the pause of a minute here
        running.database.due_work.change(account_id, _now_due)
    wait_until(lambda: running.in_trouble() == 0 and running.done() == PEOPLE, "and the trouble is over", 60)
    assert "Meanwhile t0" in running.systems.in_oro()["0"]


def _now_due(work: DueWork) -> DueWork:
    return replace(work, due_at=work.since)


@pytest.mark.parametrize("command", ["worker", "dispatcher"])
def test_nothing_starts_without_a_broker_or_a_database_and_it_says_why(command: str, tmp_path: Path) -> None:
    no_server = "postgresql://postgres:hush@127.0.0.1:1/none"
    for changed, says in (
        ({"OROSYNC_BROKER_URL": ""}, "OROSYNC_BROKER_URL is not set"),
        ({"OROSYNC_BROKER_URL": "amqp://guest:hush@127.0.0.1:1//"}, "OROSYNC_BROKER_URL: the broker cannot be reached"),
        ({"OROSYNC_BROKER_URL": "redis://:hush@127.0.0.1:1/0"}, "OROSYNC_BROKER_URL: the broker cannot be reached"),
        ({"OROSYNC_DATABASE_URL": no_server}, "OROSYNC_DATABASE_URL: the database cannot be opened"),
    ):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OROSYNC_")}
        given = {"OROSYNC_DATA_DIR": str(tmp_path / "data"), "OROSYNC_SECRET_KEYS": Fernet.generate_key().decode()}
        ran = subprocess.run(
            [*COMMAND, command], env=kept | given | changed, capture_output=True, text=True, timeout=120, check=False
        )
        assert ran.returncode == 2, ran.stderr
        assert says in ran.stderr
        assert "Traceback" not in ran.stderr
        assert "hush" not in ran.stderr
