"""The table of design.md 4.1: every cell, for contacts, tasks and events, through whole runs against the simulators."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sync.actors import Hands
from tests.sync.world import World, writes

from orosync.core.records import Entity
from orosync.store.database import Database

TO_OUTLOOK, TO_ORO, BOTH = "oro_to_outlook", "outlook_to_oro", "bidirectional"
NOTES = {"field_direction.task.description": "both", "field_direction.event.description": "both"}

pytestmark = pytest.mark.parametrize("entity", list(Entity))


@pytest.fixture
def open_world(database: Database) -> Any:
    def start(entity: Entity, direction: str, **settings: Any) -> Hands:
        world = World(database, system={"sync_direction": direction, **NOTES, **settings})
        return Hands(world, entity)

    return start


def paired(hands: Hands, name: str = "Ada") -> tuple[int, str]:
    """A record that both sides have and that is in step: (OroCRM's id, Outlook's id)."""
    number, native = hands.make_in_oro(name), hands.make_in_outlook(name)
    hands.world.settle()
    assert set(hands.oro()) == {number}
    assert set(hands.outlook()) == {native}
    assert hands.stamps() == {native: str(number)}
    return number, native


def at_rest(hands: Hands) -> None:
    """Nothing more travels, and nobody was mailed."""
    assert writes(hands.world.sync()) == 0
    assert hands.world.mailbox.outbox == []
    assert hands.world.oro.mails == []
    assert hands.world.oro.orphan_events() == []


# ---------------------------------------------------------------- on one side only, no match


def test_oro_to_outlook_creates_oros_record_in_outlook_stamped_and_leaves_outlooks_alone(
    entity: Entity, open_world: Any
) -> None:
    hands = open_world(entity, TO_OUTLOOK)
    number, native = hands.make_in_oro("Ada", 1, 2), hands.make_in_outlook("Ben", 3, 4)
    hands.world.sync()
    arrived = set(hands.outlook()) - {native}
    assert [hands.outlook()[each] for each in arrived] == [("Ada", 1, 2)]
    assert [hands.stamps()[each] for each in arrived] == [str(number)]
    assert hands.oro() == {number: ("Ada", 1, 2)}
    assert hands.stamps()[native] is None
    at_rest(hands)


def test_outlook_to_oro_creates_outlooks_record_in_oro_then_stamps_it_and_leaves_oros_alone(
    entity: Entity, open_world: Any
) -> None:
    hands = open_world(entity, TO_ORO)
    number, native = hands.make_in_oro("Ada", 1, 2), hands.make_in_outlook("Ben", 3, 4)
    hands.world.sync()
    arrived = set(hands.oro()) - {number}
    assert [hands.oro()[each] for each in arrived] == [("Ben", 3, 4)]
    assert hands.stamps() == {native: str(*arrived)}
    assert hands.outlook() == {native: ("Ben", 3, 4)}
    at_rest(hands)


def test_bidirectional_creates_each_record_on_the_other_side(entity: Entity, open_world: Any) -> None:
    hands = open_world(entity, BOTH)
    hands.make_in_oro("Ada", 1, 2)
    hands.make_in_outlook("Ben", 3, 4)
    hands.world.sync()
    assert sorted(hands.oro().values()) == sorted(hands.outlook().values()) == [("Ada", 1, 2), ("Ben", 3, 4)]
    assert None not in hands.stamps().values()
    at_rest(hands)


# ---------------------------------------------------------------- an unstamped Outlook item with OroCRM's match key


@pytest.mark.parametrize("direction", [TO_OUTLOOK, BOTH])
def test_an_item_with_oros_match_key_is_linked_overwritten_and_stamped(
    entity: Entity, open_world: Any, direction: str
) -> None:
    hands = open_world(entity, direction)
    paired(hands, "Zoe")
    number, native = hands.make_in_oro("Ada", 0, 1), hands.make_in_outlook("Ada", 0, 2)
    hands.world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 0, 1)
    assert hands.stamps()[native] == str(number)
    assert len(hands.oro()) == len(hands.outlook()) == 2
    at_rest(hands)


def test_outlook_to_oro_makes_a_new_record_of_an_item_with_oros_match_key(entity: Entity, open_world: Any) -> None:
    hands = open_world(entity, TO_ORO)
    hands.world.sync()  # the first sync is over
    number, native = hands.make_in_oro("Ada", 0, 1), hands.make_in_outlook("Ada", 0, 2)
    hands.world.sync()
    made = set(hands.oro()) - {number}
    assert [hands.oro()[each] for each in made] == [("Ada", 0, 2)]
    assert hands.stamps() == {native: str(*made)}
    at_rest(hands)


def test_outlook_to_oro_links_it_instead_with_match_before_create(entity: Entity, open_world: Any) -> None:
    hands = open_world(entity, TO_ORO, match_before_create=True)
    hands.world.sync()
    number, native = hands.make_in_oro("Ada", 0, 1), hands.make_in_outlook("Ada", 0, 2)
    hands.world.sync()
    assert hands.oro() == {number: ("Ada", 0, 2)}
    assert hands.stamps() == {native: str(number)}
    at_rest(hands)


# ---------------------------------------------------------------- several match


@pytest.mark.parametrize("direction", [TO_OUTLOOK, BOTH])
def test_of_several_matches_one_is_linked_and_reported_and_the_others_stay_untouched(
    entity: Entity, open_world: Any, direction: str
) -> None:
    hands = open_world(entity, direction)
    number = hands.make_in_oro("Ada", 0, 1)
    twins = {hands.make_in_outlook("Ada", 0, each) for each in (2, 3, 4)}
    before = hands.outlook()
    report = hands.world.sync()
    linked = [native for native, stamp in hands.stamps().items() if stamp == str(number)]
    assert len(linked) == 1
    assert {each: hands.outlook()[each] for each in twins - set(linked)} == {
        each: before[each] for each in twins - set(linked)
    }
    assert set(hands.oro()) == {number}
    assert report.entities[entity]["left"]["several_match"] == 2
    assert any("3 matched" in op.reason for op in report.ops)
    at_rest(hands)


def test_of_several_matches_the_same_one_is_linked_every_time(entity: Entity, open_world: Any, tmp_path: Any) -> None:
    from tests.sync.world import new_vault

    from orosync.store.engine import open_engine
    from orosync.store.migrations import upgrade

    linked = []
    for attempt in range(2):
        engine = open_engine(f"sqlite:///{tmp_path / f'{attempt}.db'}")
        upgrade(engine)
        hands = Hands(World(Database(engine, new_vault())), entity)
        number = hands.make_in_oro("Ada", 0, 1)
        twins = [hands.make_in_outlook("Ada", 0, each) for each in (2, 3)]
        hands.world.sync()
        linked.append([twins.index(native) for native, stamp in hands.stamps().items() if stamp == str(number)])
        engine.dispose()
    assert linked[0] == linked[1]


# ---------------------------------------------------------------- changed on one side


@pytest.mark.parametrize("direction", [TO_OUTLOOK, BOTH])
def test_a_change_in_oro_updates_outlook(entity: Entity, open_world: Any, direction: str) -> None:
    hands = open_world(entity, direction)
    number, native = paired(hands)
    hands.edit_in_oro(number, "first", 5)
    hands.world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 5, 0)
    at_rest(hands)


def test_outlook_to_oro_overwrites_a_change_in_oro_again(entity: Entity, open_world: Any) -> None:
    hands = open_world(entity, TO_ORO)
    number, native = paired(hands)
    hands.edit_in_oro(number, "first", 5)
    hands.world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 0, 0)
    at_rest(hands)


@pytest.mark.parametrize("direction", [TO_ORO, BOTH])
def test_a_change_in_outlook_updates_oro(entity: Entity, open_world: Any, direction: str) -> None:
    hands = open_world(entity, direction)
    number, native = paired(hands)
    hands.edit_in_outlook(native, "first", 5)
    hands.world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 5, 0)
    at_rest(hands)


def test_oro_to_outlook_leaves_a_change_in_outlook_there_until_oros_record_changes_next(
    entity: Entity, open_world: Any
) -> None:
    hands = open_world(entity, TO_OUTLOOK)
    number, native = paired(hands)
    hands.edit_in_outlook(native, "first", 5)
    report = hands.world.sync()
    assert hands.outlook()[native] == ("Ada", 5, 0)
    assert hands.oro()[number] == ("Ada", 0, 0)
    assert report.entities[entity]["left"] == {"stays_in_outlook": 1}
    hands.edit_in_oro(number, "second", 7)
    hands.world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 0, 7)
    at_rest(hands)


# ---------------------------------------------------------------- changed on both sides


@pytest.mark.parametrize(
    ("direction", "rule", "kept"),
    [
        (TO_OUTLOOK, "oro_wins", 5),
        (TO_OUTLOOK, "outlook_wins", 5),
        (TO_ORO, "oro_wins", 6),
        (BOTH, "oro_wins", 5),
        (BOTH, "outlook_wins", 6),
    ],
)
def test_the_same_field_changed_on_both_sides(
    entity: Entity, open_world: Any, direction: str, rule: str, kept: int
) -> None:
    hands = open_world(entity, direction, conflict_resolution=rule)
    number, native = paired(hands)
    hands.edit_in_oro(number, "first", 5)
    hands.edit_in_outlook(native, "first", 6)
    report = hands.world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", kept, 0)
    assert report.entities[entity]["conflicts"] == 1
    logged = hands.world.store.conflicts(open_only=False)
    assert [(each.choice, each.outlook != each.oro) for each in logged] == [("oro" if kept == 5 else "outlook", True)]
    at_rest(hands)


@pytest.mark.parametrize(("later", "kept"), [("oro", 5), ("outlook", 6)])
def test_bidirectional_with_newest_keeps_the_later_change(
    entity: Entity, open_world: Any, later: str, kept: int
) -> None:
    hands = open_world(entity, BOTH, conflict_resolution="newest")
    number, native = paired(hands)
    edits = [lambda: hands.edit_in_outlook(native, "first", 6), lambda: hands.edit_in_oro(number, "first", 5)]
    for edit in edits if later == "oro" else reversed(edits):
        hands.world.clock.forward(minutes=10)
        edit()
    hands.world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", kept, 0)
    at_rest(hands)


@pytest.mark.parametrize(("choice", "kept"), [("oro", 5), ("outlook", 6)])
def test_bidirectional_with_ask_leaves_both_values_until_a_person_chooses(
    entity: Entity, open_world: Any, choice: str, kept: int
) -> None:
    from orosync.core.records import Side

    hands = open_world(entity, BOTH, conflict_resolution="ask")
    number, native = paired(hands)
    hands.edit_in_oro(number, "first", 5)
    hands.edit_in_outlook(native, "first", 6)
    hands.edit_in_oro(number, "second", 8)
    hands.world.sync()
    assert hands.outlook()[native] == ("Ada", 6, 8)
    assert hands.oro()[number] == ("Ada", 5, 8)
    at_rest(hands)
    (conflict,) = hands.world.store.conflicts()
    hands.world.database.settle_conflict(hands.world.account_id, conflict.id, Side(choice))
    hands.world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", kept, 8)
    assert hands.world.store.conflicts() == []
    at_rest(hands)


@pytest.mark.parametrize(
    ("direction", "outcome"), [(TO_OUTLOOK, ("Ada", 5, 0)), (TO_ORO, ("Ada", 0, 6)), (BOTH, ("Ada", 5, 6))]
)
def test_different_fields_changed_on_both_sides(
    entity: Entity, open_world: Any, direction: str, outcome: tuple[str, int, int]
) -> None:
    hands = open_world(entity, direction)
    number, native = paired(hands)
    hands.edit_in_oro(number, "first", 5)
    hands.edit_in_outlook(native, "second", 6)
    hands.world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == outcome
    at_rest(hands)


# ---------------------------------------------------------------- deleted


@pytest.mark.parametrize("direction", [TO_OUTLOOK, BOTH])
def test_deleted_in_outlook_is_created_again(entity: Entity, open_world: Any, direction: str) -> None:
    hands = open_world(entity, direction)
    number, native = paired(hands)
    hands.delete_in_outlook(native)
    hands.world.sync()
    assert list(hands.outlook().values()) == [("Ada", 0, 0)]
    assert list(hands.stamps().values()) == [str(number)]
    assert set(hands.oro()) == {number}
    at_rest(hands)


def test_outlook_to_oro_keeps_oros_record_of_what_was_deleted_in_outlook(entity: Entity, open_world: Any) -> None:
    hands = open_world(entity, TO_ORO)
    number, native = paired(hands)
    hands.delete_in_outlook(native)
    hands.world.sync()
    assert hands.outlook() == {}
    assert set(hands.oro()) == {number}
    at_rest(hands)


@pytest.mark.parametrize(("policy", "in_oro", "in_outlook"), [("propagate", 0, 0), ("ignore", 1, 0)])
def test_bidirectional_deletes_or_leaves_oros_record_if_the_policy_says_so(
    entity: Entity, open_world: Any, policy: str, in_oro: int, in_outlook: int
) -> None:
    hands = open_world(entity, BOTH, on_delete_in_outlook=policy)
    _, native = paired(hands)
    hands.delete_in_outlook(native)
    hands.world.sync()
    assert (len(hands.oro()), len(hands.outlook())) == (in_oro, in_outlook)
    at_rest(hands)
    assert (len(hands.oro()), len(hands.outlook())) == (in_oro, in_outlook)


def test_oro_to_outlook_keeps_outlooks_item_of_what_was_deleted_in_oro(entity: Entity, open_world: Any) -> None:
    hands = open_world(entity, TO_OUTLOOK)
    number, native = paired(hands)
    hands.delete_in_oro(number)
    hands.world.sync(sweep=True)
    assert hands.oro() == {}
    assert hands.outlook() == {native: ("Ada", 0, 0)}
    at_rest(hands)


@pytest.mark.parametrize("direction", [TO_ORO, BOTH])
def test_deleted_in_oro_is_deleted_from_outlook_into_deleted_items(
    entity: Entity, open_world: Any, direction: str
) -> None:
    hands = open_world(entity, direction)
    number, _ = paired(hands)
    hands.delete_in_oro(number)
    hands.world.sync()
    assert hands.oro() == hands.outlook() == {}
    assert len(hands.world.mailbox.deleted_items) == 1
    at_rest(hands)


@pytest.mark.parametrize("direction", [TO_ORO, BOTH])
def test_deleted_in_oro_but_edited_in_outlook_keeps_the_edit(entity: Entity, open_world: Any, direction: str) -> None:
    hands = open_world(entity, direction)
    number, native = paired(hands)
    hands.delete_in_oro(number)
    hands.edit_in_outlook(native, "first", 6)
    hands.world.sync()
    assert list(hands.oro().values()) == list(hands.outlook().values()) == [("Ada", 6, 0)]
    at_rest(hands)


# ---------------------------------------------------------------- first sync and resync


@pytest.mark.parametrize(
    ("direction", "outcome"), [(TO_OUTLOOK, ("Ada", 0, 1)), (TO_ORO, ("Ada", 0, 2)), (BOTH, ("Ada", 0, 1))]
)
def test_a_first_sync_pairs_by_key_and_the_masters_values_win(
    entity: Entity, open_world: Any, direction: str, outcome: tuple[str, int, int]
) -> None:
    hands = open_world(entity, direction)
    number, native = hands.make_in_oro("Ada", 0, 1), hands.make_in_outlook("Ada", 0, 2)
    hands.world.sync()
    assert hands.oro() == {number: outcome}
    assert hands.outlook() == {native: outcome}
    assert hands.stamps() == {native: str(number)}
    at_rest(hands)


@pytest.mark.parametrize("direction", [TO_OUTLOOK, TO_ORO, BOTH])
def test_a_resync_of_a_converged_account_writes_nothing(entity: Entity, open_world: Any, direction: str) -> None:
    hands = open_world(entity, direction)
    for name in ("Ada", "Ben", "Cem"):
        paired_before = hands.make_in_oro(name), hands.make_in_outlook(name)
        assert all(paired_before)
    hands.world.settle()
    assert writes(hands.world.sync(mode="resync")) == 0


def test_a_resync_brings_back_oros_values_where_edits_stayed_in_outlook(entity: Entity, open_world: Any) -> None:
    hands = open_world(entity, TO_OUTLOOK)
    number, native = paired(hands)
    hands.edit_in_outlook(native, "first", 5)
    hands.world.sync()
    hands.world.sync(mode="resync")
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 0, 0)
    at_rest(hands)


@pytest.mark.parametrize("direction", [TO_OUTLOOK, BOTH])
def test_a_resync_in_the_mode_replace_makes_stamped_items_anew(entity: Entity, open_world: Any, direction: str) -> None:
    hands = open_world(entity, direction)
    number, native = paired(hands)
    hands.world.sync(mode="resync", replace=True)
    assert list(hands.outlook().values()) == [("Ada", 0, 0)]
    assert native not in hands.outlook()
    assert list(hands.stamps().values()) == [str(number)]
    assert len(hands.world.mailbox.deleted_items) == 1
    assert set(hands.oro()) == {number}
    at_rest(hands)


@pytest.mark.parametrize("direction", [TO_OUTLOOK, TO_ORO, BOTH])
def test_a_first_sync_after_the_state_was_lost_pairs_by_stamp_and_creates_nothing(
    entity: Entity, open_world: Any, direction: str, tmp_path: Any
) -> None:
    from tests.sync.world import CRM, UPN

    from orosync.core.ledger import Account

    hands = open_world(entity, direction)
    for name in ("Ada", "Ada", "Ben"):
        hands.make_in_oro(name)
        hands.make_in_outlook(name)
    hands.world.settle()
    before = hands.oro(), hands.outlook()
    hands.world.database.accounts.remove(hands.world.account_id)
    hands.world.account_id = hands.world.database.accounts.add(Account("ada", UPN, CRM, "admin", "wsse", "token"))
    assert writes(hands.world.sync()) == 0
    assert (hands.oro(), hands.outlook()) == before
    at_rest(hands)
