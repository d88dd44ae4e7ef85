"""Scope: which records are for us, and why others are left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.core.engine_world import (
    ORO,
    OUTLOOK,
    alone,
    linked,
    policy,
    snapshot,
    with_directions,
)

from orosync.core.fields import CATALOGUE, Direction
from orosync.core.records import GONE, OUT_OF_SCOPE, Entity, Record, Side
from orosync.core.scope import (
    Policy,
    as_new,
    in_window,
    is_private,
    oro_in_scope,
    protected_meeting,
    stamp_state,
    title_of,
    unit_direction,
    why_hidden,
    why_left_alone,
    why_not_paired,
)
from orosync.core.settings import (
    MeetingUpdates,
    OroScope,
    PrivateItems,
    Settings,
    SyncDirection,
    SyncType,
)

OWNED, SELECTED = Settings(oro_scope=OroScope.OWNED), Settings(sync_type=SyncType.SELECTED, selected_category="VIP")
WINDOW = {"window": ("2026-11-01", "2026-12-31")}


def reason(case: Any, rules: Policy) -> str | None:
    """The rule by which a record alone is left, None if it is created on the other side."""
    here = case.outlook.snapshot or case.oro.snapshot
    found = why_left_alone(case, here, rules)
    return found[0] if found else None


def here(entity: Entity = Entity.CONTACT, side: Side = OUTLOOK, values: Any = None, **facts: Any) -> Any:
    return alone(snapshot(side, entity, values, **facts))


OLD = {"start": "2026-10-01T09:00:00Z", "end": "2026-10-01T10:00:00Z"}
NOBODY = dict.fromkeys(("first_name", "last_name", "job_title", "emails"))


@pytest.mark.parametrize(
    ("case", "rules", "rule"),
    [
        (here(), policy(), None),
        (here(side=ORO), policy(), None),
        (here(private=True), policy(), "private"),
        (here(private=True), policy(Settings(private_items=PrivateItems.INCLUDE)), None),
        (here(), policy(SELECTED), "not_selected"),
        (here(categories=("VIP",)), policy(SELECTED), None),
        (here(side=ORO, owned=False), policy(SELECTED), "not_selected"),
        (here(side=ORO, owned=False, categories=("VIP",)), policy(SELECTED), None),
        (here(side=ORO), policy(SELECTED), None),
        (here(side=ORO, owned=False), policy(OWNED), "not_selected"),
        (here(side=ORO, owned=False), policy(), None),
        (here(Entity.EVENT), policy(**WINDOW), None),
        (here(Entity.EVENT, values=OLD), policy(**WINDOW), "outside_window"),
        (here(Entity.EVENT, ORO, OLD), policy(**WINDOW), "outside_window"),
        (
            here(Entity.EVENT, organiser=False, organiser_address="eve@x.com"),
            policy(colleagues=frozenset({"eve@x.com"})),
            "meeting_of_a_colleague",
        ),
        (here(Entity.EVENT, organiser=False, organiser_address="eve@y.org"), policy(), None),
        (replace(here(), spare=True), policy(), "several_match"),
        (replace(here(), tombstone=True), policy(), "deleted_before"),
        (here(), policy(Settings(sync_direction=SyncDirection.ORO_TO_OUTLOOK)), "direction"),
        (here(side=ORO), policy(Settings(sync_direction=SyncDirection.OUTLOOK_TO_ORO)), "direction"),
        (here(values=NOBODY), policy(), "nothing_to_send"),
        # nothing is left of it: an address in a country that OroCRM does not know
        (here(values={**NOBODY, "other_address": {"country": "Narnia"}}), policy(), "nothing_to_send"),
    ],
)
def test_a_record_alone_is_created_unless_there_is_a_reason_not_to(case: Any, rules: Policy, rule: str | None) -> None:
    assert reason(case, rules) == rule


def test_privacy_is_the_first_reason_that_is_told() -> None:
    case = replace(here(Entity.EVENT, private=True, values=OLD), spare=True, tombstone=True)
    assert reason(case, policy(SELECTED, **WINDOW)) == "private"


@pytest.mark.parametrize("entity", list(Entity))
def test_nothing_is_created_where_no_field_may_travel(entity: Entity) -> None:
    """A side's own defaults (a title, a priority) are no reason to create anything."""
    nothing = with_directions(entity, **{each.name: Direction.OFF for each in CATALOGUE[entity]})
    for side in Side:
        assert reason(here(entity, side), policy(Settings(field_direction=nothing))) == "nothing_to_send"


