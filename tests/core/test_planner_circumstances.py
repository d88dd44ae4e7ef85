"""Who may see, get and change a record, in every combination of circumstances: privacy, selection, meetings, answers
of people, two fields at once, sets and lines. Expected by the tables of `planner_table.py`, or by a law in one line."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.core.engine_world import ORO, OUTLOOK, alone, linked, only, policy, snapshot, with_directions
from tests.core.planner_rows import X, Y, Z, owe_rules, planned, told, tried
from tests.core.planner_table import OPEN, TABLES, Deed
from tests.proof.tally import owe

from orosync.core.fields import CATALOGUE, Direction
from orosync.core.ops import Decision, Verb
from orosync.core.plan import plan_case
from orosync.core.records import GONE, Case, Entity, Half, Side
from orosync.core.scope import Policy
from orosync.core.settings import (
    MeetingUpdates,
    PrivateItems,
    Settings,
    SyncDirection,
    SyncType,
)

every_entity = pytest.mark.parametrize("entity", list(Entity))
every_way = pytest.mark.parametrize("way", list(SyncDirection))
FIELD = {Entity.CONTACT: "job_title", Entity.TASK: "subject", Entity.EVENT: "title"}


# ------------------------------------------------------------------------------------------------ alone

CIRCUMSTANCES = [conditions for conditions, _ in TABLES["left alone"].rows]


@every_entity
@every_way
@pytest.mark.parametrize("side", list(Side))
def test_a_record_alone_is_left_alone_for_the_first_reason_that_fits(
    entity: Entity, way: SyncDirection, side: Side
) -> None:
    """Every set of reasons; the direction is one, whatever else there is."""
    rows, creates_nothing = 0, side.other.value not in OPEN[way.value]
    fitting = [
        what
        for what, where in CIRCUMSTANCES
        if where in ("*", side.value) and (entity is Entity.EVENT or ("event" not in what and "meeting" not in what))
    ]
    for holding in itertools.product((False, True), repeat=len(fitting)):
        reasons = {what for what, holds in zip(fitting, holding, strict=True) if holds}
        if ("this direction creates nothing there" in reasons) is not creates_nothing:
            continue
        (op,) = planned(*_alone(entity, way, side, reasons)).ops
        said = next((TABLES["left alone"].cell(what, where) for what, where in CIRCUMSTANCES if what in reasons), None)
        expected = Deed("leave", side, said) if said else Deed("create", side.other, f"only_in_{side}")
        assert Deed(op.verb, op.side, op.rule) == expected, reasons
        rows += 1
    tried(f"a record alone in {side}", rows)
    if entity is Entity.EVENT:
        for what, where in CIRCUMSTANCES:
            rule = TABLES["left alone"].cell(what, where)
            reached = creates_nothing if rule == "direction" else not (creates_nothing and rule == "nothing_to_send")
            owe("rule", rule, int(what in fitting and reached))
        owe("rule", f"only_in_{side}", int(not creates_nothing))


def _alone(entity: Entity, way: SyncDirection, side: Side, reasons: set[str]) -> tuple[Case, Policy]:
    facts: dict[str, Any] = {}
    if "it is private in Outlook" in reasons:
        facts["private"] = True
    if "a colleague organises the meeting" in reasons:
        facts |= {"organiser": False, "organiser_address": "boss@x.com", "attendees": 2}
    # what is selected: in Outlook by a category, in OroCRM by its owner or a tag
    mine = "it is not among what this account syncs" not in reasons
    facts |= {"categories": ("OroCRM",) if mine else ("VIP",), "owned": mine}
    here = snapshot(side, entity, **facts)
    travels = Direction.OFF if "it has nothing the other side could hold" in reasons else Direction.BOTH
    chosen = Settings(
        sync_direction=way,
        sync_type=SyncType.SELECTED,
        selected_category="OroCRM",
        field_direction=with_directions(entity, **{each.name: travels for each in CATALOGUE[entity]}),
    )
    rules = policy(
        chosen,
        colleagues=frozenset({"boss@x.com"}),
        window=("2027-01-01", "2027-12-31") if "the event is outside the window" in reasons else ("0001", "9999"),
    )
    spare, tombstone = "another one that matches too was chosen" in reasons, "its partner was deleted once" in reasons
    return alone(here, spare=spare, tombstone=tombstone), rules


# ------------------------------------------------------------------------------------------------ privacy


@every_entity
@every_way
@pytest.mark.parametrize("setting", list(PrivateItems))
def test_a_private_item_is_kept_as_the_setting_says(entity: Entity, way: SyncDirection, setting: PrivateItems) -> None:
    """Linked, alone, just matched; with OroCRM's half there, edited, or deleted. What is kept is told without a word
    of its content (I11)."""
    rules = policy(Settings(sync_direction=way, private_items=setting))
    here, open_one = (snapshot(OUTLOOK, entity, stamp="7", private=private) for private in (True, False))
    there, edited = snapshot(ORO, entity), snapshot(ORO, entity, {FIELD[entity]: "edited"})
    columns: dict[str, list[Any]] = {
        "linked": [lambda it, half=half: linked(entity, it, half) for half in (there, edited, GONE)],
        "alone": [alone],
        "just matched": [
            lambda it, half=half: Case(entity, Half.of(it), Half.of(half), how="stamp") for half in (there, edited)
        ],
    }
    rows = 0
    for column, make in ((column, make) for column, makes in columns.items() for make in makes):
        decision = planned(make(here), rules)
        cell = TABLES["private"].cell(setting.value, entity.value, column=column)
        if cell == "as any other":
            openly = plan_case(make(open_one), rules)
            assert [(op.verb, op.side) for op in decision.ops] == [(op.verb, op.side) for op in openly.ops] or (
                setting is PrivateItems.BUSY_ONLY
            )
        else:
            assert Deed.of(cell) in told(decision)
            assert not decision.written
            assert all(op.title == "" and not op.values and not op.before for op in decision.ops if op.side is OUTLOOK)
        rows += 1
    tried("private items", rows)
    if setting is PrivateItems.SKIP and way is SyncDirection.BIDIRECTIONAL:
        owe_rules("private")


# ------------------------------------------------------------------------------------------------ meetings

STAMPS = list(itertools.product((None, "7", "8"), (False, True, None)))


@every_way
@pytest.mark.parametrize("updates", list(MeetingUpdates))
@pytest.mark.parametrize("attendees", [0, 3])
@pytest.mark.parametrize("organiser", [True, False])
def test_a_meeting_is_touched_only_where_the_table_says_and_says_how_many_are_mailed(
    way: SyncDirection, updates: MeetingUpdates, attendees: int, organiser: bool
) -> None:
    rows = 0
    rules = policy(Settings(sync_direction=way, meeting_updates=updates))
    conditions = ("some" if attendees else "none", "we" if organiser else "they", updates.value)
    changing, deleting = (
        TABLES["meetings"].cell(*conditions, column=column) for column in ("change in Outlook", "deletion in Outlook")
    )
    for (stamp, noted), edits, read_only in itertools.product(STAMPS, ((X, Y), (Y, X), (Y, Z), (X, X)), (False, True)):
        outlook = snapshot(
            OUTLOOK, Entity.EVENT, {"title": edits[0]}, attendees=attendees, organiser=organiser, stamp=stamp
        )
        oro = snapshot(ORO, Entity.EVENT, {"title": edits[1]}, read_only=read_only)
        decision = planned(linked(Entity.EVENT, outlook, oro, {"title": X}, stamped=noted), rules)
        _check_change(decision, way, edits, changing, mails=attendees, read_only=read_only)
        may_stamp = organiser and not attendees
        assert bool(only(decision, Verb.STAMP)) is (stamp != "7" and may_stamp and noted is not None)
        rows += 1
    tried("meetings", rows)
    gone = planned(
        linked(Entity.EVENT, snapshot(OUTLOOK, Entity.EVENT, attendees=attendees, organiser=organiser), GONE), rules
    )
    if way is not SyncDirection.ORO_TO_OUTLOOK:
        (op,) = gone.ops
        if deleting.startswith("delete"):
            assert (op.verb, op.mails) == (Verb.DELETE, attendees if deleting.endswith("mail") else 0)
        else:
            assert told(gone) == {Deed.of(deleting)}
            owe("rule", "meeting_not_deleted", 1)


def _check_change(
    decision: Decision, way: SyncDirection, edits: tuple[str, str], cell: str, *, mails: int, read_only: bool
) -> None:
    """Where OroCRM's value goes to Outlook the table speaks; Outlook's goes to OroCRM unless that one is a copy."""
    open_to = OPEN[way.value] - ({"oro"} if read_only else set())
    towards = _target(open_to, edits)
    updates = {op.side.value: op for op in only(decision, Verb.UPDATE)}
    protected = not cell.startswith("update")
    assert {*updates} == ({towards} if towards and not (towards == "outlook" and protected) else set())
    if "outlook" in updates:
        assert updates["outlook"].mails == (mails if cell.endswith("mail") else 0)
    kept = towards == "outlook" and protected
    assert (Deed.of(cell) in told(decision)) is kept if protected else True
    if kept:
        assert not decision.conflicts
        owe("rule", "meeting_not_changed", 1)


def _target(open_to: set[str], edits: tuple[str, str]) -> str | None:
    """Which side is written for (outlook, oro), both X when last in step, OroCRM winning."""
    outlook, oro = (value != X for value in edits)
    if edits[0] == edits[1]:
        return None
    if open_to == {"oro"}:
        return "oro"
    if "outlook" in open_to and oro:
        return "outlook"
    return "oro" if "oro" in open_to and outlook else None
