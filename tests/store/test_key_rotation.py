"""A new key while the service goes on: nothing is lost, nothing is overwritten, and the old key is not needed after."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from tests.store.conftest import NOON, SECRET_KEY

from orosync.errors import ConfigurationError
from orosync.store import tables
from orosync.store.database import Database
from orosync.store.key_rotation import KeyRotation
from orosync.store.transactions import Transactions
from orosync.store.vault import Vault, name_of_key

NEWER = Fernet.generate_key().decode()
SOON = NOON + timedelta(minutes=5)


@pytest.fixture
def both(database: Database) -> Database:
    return Database(database.engine, Vault([NEWER, SECRET_KEY]), lambda: NOON)


@pytest.fixture
def only_newer(database: Database) -> Database:
    return Database(database.engine, Vault([NEWER]), lambda: NOON)


def test_secrets_open_with_an_older_key_until_they_are_rotated(
    database: Database, both: Database, only_newer: Database, new_account: Callable[..., int]
) -> None:
    account = new_account("anna")
    database.secrets(account).set("oro", "s3cret")
    assert both.secrets(account).get("oro") == "s3cret"
    with pytest.raises(ConfigurationError, match="OROSYNC_SECRET_KEYS"):
        only_newer.secrets(account).get("oro")
    with pytest.raises(ConfigurationError):
        only_newer.keys.rotate()
    assert [both.keys.rotate(), both.keys.rotate()] == [1, 0]
    assert only_newer.secrets(account).get("oro") == "s3cret"


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_every_secret_of_every_account_is_rotated(
    database: Database, engine: sa.Engine, only_newer: Database, new_account: Callable[..., int], at_once: int
) -> None:
    accounts = [new_account(name) for name in ("anna", "boris", "clara")]
    for account in accounts:
        for name in ("oro", "graph"):
            database.secrets(account).set(name, f"{name} of {account}")
    rotation = KeyRotation(Transactions(engine), Vault([NEWER, SECRET_KEY]), at_once)
    assert rotation.rotate() == 6
    found = {
        (account, name): only_newer.secrets(account).get(name) for account in accounts for name in ("oro", "graph")
    }
    assert found == {(account, name): f"{name} of {account}" for account, name in found}


def test_codes_that_wait_to_be_redeemed_are_rotated_and_unreadable_ones_dropped(
    database: Database, both: Database, only_newer: Database
) -> None:
    database.one_time_codes.add("old", "text", SOON)
    both.one_time_codes.add("new", "other", SOON)
    Database(database.engine, Vault([Fernet.generate_key().decode()]), lambda: NOON).one_time_codes.add("x", "y", SOON)
    assert both.keys.rotate() == 1
    assert only_newer.one_time_codes.redeem("old", NOON) == "text"
    assert only_newer.one_time_codes.redeem("new", NOON) == "other"
    with database.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.one_time_codes)).scalar_one() == 0


def test_it_goes_on_where_a_secret_stopped_it(
    database: Database, both: Database, new_account: Callable[..., int]
) -> None:
    anna, boris = new_account("anna"), new_account("boris")
    database.secrets(anna).set("oro", "of anna")
    lost = Database(database.engine, Vault([Fernet.generate_key().decode()]))
    lost.secrets(boris).set("oro", "nobody has this key")
    with pytest.raises(ConfigurationError):
        KeyRotation(Transactions(database.engine), Vault([NEWER, SECRET_KEY]), at_once=1).rotate()
    assert [(use.secrets, use.ours) for use in both.keys.uses()] == [(1, True), (0, True), (1, False)]
    lost.secrets(boris).forget("oro")
    assert both.keys.rotate() == 0


def test_a_token_that_is_renewed_meanwhile_is_not_overwritten_with_the_one_before(
    database: Database, both: Database, new_account: Callable[..., int]
) -> None:
    """The former refresh token is void: whoever put it back would sign the person out."""
    account = new_account("anna")
    database.secrets(account).set("graph", "first")
    rotation = threading.Thread(target=both.keys.rotate)
    with database.transaction():
        database.secrets(account).set("graph", "second")
        rotation.start()
        rotation.join(0.2)  # it is up to something by now, or has not begun: either must do
    rotation.join()
    assert both.secrets(account).get("graph") == "second"


def test_a_process_that_began_before_reads_the_keys_again_when_none_fits(
    database: Database, both: Database, new_account: Callable[..., int]
) -> None:
    account = new_account("anna")
    database.secrets(account).set("oro", "s3cret")
    now = [SECRET_KEY]
    running = Database(database.engine, Vault([SECRET_KEY], reread=lambda: now), lambda: NOON)
    assert both.keys.rotate() == 1
    with pytest.raises(ConfigurationError):
        running.secrets(account).get("oro")
    now[:] = [NEWER, SECRET_KEY]
    assert running.secrets(account).get("oro") == "s3cret"
    running.secrets(account).set("oro", "changed")
    assert [use.secrets for use in running.keys.uses()] == [1, 0], "from now on it encrypts with the newest itself"


def test_keys_that_cannot_be_read_again_change_nothing(database: Database, new_account: Callable[..., int]) -> None:
    account = new_account("anna")
    Database(database.engine, Vault([NEWER])).secrets(account).set("oro", "s3cret")
    running = Database(database.engine, Vault([SECRET_KEY], reread=tuple))
    with pytest.raises(ConfigurationError, match="none of the keys"):
        running.secrets(account).get("oro")
    running.secrets(account).set("oro", "new")
    assert running.secrets(account).get("oro") == "new"


def test_keys_are_named_and_counted_and_never_shown(
    database: Database, both: Database, new_account: Callable[..., int]
) -> None:
    account = new_account("anna")
    database.secrets(account).set("oro", "s3cret")
    newest, older = both.keys.uses()
    assert (newest.name, newest.newest, newest.secrets) == (name_of_key(NEWER), True, 0)
    assert (older.name, older.newest, older.secrets) == (name_of_key(SECRET_KEY), False, 1)
    assert not any(key in repr((newest, older)) for key in (NEWER, SECRET_KEY))
