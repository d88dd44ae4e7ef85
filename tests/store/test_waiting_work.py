"""Whether anything waits to be done for an account: what makes a run of it more than a look."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.store.conftest import NOON

from orosync.core.exchange import Sighting
from orosync.core.ledger import Quarantined
from orosync.core.records import Entity, Link, Side
from orosync.store.database import AccountStore

FAILED = Quarantined(
    Side.ORO, Entity.CONTACT, "7", "v1", "refused", "Too long.", 1, first_at=NOON, next_try=NOON + timedelta(minutes=5)
)


def a_sighting(store: AccountStore) -> None:
    store.journal(Side.OUTLOOK, Entity.CONTACT, [Sighting("A", "v1")], 1)


def a_record_to_be_tried_again(store: AccountStore) -> None:
    store.quarantine(replace(FAILED, next_try=NOON))


def a_pair_without_its_stamp(store: AccountStore) -> None:
    store.add_link(Link(0, Entity.CONTACT, "A", "1", stamped=False))


@pytest.mark.parametrize("waiting", [a_sighting, a_record_to_be_tried_again, a_pair_without_its_stamp])
def test_what_is_left_to_do_is_work(store: AccountStore, waiting: Callable[[AccountStore], None]) -> None:
    assert not store.has_work(Entity, NOON)
    waiting(store)
    assert store.has_work(Entity, NOON)
    assert store.has_work([Entity.CONTACT], NOON)
    assert not store.has_work([Entity.TASK, Entity.EVENT], NOON)
    assert not store.has_work([], NOON)


def test_pairs_in_step_and_records_that_rest_are_none(store: AccountStore) -> None:
    store.add_link(Link(0, Entity.CONTACT, "A", "1", stamped=True))
    store.add_link(Link(0, Entity.CONTACT, "B", "2", stamped=None))
    store.quarantine(FAILED)
    assert not store.has_work(Entity, NOON)
    assert store.has_work(Entity, FAILED.next_try)


def test_the_last_number_of_the_journal(store: AccountStore) -> None:
    assert store.last_seq() == 0
    a_sighting(store)
    assert store.last_seq() == store.pending(Entity.CONTACT)[0].seq
