"""`orosync keys`: a new key for the file and for the variable, while secrets stay readable."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from orosync import bootstrap
from orosync.cli import program
from orosync.config import Config, load_config, secret_keys
from orosync.core.ledger import Account

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path))
    return tmp_path


def orosync(*arguments: str) -> Result:
    return CliRunner().invoke(program, list(arguments), prog_name="orosync")


def with_a_secret(text: str = "s3cret") -> int:
    database = bootstrap.open_database(load_config())
    account = database.accounts.add(Account("anna", "a@example.com", "https://crm.example", "anna", "wsse", "token"))
    database.secrets(account).set("oro", text)
    database.close()
    return account


def secret_of(account: int, config: Config | None = None) -> str | None:
    database = bootstrap.open_database(config or load_config())
    try:
        return database.secrets(account).get("oro")
    finally:
        database.close()


def test_a_new_key_is_printed_and_kept_nowhere(data_folder: Path) -> None:
    first, second = orosync("keys", "new"), orosync("keys", "new")
    assert first.exit_code == 0
    Fernet(first.stdout.strip())
    assert first.stdout != second.stdout
    assert list(data_folder.iterdir()) == []


def test_the_key_file_gets_a_new_key_and_keeps_the_old_one_until_it_is_to_be_forgotten(data_folder: Path) -> None:
    account = with_a_secret()
    before = secret_keys(load_config())
    done = orosync("keys", "rotate")
    assert done.exit_code == 0, done.output
    assert "1 secret(s)" in done.stdout
    assert "--forget-old" in done.stdout
    newest, *older = secret_keys(load_config())
    assert tuple(older) == before
    assert stat.S_IMODE((data_folder / "secret.key").stat().st_mode) == 0o600

    forgot = orosync("keys", "rotate", "--forget-old", "--json")
    assert json.loads(forgot.stdout)["forgotten"] == 1
    assert secret_keys(load_config()) == (newest,)
    assert secret_of(account) == "s3cret"
    assert not any(key in done.output + forgot.output for key in (newest, *older))
    assert {file.name for file in data_folder.glob("secret*")} == {"secret.key"}


def test_a_process_that_runs_meanwhile_reads_and_writes_on() -> None:
    account = with_a_secret()
    running = bootstrap.open_database(load_config())
    assert orosync("keys", "rotate").exit_code == 0
    assert running.secrets(account).get("oro") == "s3cret"
    running.secrets(account).set("oro", "renewed")
    assert orosync("keys", "rotate", "--forget-old").exit_code == 0
    running.close()
    assert secret_of(account) == "renewed"


def test_what_was_written_with_the_old_key_meanwhile_is_taken_along_before_it_is_forgotten() -> None:
    account = with_a_secret()
    running = bootstrap.open_database(load_config())  # has read no secret since, so it knows the old key alone
    assert orosync("keys", "rotate").exit_code == 0
    running.secrets(account).set("oro", "renewed")
    running.close()
    assert "1 secret(s)" in orosync("keys", "rotate", "--forget-old").stdout
    assert secret_of(account) == "renewed"


def test_with_the_variable_its_first_key_is_the_newest(monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", OLD)
    account = with_a_secret()
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", f"{NEW},{OLD}")
    refused = orosync("keys", "rotate", "--forget-old")
    assert (refused.exit_code, "take the older keys out" in refused.output) == (2, True)
    done = orosync("keys", "rotate")
    assert (done.exit_code, "Take the older keys out" in done.stdout) == (0, True)
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", NEW)
    assert secret_of(account) == "s3cret"
    assert not (data_folder / "secret.key").exists()


def test_a_file_that_holds_the_variable_is_read_again_by_a_running_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "keys"
    file.write_text(OLD)
    monkeypatch.setenv("OROSYNC_SECRET_KEYS_FILE", str(file))
    account = with_a_secret()
    running = bootstrap.open_database(load_config())
    file.write_text(f"{NEW},{OLD}")
    assert orosync("keys", "rotate").exit_code == 0
    assert running.secrets(account).get("oro") == "s3cret"
    file.write_text("what is no key")
    assert running.secrets(account).get("oro") == "s3cret"
    running.close()


def test_show_names_keys_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", OLD)
    with_a_secret()
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", NEW)
    assert "MISSING" in orosync("keys", "show").stdout
    rows = json.loads(orosync("keys", "show", "--json").stdout)
    assert [(row["ours"], row["newest"], row["secrets"]) for row in rows] == [(True, True, 0), (False, False, 1)]
    failed = orosync("keys", "rotate")
    assert (failed.exit_code, "none of the keys" in failed.output) == (2, True)


def test_two_who_change_the_key_file_at_once_do_not_lose_a_key(data_folder: Path) -> None:
    with_a_secret()
    (data_folder / "secret.key.new").touch()
    before = (data_folder / "secret.key").read_text()
    refused = orosync("keys", "rotate")
    assert (refused.exit_code, "somebody is changing the keys" in refused.output) == (2, True)
    assert (data_folder / "secret.key").read_text() == before
