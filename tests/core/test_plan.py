"""Planning: single stories with all that an op says, and the properties. Every combination of what may be known and
chosen is in `test_planner_table.py` and its neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.engine_world import (
    ORO,
    OUTLOOK,
    TYPICAL,
    Pair,
    all_fields,
    alone,
    as_half,
    linked,
    only,
    policy,
    record,
    snapshot,
    with_directions,
    writes,
)
from tests.core.lens_world import CONTACTS, CONTEXT, EVENTS, TASKS

from orosync.core.changes import compare
from orosync.core.fields import CATALOGUE, Direction, Kind, units_of
from orosync.core.ops import Verb, plan_hash
from orosync.core.plan import plan_case, plan_replacement
from orosync.core.records import (
    ABSENT,
    GONE,
    OUT_OF_SCOPE,
    UNREADABLE,
    Case,
    Entity,
    Half,
    LinkState,
    Record,
    Side,
    Snapshot,
)
from orosync.core.settings import (
    ConflictRule,
    MeetingUpdates,
    OnDeleteInOro,
    OnDeleteInOutlook,
    PrivateItems,
    Settings,
    SyncDirection,
    effective,
)

BOTH, TO_OUTLOOK, TO_ORO = (
    SyncDirection.BIDIRECTIONAL,
    SyncDirection.ORO_TO_OUTLOOK,
    SyncDirection.OUTLOOK_TO_ORO,
)
FIELD = {Entity.CONTACT: "job_title", Entity.TASK: "subject", Entity.EVENT: "title"}
every_entity = pytest.mark.parametrize("entity", list(Entity))

# ------------------------------------------------------------------------------------------------ created, linked


@every_entity
@pytest.mark.parametrize(
    ("way", "source", "created"),
    [
        (BOTH, ORO, True),
        (BOTH, OUTLOOK, True),
        (TO_OUTLOOK, ORO, True),
        (TO_OUTLOOK, OUTLOOK, False),
        (TO_ORO, OUTLOOK, True),
        (TO_ORO, ORO, False),
    ],
)
def test_a_record_alone_is_created_on_the_other_side_where_the_direction_allows_it(
    entity: Entity, way: SyncDirection, source: Side, created: bool
) -> None:
    decision = plan_case(alone(snapshot(source, entity)), policy(Settings(sync_direction=way)))
    (op,) = decision.ops
    if not created:
        assert (op.verb, op.rule, op.title) == (Verb.LEAVE, "direction", _title(entity))
        return
    assert (op.verb, op.side, op.rule) == (Verb.CREATE, source.other, f"only_in_{source}")
    assert (op.source_id, op.target_id) == ("7" if source is ORO else "o-1", None)
    sent = {name: value for name, value in TYPICAL[entity].items() if name in op.values}
    assert dict(op.values) == sent
    assert op.settles == tuple(unit for unit in units_of(entity) if unit != "description" or entity is Entity.CONTACT)


def _title(entity: Entity) -> str:
    return {Entity.CONTACT: "Ada King", Entity.TASK: "Call", Entity.EVENT: "Lunch"}[entity]


@every_entity
@pytest.mark.parametrize(("way", "target"), [(BOTH, OUTLOOK), (TO_OUTLOOK, OUTLOOK), (TO_ORO, ORO)])
def test_a_pair_that_was_just_found_is_linked_and_the_masters_values_overwrite(
    entity: Entity, way: SyncDirection, target: Side
) -> None:
    ours, theirs = (snapshot(side, entity, {FIELD[entity]: side.value}) for side in Side)
    case = Case(entity, Half.of(ours), Half.of(theirs), how="match_key", candidates=3)
    decision = plan_case(case, policy(Settings(sync_direction=way)))
    link, update, stamp = decision.ops
    assert (link.verb, link.rule, link.link_id) == (Verb.LINK, "match_key", None)
    assert link.reason.endswith("(match key); 3 matched, the others are left alone")
    assert (update.verb, update.side, update.link_id) == (Verb.UPDATE, target, None)
    assert dict(update.values) == {FIELD[entity]: target.other.value}
    assert set(link.settles) & set(update.settles) == set()
    assert (stamp.verb, stamp.side, stamp.link_id) == (Verb.STAMP, OUTLOOK, None)
    (conflict,) = decision.conflicts
    assert (conflict.rule, conflict.choice) == ("first_values", target.other)


# ------------------------------------------------------------------------------------------------ presence


@every_entity
@pytest.mark.parametrize("side", list(Side))
def test_nothing_is_decided_about_what_cannot_be_read(entity: Entity, side: Side) -> None:
    here = snapshot(side.other, entity)
    halves = {side: UNREADABLE, side.other: Half.of(here)}
    for case in (
        linked(entity, halves[OUTLOOK], halves[ORO]),
        Case(entity, halves[OUTLOOK], halves[ORO]),
    ):
        decision = plan_case(case, policy())
        assert (decision.retry, decision.ops) == (True, ())


def test_a_case_of_nothing_has_no_ops() -> None:
    assert plan_case(Case(Entity.TASK, ABSENT, GONE), policy()).ops == ()


@pytest.mark.parametrize(
    ("outlook", "oro", "settings", "why"),
    [
        (OUT_OF_SCOPE, {}, {}, "it is no longer visible to this account in Outlook"),
        ({}, OUT_OF_SCOPE, {}, "it is no longer visible to this account in OroCRM"),
        ({"private": True}, {}, {}, "it is private in Outlook"),
        ({"private": True}, GONE, {}, "it is private in Outlook"),
        (GONE, {"owned": False}, {"oro_scope": "owned"}, "its owner in OroCRM is somebody else"),
    ],
)
def test_a_pair_that_is_out_of_scope_is_suspended_and_nothing_is_deleted(
    outlook: Any, oro: Any, settings: dict[str, Any], why: str
) -> None:
    halves = {
        side: snapshot(side, Entity.CONTACT, **facts) if isinstance(facts, dict) else facts
        for side, facts in ((OUTLOOK, outlook), (ORO, oro))
    }
    rules = policy(_settings(**settings))
    (op,) = plan_case(linked(Entity.CONTACT, halves[OUTLOOK], halves[ORO]), rules).ops
    assert (op.verb, op.reason, op.title) == (Verb.SUSPEND, why, "")
    case = linked(Entity.CONTACT, halves[OUTLOOK], halves[ORO], state=LinkState.SUSPENDED)
    (op,) = plan_case(case, rules).ops
    assert (op.verb, op.rule) == (Verb.LEAVE, "still_out_of_scope")


def _settings(**values: Any) -> Settings:
    """By level: what only the organisation, or only the user, may set is set there."""
    levels = ({"oro_scope"}, {"sync_type"})
    organisation, user = ({key: value for key, value in values.items() if key in level} for level in levels)
    return effective(
        {key: value for key, value in values.items() if key not in organisation | user}, organisation, user
    )


def test_a_pair_that_is_visible_again_is_resumed_and_compared_with_what_was_agreed() -> None:
    here, there = snapshot(OUTLOOK, Entity.TASK, stamp="7"), snapshot(ORO, Entity.TASK, {"subject": "Call back"})
    decision = plan_case(linked(Entity.TASK, here, there, state=LinkState.SUSPENDED), policy())
    assert [op.verb for op in decision.ops] == [Verb.RESUME, Verb.UPDATE]


def test_a_copy_of_an_invitation_deleted_in_outlook_comes_back_as_it_cannot_be_deleted_in_oro() -> None:
    invitation = snapshot(ORO, Entity.EVENT, read_only=True)
    rules = policy(_settings(on_delete_in_outlook="propagate"))
    (op,) = plan_case(linked(Entity.EVENT, GONE, invitation), rules).ops
    assert (op.verb, op.rule, op.reason) == (Verb.CREATE, "restored", "OroCRM's copy of an invitation is read-only")


@every_entity
def test_a_restored_record_keeps_its_link_and_an_edit_beats_a_deletion(entity: Entity) -> None:
    edited = snapshot(ORO, entity, {FIELD[entity]: "edited"})
    (op,) = plan_case(linked(entity, GONE, edited), policy(_settings(on_delete_in_outlook="propagate"))).ops
    assert (op.verb, op.side, op.rule, op.link_id) == (Verb.CREATE, OUTLOOK, "edit_beats_delete", 1)


# ------------------------------------------------------------------------------------------------ pairs


def test_an_unchanged_pair_plans_nothing_and_a_new_version_is_only_noted() -> None:
    here, there = snapshot(OUTLOOK, Entity.CONTACT, stamp="7"), snapshot(ORO, Entity.CONTACT)
    assert plan_case(linked(Entity.CONTACT, here, there), policy()).ops == ()
    for touched in (
        linked(Entity.CONTACT, replace(here, version="v2"), there),
        linked(Entity.CONTACT, here, replace(there, version="v2")),
    ):
        (op,) = plan_case(touched, policy()).ops
        assert (op.verb, op.writes) == (Verb.SETTLE, False)


def test_the_same_edit_on_both_sides_only_moves_the_shadows() -> None:
    here, there = (snapshot(side, Entity.TASK, {"subject": "Write"}, stamp="7") for side in Side)
    (op,) = plan_case(linked(Entity.TASK, here, there), policy()).ops
    assert (op.verb, "subject" in op.settles) == (Verb.SETTLE, True)


def test_different_fields_edited_on_both_sides_travel_both() -> None:
    here = snapshot(OUTLOOK, Entity.CONTACT, {"job_title": "Poet"}, stamp="7")
    there = snapshot(ORO, Entity.CONTACT, {"fax": "12"})
    decision = plan_case(linked(Entity.CONTACT, here, there), policy())
    assert [(op.side, dict(op.values), op.settles) for op in decision.ops] == [
        (ORO, {"job_title": "Poet"}, ("job_title",)),
        (OUTLOOK, {"fax": "12"}, ("fax",)),
    ]
    assert decision.conflicts == ()
    assert [(op.rule, op.overwrites) for op in decision.ops] == [
        ("changed_in_outlook", True),
        ("changed_in_oro", False),
    ]


def test_several_rules_of_one_write_are_named_together() -> None:
    here = snapshot(OUTLOOK, Entity.CONTACT, {"job_title": "Poet"}, stamp="7")
    there = snapshot(ORO, Entity.CONTACT, {"fax": "12", "job_title": "Author"})
    decision = plan_case(linked(Entity.CONTACT, here, there), policy())
    (op,) = decision.ops
    assert op.rule == "changed_in_oro+oro_wins"
    assert op.reason == "fax: changed in OroCRM; job title: changed on both sides, OroCRM's value wins"
    assert op.title == "Ada King"
    (conflict,) = decision.conflicts
    assert (conflict.unit, conflict.base, conflict.outlook, conflict.oro, conflict.choice) == (
        "job_title",
        {"job_title": "Countess"},
        {"job_title": "Poet"},
        {"job_title": "Author"},
        ORO,
    )


def test_an_edit_of_outlook_that_may_not_travel_is_said_aloud() -> None:
    here, there = snapshot(OUTLOOK, Entity.CONTACT, {"job_title": "Poet"}, stamp="7"), snapshot(ORO, Entity.CONTACT)
    (op,) = plan_case(linked(Entity.CONTACT, here, there), policy(Settings(sync_direction=TO_OUTLOOK))).ops
    assert (op.verb, op.rule, op.title) == (Verb.LEAVE, "stays_in_outlook", "Ada King")
    assert op.reason == "job_title changed in Outlook; it stays there and is not sent"


def test_in_one_direction_oros_next_change_overwrites_what_was_edited_in_outlook_in_other_fields() -> None:
    here = snapshot(OUTLOOK, Entity.CONTACT, {"job_title": "Poet"}, stamp="7")
    there = snapshot(ORO, Entity.CONTACT, {"fax": "12"})
    decision = plan_case(linked(Entity.CONTACT, here, there), policy(Settings(sync_direction=TO_OUTLOOK)))
    (op,) = decision.ops
    assert dict(op.values) == {"fax": "12", "job_title": "Countess"}
    assert [(each.unit, each.choice) for each in decision.conflicts] == [("job_title", ORO)]


def test_a_value_that_oro_cannot_hold_stays_in_outlook_and_is_told() -> None:
    home = {"street": "1 Main St", "city": "Berlin", "region": None, "postal_code": None, "country": "DE"}
    here = snapshot(OUTLOOK, Entity.CONTACT, {"shipping_address": {**home, "country": "Narnia"}}, stamp="7")
    there = snapshot(ORO, Entity.CONTACT, {"shipping_address": home})
    decision = plan_case(linked(Entity.CONTACT, here, there, {"shipping_address": home}), policy())
    assert [op.verb for op in decision.ops] == [Verb.SETTLE, Verb.LEAVE]
    assert decision.ops[1].rule == "cannot_be_held"


def test_what_outlook_cannot_hold_of_a_merge_is_cut_and_nothing_is_written_for_the_rest() -> None:
    mine, theirs = ["a@x.com", "b@x.com", "c@x.com"], [f"{letter}@x.com" for letter in "abcde"]
    here = snapshot(OUTLOOK, Entity.CONTACT, {"emails": mine}, stamp="7")
    there = snapshot(ORO, Entity.CONTACT, {"emails": [*theirs, "f@x.com"]})
    shadows = {
        OUTLOOK: record(Entity.CONTACT, emails=mine),
        ORO: record(Entity.CONTACT, emails=theirs),
    }
    (op,) = plan_case(linked(Entity.CONTACT, here, there, shadows=shadows), policy()).ops
    assert (op.verb, op.settles) == (Verb.SETTLE, tuple(units_of(Entity.CONTACT)))


def test_a_unit_written_on_both_sides_is_written_in_oro_first_and_settles_with_the_second_write() -> None:
    """OroCRM holds all of them; were Outlook cut to three first, a failure in between would lose the fourth."""
    here = snapshot(OUTLOOK, Entity.CONTACT, {"emails": ["ada@x.com", "b@x.com", "c@x.com"]}, stamp="7")
    there = snapshot(ORO, Entity.CONTACT, {"emails": ["new@x.com", "ada@x.com"]})
    first, second = plan_case(linked(Entity.CONTACT, here, there), policy()).ops
    assert (first.side, first.settles) == (ORO, ())
    assert first.values["emails"] == ["new@x.com", "ada@x.com", "b@x.com", "c@x.com"]
    assert second.values["emails"] == ["new@x.com", "ada@x.com", "b@x.com"]
    assert (second.side, second.settles) == (OUTLOOK, ("emails",))


def test_a_frozen_field_stays_where_it_is_and_does_not_count_as_a_change_of_the_record() -> None:
    here = snapshot(OUTLOOK, Entity.CONTACT, {"fax": "1"}, stamp="7")
    there = snapshot(ORO, Entity.CONTACT, {"job_title": "Poet"})
    case = linked(Entity.CONTACT, here, there, frozen_fields=("job_title",))
    decision = plan_case(case, policy(Settings(sync_direction=TO_OUTLOOK)))
    assert [op.rule for op in decision.ops] == ["stays_in_outlook"]


def test_a_choice_between_two_values_is_carried_out_when_a_person_made_it() -> None:
    here, there = (snapshot(side, Entity.TASK, {"subject": side.value}, stamp="7") for side in Side)
    ask = Settings(conflict_resolution=ConflictRule.ASK)
    asked = plan_case(linked(Entity.TASK, here, there), policy(ask))
    assert writes(asked) == []
    assert [(each.unit, each.choice) for each in asked.conflicts] == [("subject", None)]
    chosen = plan_case(linked(Entity.TASK, here, there), policy(ask, choices={("o-1", "subject"): OUTLOOK}))
    assert [dict(op.values) for op in only(chosen, Verb.UPDATE)] == [{"subject": "outlook"}]


def test_fields_of_a_group_travel_only_where_each_of_them_may() -> None:
    here = snapshot(OUTLOOK, Entity.CONTACT, {"first_name": "Augusta"}, stamp="7")
    case = linked(Entity.CONTACT, here, snapshot(ORO, Entity.CONTACT))
    for chosen, travels in ((Direction.TO_ORO, True), (Direction.TO_OUTLOOK, False), (Direction.OFF, False)):
        directions = with_directions(Entity.CONTACT, name_suffix=chosen)
        assert bool(writes(plan_case(case, policy(Settings(field_direction=directions))))) is travels


@pytest.mark.parametrize(
    ("way", "written"),
    [(BOTH, [(Verb.UPDATE, OUTLOOK)]), (TO_OUTLOOK, [(Verb.UPDATE, OUTLOOK)]), (TO_ORO, [])],
)
def test_a_read_only_copy_in_oro_is_never_written_and_never_turns_the_direction_round(
    way: SyncDirection, written: list[tuple[Verb, Side]]
) -> None:
    here = snapshot(OUTLOOK, Entity.EVENT, {"title": "Mine"}, stamp="7")
    there = snapshot(ORO, Entity.EVENT, {"title": "Theirs"}, read_only=True)
    assert writes(plan_case(linked(Entity.EVENT, here, there), policy(Settings(sync_direction=way)))) == written


@pytest.mark.parametrize(
    ("link_stamped", "stamp", "attendees", "stamped"),
    [
        (False, None, 0, True),
        (True, "7", 0, False),
        (None, None, 0, False),
        (False, "8", 0, True),
        (False, None, 2, False),
    ],
)
def test_an_item_without_the_stamp_gets_it_unless_it_must_not(
    link_stamped: bool | None, stamp: str | None, attendees: int, stamped: bool
) -> None:
    here = snapshot(OUTLOOK, Entity.EVENT, stamp=stamp, attendees=attendees)
    case = linked(Entity.EVENT, here, snapshot(ORO, Entity.EVENT), stamped=link_stamped)
    decision = plan_case(case, policy())
    assert bool(only(decision, Verb.STAMP)) is stamped
    assert writes(decision) == []


# ------------------------------------------------------------------------------------------------ meetings

MEETING = {"attendees": 3, "stamp": "7"}
ORGANISER = Settings(meeting_updates=MeetingUpdates.ORGANISER)


@pytest.mark.parametrize(
    ("settings", "facts", "mails"),
    [
        (Settings(), MEETING, None),
        (ORGANISER, MEETING, 3),
        (ORGANISER, {**MEETING, "organiser": False}, None),
        (ORGANISER, {"organiser": False, "stamp": "7"}, None),
        (Settings(), {"stamp": "7"}, 0),
    ],
)
def test_a_meeting_is_changed_or_deleted_only_for_its_organiser_and_only_if_the_policy_says_so(
    settings: Settings, facts: dict[str, Any], mails: int | None
) -> None:
    here, there = snapshot(OUTLOOK, Entity.EVENT, **facts), snapshot(ORO, Entity.EVENT, {"title": "Supper"})
    changed = plan_case(linked(Entity.EVENT, here, there), policy(settings))
    deleted = plan_case(linked(Entity.EVENT, here, GONE), policy(settings))
    if mails is None:
        assert [(op.verb, op.rule) for op in changed.ops] == [(Verb.LEAVE, "meeting_not_changed")]
        assert changed.ops[0].reason == "title changed in OroCRM; a meeting with attendees is not changed by sync"
        assert [(op.verb, op.rule) for op in deleted.ops] == [(Verb.BURY, "meeting_not_deleted")]
    else:
        assert [(op.verb, op.mails) for op in changed.ops] == [(Verb.UPDATE, mails)]
        assert [(op.verb, op.mails) for op in deleted.ops] == [(Verb.DELETE, mails)]


def test_a_text_merged_for_a_protected_meeting_reaches_oro_and_is_not_settled() -> None:
    base = "one\ntwo\nthree"
    here = snapshot(OUTLOOK, Entity.EVENT, {"description": base + "\nfour"}, **MEETING)
    there = snapshot(ORO, Entity.EVENT, {"description": "zero\n" + base})
    rules = policy(Settings(field_direction=all_fields(Entity.EVENT)))
    decision = plan_case(linked(Entity.EVENT, here, there, {"description": base}), rules)
    update, left = decision.ops
    assert (update.side, dict(update.values), update.settles) == (ORO, {"description": f"zero\n{base}\nfour"}, ())
    assert left.rule == "meeting_not_changed"


def test_a_conflict_that_changes_nothing_because_of_attendees_is_not_logged() -> None:
    here, there = (snapshot(side, Entity.EVENT, {"title": side.value}, **MEETING) for side in Side)
    decision = plan_case(linked(Entity.EVENT, here, there), policy())
    assert (writes(decision), decision.conflicts) == ([], ())


# ------------------------------------------------------------------------------------------------ left alone


def test_a_private_item_is_not_paired_and_both_are_left_alone() -> None:
    here, there = snapshot(OUTLOOK, Entity.EVENT, private=True), snapshot(ORO, Entity.EVENT)
    decision = plan_case(Case(Entity.EVENT, Half.of(here), Half.of(there), how="stamp"), policy())
    assert [(op.verb, op.side, op.rule, op.title) for op in decision.ops] == [
        (Verb.LEAVE, OUTLOOK, "private", ""),
        (Verb.LEAVE, ORO, "private", "Lunch"),
    ]


def test_a_record_of_oro_that_is_not_ours_is_not_paired() -> None:
    here, there = snapshot(OUTLOOK, Entity.CONTACT), snapshot(ORO, Entity.CONTACT, owned=False)
    case = Case(Entity.CONTACT, Half.of(here), Half.of(there), how="match_key")
    decision = plan_case(case, policy(_settings(oro_scope="owned")))
    assert [(op.verb, op.side, op.rule) for op in decision.ops] == [
        (Verb.LEAVE, OUTLOOK, "not_selected"),
        (Verb.LEAVE, ORO, "not_selected"),
    ]


# ------------------------------------------------------------------------------------------------ replacement


@every_entity
def test_a_resync_that_replaces_deletes_outlooks_item_and_creates_it_anew(entity: Entity) -> None:
    case = linked(entity, snapshot(OUTLOOK, entity), snapshot(ORO, entity))
    decision = plan_replacement(case, policy())
    assert writes(decision) == [(Verb.DELETE, OUTLOOK), (Verb.CREATE, OUTLOOK)]
    assert {op.rule for op in decision.ops} == {"replace"}
    assert decision.ops[1].link_id is None


HERE, THERE = snapshot(OUTLOOK, Entity.EVENT), snapshot(ORO, Entity.EVENT)


@pytest.mark.parametrize(
    ("case", "settings"),
    [
        (linked(Entity.EVENT, replace(HERE, attendees=1), THERE), Settings()),
        (linked(Entity.EVENT, replace(HERE, organiser=False), THERE), Settings()),
        (linked(Entity.EVENT, replace(HERE, private=True), THERE), Settings()),
        (linked(Entity.EVENT, GONE, THERE), Settings()),
        (linked(Entity.EVENT, HERE, GONE), Settings()),
        (alone(HERE), Settings()),
        (linked(Entity.EVENT, HERE, THERE), Settings(sync_direction=TO_ORO)),
    ],
)
def test_meetings_private_items_halves_and_the_other_direction_are_not_replaced(case: Case, settings: Settings) -> None:
    rules = policy(settings)
    assert plan_replacement(case, rules) == plan_case(case, rules)


# ------------------------------------------------------------------------------------------------ properties

RECORDS = {Entity.CONTACT: CONTACTS, Entity.TASK: TASKS, Entity.EVENT: EVENTS}
RULES = st.builds(
    Settings,
    sync_direction=st.sampled_from(SyncDirection),
    conflict_resolution=st.sampled_from(ConflictRule),
    on_delete_in_outlook=st.sampled_from(OnDeleteInOutlook),
    on_delete_in_oro=st.sampled_from(OnDeleteInOro),
    field_direction=st.sampled_from(
        [Settings().field_direction, {entity: all_fields(entity)[entity] for entity in Entity}]
    ),
)


def _edited(draw: Any, entity: Entity, pair: Pair, side: Side) -> None:
    """A person changes some fields of one side's item; what is not there yet of an event keeps its time."""
    fields = [each.name for each in CATALOGUE[entity]]
    merging = {each.name for each in CATALOGUE[entity] if each.kind in {Kind.SET, Kind.TEXT}}
    names = draw(st.one_of(st.sets(st.sampled_from(fields)), st.just(merging)))
    if names & {"start", "end", "all_day", "recurrence"}:
        names |= {"start", "end", "all_day", "recurrence"}
    values = draw(RECORDS[entity])
    pair.write(side, {name: values[name] for name in names})


