"""What Prometheus is told, who may read it, and that no label names anybody."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from tests.web.application import CRM, Application, Person

from orosync import __version__
from orosync.bootstrap.counting import begin_counting
from orosync.bootstrap.gauges import KEPT_S, StateOfAll
from orosync.bootstrap.product_files import product_file
from orosync.core.push import Subscription
from orosync.core.records import Entity, Side
from orosync.metrics import Metrics, served, text_of
from orosync.web.app import create_app

# what deploy/ and docs/ build on
NAMES = {
    "orosync_runs",
    "orosync_run_seconds",
    "orosync_ops",
    "orosync_arrival_seconds",
    "orosync_requests",
    "orosync_accounts",
    "orosync_due_waiting",
    "orosync_due_lag_seconds",
    "orosync_held_plans",
    "orosync_quarantined_records",
    "orosync_open_conflicts",
    "orosync_workers",
    "orosync_worker_slots",
    "orosync_subscriptions",
    "orosync_credential_expiry_seconds",
    "orosync_build_info",
}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: bytes) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


class Now:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def state_of_all(world: Application, monotonic: Any = None) -> StateOfAll:
    return StateOfAll(world.config, world.database, world.parts.clock, monotonic or Now())


def told(world: Application) -> Samples:
    return samples(text_of(begin_counting(), [state_of_all(world)]))


# ------------------------------------------------------------------------------------- who may read


@pytest.fixture
def page(world: Application) -> Any:
    config = replace(world.config, metrics_token="prometheus-reads-with-this")
    parts = replace(world.parts, config=config, metrics=lambda: text_of(Metrics()))
    client = create_app(parts, pane=product_file("addin")).test_client()

    def get(address: str = "203.0.113.7", **headers: str) -> Any:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        return client.get("/metrics", headers=given, environ_base={"REMOTE_ADDR": address})

    return get


def test_metrics_are_for_this_machine_and_for_whoever_has_the_token(page: Any) -> None:
    for allowed in (page("127.0.0.1"), page("::1"), page(Authorization="Bearer prometheus-reads-with-this")):
        assert allowed.status_code == 200
        assert allowed.content_type.startswith("text/plain; version=0.0.4")
        assert b"orosync_build_info" in allowed.data


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("203.0.113.7", {}),
        ("203.0.113.7", {"Authorization": "Bearer wrong"}),
        ("203.0.113.7", {"Authorization": "Bearer "}),
        ("203.0.113.7", {"Authorization": "Basic prometheus-reads-with-this"}),
        ("127.0.0.1", {"X_Forwarded_For": "203.0.113.7"}),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}),
        ("", {}),
    ],
)
def test_nobody_else_reads_them_also_not_through_a_proxy_on_this_machine(
    page: Any, address: str, headers: dict[str, str]
) -> None:
    answer = page(address, **headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert b"orosync_build_info" not in answer.data


def test_without_a_token_of_the_operator_no_token_is_good(world: Application) -> None:
    client = create_app(replace(world.parts, metrics=lambda: b""), pane=product_file("addin")).test_client()
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 200, "this machine"
    far = {"REMOTE_ADDR": "203.0.113.7"}
    assert client.get("/metrics", headers={"Authorization": "Bearer "}, environ_base=far).status_code == 401


def test_an_application_that_counts_nothing_has_no_such_page(world: Application) -> None:
    assert world.flask.test_client().get("/metrics").status_code == 404


# ------------------------------------------------------------------------------------- what is told


def test_runs_writes_requests_and_arrivals_are_counted(world: Application, connected: Person) -> None:
    begin_counting()
    connected.first_sync()
    before = told(world)
    created = datetime.now(UTC)
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    assert connected.sync()["state"] == "done"
    after = told(world)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("orosync_runs_total", mode="sync", state="done") == 1
    assert grown("orosync_run_seconds_count") == 1
    assert grown("orosync_ops_total", side="outlook", entity="contact", verb="create") == 1
    assert grown("orosync_requests_total", side="outlook", outcome="ok") > 0
    assert grown("orosync_requests_total", side="oro", outcome="ok") > 0
    assert grown("orosync_arrival_seconds_count", side="outlook") == 1
    took_s = (datetime.now(UTC) - created).total_seconds()
    assert 0 <= grown("orosync_arrival_seconds_sum", side="outlook") <= took_s + 1
    assert grown("orosync_arrival_seconds_count", side="oro") == 0


def test_what_a_first_sync_brings_over_is_no_arrival_and_a_preview_no_write(
    world: Application, connected: Person
) -> None:
    begin_counting()
    before = told(world)
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    connected.first_sync()
    after = told(world)
    name, labels = "orosync_ops_total", {"side": "outlook", "entity": "contact", "verb": "create"}
    assert value(after, name, **labels) - value(before, name, **labels) == 1
    arrivals = "orosync_arrival_seconds_count"
    assert value(after, arrivals, side="outlook") == value(before, arrivals, side="outlook")


def test_what_an_undo_writes_is_counted_and_its_preview_is_not(world: Application, connected: Person) -> None:
    begin_counting()
    number = world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    connected.first_sync()
    world.oro.back_office_as(world.boris).edit("contact", number, {"firstName": "Bea"})
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Cleo", "lastName": "New"})
    run = connected.sync()["run"]
    before = told(world)
    assert connected.post(f"/syncs/{run}/undo", {"preview": True})
    shown = told(world)
    assert connected.run_of(f"/syncs/{run}/undo")["undo"]["taken_back"] == 2
    after = told(world)
    outlook = {"side": "outlook", "entity": "contact"}

    def grown(then: Samples, name: str, **labels: str) -> float:
        return value(then, name, **labels) - value(before, name, **labels)

    for verb in ("create", "update", "delete"):
        assert grown(shown, "orosync_ops_total", **outlook, verb=verb) == 0
        assert grown(after, "orosync_ops_total", **outlook, verb=verb) == (verb != "create")
    assert grown(shown, "orosync_runs_total", mode="undo_preview", state="done") == 1
    assert grown(after, "orosync_runs_total", mode="undo", state="done") == 1


@pytest.mark.parametrize(
    ("status", "outcome"), [(429, "throttled"), (503, "throttled"), (500, "failed"), (403, "refused")]
)
def test_requests_are_counted_by_how_they_ended(
    world: Application, connected: Person, status: int, outcome: str
) -> None:
    begin_counting()
    connected.first_sync()
    before = told(world)
    world.oro.fail_next("GET", "/api/contacts", status)
    connected.sync()
    labels = {"side": "oro", "outcome": outcome}
    assert value(told(world), "orosync_requests_total", **labels) - value(
        before, "orosync_requests_total", **labels
    ) == pytest.approx(1)


def test_the_state_of_the_whole_installation_is_told(world: Application, connected: Person) -> None:
    world.person("anna").connect()
    connected.first_sync()
    database, now = world.database, datetime.now(UTC)
    database.workers.sign("here:1:a", 4)
    database.workers.sign("here:2:b", 0)
    account = world.account().id
    for resource, number, expires in (("a", "1", now + timedelta(hours=2)), ("b", None, None), ("c", "2", now)):
        database.subscriptions.save(
            Subscription(account, Side.OUTLOOK, resource, Entity.EVENT, number, state="active", expires=expires)
        )
    with database.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE due_work SET due_at = :at WHERE due_at IS NOT NULL"), {"at": now - timedelta(seconds=50)}
        )
    found = told(world)
    assert value(found, "orosync_accounts", state="waiting") == 1
    assert value(found, "orosync_accounts", state="not_started") == 1
    assert value(found, "orosync_accounts", state="failing") == 0
    assert ("orosync_accounts", (("state", "held"),)) in found, "a state that nobody is in is told as well"
    assert value(found, "orosync_due_waiting") == 1
    assert 50 <= value(found, "orosync_due_lag_seconds") < 80
    assert (value(found, "orosync_workers"), value(found, "orosync_worker_slots")) == (1, 4)
    healths = [
        value(found, "orosync_subscriptions", side="outlook", health=each) for each in ("alive", "missing", "expired")
    ]
    assert healths == [1, 1, 1]
    assert value(found, "orosync_credential_expiry_seconds", what="subscription") <= 0
    assert value(found, "orosync_build_info", version=__version__) == 1


def test_all_the_promised_names_are_there_and_no_label_names_an_account_a_mailbox_or_a_record(
    world: Application, connected: Person
) -> None:
    metrics = begin_counting()
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    connected.first_sync()
    text = text_of(metrics, [state_of_all(world)]).decode()
    assert {family.name for family in text_string_to_metric_families(text)} == NAMES
    for secret in ("boris", "contoso", "lovelace", "ada", CRM.removeprefix("https://"), world.boris.api_key.lower()):
        assert not re.search(rf'"[^"]*\b{re.escape(secret)}\b[^"]*"', text.lower()), secret


def test_the_database_is_asked_a_few_times_however_many_accounts_there_are_and_not_at_each_look(
    world: Application, connected: Person
) -> None:
    clock = Now()
    state = state_of_all(world, clock)
    said: list[str] = []

    def note(*given: Any) -> None:
        said.extend([given[2]] if given[2].startswith("SELECT") else [])

    sa.event.listen(world.database.engine, "before_cursor_execute", note)
    state.collect()
    asked = len(said)
    assert 5 <= asked <= 8
    for person in ("anna", "clara"):
        world.person(person).connect()
    said.clear()
    clock.at = KEPT_S - 1
    first = state.collect()
    assert said == []
    clock.at = KEPT_S
    assert state.collect() is not first
    assert len(said) == asked


# ------------------------------------------------------------------------------------- several processes


_COUNTS = """
import sys
from pathlib import Path
from orosync.config import share_metrics
share_metrics(Path(sys.argv[1]))
from orosync.metrics import Metrics, across_processes
if sys.argv[2] == "first":
    across_processes(Path(sys.argv[1]))
metrics = Metrics()
metrics.count_run("sync", "done", 0.2, {("oro", "task", "create"): 3}, [("oro", 4.0)])
"""


def test_processes_of_one_server_count_together(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    for which in ("first", "second"):
        subprocess.run([sys.executable, "-c", _COUNTS, str(folder), which], check=True, timeout=60)
    found = samples(text_of(Metrics(), [], folder))
    assert value(found, "orosync_runs_total", mode="sync", state="done") == 2
    assert value(found, "orosync_ops_total", side="oro", entity="task", verb="create") == 6
    assert value(found, "orosync_arrival_seconds_count", side="oro") == 2
    assert value(found, "orosync_build_info", version=__version__) == 1


def test_a_worker_tells_its_own_counters_at_a_port() -> None:
    metrics = Metrics()
    metrics.count_request("oro", "ok")
    server = served(metrics, "127.0.0.1", 0)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=10) as answer:
            found = samples(answer.read())
    finally:
        server.shutdown()
        server.server_close()
    assert value(found, "orosync_requests_total", side="oro", outcome="ok") == 1
