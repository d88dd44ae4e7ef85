"""The journal: what was said is kept, newer words replace older ones, and nothing is ticked off by mistake."""

from tests.store.conftest import NOON

from orosync.core.exchange import Sighting
from orosync.core.ledger import Cursor, JournalRow
from orosync.core.records import Entity, Item, Side
from orosync.store.database import AccountStore

ITEM = Item("A", "v1", {"displayName": "Žofia", "emailAddresses": []}, "inbox")


def note(store: AccountStore, *sightings: Sighting, generation: int = 1, kind: str | None = None) -> int:
    return store.journal(Side.OUTLOOK, Entity.CONTACT, sightings, generation, kind)


def said(store: AccountStore) -> list[tuple[str, str | None, str]]:
    return [(row.id, row.version, row.kind) for row in store.pending(Entity.CONTACT)]


def test_sightings_are_pending_in_order_with_their_items(store: AccountStore) -> None:
    assert note(store, Sighting("B", "v1"), Sighting("A", "v1", item=ITEM), Sighting("C", removed=True)) == 3
    rows = store.pending(Entity.CONTACT)
    seqs = [row.seq for row in rows]
    assert rows == [
        JournalRow(seqs[0], Side.OUTLOOK, Entity.CONTACT, "B", "v1", "seen"),
        JournalRow(seqs[1], Side.OUTLOOK, Entity.CONTACT, "A", "v1", "seen", ITEM),
        JournalRow(seqs[2], Side.OUTLOOK, Entity.CONTACT, "C", None, "removed"),
    ]
    assert seqs == sorted(seqs)
    assert store.pending(Entity.TASK) == []
    assert store.pending_count() == 3


def test_a_newer_sighting_replaces_the_pending_one(store: AccountStore) -> None:
    note(store, Sighting("A", "v1"), Sighting("B", "v1"))
    assert note(store, Sighting("A", "v2")) == 1
    assert said(store) == [("B", "v1", "seen"), ("A", "v2", "seen")]
    note(store, Sighting("B"), kind="missing")
    assert said(store) == [("A", "v2", "seen"), ("B", None, "missing")]


def test_the_last_word_about_an_id_in_one_page_counts(store: AccountStore) -> None:
    assert note(store, Sighting("A", "v1"), Sighting("B", "v1"), Sighting("A", removed=True)) == 2
    assert said(store) == [("B", "v1", "seen"), ("A", None, "removed")]


def test_the_same_word_twice_is_noted_once(store: AccountStore) -> None:
    note(store, Sighting("A", "v1", item=ITEM))
    assert note(store, Sighting("A", "v1", item=ITEM)) == 0
    assert note(store, Sighting("A", "v1")) == 0  # tells less than is known
    assert note(store, Sighting("A", "v1"), generation=2) == 1
    assert note(store, Sighting("A", "v1", item=ITEM), generation=2) == 1  # tells more


def test_a_sighting_that_arrives_during_the_work_survives_it(store: AccountStore) -> None:
    for version in (None, "v1", "v2"):
        note(store, Sighting("A"))
        at_work = [row.seq for row in store.pending(Entity.CONTACT)]
        note(store, Sighting("A", version))
        store.journal_done(at_work)
        assert said(store) == [("A", version, "seen")]


def test_a_row_that_is_done_is_gone_and_blocks_nothing(store: AccountStore) -> None:
    note(store, Sighting("A", "v1"))
    first = [row.seq for row in store.pending(Entity.CONTACT)]
    store.journal_done(first)
    assert store.pending_count() == 0
    assert note(store, Sighting("A", "v1")) == 1
    store.journal_done(first)  # once more, by mistake: numbers are not used again
    assert store.pending_count() == 1


def test_an_id_to_be_looked_at_again_is_seen_without_version(store: AccountStore) -> None:
    note(store, Sighting("A", "v1", item=ITEM), Sighting("B", removed=True))
    store.note_seen(Side.OUTLOOK, Entity.CONTACT, ["A", "B", "C"])
    store.note_seen(Side.OUTLOOK, Entity.CONTACT, [])
    assert said(store) == [("A", None, "seen"), ("B", None, "seen"), ("C", None, "seen")]


def test_sides_and_entities_do_not_meet(store: AccountStore) -> None:
    for side in Side:
        for entity in Entity:
            store.journal(side, entity, [Sighting("A", "v1")], 1)
    assert store.pending_count() == 6
    assert {row.side for row in store.pending(Entity.EVENT)} == set(Side)


def test_it_tells_how_many_rows_of_each_side_have_no_item_that_was_read_in_this_run(store: AccountStore) -> None:
    ada = Item("1", "v1", {}, "")
    store.journal(Side.ORO, Entity.CONTACT, [Sighting("1", "v1", item=ada)], 1)
    until = store.last_seq()
    store.journal(Side.ORO, Entity.CONTACT, [Sighting("2", "v1", item=ada), Sighting("3", "v1")], 1)
    store.journal(Side.ORO, Entity.TASK, [Sighting("4", "v1")], 1)
    assert store.pending_by_side(Entity.CONTACT, until) == {Side.ORO: (3, 2), Side.OUTLOOK: (0, 0)}


def test_thousands_are_noted_replaced_and_done(store: AccountStore) -> None:
    assert note(store, *(Sighting(f"A{number}", "v1") for number in range(3_000))) == 3_000
    assert note(store, *(Sighting(f"A{number}", "v2") for number in range(1_500))) == 1_500
    rows = store.pending(Entity.CONTACT)
    assert len(rows) == 3_000
    in_pages, after = [], 0
    while page := store.pending_after(Entity.CONTACT, after, 700):
        in_pages += page
        after = page[-1].seq
    assert in_pages == rows
    store.journal_done(row.seq for row in rows)
    assert store.pending_count() == 0


def test_a_cursor_comes_back_as_it_was_saved(store: AccountStore) -> None:
    assert store.cursor(Side.ORO, Entity.TASK) == Cursor()
    for saved in (Cursor("c1", 3, NOON, True, "f", -2), Cursor(None, 4)):
        store.save_cursor(Side.ORO, Entity.TASK, saved)
        assert store.cursor(Side.ORO, Entity.TASK) == saved
    assert store.cursor(Side.OUTLOOK, Entity.TASK) == Cursor()
