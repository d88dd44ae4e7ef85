"""How often rounds are made: each second while there is little to do, and as soon as there is room while there is much.

No time passes: whoever waits is told so, and meanwhile work is done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from tests.store.conftest import account_named

from orosync.bootstrap import Database, SystemClock
from orosync.jobs.dispatcher import ROUND_EVERY_S, Dispatcher
from orosync.store.engine import open_engine
from orosync.store.workers import SIGN_EVERY

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Workers(threading.Event):
    """In place of the event that ends the dispatcher. Whenever it waits, a tenth of a second of theirs passes for each
    tenth that it would wait: of those in the slots, which take what came first, `each_tenth` accounts are done. The
    dispatcher is told to end after `seconds`."""

    database: Database
    each_tenth: int
    seconds: float = 60.0
    never_done: frozenset[int] = frozenset()
    slots: int = 0
    waited: list[float] = field(default_factory=list)
    given: list[int] = field(default_factory=list)  # and not done yet
    done: int = 0
    most_in_hand: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def put(self, account_id: int, *, urgent: bool = False) -> None:
        self.given.append(account_id)
        self.most_in_hand = max(self.most_in_hand, len(self.given))

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waited.append(timeout)
        for _ in range(round(timeout * 10) * self.each_tenth):
            account_id = next((each for each in self.given[: self.slots] if each not in self.never_done), None)
            if account_id is not None:
                self.given.remove(account_id)
                self.database.due_work.change(account_id, lambda work: replace(work, due_at=None))
                self.database.due_work.begin(account_id)
                self.done += 1
        if round(sum(self.waited), 3) >= self.seconds:
            self.set()
        return self.is_set()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(open_engine(f"sqlite:///{put_empty_database(tmp_path / 'rounds.db')}"))
    without_waiting_for_the_disk(made.engine)
    yield made
    made.close()


def make_due(database: Database, count: int, url: str = "https://crm.example.com") -> frozenset[int]:
    made = set()
    with database.transaction():
        for number in range(count):
            account = replace(account_named(f"{url} {number}"), orocrm_url=url)
            account_id = database.accounts.add(account)
            database.due_work.change(account_id, lambda work: replace(work, due_at=LONG_AGO))
            made.add(account_id)
    return frozenset(made)


def rounds_of(database: Database, workers: Workers, slots: int) -> list[int]:
    """How many accounts each round handed out."""
    database.workers.sign("here:1", slots)
    workers.slots = slots
    dispatcher = Dispatcher(database, workers, SystemClock(), timedelta(days=90))
    found: list[int] = []
    make_round = dispatcher.round

    def counted() -> int:
        found.append(make_round())
        return found[-1]

    dispatcher.round = counted  # type: ignore[method-assign]
    dispatcher.keep_going(workers)
    return found


def test_workers_that_are_fast_are_not_kept_waiting_for_the_next_second(database: Database) -> None:
    make_due(database, 60)
    workers = Workers(database, each_tenth=2, seconds=SIGN_EVERY.total_seconds() * 2)
    rounds_of(database, workers, slots=2)
    busy_s = 60 / 20  # two are done in each tenth of a second
    assert workers.done == 60, "in rounds of a second they would have been given four a second"
    assert sum(workers.waited) <= busy_s + 2 * ROUND_EVERY_S
    assert workers.most_in_hand <= 4, "nobody is given more than twice the slots"


def test_where_a_slow_instance_keeps_its_share_the_others_go_on_without_pause(database: Database) -> None:
    slow = make_due(database, 10, "https://slow.example.com")
    make_due(database, 60, "https://fast.example.com")
    workers = Workers(database, each_tenth=2, seconds=5.0, never_done=slow)
    rounds_of(database, workers, slots=4)
    assert workers.done == 60
    assert len(workers.given) == 2, "the slow one has its half of the slots, and no more"


def test_while_nothing_is_due_a_round_is_made_each_second_and_nothing_else(database: Database) -> None:
    make_due(database, 1)
    workers = Workers(database, each_tenth=1, seconds=10.0)
    rounds = rounds_of(database, workers, slots=2)
    assert sum(rounds) == 1
    assert len(rounds) <= 12
    assert workers.waited[1:] == [ROUND_EVERY_S] * len(workers.waited[1:])


def test_while_there_is_no_room_a_round_is_made_each_second(database: Database) -> None:
    make_due(database, 10)
    workers = Workers(database, each_tenth=0, seconds=5.0)
    rounds = rounds_of(database, workers, slots=2)
    assert sum(rounds) == 4
    assert len(rounds) == 5


def test_without_workers_nothing_is_handed_out_and_nobody_looks_more_often(database: Database) -> None:
    make_due(database, 3)
    workers = Workers(database, each_tenth=1, seconds=3.0)
    rounds = rounds_of(database, workers, slots=0)
    assert rounds == [0, 0, 0]
    assert workers.waited == [ROUND_EVERY_S] * 3