def test_a_new_record_holds_only_what_may_travel_and_what_the_other_side_can_hold() -> None:
    directions = with_directions(Entity.CONTACT, job_title=Direction.TO_ORO, fax=Direction.OFF)
    rules = policy(Settings(field_direction=directions))
    values = {"fax": "1", "emails": [f"{letter}@x.com" for letter in "abcde"]}
    made = as_new(snapshot(ORO, Entity.CONTACT, values), rules)
    assert (made["first_name"], made["fax"], made["job_title"]) == ("Ada", None, None)
    assert made["emails"] == ["a@x.com", "b@x.com", "c@x.com"]
    assert as_new(snapshot(OUTLOOK, Entity.CONTACT, values), rules)["job_title"] == "Countess"


@pytest.mark.parametrize(
    ("outlook", "oro", "settings", "hidden"),
    [
        ({}, {}, Settings(), False),
        (OUT_OF_SCOPE, {}, Settings(), True),
        ({}, OUT_OF_SCOPE, Settings(), True),
        (GONE, GONE, Settings(), False),
        ({"private": True}, {}, Settings(), True),
        ({"private": True}, {}, Settings(private_items=PrivateItems.INCLUDE), False),
        ({}, {"owned": False}, OWNED, True),
        ({}, {"owned": False}, Settings(), False),
    ],
)
def test_a_pair_is_hidden_while_one_half_is_not_for_us(
    outlook: Any, oro: Any, settings: Settings, hidden: bool
) -> None:
    halves = [
        snapshot(side, Entity.CONTACT, **facts) if isinstance(facts, dict) else facts
        for side, facts in ((OUTLOOK, outlook), (ORO, oro))
    ]
    assert bool(why_hidden(linked(Entity.CONTACT, *halves), policy(settings))) is hidden


def test_two_records_are_paired_unless_one_is_private_or_not_ours() -> None:
    ours, theirs = snapshot(OUTLOOK, Entity.CONTACT), snapshot(ORO, Entity.CONTACT)
    assert why_not_paired(ours, theirs, policy()) is None
    assert why_not_paired(replace(ours, private=True), theirs, policy()) == ("private", "it is private in Outlook")
    refused = why_not_paired(ours, replace(theirs, owned=False), policy(OWNED))
    assert refused is not None
    assert refused[0] == "not_selected"
    assert oro_in_scope(theirs, policy(OWNED))


@pytest.mark.parametrize(
    ("choice", "entity", "private"),
    [
        (PrivateItems.SKIP, Entity.EVENT, True),
        (PrivateItems.SKIP, Entity.CONTACT, True),
        (PrivateItems.BUSY_ONLY, Entity.CONTACT, True),
        (PrivateItems.BUSY_ONLY, Entity.TASK, True),
        (PrivateItems.BUSY_ONLY, Entity.EVENT, False),
        (PrivateItems.INCLUDE, Entity.CONTACT, False),
    ],
)
def test_who_may_know_of_private_items_is_the_administrators_choice(
    choice: PrivateItems, entity: Entity, private: bool
) -> None:
    rules = policy(Settings(private_items=choice))
    assert is_private(snapshot(OUTLOOK, entity, private=True), rules) is private
    assert is_private(snapshot(OUTLOOK, entity), rules) is False


