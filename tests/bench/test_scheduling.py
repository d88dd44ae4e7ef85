"""What it costs to have 20,000 accounts: a round of the dispatcher, and a look at an account where nothing changed.

Times are of this machine and say little alone; the sizing statement in the operations guide follows from them. CPU of
an idle cycle is our own: what the simulated systems need, in the same thread, is taken off.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.empty_database import put_empty_database
from tests.store.thousands import fill
from tests.sync.world import Clock

from orosync import bootstrap, telemetry
from orosync.bootstrap import Connection
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.jobs.account_work import AccountWork
from orosync.jobs.dispatcher import Dispatcher
from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import WsgiAdapter
from orosync.store import tables
from orosync.sync.session import RunRequest

ACCOUNTS = 20_000
WORKERS, THREADS = 4, 4
CRM, GRAPH = "https://crm.example.com", "https://graph.example"
KEY = "Zm9yIHRoZSB0ZXN0cyBhbG9uZSwgdGhpcnR5LXR3byE="
ROWS: list[tuple[str, str, float, float, str]] = []


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    print("\ndatabase | what | ms (median) | CPU ms (mean) | remarks")
    for database, what, median, cpu, remarks in ROWS:
        print(f"{database} | {what} | {median:.2f} | {cpu:.2f} | {remarks}")


class Measured(WsgiAdapter):
    """A simulated system that knows how much of the thread's time it took."""

    taken_s = 0.0
    requests = 0

    def send(self, *arguments: Any, **more: Any) -> Any:
        before = time.thread_time()
        try:
            return super().send(*arguments, **more)
        finally:
            type(self).taken_s += time.thread_time() - before
            type(self).requests += 1


class Swallow:
    """A queue whose messages nobody reads."""

    def __init__(self) -> None:
        self.messages = 0

    def put(self, account_id: int, *, urgent: bool = False) -> None:
        self.messages += 1


class World:
    """One account in step among thousands."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.clock = Clock()
        self.graph, self.oro = GraphSandbox(self.clock, seed=1), OroSandbox(self.clock, seed=1)
        self.oro.seed_recorded_users()
        self.adapters = {GRAPH: Measured(create_graph_app(self.graph)), CRM: Measured(create_oro_app(self.oro))}
        self.config = Config(
            data_dir=folder,
            database_url=database_url,
            secret_keys=(KEY,),
            graph_url=f"{GRAPH}/v1.0",
            oro_hosts=("crm.example.com",),
        )
        self.database = bootstrap.open_database(self.config, self.clock)
        self.work = AccountWork(self.config, self.database, clock=self.clock, adapters=self.adapters)
        self.account_id = self._add()

    def _add(self) -> int:
        mailbox = "anna@contoso.example"
        self.graph.add_mailbox(mailbox, display_name="Anna", time_zone="Europe/Berlin")
        admin = self.oro.user("admin")
        account_id = self.database.accounts.add(Account("anna", mailbox, CRM, "admin", "wsse", "token"))
        token = self.graph.issue_token(mailbox, expires_in=10**9)
        account = self.database.accounts.get(account_id)
        bootstrap.save_connection(self.database, account, Connection(oro=admin.api_key, graph=token))
        for number in range(20):
            self.oro.back_office.create("contact", {"firstName": f"G{number}", "lastName": "Hopper"})
        return account_id

    def first_sync(self) -> None:
        request = RunRequest()
        bootstrap.run_once(self.config, self.database, "anna", request, adapters=self.adapters, clock=self.clock)

    def look(self) -> None:
        """When both sides are due again."""
        self.clock.forward(minutes=2.5)
        self.work.carry_out(self.account_id)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "sqlite":
        url = f"sqlite:///{put_empty_database(tmp_path / 'bench.db')}"
    else:
        url = request.getfixturevalue("bare_postgresql_url")
        bootstrap.upgrade_database(Config(data_dir=tmp_path, database_url=url))
    telemetry.configure("warning")
    made = World(tmp_path, url)
    yield made
    made.database.close()


def measured(benchmark: Any, act: Callable[[], object], times: int) -> tuple[float, float]:
    """Median of the wall clock and mean of this process's CPU, in ms."""
    walls: list[float] = []
    cpu = time.process_time()

    def once() -> None:
        began = time.perf_counter()
        act()
        walls.append(time.perf_counter() - began)

    benchmark.pedantic(once, rounds=times, iterations=1)
    return statistics.median(walls) * 1000, (time.process_time() - cpu) / times * 1000


def name_of(world: World) -> str:
    return str(world.database.engine.dialect.name)


def dispatcher_of(world: World) -> Dispatcher:
    for number in range(WORKERS):
        world.database.workers.sign(f"worker{number}", THREADS)
    dispatcher = Dispatcher(world.database, Swallow(), world.clock, timedelta(days=90))
    dispatcher.round()  # the first one also keeps house
    return dispatcher


def test_a_round_with_nothing_due(benchmark: Any, world: World) -> None:
    fill(world.database, ACCOUNTS, due_now=0, now=world.clock.now())
    dispatcher = dispatcher_of(world)
    median, cpu = measured(benchmark, dispatcher.round, 50)
    ROWS.append((name_of(world), f"a round, {ACCOUNTS} accounts, none due", median, cpu, "each second"))


def test_a_round_with_everybody_due(benchmark: Any, world: World) -> None:
    fill(world.database, ACCOUNTS, due_now=ACCOUNTS, now=world.clock.now())
    dispatcher = dispatcher_of(world)

    def act() -> None:
        world.database.due_work.unclaim_all()
        assert dispatcher.round() == 2 * WORKERS * THREADS

    median, cpu = measured(benchmark, act, 20)
    handed = f"{2 * WORKERS * THREADS} handed out"
    ROWS.append((name_of(world), f"a round, {ACCOUNTS} accounts, all due", median, cpu, handed))


def test_an_idle_cycle(benchmark: Any, world: World) -> None:
    fill(world.database, ACCOUNTS, due_now=0, now=world.clock.now())
    world.first_sync()
    for _ in range(3):
        world.look()
    commits, statements = counted(world)
    Measured.taken_s, Measured.requests = 0.0, 0
    median, cpu = measured(benchmark, world.look, 30)
    own = cpu - Measured.taken_s / 30 * 1000
    with world.database.engine.connect() as connection:
        rows = connection.execute(sa.select(sa.func.count()).select_from(tables.runs)).scalar_one()
    assert rows <= 4, "idle runs leave no row"
    remarks = f"{Measured.requests / 30:.1f} requests, {commits} commits, {statements} statements"
    ROWS.append((name_of(world), "an idle cycle of an account, both sides", median, own, remarks))


def counted(world: World) -> tuple[int, int]:
    """Commits and statements of one look."""
    seen: list[str] = []
    engine = world.database.engine

    def commit(_connection: Any) -> None:
        seen.append("commit")

    def statement(*_told: Any) -> None:
        seen.append("statement")

    sa.event.listen(engine, "commit", commit)
    sa.event.listen(engine, "before_cursor_execute", statement)
    world.look()
    sa.event.remove(engine, "commit", commit)
    sa.event.remove(engine, "before_cursor_execute", statement)
    return seen.count("commit"), seen.count("statement")
