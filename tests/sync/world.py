"""One account between a simulated mailbox and a simulated OroCRM, with a clock of its own: home of the sync tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.core.settings import effective
from orosync.oro.auth import Wsse
from orosync.oro.client import OroClient
from orosync.oro.instance import OroInstance
from orosync.outlook.auth import StaticToken
from orosync.outlook.client import GraphClient
from orosync.outlook.mailbox import OutlookMailbox
from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import WsgiAdapter
from orosync.store.database import AccountStore, Database
from orosync.store.vault import Vault
from orosync.sync.run import Report, run_account
from orosync.sync.session import RunRequest, Session
from orosync.sync.take_back import UndoReport, undo_run

UPN = "ada@example.com"
KEY = "Qm9yZWRvbS1pcy1ub3QtYS1zZWNyZXQtMzItYnl0ZXM="
CRM = "https://crm.example"
WORLDS: list[World] = []  # of the test that is running
KINDS = {Entity.CONTACT: "contact", Entity.TASK: "task", Entity.EVENT: "event"}


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def now(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


class Ids:
    def __init__(self) -> None:
        self._count = itertools.count(1)

    def new(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._count):012d}"


@dataclass
class World:
    """`system`: the settings of the system level; may be changed at any time. beside: a world whose two systems this
    account lives in as well (a colleague's). mails_wanted: this story may mail attendees; all others must not."""

    database: Database
    system: dict[str, Any] = field(default_factory=dict)
    user: dict[str, Any] = field(default_factory=dict)
    zone: str = "Europe/Berlin"
    oro_user: str = "admin"
    oro_key: str = ""  # instead of the user's own
    upn: str = UPN
    beside: World | None = None
    colleagues: frozenset[str] = frozenset()
    mails_wanted: bool = False
    skew: Mapping[Side, timedelta] = field(default_factory=dict)  # how far a side's clock is ahead of ours

    def __post_init__(self) -> None:
        if self.beside is None:
            self.clock, self.ids, self.runs = Clock(), Ids(), itertools.count(1)
            self.graph = GraphSandbox(self.clock_of(Side.OUTLOOK), seed=1)
            self.oro = OroSandbox(self.clock_of(Side.ORO), seed=1)
            self.users = self.oro.seed_recorded_users()
        else:
            self.clock, self.ids, self.runs = self.beside.clock, self.beside.ids, self.beside.runs
            self.graph, self.oro, self.users = self.beside.graph, self.beside.oro, self.beside.users
        name = self.upn.partition("@")[0]
        self.mailbox = self.graph.add_mailbox(self.upn, display_name=name.capitalize(), time_zone=self.zone)
        self.adapters = {
            "https://graph.example": WsgiAdapter(create_graph_app(self.graph)),
            CRM: WsgiAdapter(create_oro_app(self.oro)),
        }
        self.token = self.graph.issue_token(self.upn, expires_in=10**9)
        self.account_id = self.database.accounts.add(Account(name, self.upn, CRM, self.oro_user, "wsse", "token"))
        self.office = self.oro.back_office_as(self.oro.user(self.oro_user))
        WORLDS.append(self)

    def clock_of(self, side: Side) -> Callable[[], datetime]:
        return lambda: self.clock.time + self.skew.get(side, timedelta())

    # -------------------------------------------------------------------------------------------- running

    def session(self, request: RunRequest | None = None) -> Session:
        lease = self.database.leases.take(self.account_id, "test", self.clock.now(), timedelta(days=1))
        assert lease is not None
        settings = effective(self.system, {}, self.user)
        names = {entity: settings.container_name(entity) for entity in Entity}
        window = (settings.event_window.days_back, settings.event_window.days_ahead)
        graph = GraphClient("https://graph.example/v1.0", StaticToken(self.token), adapters=self.adapters)
        outlook = OutlookMailbox(graph, "me", containers=names, window_days=window, now=self.clock)
        sign_in = Wsse(self.oro_user, self.oro_key or self.oro.user(self.oro_user).api_key, now=self.clock_of(Side.ORO))
        client = OroClient(CRM, sign_in, adapters=self.adapters, pause=lambda _s: None)
        oro = OroInstance(client, tuple(Entity), settings.oro_scope.value, timedelta(minutes=5), self.clock)
        return Session(
            run=f"run-{next(self.runs)}",
            request=request or RunRequest(),
            store=self.database.account_store(self.account_id, lease),
            sides={Side.OUTLOOK: outlook, Side.ORO: oro},
            clock=self.clock,
            ids=self.ids,
            settings=settings,
            colleagues=self.colleagues,
        )

    def sync(self, **request: Any) -> Report:
        """One run; the clock moves a minute first, so that changes have a time of their own."""
        self.clock.forward(minutes=1)
        return run_account(self.session(RunRequest(**request)))

    def settle(self) -> Report:
        """Sync until nothing more is to be done, and check that the last run wrote nothing."""
        report = self.sync()
        for _ in range(3):
            report = self.sync()
            if not writes(report):
                return report
        raise AssertionError(f"it does not come to rest: {report.to_json()}")

    def undo(self, run: str, *, preview: bool = False) -> UndoReport:
        self.clock.forward(minutes=1)
        return undo_run(self.session(), run, preview=preview)

    @property
    def store(self) -> AccountStore:
        return self.database.account_store(self.account_id)

    # -------------------------------------------------------------------------------------------- looking

    def outlook(self, entity: Entity = Entity.CONTACT) -> list[dict[str, Any]]:
        return self.mailbox.items(KINDS[entity])  # type: ignore[arg-type]

    def in_oro(self, entity: Entity = Entity.CONTACT) -> list[dict[str, Any]]:
        return {Entity.CONTACT: self.oro.contacts, Entity.TASK: self.oro.tasks, Entity.EVENT: self.oro.events}[entity]()


def writes(report: Report) -> int:
    """How many records the run wrote, on both sides."""
    return sum(
        counts[side][verb]
        for counts in report.entities.values()
        for side in ("outlook", "oro")
        for verb in ("created", "updated", "deleted")
    )


def made(report: Report, entity: Entity, side: Side) -> Mapping[str, int]:
    counts: Mapping[str, int] = report.entities[entity][side.value]
    return counts


def new_vault() -> Vault:
    return Vault([KEY])
