"""What merges out of more than one change: two fields at once, sets of members, lines of a text, and what a person
chose, froze or hid. Each expected by a law of one line that knows nothing of how it is done."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from tests.core.engine_world import ORO, OUTLOOK, linked, only, policy, record, snapshot
from tests.core.planner_rows import TRIED_WHOLE, VALUES, WAYS, Asked, X, Y, Z, planned, told, tried
from tests.core.planner_table import OPEN, Deed, Situation, conflict_of, deed_of
from tests.proof.tally import owe

from orosync.core.ops import Decision, Verb
from orosync.core.plan import plan_replacement
from orosync.core.records import GONE, Case, Entity, Half, LinkState, Side
from orosync.core.scope import Policy
from orosync.core.settings import ConflictRule, OnDeleteInOutlook, Settings, SyncDirection

every_entity = pytest.mark.parametrize("entity", list(Entity))
every_way = pytest.mark.parametrize("way", list(SyncDirection))
PAIRS = [
    (entity, one, other)
    for entity in Entity
    for one, other in itertools.combinations([unit for each, unit in VALUES if each is entity], 2)
    if entity is not Entity.CONTACT or one in {"name", "description", "birthday"}
]


def sent(decision: Decision) -> dict[Side, dict[str, object]]:
    return {op.side: dict(op.values) for op in only(decision, Verb.UPDATE)}


# ------------------------------------------------------------------------------------------------ two fields


@pytest.mark.parametrize(("entity", "one", "other"), [pytest.param(*each, id="-".join(each)) for each in PAIRS])
def test_two_fields_move_each_for_itself_but_a_one_way_change_takes_the_whole_record_along(
    entity: Entity, one: str, other: str
) -> None:
    """One way to Outlook, what was edited there is overwritten when OroCRM's record changes next: but not a task's
    status, which yields only to OroCRM's own change (design.md 4.1, 4.2)."""
    rows = 0
    asked = {unit: Asked(entity, unit) for unit in (one, other)}
    for way, edits in itertools.product(WAYS, itertools.product((X, Y), repeat=4)):
        states = {one: edits[:2], other: edits[2:]}
        halves = {
            side: {k: v for unit in states for k, v in asked[unit].values(states[unit][place]).items()}
            for place, side in enumerate(Side)
        }
        case = linked(
            entity,
            snapshot(OUTLOOK, entity, halves[OUTLOOK], stamp="7"),
            snapshot(ORO, entity, halves[ORO]),
            {k: v for unit in states for k, v in asked[unit].values(X).items()},
        )
        moved = any(oro == Y for _, oro in states.values())
        expected: dict[Side, dict[str, object]] = {}
        for unit, (outlook, oro) in states.items():
            deed = deed_of(Situation(outlook, oro, X, way))
            if deed.verb == "leave" and moved and unit != "status":
                deed = Deed("update", "outlook", "oro_record_changed")
            if deed.verb == "update":
                target = Side(deed.side)
                theirs, ours = asked[unit].values(states[unit][_place(target.other)]), halves[target]
                expected.setdefault(target, {}).update({k: v for k, v in theirs.items() if v != ours[k]})
        decision = planned(case, all_fields_of(way))
        assert sent(decision) == expected, (way, states)
        rows += 1
    tried(f"two fields, {entity}", rows)
    owe("rule", "oro_record_changed", 1)


def _place(side: Side) -> int:
    return 0 if side is OUTLOOK else 1


def all_fields_of(way: str) -> Policy:
    """Descriptions too."""
    return Asked(Entity.CONTACT, "fax").policy(Situation(X, X, X, way))


# ------------------------------------------------------------------------------------------------ sets

MEMBERS = ("a@x.com", "b@x.com", "c@x.com")
SETS = [list(each) for size in range(4) for each in itertools.combinations(MEMBERS, size)]


