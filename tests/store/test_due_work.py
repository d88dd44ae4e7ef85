"""Who is handed out next: each account once, people's wishes first, and no OroCRM instance takes everything."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.store.conftest import NOON, SetClock
from tests.store.thousands import fill

from orosync.core.due import ANYBODYS_S, DEBOUNCE, DueWork
from orosync.core.records import Side
from orosync.store import due_work
from orosync.store.database import Database
from orosync.store.due_work import CLAIM

MINUTE = timedelta(minutes=1)
BOTH = frozenset(Side)


def due(database: Database, account_id: int, at: datetime | None = NOON - MINUTE, *, urgent: bool = False) -> None:
    database.due_work.change(account_id, lambda _: DueWork(account_id, due_at=at, urgent=urgent))


def claimed(database: Database, most: int = 10, slots: int = 10) -> list[int]:
    return [each.account_id for each in database.due_work.claim(most, slots)]


def test_an_account_without_a_row_is_not_planned(database: Database, new_account: Callable[..., int]) -> None:
    anna = new_account("anna")
    assert database.due_work.get(anna) == DueWork(anna)
    assert claimed(database) == []


def test_everything_about_a_row_comes_back_as_it_was_written(
    database: Database, new_account: Callable[..., int]
) -> None:
    anna = new_account("anna")
    full = DueWork(
        anna,
        due_at=NOON,
        urgent=True,
        read_at={Side.OUTLOOK: NOON - MINUTE},
        called_at={Side.ORO: NOON - 2 * MINUTE},
        trouble="throttled",
        reason="The mailbox asked for a pause.",
        since=NOON - 3 * MINUTE,
        attempts=2,
    )
    database.due_work.change(anna, lambda _: full)
    assert database.due_work.get(anna) == full


def test_what_people_wait_for_comes_first_and_then_whoever_waits_the_longest(
    database: Database, new_account: Callable[..., int]
) -> None:
    late, later, asked, soon = (new_account(name) for name in ("late", "later", "asked", "soon"))
    due(database, late, NOON - MINUTE / 3)
    due(database, later, NOON - MINUTE / 2)
    due(database, asked, NOON, urgent=True)
    due(database, soon, NOON + MINUTE)
    assert claimed(database) == [asked, later, late], "and nobody before it is due"


def test_calls_without_end_pass_over_nobody_for_longer_than_a_minute(
    database: Database, new_account: Callable[..., int], clock: SetClock
) -> None:
    polled, *called = (new_account(name) for name in ("polled", "a", "b", "c"))
    due(database, polled, NOON)
    turns = []
    for second in range(0, 90, 10):
        clock.at = NOON + timedelta(seconds=second)
        for each in called:
            due(database, each, clock.at, urgent=True)
            database.due_work.begin(each)
        turns.append(claimed(database, most=2))
    assert [polled in each for each in turns].index(True) == 6
    assert all(len(each) == 2 for each in turns)


def test_only_as_many_as_are_wanted(database: Database, new_account: Callable[..., int]) -> None:
    ids = [new_account(f"a{n}") for n in range(5)]
    for number, each in enumerate(ids):
        due(database, each, NOON - (5 - number) * MINUTE)
    assert claimed(database, most=2) == ids[:2]
    assert claimed(database, most=9) == ids[2:]


def test_what_was_handed_out_is_not_handed_out_again_until_nobody_began(
    database: Database, new_account: Callable[..., int], clock: SetClock
) -> None:
    anna = new_account("anna")
    due(database, anna)
    assert claimed(database) == [anna]
    assert claimed(database) == []
    clock.at = NOON + CLAIM - timedelta(seconds=1)
    assert claimed(database) == []
    clock.at = NOON + CLAIM
    assert claimed(database) == [anna]


def test_what_a_broker_did_not_take_is_free_at_once(database: Database, new_account: Callable[..., int]) -> None:
    anna, bob = new_account("anna"), new_account("bob")
    due(database, anna)
    due(database, bob)
    assert claimed(database) == [anna, bob]
    database.due_work.unclaim([bob])
    assert claimed(database) == [bob]
    database.due_work.unclaim_all()
    assert claimed(database) == [anna, bob]


def test_an_account_that_somebody_works_on_is_left_alone_until_the_lease_is_given_back_or_ends(
    database: Database, new_account: Callable[..., int], clock: SetClock
) -> None:
    anna, bob = new_account("anna"), new_account("bob")
    for each in (anna, bob):
        due(database, each)
    lease = database.leases.take(anna, "worker", NOON, timedelta(seconds=8))
    dead = database.leases.take(bob, "killed", NOON, timedelta(seconds=8))
    assert lease is not None
    assert dead is not None
    assert claimed(database) == []
    database.leases.release(lease)
    assert claimed(database) == [anna]
    clock.at = NOON + timedelta(seconds=8)
    assert claimed(database) == [bob]


@pytest.mark.parametrize("asked", [False, True], ids=["due", "asked for"])
def test_whose_worker_was_killed_keeps_the_place_when_a_second_one_finds_the_lease_alive(
    database: Database, new_account: Callable[..., int], clock: SetClock, asked: bool
) -> None:
    """As where a broker hands a message out again at once: many more have come due since then."""
    others = [new_account(name) for name in ("bob", "carl")]
    anna = new_account("anna")
    due(database, anna, NOON - 5 * MINUTE, urgent=asked)
    for each in others:
        due(database, each, NOON - 4 * MINUTE, urgent=asked)
    database.leases.take(anna, "killed", NOON, timedelta(seconds=1))
    database.due_work.let_rest(anna, asked=asked)
    clock.at = NOON + DEBOUNCE - timedelta(seconds=1)
    assert claimed(database) == others, "and nobody tries the one that rests many times a second"
    database.due_work.unclaim(others)
    clock.at = NOON + DEBOUNCE
    assert claimed(database) == [anna, *others]


def test_a_disabled_account_is_never_handed_out(database: Database, new_account: Callable[..., int]) -> None:
    anna = new_account("anna")
    due(database, anna, urgent=True)
    database.accounts.disable(anna, "on leave", NOON)
    assert claimed(database) == []
    database.accounts.enable(anna, NOON)
    assert claimed(database) == [anna]


def test_one_instance_alone_may_have_everything(database: Database, new_account: Callable[..., int]) -> None:
    ids = [new_account(f"a{n}") for n in range(6)]
    for each in ids:
        due(database, each)
    assert claimed(database, most=8, slots=4) == ids


def test_where_there_are_several_instances_a_slow_one_gets_half(
    database: Database, new_account: Callable[..., int]
) -> None:
    slow = [new_account(f"slow{n}", orocrm_url="https://slow.example.com") for n in range(9)]
    quick = [new_account(f"quick{n}", orocrm_url="https://quick.example.com") for n in range(2)]
    for each in slow:
        due(database, each, NOON - 9 * MINUTE)
    for each in quick:
        due(database, each)
    first = claimed(database, most=8, slots=4)
    assert set(first) & set(slow) == set(slow[:2]), "half of the slots"
    assert set(quick) <= set(first), "who is due the least long, and not behind the slow one"
    assert not set(claimed(database, most=8, slots=4)), "as long as those are in hand"
    database.due_work.begin(slow[0])
    assert claimed(database, most=8, slots=4) == [slow[0]], "one place is free again"


def test_the_last_place_is_not_kept_by_those_of_an_instance_that_has_its_share(
    database: Database, new_account: Callable[..., int]
) -> None:
    slow = [new_account(f"slow{n}", orocrm_url="https://slow.example.com") for n in range(9)]
    quick = [new_account(f"quick{n}", orocrm_url="https://quick.example.com") for n in range(2)]
    for each in slow:
        due(database, each, NOON - 9 * MINUTE)
    for each in quick:
        due(database, each)
    assert len(claimed(database, most=3, slots=4)) == 3
    assert claimed(database, most=1, slots=4) == quick[1:]


def test_accounts_that_are_worked_on_count_against_their_instance(
    database: Database, new_account: Callable[..., int]
) -> None:
    slow = [new_account(f"slow{n}", orocrm_url="https://slow.example.com") for n in range(9)]
    new_account("quick", orocrm_url="https://quick.example.com")
    for each in slow:
        due(database, each)
    for each in slow[:3]:
        database.leases.take(each, f"worker {each}", NOON, timedelta(seconds=8))
    assert database.due_work.in_hand() == 3
    assert claimed(database, most=16, slots=8) == [slow[3]]
    assert database.due_work.in_hand() == 4


def test_a_call_from_outside_brings_the_look_forward_and_asking_makes_it_due_at_once(
    database: Database, new_account: Callable[..., int], clock: SetClock
) -> None:
    anna, bob = new_account("anna"), new_account("bob")
    for each in (anna, bob):
        due(database, each, NOON + 10 * MINUTE)
    database.due_work.call([anna], frozenset({Side.OUTLOOK}))
    assert database.due_work.get(anna).called_at == {Side.OUTLOOK: NOON}
    clock.at = NOON + timedelta(seconds=2)
    assert claimed(database) == [anna]
    database.due_work.ask(bob)
    assert claimed(database) == [], "who asks also puts it into the queue"
    clock.at += CLAIM
    assert claimed(database) == [anna, bob], "should that message be lost, it is handed out again"


def test_what_may_be_anybody_s_is_looked_for_by_one_after_the_other(
    database: Database, new_account: Callable[..., int], engine: sa.Engine
) -> None:
    numbers = [new_account(f"a{number}") for number in range(30)]
    for number in numbers:
        work = DueWork(number, due_at=NOON + 60 * MINUTE, read_at=dict.fromkeys(Side, NOON - MINUTE))
        database.due_work.change(number, lambda _, work=work: work)  # type: ignore[misc]
    gone = new_account("gone")
    database.accounts.remove(gone)
    among = [*numbers, gone]
    chances = iter([number / 30 for number in range(30)] + [0.99] * 30)
    database.due_work.call_in_turn(among, Side.ORO, lambda: next(chances))
    works = [database.due_work.get(number) for number in numbers]
    times = sorted(work.due_at for work in works if work.due_at is not None)
    assert times[0] >= NOON + DEBOUNCE
    assert NOON + timedelta(seconds=5) <= times[-1] <= NOON + DEBOUNCE + timedelta(seconds=ANYBODYS_S * len(among))
    assert len(set(times)) == 30
    written: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: written.append(given[2].split()[0]))
    database.due_work.call_in_turn(among, Side.ORO, lambda: next(chances))
    assert [database.due_work.get(number) for number in numbers] == works, "they look soon enough as it is"
    assert "INSERT" not in written


def test_calls_hurry_no_account_that_waits_for_its_user(database: Database, new_account: Callable[..., int]) -> None:
    anna, later = new_account("anna"), NOON + timedelta(hours=6)
    due(database, anna, later)
    database.accounts.suspend(anna, "Sign in again.", NOON)
    database.due_work.call([anna], frozenset({Side.OUTLOOK}))
    database.due_work.call_in_turn([anna], Side.ORO, lambda: 0.0)
    work = database.due_work.get(anna)
    assert (work.due_at, work.urgent, set(work.called_at)) == (later, False, set(Side))
    database.accounts.enable(anna, NOON)
    database.due_work.call([anna], frozenset({Side.OUTLOOK}))
    assert database.due_work.get(anna).due_at == NOON + DEBOUNCE


def test_changing_a_row_leaves_the_claim_alone(database: Database, new_account: Callable[..., int]) -> None:
    anna = new_account("anna")
    due(database, anna)
    assert claimed(database) == [anna]
    database.due_work.call([anna], BOTH)
    assert claimed(database) == []


def test_the_lag_tells_how_many_wait_and_since_when(database: Database, new_account: Callable[..., int]) -> None:
    assert database.due_work.lag() == due_work.Lag(0, None)
    anna, bob, carl = (new_account(name) for name in ("anna", "bob", "carl"))
    due(database, anna, NOON - 3 * MINUTE)
    due(database, bob, NOON - MINUTE)
    due(database, carl, NOON + MINUTE)
    assert database.due_work.lag() == due_work.Lag(2, NOON - 3 * MINUTE)
    claimed(database, most=1)
    assert database.due_work.lag() == due_work.Lag(1, NOON - MINUTE)


def test_threads_that_compete_claim_each_account_once(database: Database, new_account: Callable[..., int]) -> None:
    with database.transaction():
        ids = [new_account(f"a{n}") for n in range(200)]
        for each in ids:
            due(database, each)
    got: list[int] = []
    go = threading.Barrier(4)

    def compete() -> None:
        go.wait(10)
        while some := claimed(database, most=7, slots=100):
            got.extend(some)

    threads = [threading.Thread(target=compete) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert Counter(got) == dict.fromkeys(ids, 1)


_PROCESS = """
import sys
from datetime import UTC, datetime
from orosync.store.database import Database
from orosync.store.engine import open_engine
database = Database(open_engine(sys.argv[1]), None, lambda: datetime(2026, 11, 21, 12, tzinfo=UTC))
print("ready", flush=True)
sys.stdin.readline()
while some := database.due_work.claim(5, 100):
    print(*(each.account_id for each in some), flush=True)