@st.composite
def pairs_in_step(draw: Any, entity: Entity, rules: Settings) -> Pair:
    """A pair that was linked and settled under these rules, whatever it held before."""
    pair = Pair.made_of(entity, draw(RECORDS[entity]), draw(RECORDS[entity]))
    pair.carry_out(pair.plan(policy(rules)))
    return pair


@every_entity
@given(data=st.data(), rules=RULES, reconcile=st.booleans())
def test_what_was_planned_and_done_leaves_nothing_to_do(
    entity: Entity, data: st.DataObject, rules: Settings, reconcile: bool
) -> None:
    """I1 and I2: from any states, by the real lenses; and where both directions are open the sides then agree."""
    pair = data.draw(pairs_in_step(entity, rules))
    assert pair.plan(policy(rules)).written == ()
    for side in Side:
        _edited(data.draw, entity, pair, side)
    lost = data.draw(st.sampled_from([None, None, None, OUTLOOK, ORO]))
    if lost:
        del pair.items[lost]
    decision = pair.plan(policy(rules, reconcile=reconcile))
    assert decision == pair.plan(policy(rules, reconcile=reconcile))
    pair.carry_out(decision)
    if pair.link is None or len(pair.items) < 2:
        return
    if reconcile:  # a resync may find room for what one side had to spare before
        pair.carry_out(pair.plan(policy(rules, reconcile=True)))
    again = pair.plan(policy(rules, reconcile=reconcile))
    assert again.written == (), [(op.side, op.rule, op.before, op.values) for op in again.written]
    if rules.sync_direction is BOTH and not any(each.choice is None for each in decision.conflicts):
        _assert_agreement(entity, pair, rules)