@every_way
@pytest.mark.parametrize("base", SETS, ids=len)
def test_members_are_added_and_taken_away_one_by_one(way: SyncDirection, base: list[str]) -> None:
    """Both ways: what either added is there, what either took away is not. One way: the leading side's members."""
    rules = policy(Settings(sync_direction=way))
    for outlook, oro in itertools.product(SETS, SETS):
        case = linked(
            Entity.CONTACT,
            snapshot(OUTLOOK, Entity.CONTACT, {"emails": outlook or None}, stamp="7"),
            snapshot(ORO, Entity.CONTACT, {"emails": oro or None}),
            {"emails": base or None},
        )
        decision = planned(case, rules)
        if way is SyncDirection.BIDIRECTIONAL:
            after = _merged(base, outlook, oro)
            wanted = {OUTLOOK: after, ORO: after}
        elif way is SyncDirection.OUTLOOK_TO_ORO:
            wanted = {OUTLOOK: set(outlook), ORO: set(outlook)}
        else:
            wanted = {OUTLOOK: set(oro) if oro != base else set(outlook), ORO: set(oro)}
        held = {OUTLOOK: outlook, ORO: oro}
        for side, values in sent(decision).items():
            held[side] = list(values["emails"] or [])  # type: ignore[call-overload]
        assert {side: set(each) for side, each in held.items()} == wanted, (base, outlook, oro)
        assert all(len(each) == len(set(each)) for each in held.values())
        stays = way is SyncDirection.ORO_TO_OUTLOOK and oro == base  # what is in Outlook alone is never agreed
        settles = {unit for op in decision.ops for unit in op.settles}
        assert ("emails" in settles) is (not stays and not outlook == oro == base)
    tried("sets of members", len(SETS) ** 2)


def _merged(base: Iterable[str], outlook: Iterable[str], oro: Iterable[str]) -> set[str]:
    before, one, two = set(base), set(outlook), set(oro)
    return (one | two) - (before - one) - (before - two)


# ------------------------------------------------------------------------------------------------ lines

LINES = ["one", "two", "three", "four", "five"]


@pytest.mark.parametrize("conflict", list(ConflictRule))
def test_lines_edited_apart_are_both_kept_and_lines_that_touch_are_a_conflict(conflict: ConflictRule) -> None:
    """Each side edits one line; apart means that one at least lies between."""
    rules = policy(Settings(conflict_resolution=conflict))
    text = "\n".join(LINES)
    rows = 0
    for here, there in itertools.product(range(len(LINES)), repeat=2):
        outlook, oro = (
            "\n".join([*LINES[:place], f"{side} {LINES[place]}", *LINES[place + 1 :]])
            for place, side in ((here, "outlook"), (there, "oro"))
        )
        case = linked(
            Entity.CONTACT,
            snapshot(OUTLOOK, Entity.CONTACT, {"description": outlook}, stamp="7"),
            snapshot(ORO, Entity.CONTACT, {"description": oro}),
            {"description": text},
        )
        decision = planned(case, rules)
        rows += 1
        if abs(here - there) > 1:
            both = list(LINES)
            both[here], both[there] = f"outlook {both[here]}", f"oro {both[there]}"
            assert sent(decision) == {side: {"description": "\n".join(both)} for side in Side}
            assert decision.conflicts == ()
            owe("rule", "lines_merged", 1)
            continue
        row = Situation(Y, Z, X, conflict=conflict.value)
        deed = deed_of(row)
        theirs = {"outlook": {"description": oro}, "oro": {"description": outlook}}
        assert sent(decision) == ({Side(deed.side): theirs[deed.side]} if deed.verb == "update" else {})
        (found,) = decision.conflicts
        assert (found.rule, found.choice and found.choice.value) == conflict_of(row, deed)
    tried("lines of a text", rows)


def test_members_changed_on_both_sides_are_told_as_merged() -> None:
    here, there = (snapshot(side, Entity.CONTACT, {"emails": [f"{side}@x.com"]}) for side in Side)
    assert "members_merged" in {op.rule for op in planned(linked(Entity.CONTACT, here, there), policy()).ops}
    owe("rule", "members_merged", 1)


# ------------------------------------------------------------------------------------------------ people's word


@every_entity
@every_way
def test_what_a_person_chose_goes_before_every_rule_and_a_frozen_field_stays(
    entity: Entity, way: SyncDirection
) -> None:
    """Where both directions are open; where one is closed there was nothing to choose."""
    unit = TRIED_WHOLE[entity]
    asked = Asked(entity, unit)
    rows = 0
    for conflict, chosen, frozen in itertools.product(ConflictRule, (None, *Side), (False, True)):
        row = Situation(Y, Z, X, way.value, conflict.value, later="nobody knows")
        case = linked(
            entity,
            snapshot(OUTLOOK, entity, asked.values(Y), stamp="7"),
            snapshot(ORO, entity, asked.values(Z)),
            asked.values(X),
            frozen_fields=(unit,) if frozen else (),
        )
        choices = {("o-1", unit): chosen} if chosen else {}
        decision = planned(case, policy(Settings(sync_direction=way, conflict_resolution=conflict), choices=choices))
        rows += 1
        deed = deed_of(row)
        if chosen and way is SyncDirection.BIDIRECTIONAL:
            deed = Deed("update", chosen.other.value, "chosen")
            owe("rule", "chosen", 1)
        elif frozen and not chosen:
            deed = Deed("nothing")
        assert told(decision) == ({deed} if deed.verb == "update" else set()), (row, chosen, frozen)
    tried("people's word", rows)