"""


@pytest.mark.processes
def test_processes_that_compete_claim_each_account_once(database: Database, new_account: Callable[..., int]) -> None:
    with database.transaction():
        ids = [new_account(f"a{n}") for n in range(150)]
        for each in ids:
            due(database, each)
    url = database.engine.url.render_as_string(hide_password=False)
    dispatchers = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for each in dispatchers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in dispatchers:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    told = [each.communicate(timeout=60)[0] for each in dispatchers]
    assert all(each.returncode == 0 for each in dispatchers)
    assert Counter(map(int, " ".join(told).split())) == dict.fromkeys(ids, 1)


def test_a_round_finds_what_is_due_and_in_hand_by_indexes_however_many_accounts_rest(database: Database) -> None:
    """A walk through 20,000 accounts that have nothing to do, each second, would be the price of having them."""
    fill(database, 20_000, due_now=20, now=NOON)
    asked = asked_by(database, lambda: (database.due_work.in_hand(), claimed(database, 8, 8), database.due_work.lag()))
    plans = {statement: _plan_of(database, statement, values) for statement, values in asked}
    assert len(plans) >= 5
    for statement, plan in plans.items():
        for walk in ("SCAN due_work", "Seq Scan on due_work", "SCAN accounts", "Seq Scan on accounts"):
            assert walk not in plan, f"{statement}\n{plan}"


def asked_by(database: Database, act: Callable[[], object]) -> list[tuple[str, Any]]:
    """The statements, with their values as the driver gets them."""
    seen: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "WITH")):
            seen.append((statement, values))

    sa.event.listen(database.engine, "before_cursor_execute", hear)
    try:
        act()
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", hear)
    return seen


def _plan_of(database: Database, statement: str, values: Any) -> str:
    explain = "EXPLAIN QUERY PLAN " if database.engine.dialect.name == "sqlite" else "EXPLAIN "
    with database.engine.connect() as connection:
        return "\n".join(" ".join(map(str, row)) for row in connection.exec_driver_sql(explain + statement, values))
