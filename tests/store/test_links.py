"""Pairs: identity byte by byte, one live link for an id, tombstones that remember."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.store.conftest import NOON, SetClock, leased

from orosync.core.records import Entity, Link, LinkState, Side
from orosync.errors import RecordChanged, RecordMissing
from orosync.store.database import AccountStore, Database
from orosync.store.retention import TOMBSTONES

SHADOWS = {
    Side.OUTLOOK: {"first_name": "Žofia 🌳", "emails": ["a@x.org", "b@x.org"], "birthday": "1980-02-29", "fax": None},
    Side.ORO: {"emails": ["a@x.org"], "first_name": "Zofia \ud83d", "billing": {"city": "Brno", "street": "1\n2"}},
}


def contact(outlook_id: str | None, oro_id: str | None, **more: object) -> Link:
    return Link(0, Entity.CONTACT, outlook_id, oro_id, **more)  # type: ignore[arg-type]


def test_a_link_comes_back_as_it_was_stored(store: AccountStore) -> None:
    link = contact(
        "AAMk", "7", shadows=SHADOWS, versions={Side.ORO: "v1"}, uid="u", stamped=None, frozen_fields=("fax", "gender")
    )
    link_id = store.add_link(link)
    stored = store.links_by_id(Side.ORO, Entity.CONTACT, ["7"])
    assert stored == {"7": replace(link, id=link_id)}
    assert list(stored["7"].shadows) == [Side.OUTLOOK, Side.ORO]
    assert all(isinstance(side, Side) for side in stored["7"].shadows)


def test_ids_are_compared_byte_by_byte(store: AccountStore) -> None:
    ids = ["AAMkA", "AAMka", "AAMkA ", "é", "e\u0301"]
    store.add_links([contact(native, str(number)) for number, native in enumerate(ids)])
    found = store.links_by_id(Side.OUTLOOK, Entity.CONTACT, ids)
    assert [found[native].oro_id for native in ids] == ["0", "1", "2", "3", "4"]
    assert store.links_by_id(Side.OUTLOOK, Entity.CONTACT, ["aamka"]) == {}


@pytest.mark.parametrize(
    ("link", "refused"),
    [
        (contact("A", "2"), True),
        (contact("B", "1"), True),
        (replace(contact("A", "1"), entity=Entity.TASK), False),
        (contact("B", "2"), False),
    ],
)
@pytest.mark.parametrize("state", [LinkState.ACTIVE, LinkState.SUSPENDED])
def test_one_live_link_for_an_id(store: AccountStore, state: LinkState, link: Link, refused: bool) -> None:
    store.add_link(contact("A", "1", state=state))
    if refused:
        with store.transaction():
            with pytest.raises(RecordChanged):
                store.add_link(link)
            store.add_link(contact("C", "3"))  # the transaction goes on
        assert store.count_links(Entity.CONTACT) == 2
    else:
        store.add_link(link)


def test_another_account_links_the_same_ids(
    database: Database, store: AccountStore, new_account: Callable[..., int]
) -> None:
    store.add_link(contact("A", "1"))
    other = leased(database, new_account("boris"))
    other.add_link(contact("A", "1"))
    assert store.count_links(Entity.CONTACT) == other.count_links(Entity.CONTACT) == 1


def test_many_links_are_added_but_for_those_whose_ids_are_linked(store: AccountStore) -> None:
    many = [contact(f"A{number}", f"{number}") for number in range(1_200)]
    ids = store.add_links(many)
    assert [link.id for link in store.links(Entity.CONTACT)] == ids
    by_id = store.links_by_id(Side.ORO, Entity.CONTACT, [f"{number}" for number in range(1_200)])
    assert [by_id[f"{number}"].id for number in range(1_200)] == ids
    new, taken, twice = store.add_links([contact("new", "new"), contact("other", "5"), contact("new", "newer")])
    assert new == store.links_by_id(Side.OUTLOOK, Entity.CONTACT, ["new"])["new"].id
    assert (taken, twice) == (None, None)
    assert store.count_links(Entity.CONTACT) == 1_201
    assert store.add_links([]) == []


def test_stamps_are_noted_and_nothing_else_of_the_link(store: AccountStore) -> None:
    first, second = (contact("A", "1", stamped=False), contact("B", "2", stamped=False))
    first, second = (replace(each, id=store.add_link(replace(each, shadows=SHADOWS))) for each in (first, second))
    store.stamp_links(
        [replace(first, stamped=True, versions={Side.OUTLOOK: "e9"}), replace(second, stamped=None, shadows={})]
    )
    assert store.links_to_stamp(Entity.CONTACT) == []
    kept = store.links_by_id(Side.OUTLOOK, Entity.CONTACT, ["A", "B"])
    assert (kept["A"].stamped, kept["A"].versions.get(Side.OUTLOOK), kept["A"].shadows) == (True, "e9", SHADOWS)
    assert (kept["B"].stamped, kept["B"].versions.get(Side.OUTLOOK), kept["B"].shadows) == (None, None, SHADOWS)
    store.stamp_links([])


def test_a_link_takes_no_id_of_another_when_it_is_updated(store: AccountStore) -> None:
    store.add_link(contact("A", "1"))
    second = replace(contact("B", "2"), id=store.add_link(contact("B", "2")))
    with pytest.raises(RecordChanged):
        store.update_link(replace(second, oro_id="1"))
    store.update_link(replace(second, outlook_id="C", versions={Side.OUTLOOK: "e2"}, shadows=SHADOWS))
    assert store.versions(Side.OUTLOOK, Entity.CONTACT) == {"A": "", "C": "e2"}
    assert store.links_by_id(Side.OUTLOOK, Entity.CONTACT, ["C"])["C"].shadows == SHADOWS
    store.drop_link(second.id)
    with pytest.raises(RecordMissing):
        store.update_link(second)


def test_a_link_of_another_account_is_out_of_reach(
    database: Database, store: AccountStore, new_account: Callable[..., int]
) -> None:
    link = contact("A", "1")
    link_id = store.add_link(link)
    other = leased(database, new_account("boris"))
    other.drop_link(link_id)
    with pytest.raises(RecordMissing):
        other.update_link(replace(link, id=link_id))
    assert store.count_links(Entity.CONTACT) == 1


def test_a_tombstone_keeps_both_ids_until_it_is_forgotten(
    database: Database, store: AccountStore, clock: SetClock
) -> None:
    link = replace(contact("A", "1"), id=store.add_link(contact("A", "1")))
    dead = replace(link, state=LinkState.TOMBSTONE)
    store.update_link(dead)
    assert store.count_links(Entity.CONTACT) == 0
    assert store.links_by_id(Side.ORO, Entity.CONTACT, ["1"]) == {}
    assert store.versions(Side.ORO, Entity.CONTACT) == {}
    assert store.tombstones(Entity.CONTACT, Side.ORO, ["1", "2"]) == {"1": dead}
    assert store.tombstones(Entity.CONTACT, Side.OUTLOOK, ["A"]) == {"A": dead}
    newer = store.add_link(contact("A", "9"))  # Outlook's half lives on, paired anew
    clock.at = NOON + timedelta(days=50)
    store.update_link(replace(dead, uid="seen again"))  # does not begin anew
    ended, history = NOON + TOMBSTONES, timedelta(days=90)
    assert database.retention.drop_old(ended, history)["tombstones"] == 0
    assert database.retention.drop_old(ended + timedelta(seconds=1), history)["tombstones"] == 1
    assert [kept.id for kept in store.links(Entity.CONTACT)] == [newer]


def test_the_newest_of_several_tombstones_is_told(store: AccountStore) -> None:
    dead = contact("A", "1", state=LinkState.TOMBSTONE)
    store.add_link(dead)
    newer = store.add_link(dead)
    assert store.tombstones(Entity.CONTACT, Side.ORO, ["1"])["1"].id == newer


def test_links_may_change_while_they_are_walked_through(store: AccountStore) -> None:
    store.add_links([contact(f"A{number}", f"{number}") for number in range(1_001)])
    for link in store.links(Entity.CONTACT, LinkState.ACTIVE):
        store.update_link(replace(link, state=LinkState.SUSPENDED))
    assert list(store.links(Entity.CONTACT, LinkState.ACTIVE)) == []
    assert len(list(store.links(Entity.CONTACT, LinkState.SUSPENDED))) == 1_001


def test_links_to_stamp_are_the_active_ones_that_may_be_stamped(store: AccountStore) -> None:
    wanted = store.add_link(contact("A", "1", stamped=False))
    store.add_link(contact("B", "2", stamped=True))
    store.add_link(contact("C", "3", stamped=None))
    store.add_link(contact("D", "4", stamped=False, state=LinkState.SUSPENDED))
    assert [link.id for link in store.links_to_stamp(Entity.CONTACT)] == [wanted]
