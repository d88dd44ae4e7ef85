"""What a run says in the log: whose it is in every line, one line when it is over, and nothing when it was idle."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.log_watch import LogWatch
from tests.web.application import Application, Person

from orosync.core.records import Side

_OF_THE_WAY = ("orosync.web.", "orosync.jobs.")  # before, around and after the run


def said(log_watch: LogWatch) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log_watch.lines.said]


def look_by_itself(world: Application) -> None:
    """As the dispatcher would have it done, with both sides calling."""
    now, account = datetime.now(UTC), world.account().id
    calls = dict.fromkeys(Side, now)
    world.database.due_work.change(account, lambda work: replace(work, due_at=now, called_at=calls))
    world.queue.account_work.carry_out(account)


def test_every_line_of_a_run_carries_account_and_run_and_the_last_tells_what_came_of_it(
    world: Application, connected: Person, log_watch: LogWatch
) -> None:
    connected.first_sync()
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    log_watch.lines.said.clear()
    run = connected.sync()
    lines = [line for line in said(log_watch) if not line["logger"].startswith(_OF_THE_WAY)]
    assert len(lines) > 2
    assert {(line.get("account"), line.get("run")) for line in lines} == {("boris@contoso.example", run["run"])}
    (last,) = [line for line in lines if line["event"] == "run finished"]
    assert (last["level"], last["mode"], last["state"], last["created"], last["linked"]) == (
        "info",
        "sync",
        "done",
        1,
        0,
    )
    assert last["seconds"] >= 0
    assert last["oro_requests"] > 0
    assert last["outlook_requests"] > 0


def test_an_idle_run_says_nothing_above_debug(world: Application, connected: Person, log_watch: LogWatch) -> None:
    connected.first_sync()
    look_by_itself(world)
    log_watch.lines.said.clear()
    look_by_itself(world)
    lines = said(log_watch)
    assert [line["level"] for line in lines if line["event"] == "run finished"] == ["debug"]
    assert [line for line in lines if line["level"] != "debug"] == []


def test_a_run_by_itself_that_did_something_says_so(world: Application, connected: Person, log_watch: LogWatch) -> None:
    connected.first_sync()
    look_by_itself(world)
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    log_watch.lines.said.clear()
    look_by_itself(world)
    (line,) = [line for line in said(log_watch) if line["event"] == "run finished"]
    assert (line["level"], line["created"]) == ("info", 1)


def test_a_run_that_fails_says_that_and_why_nobody_has_to_guess(
    world: Application, connected: Person, log_watch: LogWatch
) -> None:
    connected.first_sync()
    world.oro.fail_next("GET", "/api/contacts", 500)
    log_watch.lines.said.clear()
    connected.sync()
    (line,) = [line for line in said(log_watch) if line["event"] == "run finished"]
    assert (line["level"], line["state"]) == ("info", "failed")
    assert "500" in line["problem"]
