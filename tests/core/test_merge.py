"""Merging one unit: tables for scalars, groups, addresses and texts; the merges of sets and lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.engine_world import ORO, OUTLOOK, record
from tests.core.lens_world import CONTEXT

from orosync.core.canonical import block
from orosync.core.changes import compare
from orosync.core.fields import Direction, units_of
from orosync.core.merge import Times, UnitOutcome, UnitRule, merge_lines, merge_members, merge_unit
from orosync.core.records import Entity, Side, Value
from orosync.core.settings import ConflictRule

BOTH, TO_OUTLOOK, TO_ORO, OFF = Direction.BOTH, Direction.TO_OUTLOOK, Direction.TO_ORO, Direction.OFF
Values = Mapping[str, Value]
NO_BASE = "no base"


def merged(
    unit: str,
    base: Any,
    outlook: Any,
    oro: Any,
    direction: Direction = BOTH,
    *,
    entity: Entity = Entity.CONTACT,
    base_in_oro: Any = None,
    **rule: Any,
) -> UnitOutcome:
    """One unit by its values: a dict of fields, or the value of the only field. base NO_BASE: a first link."""

    def values(of: Any) -> Values:
        return of if isinstance(of, dict) and set(of) <= set(record(entity)) else {unit: of}

    shadows = {}
    if base != NO_BASE:
        shadows = {OUTLOOK: record(entity, **values(base)), ORO: record(entity, **values(base_in_oro or base))}
    sides = compare(entity, record(entity, **values(outlook)), record(entity, **values(oro)), shadows, CONTEXT)
    return merge_unit(units_of(entity)[unit], sides, UnitRule(direction, **rule))


def written(outcome: UnitOutcome) -> dict[str, Any]:
    """Per side: the value, or the values of a group."""
    return {
        side.value: dict(values) if len(values) > 1 else next(iter(values.values()))
        for side, values in outcome.writes.items()
    }


# (direction, base, outlook, oro) -> what is written, who loses, settled
SCALARS = [
    (BOTH, "a", "a", "a", {}, None, True, "unchanged"),
    (BOTH, "a", "b", "b", {}, None, True, "both_agree"),
    (BOTH, "a", "a", "b", {"outlook": "b"}, None, True, "changed_in_oro"),
    (BOTH, "a", "b", "a", {"oro": "b"}, None, True, "changed_in_outlook"),
    (BOTH, "a", None, "a", {"oro": None}, None, True, "changed_in_outlook"),
    (BOTH, "a", "a", None, {"outlook": None}, None, True, "changed_in_oro"),
    (BOTH, "a", "b", "c", {"outlook": "c"}, OUTLOOK, True, "oro_wins"),
    (BOTH, "a", "b", None, {"outlook": None}, OUTLOOK, True, "oro_wins"),
    (TO_OUTLOOK, "a", "a", "b", {"outlook": "b"}, None, True, "oro_is_master"),
    (TO_OUTLOOK, "a", "b", "a", {}, None, False, "stays_in_outlook"),
    (TO_OUTLOOK, "a", "b", "c", {"outlook": "c"}, OUTLOOK, True, "oro_is_master"),
    (TO_ORO, "a", "a", "b", {"oro": "a"}, ORO, True, "outlook_is_master"),
    (TO_ORO, "a", "b", "a", {"oro": "b"}, None, True, "outlook_is_master"),
    (TO_ORO, "a", "b", "c", {"oro": "b"}, ORO, True, "outlook_is_master"),
    (OFF, "a", "b", "c", {}, None, False, "field_is_off"),
    (BOTH, NO_BASE, "a", "a", {}, None, True, "both_agree"),
    (BOTH, NO_BASE, "a", "b", {"outlook": "b"}, OUTLOOK, True, "first_values"),
    (BOTH, NO_BASE, "a", None, {"oro": "a"}, None, True, "filled"),
    (BOTH, NO_BASE, None, "a", {"outlook": "a"}, None, True, "filled"),
    (TO_OUTLOOK, NO_BASE, "a", "b", {"outlook": "b"}, OUTLOOK, True, "first_values"),
    (TO_OUTLOOK, NO_BASE, "a", None, {}, None, True, "master_is_empty"),
    (TO_OUTLOOK, NO_BASE, None, "a", {"outlook": "a"}, None, True, "filled"),
    (TO_ORO, NO_BASE, "a", "b", {"oro": "a"}, ORO, True, "first_values"),
    (TO_ORO, NO_BASE, None, "b", {}, None, True, "master_is_empty"),
    (TO_ORO, NO_BASE, "a", None, {"oro": "a"}, None, True, "filled"),
]


@pytest.mark.parametrize(("direction", "base", "outlook", "oro", "writes", "loser", "settled", "rule"), SCALARS)
def test_a_single_value_travels_as_the_table_says(
    direction: Direction,
    base: Any,
    outlook: Any,
    oro: Any,
    writes: dict[str, Any],
    loser: Side | None,
    settled: bool,
    rule: str,
) -> None:
    outcome = merged("job_title", base, outlook, oro, direction)
    assert (written(outcome), outcome.loser, outcome.settled, outcome.rule) == (writes, loser, settled, rule)


EARLY, LATE, NEARLY = "2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z", "2026-11-23T08:01:59Z"
CONFLICTS = [
    ({"conflict": ConflictRule.ORO_WINS}, {"outlook": "c"}, OUTLOOK),
    ({"conflict": ConflictRule.OUTLOOK_WINS}, {"oro": "b"}, ORO),
    ({"conflict": ConflictRule.NEWEST, "times": Times(LATE, EARLY)}, {"oro": "b"}, ORO),
    ({"conflict": ConflictRule.NEWEST, "times": Times(EARLY, LATE)}, {"outlook": "c"}, OUTLOOK),
    ({"conflict": ConflictRule.NEWEST, "times": Times(NEARLY, EARLY)}, {"outlook": "c"}, OUTLOOK),
    ({"conflict": ConflictRule.NEWEST, "times": Times(LATE, None)}, {"outlook": "c"}, OUTLOOK),
    ({"conflict": ConflictRule.NEWEST, "times": Times(None, EARLY)}, {"outlook": "c"}, OUTLOOK),
    ({"conflict": ConflictRule.ASK}, {}, None),
    ({"conflict": ConflictRule.ASK, "chosen": OUTLOOK}, {"oro": "b"}, ORO),
    ({"conflict": ConflictRule.ASK, "chosen": ORO}, {"outlook": "c"}, OUTLOOK),
]


@pytest.mark.parametrize(("rule", "writes", "loser"), CONFLICTS)
def test_a_conflict_is_decided_by_its_rule_and_by_clocks_only_outside_the_band_of_doubt(
    rule: dict[str, Any], writes: dict[str, Any], loser: Side | None
) -> None:
    outcome = merged("job_title", "a", "b", "c", **rule)
    assert (written(outcome), outcome.loser) == (writes, loser)
    assert outcome.asked is (not writes)
    assert outcome.settled is bool(writes)


def test_in_one_direction_what_was_edited_in_outlook_is_overwritten_when_oros_record_changes_next() -> None:
    outcome = merged("job_title", "a", "b", "a", TO_OUTLOOK, oro_record_changed=True)
    assert (written(outcome), outcome.loser, outcome.rule) == ({"outlook": "a"}, OUTLOOK, "oro_record_changed")


def test_a_tasks_status_in_outlook_is_overwritten_only_when_oros_own_status_changed() -> None:
    task = {"entity": Entity.TASK, "oro_record_changed": True}
    waits = merged("status", "in_progress", "waiting_on_others", "in_progress", TO_OUTLOOK, **task)
    assert (written(waits), waits.rule) == ({}, "both_agree")  # OroCRM has no such status: its own says the same
    kept = merged("status", "in_progress", "completed", "in_progress", TO_OUTLOOK, **task)
    assert (written(kept), kept.rule) == ({}, "stays_in_outlook")
    closed = merged("status", "in_progress", "waiting_on_others", "completed", TO_OUTLOOK, **task)
    assert written(closed) == {"outlook": "completed"}
    resync = merged("status", "in_progress", "completed", "in_progress", TO_OUTLOOK, reconcile=True, **task)
    assert written(resync) == {"outlook": "in_progress"}


@pytest.mark.parametrize(
    ("direction", "outlook", "oro", "writes"),
    [
        (BOTH, "a", "b", {"outlook": "b"}),
        (TO_OUTLOOK, "a", "b", {"outlook": "b"}),
        (TO_ORO, "a", "b", {"oro": "a"}),
        (BOTH, "a", None, {"oro": "a"}),
        (TO_OUTLOOK, "a", None, {}),
        (TO_ORO, None, "b", {}),
    ],
)
def test_a_resync_settles_standing_differences_as_a_first_sync_would(
    direction: Direction, outlook: Any, oro: Any, writes: dict[str, Any]
) -> None:
    standing = {"base": outlook, "base_in_oro": oro or record(Entity.CONTACT, job_title=None)}
    assert written(merged("job_title", outlook=outlook, oro=oro, direction=direction, **standing)) == {}
    assert written(merged("job_title", outlook=outlook, oro=oro, direction=direction, reconcile=True, **standing)) == (
        writes
    )


# ------------------------------------------------------------------------------------------------ groups


def name(first: Value, middle: Value, last: Value) -> dict[str, Value]:
    return {"first_name": first, "middle_name": middle, "last_name": last, "name_suffix": None}


def test_a_name_merges_as_one_and_only_what_differs_is_written() -> None:
    both = merged("name", name("A", None, "K"), name("A", "B", "K"), name("Ada", None, "K"))
    assert both.loser is OUTLOOK
    assert written(both) == {"outlook": {"first_name": "Ada", "middle_name": None}}


def test_an_empty_field_of_a_first_link_is_filled_and_erases_nothing() -> None:
    outcome = merged("name", NO_BASE, name("A", "B", None), name("A", None, "K"))
    assert outcome.writes == {OUTLOOK: {"last_name": "K"}, ORO: {"middle_name": "B"}}
    one_way = merged("name", NO_BASE, name("A", "B", None), name("A", None, "K"), TO_OUTLOOK)
    assert one_way.writes == {OUTLOOK: {"last_name": "K"}}


def test_a_group_that_differs_at_a_first_link_goes_whole() -> None:
    outcome = merged("name", NO_BASE, name("Adele", "B", "K"), name("Ada", None, "K"))
    assert written(outcome) == {"outlook": {"first_name": "Ada", "middle_name": None}}
    assert outcome.loser is OUTLOOK


def test_an_only_name_that_oro_has_twice_never_travels_back() -> None:
    base = {"base": name("Ada", None, None), "base_in_oro": name("Ada", None, "Ada")}
    outcome = merged("name", outlook=name("Ada", None, None), oro=name("Ada", "B", "Ada"), **base)
    assert written(outcome) == {"outlook": "B"}


def test_the_copy_of_an_only_name_becomes_a_name_when_the_other_half_is_changed() -> None:
    base = {"base": name("Ada", None, None), "base_in_oro": name("Ada", None, "Ada")}
    outcome = merged("name", outlook=name("Ada", None, None), oro=name("Eve", None, "Ada"), **base)
    assert outcome.writes[OUTLOOK]["first_name"] == "Eve"
    assert outcome.writes[OUTLOOK]["last_name"] == "Ada"


def test_a_value_that_the_other_side_cannot_hold_erases_nothing_there() -> None:
    home = {"street": "1 Main St", "city": "Berlin", "region": None, "postal_code": None, "country": "DE"}
    nowhere = {**home, "country": "Narnia"}
    for base in (home, NO_BASE):
        outcome = merged("shipping_address", base, nowhere, home)
        assert (written(outcome), outcome.rule, outcome.settled) == ({}, "cannot_be_held", True)


def test_an_address_travels_whole() -> None:
    home = {"street": "1 Main St", "city": "Berlin", "region": None, "postal_code": None, "country": "DE"}
    moved = {**home, "city": "Bonn"}
    assert merged("shipping_address", home, moved, home).writes == {ORO: {"shipping_address": moved}}


# ------------------------------------------------------------------------------------------------ sets

A, B, C, D, E = (f"{letter}@x.com" for letter in "abcde")
BAD = "not an address"
FIVE, THREE = [A, B, C, D, E], [A, B, C]
# (direction, base in Outlook, base in OroCRM, outlook, oro) -> writes
SETS = [
    (BOTH, THREE, FIVE, THREE, FIVE, {}),
    (BOTH, THREE, FIVE, [A, C], FIVE, {"oro": [A, C, D, E]}),
    (BOTH, THREE, FIVE, [A, "n@x.com", C], FIVE, {"oro": [A, "n@x.com", C, D, E]}),
    (BOTH, THREE, FIVE, [B, A, C], FIVE, {"oro": [B, A, C, D, E]}),
    (BOTH, THREE, FIVE, THREE, [A, B, C, D], {"outlook": [A, B, C, D]}),
    (BOTH, [A], [A], [A], [A, B], {"outlook": [A, B]}),
    (BOTH, [A], [A], [A, C], [A, B], {"outlook": [A, C, B], "oro": [A, C, B]}),
    (BOTH, [A, B], [A, B], [A], [B], {"outlook": None, "oro": None}),
    (BOTH, [A], [A], None, [A], {"oro": None}),
    (BOTH, [A, BAD], [A], [A, BAD], [A, B], {"outlook": [A, BAD, B]}),
    # Outlook holds three: what OroCRM cannot hold is not pushed out by what it has as well
    (BOTH, [D], [D], [A, BAD], [A, B, C, D], {"outlook": [A, BAD, B, C], "oro": [A, B, C, BAD]}),
    (BOTH, [A], [A], [A, BAD], [A], {"oro": [A, BAD]}),  # the planner cuts it to what OroCRM can hold
    (TO_OUTLOOK, THREE, FIVE, [A], FIVE, {}),
    (TO_OUTLOOK, THREE, FIVE, THREE, [B, A], {"outlook": [B, A]}),
    (TO_OUTLOOK, [A, BAD], [A], [A, BAD], [B], {"outlook": [B, BAD]}),
    (TO_OUTLOOK, [A], [A], [A, B], [A, B], {}),
    (TO_ORO, THREE, FIVE, [A], FIVE, {"oro": [A, D, E]}),
    (TO_ORO, THREE, FIVE, THREE, [A, D], {"oro": FIVE}),
    (TO_ORO, [A], [A], [B], [C], {"oro": [B]}),
    (BOTH, NO_BASE, NO_BASE, [A, B, C], [A, B, C, D, E], {}),
    (BOTH, NO_BASE, NO_BASE, [A, BAD], [B], {"outlook": [B, BAD]}),
    (BOTH, NO_BASE, NO_BASE, [A, BAD], None, {"oro": [A, BAD]}),
    (BOTH, NO_BASE, NO_BASE, None, [A], {"outlook": [A]}),
    (BOTH, NO_BASE, NO_BASE, [BAD], None, {}),
    (TO_ORO, NO_BASE, NO_BASE, [A, "n@x.com"], FIVE, {"oro": [A, "n@x.com", D, E]}),
]


@pytest.mark.parametrize(("direction", "base", "base_in_oro", "outlook", "oro", "writes"), SETS)
def test_addresses_merge_one_by_one_and_what_a_side_cannot_hold_stays_on_the_other(
    direction: Direction, base: Any, base_in_oro: Any, outlook: Any, oro: Any, writes: dict[str, Any]
) -> None:
    outcome = merged("emails", base, outlook, oro, direction, base_in_oro=base_in_oro)
    assert written(outcome) == writes


def test_an_outlook_address_edited_in_one_direction_is_overwritten_with_oros_next_change() -> None:
    outcome = merged("emails", [A], [A, B], [A], TO_OUTLOOK, oro_record_changed=True)
    assert (written(outcome), outcome.loser) == ({"outlook": [A]}, OUTLOOK)
    assert merged("emails", [A], [A, B], [A], TO_OUTLOOK).settled is False
    agreed = merged("emails", [A], [A, B], [A, B], TO_OUTLOOK)
    assert (agreed.rule, agreed.settled) == ("both_agree", True)


def test_oros_addresses_that_are_overwritten_are_a_loss_that_is_told() -> None:
    assert merged("emails", [A], [A], [A, B], TO_ORO).loser is ORO
    assert merged("emails", [A], [A, B], [A], TO_ORO).loser is None


@pytest.mark.parametrize(
    ("conflict", "outlook", "oro", "writes"),
    [
        (ConflictRule.ORO_WINS, [B, A, C], [C, A, B], {"outlook": [C, A, B]}),
        (ConflictRule.OUTLOOK_WINS, [B, A, C], [C, A, B], {"outlook": [B, C, A], "oro": [B, C, A]}),
    ],
)
def test_which_address_is_the_primary_one_is_decided_by_the_rule(
    conflict: ConflictRule, outlook: list[str], oro: list[str], writes: dict[str, Any]
) -> None:
    assert written(merged("emails", THREE, outlook, oro, conflict=conflict)) == writes


def test_a_resync_fills_outlook_up_but_never_reads_absence_there_as_a_wish() -> None:
    standing: dict[str, Any] = {"base": [A], "base_in_oro": FIVE, "outlook": [A], "oro": FIVE}
    assert written(merged("emails", reconcile=True, **standing)) == {"outlook": THREE}
    assert written(merged("emails", direction=TO_ORO, reconcile=True, **standing)) == {}


ADDRESSES = st.lists(st.sampled_from([f"{letter}@x.com" for letter in "abcdefgh"]), unique=True, max_size=6)


@given(ground=ADDRESSES, base=ADDRESSES, edited=ADDRESSES, leads=st.booleans())
def test_no_address_is_lost_that_nobody_removed_and_none_comes_back_or_twice(
    ground: list[str], base: list[str], edited: list[str], leads: bool
) -> None:
    result = merge_members(ground, base, edited, outlook_leads=leads)
    removed = set(base) - set(edited)
    assert set(result) == (set(ground) - removed) | (set(edited) - set(base))
    assert len(result) == len(set(result))
    assert merge_members(ground, base, base, outlook_leads=leads) == ground
    assert set(merge_members(base, base, edited, outlook_leads=leads)) == set(edited)


# ------------------------------------------------------------------------------------------------ long texts

POEM = "one\ntwo\nthree\nfour\nfive"
LONGER = f"zero\n{POEM}\nsix"
TEXTS: list[tuple[str | None, str | None, str | None, dict[str, Any], str]] = [
    (POEM, POEM + "\nsix", "zero\n" + POEM, {"outlook": LONGER, "oro": LONGER}, "lines_merged"),
    (POEM, POEM.replace("one", "1"), POEM.replace("one", "I"), {"outlook": POEM.replace("one", "I")}, "oro_wins"),
    (POEM, POEM.replace("one", "1"), POEM.replace("two", "2"), {"outlook": POEM.replace("two", "2")}, "oro_wins"),
    (POEM, None, POEM + "\nsix", {"outlook": POEM + "\nsix"}, "oro_wins"),
    (POEM, POEM + "\nsix", None, {"outlook": None}, "oro_wins"),
    (None, "a", "b", {"outlook": "b"}, "oro_wins"),
    (POEM, POEM + "\nsix", "zero\n" + POEM + "\nsix", {"outlook": f"zero\n{POEM}\nsix"}, "lines_merged"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "outlook", "oro", "writes", "rule"), TEXTS)
def test_long_texts_merge_line_by_line_and_touching_edits_are_a_conflict(
    base: str | None, outlook: str | None, oro: str | None, writes: dict[str, Any], rule: str
) -> None:
    outcome = merged("description", base, outlook, oro)
    assert (written(outcome), outcome.rule) == (writes, rule)


def test_lines_are_not_merged_without_a_common_ground() -> None:
    outcome = merged("description", POEM, POEM + "\nsix", "zero\n" + POEM, base_in_oro=POEM + "\nand more")
    assert outcome.rule == "oro_wins"


LINES = st.lists(st.sampled_from(["a", "b", "c", "", "d"]), max_size=7).map("\n".join)


@given(base=LINES, first=LINES, second=LINES)
def test_lines_changed_on_one_side_only_or_alike_are_taken_as_they_are(base: str, first: str, second: str) -> None:
    assert merge_lines(base, first, base) == first
    assert merge_lines(base, base, second) == second
    assert merge_lines(base, first, first) == first
    assert merge_lines(base, first, second) == merge_lines(base, second, first)


CANONICAL = LINES.map(block).filter(bool)


@given(base=CANONICAL, first=CANONICAL, second=CANONICAL)
def test_merged_lines_are_in_normal_form_and_hold_every_line_that_either_side_added(
    base: str, first: str, second: str
) -> None:
    result = merge_lines(base, first, second)
    if result is not None:
        assert block(result) == result
        for edited in (first, second):
            assert set(edited.split("\n")) - set(base.split("\n")) <= set(result.split("\n"))
