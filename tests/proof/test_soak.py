"""A month of many accounts with one bad request in a hundred: they converge, and nothing grows with time (T7)."""

from __future__ import annotations

from pathlib import Path

from tests.proof.effort import minutes
from tests.proof.soak import Soak
from tests.proof.tally import count

DAYS = 30


def test_a_month_of_edits_and_faults_ends_in_step_and_costs_no_more_each_day(tmp_path: Path) -> None:
    """The long form has more accounts with more records each; both have a month."""
    long = minutes()
    accounts, records, runs = (50, int(min(2_000, 8 * long)), 4) if long else (3, 20, 2)
    soak = Soak(tmp_path, 1, accounts, records)
    try:
        soak.settle()
        looks = {}
        for day in range(1, DAYS + 1):
            soak.faults(0.01)
            soak.day(runs, edits=4)
            soak.faults(0.0)
            if day in {5, 15, DAYS}:
                soak.settle()
                looks[day] = soak.look()
        assert soak.differences() == []
        early, late = looks[5], looks[DAYS]
        assert late.idle == early.idle, "an idle run asks more than it did"
        assert late.blocks < 1.1 * early.blocks, "memory grows"
        for table, rows in late.rows.items():
            assert rows <= 1.5 * max(early.rows[table], looks[15].rows[table]) + 50, f"{table} grows: {looks}"
        count("invariant", "soak: an account's month", accounts)
    finally:
        soak.close()