def _assert_agreement(entity: Entity, pair: Pair, rules: Settings) -> None:
    """But for what the other side cannot hold, and for addresses beyond the third."""
    sides = compare(entity, pair.snapshot(OUTLOOK).record, pair.snapshot(ORO).record, {}, CONTEXT)
    for name, unit in units_of(entity).items():
        holdable = all(
            sides.projected[side][each.name] is not None or sides.current[side.other][each.name] is None
            for side in Side
            for each in unit
        )
        if name != "emails" and holdable and rules.direction_of(entity, unit[0].name) is Direction.BOTH:
            assert sides.agrees(unit), (name, sides.values(OUTLOOK, unit), sides.values(ORO, unit))


@every_entity
@given(data=st.data(), rules=RULES)
def test_a_run_that_breaks_off_between_two_writes_is_finished_by_the_next(
    entity: Entity, data: st.DataObject, rules: Settings
) -> None:
    """The same end state as without the break (I4)."""
    pair = data.draw(pairs_in_step(entity, rules))
    for side in Side:
        _edited(data.draw, entity, pair, side)
    whole = replace(pair, items=dict(pair.items))
    whole.carry_out(whole.plan(policy(rules)))
    pair.carry_out(pair.plan(policy(rules)), at_most=1)
    pair.carry_out(pair.plan(policy(rules)))
    assert pair.plan(policy(rules)).written == ()
    for side in Side:
        assert _in_any_order(pair.snapshot(side).record) == _in_any_order(whole.snapshot(side).record)


