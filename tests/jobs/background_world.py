"""Several accounts between a simulated mailbox each and one simulated OroCRM, a clock of their own, and the background
that keeps them in step: home of the tests of `jobs`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from tests.sync.world import Clock

from orosync import bootstrap
from orosync.bootstrap import Connection
from orosync.bootstrap.demonstration import SimulatedMailboxes
from orosync.bootstrap.product_files import product_file
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.jobs.account_work import AccountWork
from orosync.jobs.dispatcher import Dispatcher
from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.graph.mailbox import Mailbox
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import WsgiAdapter
from orosync.store import tables
from orosync.sync.session import RunRequest
from orosync.web.app import create_app
from orosync.web.calls import Calls
from orosync.web.parts import Parts
from orosync.web.sign_in.local import LocalPerson, LocalSignIn

CRM = "https://crm.example.com"
GRAPH = "https://graph.example"
KEY = "Zm9yIHRoZSB0ZXN0cyBhbG9uZSwgdGhpcnR5LXR3byE="
HOUSE = timedelta(days=90)


class InPlace:
    """A queue that keeps messages until a test has them worked off, or does it at once."""

    def __init__(self, work: AccountWork, *, at_once: bool = True) -> None:
        self.work, self.at_once = work, at_once
        self.messages: list[int] = []

    def put(self, account_id: int, *, urgent: bool = False) -> None:
        self.messages.insert(0 if urgent else len(self.messages), account_id)
        if self.at_once:
            self.work_off()

    def work_off(self) -> None:
        while self.messages:
            self.work.carry_out(self.messages.pop(0))


class RealClock(Clock):
    """Of the world outside: nobody moves it."""

    def __call__(self) -> datetime:
        return self.now()

    def now(self) -> datetime:
        return datetime.now(UTC)


class Background:
    """people: their names; each has a mailbox and sees all of OroCRM. Nobody had a first sync yet. graph_ahead: how far
    Graph's clock is before all others. postgresql: the URL of an empty database there; then time passes by itself, and
    the program has to find out what time it is."""

    def __init__(
        self,
        folder: Path,
        people: Sequence[str] = ("anna",),
        *,
        graph_ahead: timedelta = timedelta(),
        postgresql: str = "",
    ) -> None:
        self.clock = RealClock() if postgresql else Clock()
        self.told = None if postgresql else self.clock
        self.graph = GraphSandbox(lambda: self.clock.now() + graph_ahead, seed=1)
        self.oro = OroSandbox(self.clock, seed=1)
        self.oro.seed_recorded_users()
        self.adapters = {GRAPH: WsgiAdapter(create_graph_app(self.graph)), CRM: WsgiAdapter(create_oro_app(self.oro))}
        self.config = Config(
            data_dir=folder,
            database_url=postgresql or f"sqlite:///{put_empty_database(folder / 'background.db')}",
            secret_keys=(KEY,),
            graph_url=f"{GRAPH}/v1.0",
            oro_hosts=("crm.example.com",),
        )
        self.database = bootstrap.open_database(self.config, self.told)
        if not postgresql:
            without_waiting_for_the_disk(self.database.engine)
        self._begin()
        self.ids = {name: self._add(name) for name in people}

    def _begin(self) -> None:
        self.work = AccountWork(self.config, self.database, clock=self.told, adapters=self.adapters, chance=lambda: 0.5)
        self.queue = InPlace(self.work)
        self.dispatcher = Dispatcher(self.database, self.queue, self.told or self.database.clock, HOUSE)

    def _add(self, name: str) -> int:
        mailbox = f"{name}@contoso.example"
        self.graph.add_mailbox(mailbox, display_name=name.capitalize(), time_zone="Europe/Berlin")
        admin = self.oro.user("admin")
        account = Account(name, mailbox, CRM, "admin", "wsse", "token")
        added = self.database.accounts.get(self.database.accounts.add(account))
        token = self.graph.issue_token(mailbox, expires_in=10**9)
        bootstrap.save_connection(self.database, added, Connection(oro=admin.api_key, graph=token))
        return added.id

    def go_online(self, public_url: str, **config: Any) -> Flask:
        """The web application as well, at an address that the simulated Graph can call."""
        self.config = replace(self.config, public_url=public_url, **config)
        self._begin()
        parts = Parts(
            config=self.config,
            database=self.database,
            clock=self.told or self.database.clock,
            queue=self.queue,
            authenticator=LocalSignIn((LocalPerson("anna", "Anna", "anna@contoso.example", is_admin=True),)),
            mailbox_access=SimulatedMailboxes(self.graph),
            adapters=self.adapters,
        )
        flask = create_app(parts, pane=product_file("addin"))
        flask.extensions["orosync.calls"] = Calls(self.database, every_s=0)  # its second is none of this clock's
        self.graph.notifications.adapters[public_url] = WsgiAdapter(flask)
        return flask

    # what people do

    def first_sync(self, *names: str) -> None:
        """As by hand, from the command line; from then on the account is kept in step."""
        for name in names or self.ids:
            report = bootstrap.run_once(
                self.config,
                self.database,
                name,
                RunRequest(),
                adapters=self.adapters,
                clock=self.told,
                chance=lambda: 0.5,
            )
            assert report.state == "done", report.to_json()

    def ask(self, run: str, mode: str = "sync", name: str = "anna", **request: object) -> None:
        """As in the pane."""
        assert self.database.requested_runs.add(self.ids[name], run, mode, dict(request)).outcome == "new"
        self.database.due_work.ask(self.ids[name])

    def state_of(self, run: str, name: str = "anna") -> str:
        found = self.database.account_store(self.ids[name]).run(run)
        assert found is not None
        return str(found["state"])

    def mailbox(self, name: str = "anna") -> Mailbox:
        return self.graph.mailboxes[f"{name}@contoso.example"]

    def account(self, name: str = "anna") -> Account:
        return self.database.accounts.get(self.ids[name])

    # time

    def second(self) -> int:
        """One passes, and a round is made; returns how many accounts were handed out."""
        self.clock.forward(seconds=1)
        self.database.workers.sign("here:1", 4)
        return self.dispatcher.round()

    def seconds(self, count: int) -> int:
        """As many pass; those in which nothing can be due are skipped."""
        end, handed_out = self.clock.now() + timedelta(seconds=count), 0
        while self.clock.now() < end:
            times = [at for at in self._times() if at is not None and at > self.clock.now()]
            wait = (min([end, *times]) - self.clock.now()).total_seconds()
            self.clock.forward(seconds=math.ceil(wait) - 1)
            handed_out += self.second()
        return handed_out

    def _times(self) -> list[datetime | None]:
        with self.database.engine.connect() as connection:
            rows = connection.execute(sa.select(tables.due_work.c.due_at, tables.due_work.c.claimed_until)).all()
        if any(row.due_at is not None and row.due_at <= self.clock.now() for row in rows):
            return [self.clock.now() + timedelta(seconds=1)]
        return [at for row in rows for at in row]

    def close(self) -> None:
        self.database.close()
