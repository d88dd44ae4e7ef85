"""Codes that work once: one redeemer, one purpose, a while, and nothing readable at rest."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from tests.store.conftest import NOON, SetClock

from orosync.store import tables
from orosync.store.database import Database
from orosync.store.vault import Vault

SOON = NOON + timedelta(minutes=5)


def test_a_code_works_once(database: Database) -> None:
    database.one_time_codes.add("code", "what it stands for: ü", SOON)
    assert database.one_time_codes.redeem("code", NOON) == "what it stands for: ü"
    assert database.one_time_codes.redeem("code", NOON) is None


def test_an_unknown_code_opens_nothing(database: Database) -> None:
    database.one_time_codes.add("code", "text", SOON)
    for other in ("", "Code", "code ", "\ud800", "\0code"):
        assert database.one_time_codes.redeem(other, NOON) is None
    assert database.one_time_codes.redeem("code", NOON) == "text"


def test_a_code_opens_nothing_under_another_kind(database: Database) -> None:
    database.one_time_codes.add("code", "text", SOON, kind="oro")
    assert database.one_time_codes.redeem("code", NOON) is None
    assert database.one_time_codes.redeem("code", NOON, kind="entra") is None
    assert database.one_time_codes.redeem("code", NOON, kind="oro") == "text"


def test_a_code_ends_at_its_time_and_cannot_be_tried_again(database: Database) -> None:
    database.one_time_codes.add("code", "text", SOON)
    assert database.one_time_codes.redeem("code", SOON) is None
    assert database.one_time_codes.redeem("code", NOON) is None


def test_codes_nobody_redeemed_do_not_pile_up(database: Database, clock: SetClock) -> None:
    for number in range(3):
        database.one_time_codes.add(f"code {number}", "text", SOON)
    clock.at = SOON
    database.one_time_codes.add("newest", "text", SOON + timedelta(minutes=5))
    assert _rows(database) == 1


def test_neither_code_nor_text_can_be_read_in_the_database(database: Database) -> None:
    database.one_time_codes.add("hunter2", "swordfish", SOON)
    with database.engine.connect() as connection:
        stored = str(connection.execute(sa.select(tables.one_time_codes)).all())
    assert "hunter2" not in stored
    assert "swordfish" not in stored


def test_a_row_that_was_given_another_code_opens_nothing(database: Database) -> None:
    database.one_time_codes.add("hers", "her text", SOON)
    database.one_time_codes.add("his", "his text", SOON)
    rows = tables.one_time_codes
    with database.engine.begin() as connection:
        found = connection.execute(sa.select(rows.c.digest, rows.c.ciphertext)).all()
        for (digest, _), (_, other) in zip(found, reversed(found), strict=True):
            connection.execute(sa.update(rows).where(rows.c.digest == digest).values(ciphertext=other))
    assert database.one_time_codes.redeem("hers", NOON) is None
    assert database.one_time_codes.redeem("his", NOON) is None


def test_a_code_sealed_with_a_key_that_is_gone_is_as_good_as_expired(database: Database) -> None:
    database.one_time_codes.add("code", "text", SOON)
    other = Database(database.engine, Vault([Fernet.generate_key().decode()]))
    assert other.one_time_codes.redeem("code", NOON) is None


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
def test_of_many_that_redeem_at_once_one_gets_it(database: Database) -> None:
    database.one_time_codes.add("code", "text", SOON)
    ready, got = threading.Barrier(4), []

    def redeem() -> None:
        ready.wait(10)
        got.append(database.one_time_codes.redeem("code", NOON))

    threads = [threading.Thread(target=redeem) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(got, key=str) == [None, None, None, "text"]


def _rows(database: Database) -> int:
    with database.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(tables.one_time_codes)).scalar_one())
