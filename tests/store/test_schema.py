"""Engine and schema: migrated equals declared, look-ups use indexes, times and errors are honest."""

import inspect
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from tests.store.conftest import NOON, account_named, leased

from orosync.core.exchange import Sighting
from orosync.core.records import Entity, LinkState, Side
from orosync.errors import ConfigurationError, TryLater
from orosync.store import migrations, tables
from orosync.store.database import AccountStore, Database
from orosync.store.engine import open_engine
from orosync.store.transactions import Transactions
from orosync.sync import ports


def test_an_account_store_has_the_shape_that_a_run_expects() -> None:
    def shape(function: object) -> list[tuple[str, object, object]]:
        parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
        return [(parameter.name, parameter.kind, parameter.default) for parameter in parameters]

    promised = {name for name, value in vars(ports.AccountStore).items() if inspect.isfunction(value)}
    promised = {name for name in promised if not name.startswith("_")}
    assert len(promised) > 40
    for name in sorted(promised):
        assert shape(getattr(AccountStore, name)) == shape(getattr(ports.AccountStore, name)), name


def test_the_migrated_schema_is_the_declared_one(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


@pytest.fixture
def bare(engine: sa.Engine, tmp_path: Path) -> Iterator[sa.Engine]:
    """A second database of the same kind, with no table in it."""
    if engine.dialect.name == "sqlite":
        other = open_engine(f"sqlite:///{tmp_path / 'bare.db'}")
    else:
        with engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA IF EXISTS bare CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA bare"))
        url = engine.url.update_query_dict({"options": "-c search_path=bare"})
        other = open_engine(url.render_as_string(hide_password=False))
    yield other
    other.dispose()


ALL_OF_SQLITE = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name NOT LIKE 'alembic%'"
INDEXES = """SELECT tablename, indexname, replace(indexdef, schemaname || '.', '') FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename <> 'alembic_version'"""
COLUMNS = """SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default IS NULL
    FROM information_schema.columns WHERE table_schema = current_schema() AND table_name <> 'alembic_version'"""
CONSTRAINTS = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = current_schema()::regnamespace AND conrelid::regclass::text <> 'alembic_version'"""
CATALOGUES = {"sqlite": [ALL_OF_SQLITE], "postgresql": [INDEXES, COLUMNS, CONSTRAINTS]}


def test_partial_indexes_collations_and_cascades_are_the_declared_ones(engine: sa.Engine, bare: sa.Engine) -> None:
    def catalogue(of: sa.Engine) -> list[list[str]]:
        with of.connect() as connection:
            return [
                sorted(_in_any_order(row) for row in connection.execute(sa.text(query)))
                for query in CATALOGUES[of.dialect.name]
            ]

    tables.metadata.create_all(bare)
    assert catalogue(engine) == catalogue(bare)


def _in_any_order(row: Iterable[object]) -> str:
    """SQLite keeps the words of CREATE; in which order constraints stand in them means nothing, nor that the name of a
    table it has copied stands in quotes."""
    text = re.sub(r'CREATE TABLE "(\w+)"', r"CREATE TABLE \1", " ".join(" ".join(str(value).split()) for value in row))
    return " , ".join(sorted(part.strip() for part in text.removesuffix(" )").split(",")))


UPGRADE = (
    "import sys; from orosync.store import engine, migrations; migrations.upgrade(engine.open_engine(sys.argv[1]))"
)


@pytest.mark.processes
def test_several_processes_may_upgrade_at_once(bare: sa.Engine) -> None:
    with pytest.raises(ConfigurationError, match="orosync db upgrade"):
        migrations.check(bare)
    assert migrations.current(bare) is None
    command = [sys.executable, "-c", UPGRADE, bare.url.render_as_string(hide_password=False)]
    started = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(timeout=60) for process in started] == [0, 0, 0]
    migrations.check(bare)
    migrations.upgrade(bare)  # once more changes nothing
    assert migrations.current(bare) == migrations.head()
    with bare.connect() as connection:
        if bare.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.accounts)).scalar_one() == 0


def test_plans_that_wait_for_an_approval_keep_their_ops_when_these_get_rows_of_their_own(bare: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with bare.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "r0005")
        connection.execute(
            sa.text(
                "INSERT INTO accounts (id, name, mailbox, orocrm_url, orocrm_user, oro_auth, graph_auth, state, "
                "state_reason, organisation, facts) VALUES (7, 'anna', 'm', 'u', 'o', 'wsse', 'token', 'active', "
                "'', 'default', '{}')"
            )
        )
        connection.execute(
            sa.text("INSERT INTO plans (account_id, run, plan_hash, ops, limits) VALUES (7, 'r', 'h', :ops, '[]')"),
            {"ops": '[{"verb":"create"},{"verb":"delete"}]'},
        )
    migrations.upgrade(bare)
    store = Database(bare).account_store(7)
    assert store.plan("r") == {"run": "r", "plan_hash": "h", "limits": []}
    assert list(store.planned_ops("r")) == [{"verb": "create"}, {"verb": "delete"}]


def test_a_schema_from_the_future_is_refused(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'r9999'")
    with pytest.raises(ConfigurationError, match="newer than this program"):
        migrations.upgrade(engine)
    engine.dispose()


def test_every_look_up_of_a_run_uses_an_index(empty_sqlite: Path, tmp_path: Path) -> None:
    """SQLite's own word for it: SCAN without an index would read every account's rows."""
    file = tmp_path / "explained.db"
    file.write_bytes(empty_sqlite.read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    asked: list[tuple[str, object]] = []

    def listen(_connection, _cursor, statement, parameters, _context, executemany) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            asked.append((statement, parameters[0] if executemany else parameters))

    database = Database(engine)
    store = _working_store(database)
    sa.event.listen(engine, "before_cursor_execute", listen)
    _look_everything_up(store)
    sa.event.remove(engine, "before_cursor_execute", listen)
    engine.dispose()
    assert len({statement for statement, _ in asked}) > 30
    with closing(sqlite3.connect(file)) as connection:
        for statement, parameters in asked:
            for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters):
                assert not step[3].startswith("SCAN"), statement
                assert "TEMP B-TREE" not in step[3] or "quarantine" in statement or "intents" in statement, statement


def _working_store(database: Database) -> AccountStore:
    return leased(database, database.accounts.add(account_named("anna")))


def _look_everything_up(store: AccountStore) -> None:
    both = (Side.OUTLOOK, Entity.CONTACT)
    store.account()
    store.settings_levels()
    store.cursor(*both)
    store.journal(*both, [Sighting("A", "1")], 1)
    store.pending(Entity.CONTACT)
    store.pending_after(Entity.CONTACT, 0, 10)
    store.journal_done([1])
    store.pending_count()
    for side in Side:
        store.links_by_id(side, Entity.CONTACT, ["A"])
        store.versions(side, Entity.CONTACT)
        store.tombstones(Entity.CONTACT, side, ["A"])
        store.oplog_of(Entity.CONTACT, side, "A")
    list(store.links(Entity.CONTACT))
    list(store.links(Entity.CONTACT, LinkState.ACTIVE))
    store.links_to_stamp(Entity.CONTACT)
    store.count_links(Entity.CONTACT)
    store.drop_link(1)
    store.unlinked(*both)
    store.unlinked_matching(*both, ids=["A"], keys=["k"], uids=["u"], stamps=["s"])
    store.count_unlinked(*both)
    store.drop_unlinked(*both, ["A"])
    store.mark_sent(["op"], NOON)
    store.close_intent("op", "confirmed")
    store.open_intents()
    store.oplog("run")
    store.mark_undone("op", "run")
    store.tally(Entity.CONTACT, NOON)
    store.conflicts()
    store.conflicts(open_only=False)
    store.conflict(1)
    store.drop_open_conflicts(Entity.CONTACT, "A", "1")
    store.quarantined()
    store.release(*both, "A")
    store.runs()
    store.run("run")
    store.plan("run")
    list(store.planned_ops("run"))
    list(store.approved_ops(NOON))
    store.finish_run("run", "done", NOON, {})


def test_a_time_comes_back_in_utc_and_a_naive_one_is_refused(store: AccountStore) -> None:
    elsewhere = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-7)))
    store.set_state("suspended", "", elsewhere)
    since = store.account().state_since
    assert since == elsewhere
    assert since is not None
    assert since.tzinfo is UTC
    with pytest.raises(sa.exc.StatementError, match="without zone"):
        store.set_state("suspended", "", datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_new_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'deep' / 'new.db'}")
    with engine.connect() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    engine.dispose()
    assert found == ["wal", 2]
    assert stat.S_IMODE((tmp_path / "deep" / "new.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense with hunter2", "is no database URL"),
        ("mysql://u:hunter2@h/d", "'mysql'"),
        ("postgresql+asyncpg://u:hunter2@h/d", "psycopg is the one"),
        ("sqlite://", "names no file"),
        ("sqlite:////proc/nowhere/x.db", "cannot be written"),
    ],
)
def test_an_unusable_url_is_refused_with_a_remedy_and_without_its_password(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_engine(url)
    assert told in str(caught.value)
    assert "OROSYNC_DATABASE_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_error_of_the_database_shows_no_values(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.DBAPIError) as caught, engine.begin() as connection:
        connection.execute(sa.text("SELECT :secret FROM nowhere"), {"secret": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_a_database_that_stays_locked_is_a_case_for_later(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'locked.db'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")

    def impatient(connection: sqlite3.Connection, _entry: object) -> None:
        connection.execute("PRAGMA busy_timeout = 1").close()

    sa.event.listen(engine, "connect", impatient)
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "locked.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryLater, match="database"), Transactions(engine).writing():
            pass
    with Transactions(engine).writing():
        pass
    engine.dispose()


def test_a_server_that_is_not_there_is_a_case_for_later() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(TryLater), Transactions(engine).reading():
        pass
    engine.dispose()