def _in_any_order(record: Record) -> dict[str, Any]:
    """The place of an address that OroCRM never held may depend on what was there when it was merged."""
    return {name: sorted(value) if isinstance(value, list) else value for name, value in record.items()}


STATES = st.sampled_from(["present", "present", "present", "gone", "absent", "unreadable", "out_of_scope"])


@st.composite
def cases(draw: Any) -> Case:
    """Anything that can be said about one record, sense or nonsense."""
    entity = draw(st.sampled_from(Entity))
    halves: dict[Side, Half | Snapshot] = {}
    for side in Side:
        state = draw(STATES)
        facts: dict[str, Any] = {"owned": draw(st.booleans())}
        if side is OUTLOOK:
            facts |= {
                "private": draw(st.booleans()),
                "attendees": draw(st.integers(0, 3)) if entity is Entity.EVENT else 0,
                "organiser": draw(st.booleans()) if entity is Entity.EVENT else True,
                "stamp": draw(st.sampled_from([None, "7", "8"])),
            }
        else:
            facts["read_only"] = draw(st.booleans()) if entity is Entity.EVENT else False
        found = snapshot(side, entity, draw(RECORDS[entity]), **facts)
        known = {"gone": GONE, "absent": ABSENT, "unreadable": UNREADABLE, "out_of_scope": OUT_OF_SCOPE}
        halves[side] = known.get(state) or found
    if draw(st.booleans()):
        state = draw(st.sampled_from([LinkState.ACTIVE, LinkState.SUSPENDED]))
        return linked(entity, halves[OUTLOOK], halves[ORO], draw(RECORDS[entity]), state=state)
    return Case(
        entity,
        as_half(halves[OUTLOOK]),
        as_half(halves[ORO]),
        how="stamp",
        spare=draw(st.booleans()),
        tombstone=draw(st.booleans()),
    )