@pytest.mark.parametrize(
    ("attendees", "organiser", "updates", "protected"),
    [
        (0, True, MeetingUpdates.NEVER, False),
        (2, True, MeetingUpdates.NEVER, True),
        (2, True, MeetingUpdates.ORGANISER, False),
        (2, False, MeetingUpdates.ORGANISER, True),
        (0, False, MeetingUpdates.ORGANISER, True),
    ],
)
def test_a_meeting_is_protected_but_for_its_organiser_who_allowed_it(
    attendees: int, organiser: bool, updates: MeetingUpdates, protected: bool
) -> None:
    meeting = snapshot(OUTLOOK, Entity.EVENT, attendees=attendees, organiser=organiser)
    assert protected_meeting(meeting, policy(Settings(meeting_updates=updates))) is protected


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"stamp": "7"}, True),
        ({"stamp": "7", "attendees": 2}, True),
        ({}, False),
        ({"stamp": "8"}, False),
        ({"attendees": 1}, None),
        ({"organiser": False}, None),
    ],
)
def test_a_meeting_with_attendees_is_never_stamped(facts: dict[str, Any], state: bool | None) -> None:
    assert stamp_state(snapshot(OUTLOOK, Entity.EVENT, **facts), snapshot(ORO, Entity.EVENT)) is state


SERIES = {"pattern": "daily", "interval": 1, "zone": "UTC"}


@pytest.mark.parametrize(
    ("values", "inside"),
    [
        ({}, True),
        (OLD, False),
        ({"start": "2027-01-01T09:00:00Z", "end": "2027-01-01T10:00:00Z"}, False),
        ({"start": "2026-10-01T09:00:00Z", "end": "2026-11-01T10:00:00Z"}, True),
        ({"start": "2026-12-31", "end": "2027-01-05", "all_day": True}, True),
        ({"start": "2026-11-20T09:00:00Z", "end": None}, True),
        ({**OLD, "recurrence": SERIES}, True),
        ({"start": "2027-01-01T09:00:00Z", "recurrence": SERIES}, False),
        ({"start": None, "end": None}, False),
    ],
)
def test_events_are_in_scope_by_the_days_they_touch_and_series_by_their_start(
    values: dict[str, Any], inside: bool
) -> None:
    record: Record = snapshot(OUTLOOK, Entity.EVENT, values).record
    assert in_window(record, WINDOW["window"]) is inside


@pytest.mark.parametrize(
    ("entity", "values", "title"),
    [
        (Entity.CONTACT, {}, "Ada King"),
        (Entity.CONTACT, {"middle_name": "B."}, "Ada B. King"),
        (Entity.CONTACT, {"first_name": None, "last_name": None}, "ada@x.com"),
        (Entity.CONTACT, {"first_name": None, "last_name": None, "emails": None}, ""),
        (Entity.TASK, {}, "Call"),
        (Entity.TASK, {"subject": None}, ""),
        (Entity.EVENT, {}, "Lunch"),
    ],
)
def test_a_record_is_called_by_its_title_its_name_or_its_first_address(
    entity: Entity, values: dict[str, Any], title: str
) -> None:
    assert title_of(snapshot(ORO, entity, values)) == title


@pytest.mark.parametrize(
    ("middle", "suffix", "direction"),
    [
        (Direction.BOTH, Direction.BOTH, Direction.BOTH),
        (Direction.TO_ORO, Direction.BOTH, Direction.TO_ORO),
        (Direction.TO_ORO, Direction.TO_OUTLOOK, Direction.OFF),
        (Direction.OFF, Direction.BOTH, Direction.OFF),
    ],
)
def test_a_group_travels_where_all_of_its_fields_may(
    middle: Direction, suffix: Direction, direction: Direction
) -> None:
    rules = policy(Settings(field_direction=with_directions(Entity.CONTACT, middle_name=middle, name_suffix=suffix)))
    assert unit_direction(Entity.CONTACT, "name", rules) is direction
    assert rules.settings.direction_of(Entity.CONTACT, "first_name") is direction
