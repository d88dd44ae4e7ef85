"""What an operator is told on the command line about accounts and the installation; nothing is running but the test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from orosync import bootstrap
from orosync.bootstrap import Database
from orosync.cli import program
from orosync.config import load_config
from orosync.core.ledger import Cursor
from orosync.core.push import Subscription
from orosync.core.records import Entity, Side


def orosync(*arguments: str) -> Result:
    return CliRunner().invoke(program, list(arguments), prog_name="orosync")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """With the account "anna", which has had its first sync."""
    for name in ("DATABASE_URL", "SECRET_KEYS", "ORO_HOSTS", "ADMINS", "BROKER_URL", "CLIENT_CERTIFICATE"):
        monkeypatch.delenv(f"OROSYNC_{name}", raising=False)
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OROSYNC_ORO_SECRET", "a-key-that-is-nobody's")
    monkeypatch.setenv("OROSYNC_GRAPH_TOKEN", "a-token-that-is-nobody's")
    more = ("--mailbox", "anna@example.com", "--orocrm-user", "anna", "--graph-auth", "token")
    assert orosync("accounts", "add", "anna", *more, "--orocrm-url", "https://crm.example.com").exit_code == 0
    opened = bootstrap.open_database(load_config())
    account, now = opened.accounts.named("anna"), datetime.now(UTC)
    lease = opened.leases.take(account.id, "test", now, timedelta(minutes=1))
    assert lease is not None
    opened.account_store(account.id, lease).save_cursor(Side.ORO, Entity.TASK, Cursor(first_done=True))
    opened.leases.release(lease)
    read_at = dict.fromkeys(Side, now)
    opened.due_work.change(account.id, lambda work: replace(work, due_at=now + timedelta(hours=1), read_at=read_at))
    yield opened
    opened.close()


def number(database: Database) -> int:
    return database.accounts.named("anna").id


def trouble(database: Database, **what: Any) -> None:
    database.due_work.change(number(database), lambda work: replace(work, **what))


def findings() -> dict[str, tuple[str, str]]:
    rows = json.loads(orosync("doctor", "--json").stdout)
    return {row["what"]: (row["state"], row["message"]) for row in rows}


# ------------------------------------------------------------------------------------- accounts


def test_the_list_and_one_account_tell_the_state_in_one_word(database: Database) -> None:
    (row,) = json.loads(orosync("accounts", "list", "--json").stdout)
    assert (row["name"], row["state"], row["state_remedy"]) == ("anna", "waiting", "")
    assert row["state_until"] is not None
    since = datetime.now(UTC)
    trouble(database, trouble="failing", reason="OroCRM cannot be reached.", since=since)
    assert "failing" in orosync("accounts", "list").stdout
    shown = json.loads(orosync("accounts", "show", "anna", "--json").stdout)
    assert (shown["state"], shown["state_reason"]) == ("failing", "OroCRM cannot be reached.")
    assert shown["state_since"] == since.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert set(shown["read_at"]) == {"outlook", "oro"}
    text = orosync("accounts", "show", "anna").stdout
    for words in ("failing OroCRM cannot be reached.", "tried again by itself", "since", "until", "oro last read"):
        assert words in " ".join(text.split()), words


@pytest.mark.parametrize(
    "command",
    [
        ("settings", "set", "--account", "anna", "sync_birthdays=no"),
        ("settings", "unset", "--account", "anna", "sync_birthdays"),
        ("accounts", "sign-in", "anna"),
        ("accounts", "enable", "anna"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_command_that_changes_the_account_has_it_looked_at_within_seconds(
    database: Database, command: tuple[str, ...]
) -> None:
    assert orosync(*command).exit_code == 0
    due_at = database.due_work.get(number(database)).due_at
    assert due_at is not None
    assert due_at - datetime.now(UTC) < timedelta(seconds=5)


def test_settings_for_everybody_are_spread_over_a_minute(database: Database) -> None:
    assert orosync("settings", "set", "sync_tasks=no").exit_code == 0
    due_at = database.due_work.get(number(database)).due_at
    assert due_at is not None
    assert due_at - datetime.now(UTC) <= timedelta(minutes=1)


def test_what_is_switched_off_is_off_in_the_list(database: Database) -> None:
    assert orosync("settings", "set", "--account", "anna", "enable_sync=no").exit_code == 0
    (row,) = json.loads(orosync("accounts", "list", "--json").stdout)
    assert row["state"] == "off"
    assert database.due_work.get(number(database)).due_at is None


# ------------------------------------------------------------------------------------- doctor


def test_doctor_counts_accounts_by_state_and_names_those_that_need_somebody(database: Database) -> None:
    result = orosync("doctor")
    assert result.exit_code == 0, result.stdout
    told = findings()
    assert told["accounts"] == ("ok", "1 waiting")
    assert told["account anna"] == ("ok", "waiting")
    assert told["worker"][0] == told["dispatcher"][0] == "note"
    trouble(database, trouble="failing", reason="OroCRM cannot be reached.", since=datetime.now(UTC))
    assert findings()["account anna"] == ("WRONG", "failing: OroCRM cannot be reached.")
    assert orosync("doctor").exit_code == 1


def test_doctor_tells_of_workers_alive_and_lost_and_of_what_waits_too_long(database: Database) -> None:
    database.workers.sign("here:1:a", 4)
    database.workers.sign("here:2:b", 0)
    told = findings()
    assert told["workers"] == ("ok", "1 alive, 4 account(s) at once")
    assert not {"worker", "dispatcher"} & set(told)
    earlier = Database(database.engine, now=lambda: datetime.now(UTC) - timedelta(minutes=1))
    earlier.workers.sign("there:7:c", 4)
    trouble(database, due_at=datetime.now(UTC) - timedelta(minutes=10))
    told = findings()
    assert told["due work"][0] == "WRONG"
    assert told["due work"][1].startswith("1 account(s) wait, the first since 60")
    rows = [row for row in json.loads(orosync("doctor", "--json").stdout) if row["what"] == "workers"]
    assert [row["state"] for row in rows] == ["WRONG", "ok"]
    assert "there:7:c" in rows[0]["message"]


def certificate(days: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=90)).not_valid_after(now + timedelta(days=days))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(("days", "state"), [(200, "ok"), (5, "note"), (-1, "WRONG")])
def test_doctor_warns_of_a_client_certificate_that_ends(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, state: str
) -> None:
    file = tmp_path / "client.pem"
    file.write_bytes(certificate(days))
    monkeypatch.setenv("OROSYNC_CLIENT_CERTIFICATE", str(file))
    monkeypatch.setenv("OROSYNC_CLIENT_ID", "11111111-0000-4000-8000-000000000000")
    monkeypatch.setenv("OROSYNC_TENANT_ID", "22222222-0000-4000-8000-000000000000")
    ends = datetime.now(UTC) + timedelta(days=days)
    assert findings()["client certificate"] == (state, f"good until {ends:%Y-%m-%d}")


def test_doctor_tells_of_subscriptions_that_have_ended_or_will_soon(database: Database) -> None:
    now = datetime.now(UTC)
    for resource, ends in (("a", now - timedelta(hours=1)), ("b", now + timedelta(minutes=20))):
        subscription = Subscription(
            number(database), Side.OUTLOOK, resource, Entity.EVENT, resource, state="active", expires=ends
        )
        database.subscriptions.save(subscription)
    told = findings()
    assert told["subscriptions of outlook"] == ("note", "1 alive, 1 expired")
    assert "subscriptions" not in told, "the earliest has ended already"


def test_doctor_finds_secrets_that_the_keys_do_not_open(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", Fernet.generate_key().decode())
    told = findings()
    assert told["keys"][0] == told["account anna"][0] == "WRONG"
    assert "nobody" not in json.dumps(told)


def test_doctor_says_when_the_broker_does_not_answer(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OROSYNC_BROKER_URL", "amqp://guest:hunter2@127.0.0.1:9//")  # nobody listens there
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", (tmp_path / "data" / "secret.key").read_text().strip())
    state, words = findings()["broker"]
    assert state == "WRONG"
    assert "hunter2" not in words
