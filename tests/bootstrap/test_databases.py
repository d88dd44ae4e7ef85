"""An SQLite file is brought up to date at first use; PostgreSQL, which many share, by `orosync db upgrade`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from orosync import bootstrap
from orosync.cli import program
from orosync.config import Config
from orosync.errors import ConfigurationError


def config_for(url: str, folder: Path) -> Config:
    return Config(data_dir=folder, database_url=url)


def test_an_sqlite_file_is_made_and_opened_again(tmp_path: Path) -> None:
    config = config_for(f"sqlite:///{tmp_path / 'new' / 'orosync.sqlite3'}", tmp_path)
    for _ in range(2):
        database = bootstrap.open_database(config)
        assert database.accounts.all() == []
        database.close()


def test_postgresql_that_is_behind_asks_for_the_upgrade_and_gets_it_from_the_command(
    bare_postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(bare_postgresql_url, tmp_path)
    with pytest.raises(ConfigurationError, match="orosync db upgrade"):
        bootstrap.open_database(config)
    monkeypatch.setenv("OROSYNC_DATABASE_URL", bare_postgresql_url)
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", Fernet.generate_key().decode())
    behind = CliRunner().invoke(program, ["accounts", "list"])
    assert (behind.exit_code, "orosync db upgrade" in behind.stderr) == (2, True)
    upgraded = CliRunner().invoke(program, ["db", "upgrade"])
    assert (upgraded.exit_code, "empty -> " in upgraded.stdout) == (0, True)
    assert "up to date" in CliRunner().invoke(program, ["db", "upgrade"]).stdout
    assert CliRunner().invoke(program, ["accounts", "list"]).exit_code == 0


@pytest.mark.parametrize("command", [("accounts", "list"), ("db", "upgrade")])
def test_a_database_that_cannot_be_opened_is_named_without_its_password(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OROSYNC_DATABASE_URL", "postgresql://anna:s3cret@127.0.0.1:9/orosync")
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", Fernet.generate_key().decode())
    result = CliRunner().invoke(program, list(command))
    assert (result.exit_code, "OROSYNC_DATABASE_URL" in result.stderr) == (2, True)
    assert "s3cret" not in result.output


def test_a_file_that_is_no_database_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "orosync.sqlite3").write_text("a shopping list, quite long: " + "milk " * 50)
    monkeypatch.delenv("OROSYNC_DATABASE_URL", raising=False)
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(program, ["accounts", "list"])
    assert (result.exit_code, "cannot be opened" in result.stderr) == (2, True)