@given(case=cases(), rules=RULES, reconcile=st.booleans(), replacing=st.booleans())
def test_whatever_the_case_no_law_is_broken(case: Case, rules: Settings, reconcile: bool, replacing: bool) -> None:
    plan = plan_replacement if replacing else plan_case
    decision = plan(case, policy(rules, reconcile=reconcile))
    assert decision == plan(case, policy(rules, reconcile=reconcile))  # I2
    for op in decision.written:
        if rules.sync_direction is TO_OUTLOOK:
            assert op.side is OUTLOOK  # I10
        if rules.sync_direction is TO_ORO and op.side is OUTLOOK:
            assert op.verb in {Verb.STAMP, Verb.DELETE}  # I10: what was deleted in OroCRM goes, nothing is edited
        if op.verb is Verb.DELETE and op.rule != "replace":
            assert case.half(op.side.other).presence is GONE.presence  # I5
        here = case.half(op.side).snapshot
        if op.side is OUTLOOK and here is not None and op.verb is not Verb.CREATE:
            assert not here.attendees  # I20: the default policy is "never"
            assert here.organiser
        if op.side is ORO and here is not None:
            assert not here.read_only
    if case.outlook.snapshot is not None and case.outlook.snapshot.private:
        assert all(not op.values and not op.before for op in decision.ops)  # I11
        assert [op.title for op in decision.ops if op.side is OUTLOOK] == [""] * len(only_outlook(decision.ops))
    assert plan_hash(decision.ops) == plan_hash(reversed(decision.ops))
    if UNREADABLE in (case.outlook, case.oro):
        assert decision.ops == ()  # R15


