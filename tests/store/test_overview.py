"""The whole installation in a few numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.store.conftest import NOON, leased

from orosync.core.ledger import Quarantined
from orosync.core.push import Subscription
from orosync.core.records import Entity, Side
from orosync.store.database import Database

HOUR = timedelta(hours=1)


def test_an_empty_installation_has_nothing_to_tell(database: Database) -> None:
    overview = database.overview
    assert (overview.quarantined(), overview.open_conflicts(), overview.subscriptions()) == (0, 0, {})
    assert (overview.earliest_expiry(), overview.newest_secret()) == (None, None)


def test_records_and_subscriptions_of_all_accounts_are_counted(
    database: Database, new_account: Callable[..., int]
) -> None:
    anna, bert = new_account("anna"), new_account("bert")
    for number in (anna, bert):
        row = Quarantined(Side.ORO, Entity.TASK, "7", "1", "refused", "no", 1, first_at=NOON, next_try=NOON)
        leased(database, number).quarantine(row)
    wanted = [
        Subscription(anna, Side.OUTLOOK, "a", Entity.EVENT, "1", state="active", expires=NOON + HOUR),
        Subscription(anna, Side.OUTLOOK, "b", Entity.EVENT, "2", state="renew", expires=NOON + 2 * HOUR),
        Subscription(anna, Side.OUTLOOK, "c", Entity.EVENT, "3", state="active", expires=NOON),
        Subscription(anna, Side.OUTLOOK, "d", Entity.TASK, None, state="refused"),
        Subscription(bert, Side.ORO, "e", Entity.TASK, None),
        Subscription(bert, Side.ORO, "f", Entity.TASK, "5", state="active", expires=None),
    ]
    for each in wanted:
        database.subscriptions.save(each)
    assert database.overview.quarantined() == 2
    assert database.overview.subscriptions() == {
        (Side.OUTLOOK, "alive"): 2,
        (Side.OUTLOOK, "expired"): 1,
        (Side.OUTLOOK, "refused"): 1,
        (Side.ORO, "missing"): 1,
        (Side.ORO, "alive"): 1,
    }
    assert database.overview.earliest_expiry() == NOON


def test_a_database_server_tells_its_own_time(database: Database) -> None:
    theirs = database.overview.clock()
    if database.engine.dialect.name == "sqlite":
        assert theirs is None
    else:
        assert theirs is not None
        assert abs(theirs - datetime.now(UTC)) < timedelta(seconds=5), "the same machine"


def test_the_newest_secret_is_found_to_try_the_keys_with(database: Database, new_account: Callable[..., int]) -> None:
    number = new_account("anna")
    database.secrets(number).set("oro", "an API key")
    assert database.overview.newest_secret() == (number, "oro")
