"""When a value counts as going back and forth, and what is shown then (R27)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orosync.core.fields import empty_record
from orosync.core.ledger import OplogEntry
from orosync.core.mapping.lens import Context
from orosync.core.ops import Decision, Op, Verb
from orosync.core.oscillation import freeze, oscillating_units
from orosync.core.plan import plan_case
from orosync.core.records import GONE, Case, Entity, Half, Link, Side, Snapshot
from orosync.core.scope import Policy
from orosync.core.settings import Settings

TITLE = "job_title"
AT = datetime(2026, 11, 23, tzinfo=UTC)


def write(**values: str) -> Op:
    return Op(Verb.UPDATE, Entity.CONTACT, Side.ORO, "changed_in_outlook", "", values=values)


def entry(verb: str = "update", rule: str = "changed_in_oro", **after: str) -> OplogEntry:
    return OplogEntry("op", "run", AT, Entity.CONTACT, Side.OUTLOOK, verb, "O", "1", rule, "", {}, after)


@pytest.mark.parametrize(
    ("new", "before", "found"),
    [
        ("a", ["b", "a", "b"], True),
        ("a", ["b", "a"], False),
        ("a", ["a", "a", "a"], False),
        ("c", ["b", "a", "b"], False),
        ("a", ["b", "a", "c"], False),
    ],
)
def test_four_writes_of_two_values_by_turns(new: str, before: list[str], *, found: bool) -> None:
    history = [entry(**{TITLE: value}) for value in before]
    assert oscillating_units(write(**{TITLE: new}), history) == ((TITLE,) if found else ())


def test_other_fields_creates_and_undoing_do_not_count() -> None:
    history = [
        entry(job_title="b"),
        entry(fax="1"),
        entry("create", job_title="a"),
        entry(rule="undo", job_title="b"),
        entry(job_title="a"),
    ]
    assert oscillating_units(write(job_title="a"), history) == ()
    assert oscillating_units(replace(write(job_title="a"), verb=Verb.CREATE), [entry(job_title="b")] * 3) == ()


def snapshot(side: Side, title: str) -> Snapshot:
    record = {**empty_record(Entity.CONTACT), "last_name": "Lovelace", TITLE: title}
    return Snapshot(side, Entity.CONTACT, "O" if side is Side.OUTLOOK else "1", "v", record, stamp="1")


def test_freezing_takes_the_unit_out_of_the_plan_and_shows_both_values() -> None:
    outlook, oro = snapshot(Side.OUTLOOK, "a"), snapshot(Side.ORO, "b")
    shadows = {Side.OUTLOOK: {**outlook.record, TITLE: "b"}, Side.ORO: dict(oro.record)}
    link = Link(7, Entity.CONTACT, "O", "1", shadows=shadows, versions=dict.fromkeys(Side, "v"), stamped=True)
    policy = Policy(Settings(), Context())
    decision = plan_case(Case(Entity.CONTACT, Half.of(outlook), Half.of(oro), link), policy)
    assert [op.values for op in decision.written] == [{TITLE: "a"}]
    frozen = freeze(decision, (TITLE,), policy)
    assert frozen.written == ()
    (shown,) = frozen.conflicts
    assert (shown.unit, shown.rule, shown.choice) == (TITLE, "frozen", None)
    assert (shown.outlook, shown.oro) == ({TITLE: "a"}, {TITLE: "b"})


def test_what_is_no_pair_is_left_as_it_is() -> None:
    alone = Decision(Case(Entity.CONTACT, Half.of(snapshot(Side.OUTLOOK, "a")), GONE))
    assert freeze(alone, (TITLE,), Policy(Settings(), Context())) is alone