def only_outlook(ops: Any) -> list[Any]:
    return [op for op in ops if op.side is OUTLOOK]


def test_private_items_are_synced_where_an_administrator_chose_so() -> None:
    here = snapshot(OUTLOOK, Entity.EVENT, private=True)
    include = Settings(private_items=PrivateItems.INCLUDE)
    assert writes(plan_case(alone(here), policy(include))) == [(Verb.CREATE, ORO)]


def test_of_a_private_event_that_shows_its_time_only_nothing_else_is_ever_written_in_outlook() -> None:
    """busy_only: title and text in OroCRM are ours; OroCRM's edits of them go back to what we show."""
    here = snapshot(OUTLOOK, Entity.EVENT, {"title": "Busy"}, private=True, stamp="7")
    moved = {"start": "2026-11-25T11:00:00Z", "end": "2026-11-25T12:00:00Z"}
    there = snapshot(ORO, Entity.EVENT, {"title": "What is it?", **moved})
    case = linked(Entity.EVENT, here, there, {"title": "Busy"})
    for way, expected in (
        (BOTH, {OUTLOOK: moved, ORO: {"title": "Busy"}}),
        (TO_OUTLOOK, {OUTLOOK: moved}),
        (TO_ORO, {ORO: {"title": "Busy", **{name: TYPICAL[Entity.EVENT][name] for name in moved}}}),
    ):
        busy_only = Settings(private_items=PrivateItems.BUSY_ONLY, sync_direction=way)
        decision = plan_case(case, policy(busy_only))
        assert {op.side: dict(op.values) for op in only(decision, Verb.UPDATE)} == expected