@every_entity
def test_a_pair_that_was_hidden_is_resumed_whatever_was_edited_meanwhile(entity: Entity) -> None:
    """I17: compared with what both last agreed on, as if it had never been hidden."""
    asked = Asked(entity, TRIED_WHOLE[entity])
    for outlook, oro in itertools.product((X, Y, Z), repeat=2):
        row = Situation(outlook, oro, X)
        here, there = (
            snapshot(OUTLOOK, entity, asked.values(outlook), stamp="7"),
            snapshot(ORO, entity, asked.values(oro)),
        )
        case = linked(entity, here, there, asked.values(X), state=LinkState.SUSPENDED)
        deed = deed_of(row)
        expected = {Deed("resume", "-", "visible_again"), *([deed] if deed.verb == "update" else [])}
        assert told(planned(case, policy())) == expected
    still = linked(entity, snapshot(OUTLOOK, entity, private=True), snapshot(ORO, entity), state=LinkState.SUSPENDED)
    assert told(planned(still, policy())) == {Deed("leave", "oro", "still_out_of_scope")}
    tried("hidden pairs", 10)
    owe("rule", "visible_again", 1)
    owe("rule", "still_out_of_scope", 1)


@every_entity
@every_way
@pytest.mark.parametrize("how", ["stamp", "meeting_id", "match_key"])
def test_a_pair_just_found_is_linked_and_merged_as_what_was_never_in_step(
    entity: Entity, way: SyncDirection, how: str
) -> None:
    asked = Asked(entity, TRIED_WHOLE[entity])
    for outlook, oro in itertools.product((X, Y), repeat=2):
        here, there = (
            snapshot(OUTLOOK, entity, asked.values(outlook), stamp="7"),
            snapshot(ORO, entity, asked.values(oro)),
        )
        case = Case(entity, Half.of(here), Half.of(there), how=how)
        decision = planned(case, policy(Settings(sync_direction=way)))
        deed = deed_of(Situation(outlook, oro, None, way.value))
        assert told(decision) == {Deed("link", "-", how), *([deed] if deed.verb == "update" else [])}
    tried("pairs just found", 4)
    owe("rule", how, 1)


@every_entity
@every_way
def test_a_resync_that_replaces_makes_outlooks_item_anew_where_outlook_may_be_written(
    entity: Entity, way: SyncDirection
) -> None:
    case = linked(entity, snapshot(OUTLOOK, entity), snapshot(ORO, entity))
    decision = planned(case, policy(Settings(sync_direction=way)), plan_replacement)
    replaced = {Deed("delete", "outlook", "replace"), Deed("create", "outlook", "replace")}
    assert told(decision) >= replaced if "outlook" in OPEN[way.value] else not replaced & told(decision)
    owe("rule", "replace", int("outlook" in OPEN[way.value]))


@every_entity
def test_a_copy_of_an_invitation_deleted_in_outlook_comes_back(entity: Entity) -> None:
    """OroCRM refuses to delete the copy (design.md 4, point 11)."""
    copy = snapshot(ORO, entity, read_only=True)
    rules = policy(Settings(on_delete_in_outlook=OnDeleteInOutlook.PROPAGATE))
    assert told(planned(linked(entity, GONE, copy), rules)) == {Deed("create", "outlook", "restored")}


def test_a_value_that_the_other_side_cannot_hold_is_no_reason_to_erase_what_it_has() -> None:
    home = VALUES[Entity.CONTACT, "shipping_address"][X]["shipping_address"]
    assert isinstance(home, dict)
    for base, way in itertools.product((home, None), WAYS):
        here = snapshot(OUTLOOK, Entity.CONTACT, {"shipping_address": {**home, "country": "Narnia"}}, stamp="7")
        there = snapshot(ORO, Entity.CONTACT, {"shipping_address": home})
        shadow = record(Entity.CONTACT, shipping_address=base)
        if base is None:
            shadow = {name: value for name, value in shadow.items() if name != "shipping_address"}
        case = linked(Entity.CONTACT, here, there, shadows={OUTLOOK: shadow, ORO: shadow})
        decision = planned(case, policy(Settings(sync_direction=SyncDirection(way))))
        assert ORO not in sent(decision), (base, way)
        owe("rule", "cannot_be_held", int(way == "bidirectional"))
    tried("values without place", 6)
