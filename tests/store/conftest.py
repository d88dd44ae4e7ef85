"""One suite, two databases: whatever asks for `database` runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from orosync.core.ledger import Account
from orosync.store import migrations, tables
from orosync.store.database import AccountStore, Database
from orosync.store.engine import open_engine
from orosync.store.vault import Vault

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET_KEY = Fernet.generate_key().decode()


class SetClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("store") / "empty.db"
    engine = open_engine(f"sqlite:///{file}")
    migrations.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def postgresql(postgresql_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(postgresql_url)
    migrations.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty database with the newest schema."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "store.db")
        engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
        yield engine
        engine.dispose()
        return
    engine = request.getfixturevalue("postgresql")
    names = ", ".join(tables.metadata.tables)
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    yield engine


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def database(engine: sa.Engine, clock: SetClock) -> Database:
    return Database(engine, Vault([SECRET_KEY]), clock)


@pytest.fixture
def new_account(database: Database) -> Callable[..., int]:
    def add(name: str, **more: object) -> int:
        return database.accounts.add(account_named(name, **more))

    return add


def account_named(name: str, **more: object) -> Account:
    values: dict[str, object] = {
        "mailbox": f"{name}@example.com",
        "orocrm_url": "https://crm.example.com",
        "orocrm_user": name,
        "oro_auth": "wsse",
        "graph_auth": "token",
    }
    return Account(name=name, **(values | more))  # type: ignore[arg-type]


@pytest.fixture
def store(database: Database, new_account: Callable[..., int]) -> AccountStore:
    """Of an account whose lease is held."""
    return leased(database, new_account("anna"))


def leased(database: Database, account_id: int, owner: str = "worker") -> AccountStore:
    lease = database.leases.take(account_id, owner, NOON, timedelta(minutes=10))
    assert lease is not None
    return database.account_store(account_id, lease)
