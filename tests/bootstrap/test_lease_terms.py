"""How long a run may write: only while its lease is certainly its own, by a clock that goes on while it is frozen."""

from __future__ import annotations

import pytest

from orosync.bootstrap.lease import LEASE, Term
from orosync.errors import LeaseLost, TryLater

SPAN = LEASE.total_seconds()


class Renewals:
    """Stands in for the database: counts, and refuses when it is told to."""

    def __init__(self) -> None:
        self.now, self.count, self.error = 100.0, 0, None

    error: Exception | None

    def __call__(self) -> None:
        self.count += 1
        self.now += 0.5  # it takes a while
        if self.error is not None:
            raise self.error


def term(renewals: Renewals) -> Term:
    return Term(renewals, renewals.now, lambda: renewals.now)


def test_while_it_lasts_nobody_is_asked() -> None:
    renewals = Renewals()
    held = term(renewals)
    renewals.now += SPAN - 1.5
    held.ensure()
    assert renewals.count == 0


def test_near_its_end_it_is_renewed_before_anything_is_written() -> None:
    renewals = Renewals()
    held = term(renewals)
    renewals.now += SPAN - 1.0
    held.ensure()
    assert renewals.count == 1
    renewals.now += SPAN - 2.0
    held.ensure()
    assert renewals.count == 1
    renewals.now += 0.5  # the term began when it was asked for, not when the answer came
    held.ensure()
    assert renewals.count == 2


@pytest.mark.parametrize("error", [LeaseLost("taken over"), TryLater("no database")])
def test_who_slept_through_it_writes_nothing_before_the_database_has_said_so(error: Exception) -> None:
    renewals = Renewals()
    held = term(renewals)
    renewals.now += 10 * SPAN
    renewals.error = error
    for _ in range(2):
        with pytest.raises(type(error)):
            held.ensure()
