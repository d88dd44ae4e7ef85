"""One thread for each side of a run."""

from __future__ import annotations

import threading
from contextvars import ContextVar

import pytest

from orosync.bootstrap.lanes import lanes
from orosync.core.exchange import Written
from orosync.core.records import Side
from orosync.errors import LeaseLost
from orosync.sync.under_way import Results

ACCOUNT: ContextVar[str] = ContextVar("account")


def test_both_sides_are_written_at_the_same_time_and_one_side_in_order() -> None:
    both, order = threading.Barrier(2, timeout=30), list[str]()

    def first() -> Results:
        both.wait()
        order.append("first")
        return {"a": Written(None)}

    def second() -> Results:
        order.append("second")
        return {}

    def meanwhile() -> Results:
        both.wait()
        return {}

    with lanes() as launch:
        waits = [launch(Side.ORO, first), launch(Side.ORO, second)]
        other = launch(Side.OUTLOOK, meanwhile)
        assert [wait() for wait in waits] == [{"a": Written(None)}, {}]
        other()
    assert order == ["first", "second"]


def test_what_is_said_of_the_run_goes_along_and_an_error_comes_back() -> None:
    def work() -> Results:
        raise LeaseLost(ACCOUNT.get())

    ACCOUNT.set("anna")
    with lanes() as launch:
        wait = launch(Side.ORO, work)
        with pytest.raises(LeaseLost, match="anna"):
            wait()


def test_at_the_end_nothing_is_under_way() -> None:
    done = list[str]()

    def work() -> Results:
        done.append("landed")
        return {}

    with lanes() as launch:
        launch(Side.OUTLOOK, work)
    assert done == ["landed"]


def test_the_next_run_has_the_threads_of_the_last_one() -> None:
    with lanes() as launch:
        first = launch(Side.OUTLOOK, threading.current_thread)()
    with lanes() as launch, lanes() as beside:
        assert launch(Side.OUTLOOK, threading.current_thread)() is first
        assert beside(Side.OUTLOOK, threading.current_thread)() is not first, "one run at a time"
