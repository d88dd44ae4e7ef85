"""`orosync db`: a sound copy while others write, and what is old is dropped."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.store.test_links import contact

from orosync import bootstrap
from orosync.cli import program
from orosync.config import load_config
from orosync.core.ledger import Account
from orosync.core.records import Entity


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def orosync(*arguments: str) -> Result:
    return CliRunner().invoke(program, list(arguments), prog_name="orosync")


@pytest.fixture
def database() -> Iterator[bootstrap.Database]:
    opened = bootstrap.open_database(load_config())
    opened.accounts.add(Account("anna", "a@example.com", "https://crm.example", "anna", "wsse", "token"))
    yield opened
    opened.close()


def rows(file: Path, table: str) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own tables


def test_a_backup_is_one_moment_of_a_database_that_is_written_to(database: bootstrap.Database, tmp_path: Path) -> None:
    """Each transaction adds two pairs: an odd number would be half a transaction."""
    (account,) = database.accounts.all()
    lease = database.leases.take(account.id, "worker", datetime.now(UTC), timedelta(hours=1))
    store = database.account_store(account.id, lease)
    over, begun = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            with store.transaction():
                for half in ("a", "b"):
                    store.add_link(contact(f"{number}{half}", f"{number}{half}"))
            number += 1
            begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(30)
    try:
        done = [orosync("db", "backup", str(tmp_path / f"copy{number}.sqlite3")) for number in range(3)]
    finally:
        over.set()
        writer.join()
    assert [each.exit_code for each in done] == [0, 0, 0], done
    counts = [rows(tmp_path / f"copy{number}.sqlite3", "links") for number in range(3)]
    assert counts[0] >= 2
    assert [count % 2 for count in counts] == [0, 0, 0]
    assert store.count_links(Entity.CONTACT) >= counts[-1]


def test_a_backup_is_one_file_that_only_its_owner_reads_and_can_be_put_back(
    database: bootstrap.Database, tmp_path: Path, data_folder: Path
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    done = orosync("db", "backup", str(copies / "copy.sqlite3"))
    assert "secret.key" in done.stdout
    assert [file.name for file in copies.iterdir()] == ["copy.sqlite3"]
    assert stat.S_IMODE((copies / "copy.sqlite3").stat().st_mode) == 0o600
    (anna,) = database.accounts.all()
    database.accounts.remove(anna.id)
    database.close()

    for beside in data_folder.glob("orosync.sqlite3*"):
        beside.unlink()
    (copies / "copy.sqlite3").rename(data_folder / "orosync.sqlite3")
    restored = bootstrap.open_database(load_config())
    assert [each.name for each in restored.accounts.all()] == ["anna"]
    restored.close()


def test_a_backup_never_overwrites(database: bootstrap.Database, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    refused = orosync("db", "backup", str(tmp_path / "there"))
    assert (refused.exit_code, "is there already" in refused.output) == (2, True)
    assert (tmp_path / "there").read_text() == "mine"
    nowhere = orosync("db", "backup", str(tmp_path / "no folder" / "copy"))
    assert (nowhere.exit_code, "cannot be written" in nowhere.output) == (2, True)


def test_without_a_database_there_is_nothing_to_copy_and_nothing_is_made(tmp_path: Path, data_folder: Path) -> None:
    refused = orosync("db", "backup", str(tmp_path / "copy"))
    assert (refused.exit_code, "no database" in refused.output) == (2, True)
    assert not data_folder.exists()


def test_postgresql_is_left_to_its_own_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OROSYNC_DATABASE_URL", "postgresql://127.0.0.1/nothing")
    monkeypatch.setenv("OROSYNC_SECRET_KEYS", "A" * 43 + "=")
    refused = orosync("db", "backup", str(tmp_path / "copy"))
    assert (refused.exit_code, "pg_dump" in refused.output) == (2, True)


def test_tidy_drops_what_is_older_than_the_history(
    database: bootstrap.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (account,) = database.accounts.all()
    now = datetime.now(UTC)
    lease = database.leases.take(account.id, "worker", now, timedelta(hours=1))
    store = database.account_store(account.id, lease)
    for run, days in (("old", 20), ("recent", 5), ("newest", 0)):
        store.start_run(run, "sync", now - timedelta(days=days))
        store.finish_run(run, "done", now - timedelta(days=days), {})
    assert orosync("db", "tidy").stdout == "Nothing was old.\n"
    monkeypatch.setenv("OROSYNC_HISTORY_DAYS", "10")
    assert json.loads(orosync("db", "tidy", "--json").stdout)["runs"] == 1
    assert [each["run"] for each in store.runs()] == ["newest", "recent"]
    monkeypatch.setenv("OROSYNC_HISTORY_DAYS", "3")
    assert orosync("db", "tidy").stdout.split() == ["what", "rows", "runs", "1"]
