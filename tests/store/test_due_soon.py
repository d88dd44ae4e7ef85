"""Settings for many changed: all of them are looked at soon, by one statement, and not all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from tests.store.conftest import NOON

from orosync.core.due import DueWork
from orosync.core.records import Side
from orosync.store.database import Database

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def plan(database: Database, account_id: int, **more: object) -> None:
    database.due_work.change(account_id, lambda work: replace(work, **more))  # type: ignore[arg-type]


def test_all_that_is_planned_is_due_within_the_minute_spread_by_chance(
    database: Database, new_account: Callable[..., int]
) -> None:
    numbers = [new_account(f"a{number}") for number in range(30)]
    for number in numbers:
        plan(database, number, due_at=NOON + HOUR)
    assert database.due_work.hurry(None, MINUTE) == 30
    works = [database.due_work.get(number) for number in numbers]
    times = {work.due_at for work in works}
    assert all(at is not None and NOON <= at <= NOON + MINUTE for at in times)
    assert len(times) > 20
    assert max(at for at in times if at) - min(at for at in times if at) > timedelta(seconds=20)
    assert all(work.called_at == {Side.OUTLOOK: NOON, Side.ORO: NOON} for work in works)


def test_nobody_is_looked_at_later_than_planned_nor_before_a_pause_is_over_nor_without_having_begun(
    database: Database, new_account: Callable[..., int]
) -> None:
    soon, paused, failing, idle, disabled = (new_account(name) for name in ("soon", "paused", "fail", "idle", "dis"))
    plan(database, soon, due_at=NOON - MINUTE)
    plan(database, paused, due_at=NOON + HOUR, trouble="throttled")
    plan(database, failing, due_at=NOON + HOUR, trouble="failing")
    plan(database, disabled, due_at=NOON + HOUR)
    database.accounts.disable(disabled, "", NOON)
    assert database.due_work.hurry(None, MINUTE) == 3
    assert database.due_work.get(soon).due_at == NOON - MINUTE
    assert database.due_work.get(paused).due_at == NOON + HOUR
    assert database.due_work.get(disabled).due_at == NOON + HOUR
    assert database.due_work.get(idle) == DueWork(idle)
    due_at = database.due_work.get(failing).due_at
    assert due_at is not None
    assert due_at <= NOON + MINUTE


def test_an_organisation_does_not_hurry_another(database: Database, new_account: Callable[..., int]) -> None:
    ours, theirs = new_account("ours", organisation="contoso"), new_account("theirs", organisation="fabrikam")
    for number in (ours, theirs):
        plan(database, number, due_at=NOON + HOUR)
    assert database.due_work.hurry("contoso", MINUTE) == 1
    assert database.due_work.get(theirs) == DueWork(theirs, due_at=NOON + HOUR)


def test_it_is_one_statement_however_many_there_are(database: Database, new_account: Callable[..., int]) -> None:
    for number in range(5):
        plan(database, new_account(f"a{number}"), due_at=NOON + HOUR)
    said: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    database.due_work.hurry(None, MINUTE)
    assert [each.split()[0] for each in said if not each.startswith(("BEGIN", "COMMIT"))] == ["UPDATE"]
