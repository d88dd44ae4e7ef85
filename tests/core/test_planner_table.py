"""Every combination of what may be known, chosen and changed: the planner and the tables for people say the same."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
from collections.abc import Iterator

import pytest
from tests.core.planner_rows import (
    CLOCKS,
    EMPTY,
    FIELD_WAYS,
    HALVES,
    MAY_BE_EMPTY,
    TRIED_WHOLE,
    VALUES,
    WAYS,
    Asked,
    X,
    Y,
    Z,
    check,
    owe_rules,
)
from tests.core.planner_table import TABLES, Situation, rules_of
from tests.proof.effort import minutes
from tests.proof.tally import count, owe

from orosync.core import merge, plan, scope
from orosync.core.fields import units_of
from orosync.core.records import Entity
from orosync.core.settings import ConflictRule, OnDeleteInOro, OnDeleteInOutlook


def whole_product(way: str) -> Iterator[Situation]:
    """Every base, presence and value on both sides, conflict rule, delete policy and direction of the field."""
    states = [*HALVES, X, Y, Z]
    policies = [
        (conflict.value, later)
        for conflict in ConflictRule
        for later in (CLOCKS if conflict is ConflictRule.NEWEST else [""])
    ]
    for base, outlook, oro, in_outlook, in_oro, field, (conflict, later) in itertools.product(
        (None, X), states, states, OnDeleteInOutlook, OnDeleteInOro, FIELD_WAYS, policies
    ):
        yield Situation(outlook, oro, base, way, conflict, in_outlook.value, in_oro.value, field, later)


def values_only(values: list[str]) -> Iterator[Situation]:
    """Both are there: every base (agreed, none, or each side with its own), value, direction, conflict rule, resync."""
    bases = [(None, None), (X, None), (X, Y), *([(EMPTY, None), (X, EMPTY)] if EMPTY in values else [])]
    for (base, apart), outlook, oro, way, field, conflict, resync in itertools.product(
        bases, values, values, WAYS, FIELD_WAYS, ("oro_wins", "outlook_wins", "ask"), (False, True)
    ):
        yield Situation(outlook, oro, base, way, conflict, field=field, resync=resync, apart=apart)


ROWS = 2 * 7 * 7 * 3 * 2 * 4 * 7  # of one direction


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("entity", list(Entity))
def test_whatever_is_known_and_chosen_the_plan_is_the_tables(entity: Entity, way: str) -> None:
    """The short form shares the rows out among the entities, the long one asks each of them about all."""
    asked, step = Asked(entity, TRIED_WHOLE[entity]), 1 if minutes() else len(Entity)
    tried = 0
    for row in itertools.islice(whole_product(way), list(Entity).index(entity) if step > 1 else 0, None, step):
        check(asked, row)
        tried += 1
    assert tried == ROWS // step
    count("planner row", f"every presence, {entity}", tried)
    owe("planner row", f"every presence, {entity}", ROWS // step)
    if entity is Entity.TASK and way == "bidirectional":  # once for all of them
        owe("rule", "unchanged", 1)  # where only shadows move
        owe_rules("presence", "deleted in Outlook", "deleted in OroCRM", "changed", "both changed")


@pytest.mark.parametrize(("entity", "unit"), [pytest.param(*each, id="-".join(each)) for each in VALUES])
def test_every_unit_that_is_replaced_whole_moves_as_the_tables_say(entity: Entity, unit: str) -> None:
    """Every seventh row in the short form: seven has no part in any of the numbers that are multiplied."""
    values, step = [*VALUES[entity, unit], *([EMPTY] if unit in MAY_BE_EMPTY else [])], 1 if minutes() else 7
    tried = 0
    for row in itertools.islice(values_only(values), 0, None, step):
        check(Asked(entity, unit), row)
        tried += 1
    count("planner row", f"every unit, {entity}", tried)
    owe("planner row", f"every unit, {entity}", 3 * 9 * 72 // step)
    if unit == "due_date":
        owe_rules("never in step", "changed, resync")


def test_no_unit_is_left_out() -> None:
    """Of the sets, whose members merge one by one, the table is elsewhere."""
    sets = {(Entity.CONTACT, "emails")}
    assert {*VALUES} == {(entity, unit) for entity in Entity for unit in units_of(entity)} - sets


# Rules that no table names, as other tests meet them: of sets, lines, people's choices, pairs just found, a resync.
ELSEWHERE = {"members_merged", "lines_merged", "chosen", "cannot_be_held", "visible_again", "still_out_of_scope"}
ELSEWHERE |= {"stamp", "replace", "unchanged"}
SAID_OF_A_UNIT_ONLY = {"both_agree", "field_is_off", "master_is_empty"}  # no op comes of them
OTHER_WORDS = {"description", "title", "subject", "emails", "start", "end", "recurrence", "organiser", "equal", "skip"}
OTHER_WORDS |= {"first_name", "middle_name", "last_name", "owned", "selected", "busy_only", "ask"}


def test_the_planner_has_no_rule_that_the_tables_do_not_know() -> None:
    """Whoever gives the planner a new rule meets this test, and writes the rule into a table first."""
    words: set[str] = set()
    for module in (plan, merge, scope):
        tree = ast.parse(inspect.getsource(module))
        texts = (
            each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )
        words |= {each for each in texts if re.fullmatch(r"[a-z]+(_[a-z]+)*", each)}
    tables = rules_of(*TABLES) | {cells[0] for _, cells in TABLES["left alone"].rows}
    values = {each.value for each in ConflictRule}  # named by the setting
    assert words - OTHER_WORDS - SAID_OF_A_UNIT_ONLY - ELSEWHERE == tables - values
    assert words >= SAID_OF_A_UNIT_ONLY | ELSEWHERE | OTHER_WORDS
