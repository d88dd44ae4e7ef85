"""A whole demonstration in one process: both simulated systems, the application between them, and who signs in to it.

Everything is on loopback and ends with the process. The engine talks to the simulated systems over real sockets; a
page of the application reaches what a person does in them below `/demo/orocrm` and `/demo/mailbox`, because the pages'
Content Security Policy lets them talk to their own origin alone. What is shown on that page is left to `addin/demo`.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from orosync.bootstrap.application import build_app
from orosync.bootstrap.parts import level_of, open_database, settings_of
from orosync.bootstrap.runs import run_once
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.core.settings import ConflictRule
from orosync.errors import OrosyncError, TryLater
from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.seed import MAILBOX, ZONE, SeededPeople
from orosync.sandbox.seed import seed as fill
from orosync.sandbox.transport import serve
from orosync.store.database import Database
from orosync.sync.run import Report
from orosync.sync.session import RunRequest
from orosync.web.demonstration import NAME, from_our_own_page
from orosync.web.parts import attached
from orosync.web.principal import Principal
from orosync.web.problems import NotAllowed
from orosync.web.sign_in.local import TENANT, LocalPerson, LocalSignIn

_LIFETIME_S = 30 * 24 * 3600
_PERSON = LocalPerson("anna", "Anna Becker", MAILBOX, is_admin=True)
_BY = "demonstration"
_HEARTBEAT_S = 15.0  # a look even if nobody touched anything
_PAUSE_S = 1.0  # so that a change is seen to travel, and several go together
_PATIENCE_S = 20.0  # for a run that has to end before everything starts anew
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
# pages of OroCRM's back office, which the pane links to; those of the page's own columns are opened there
_RECORD_PAGE = re.compile(r"/(contact|task|calendar/event|account|lead|opportunity|case)/view/(\d+)")
_ON_THE_PAGE = {"contact": "contact", "task": "task", "calendar/event": "event"}
_PLURALS = {"account": "accounts", "lead": "leads", "opportunity": "opportunities", "case": "cases"}
_STIRS = ("/demo/orocrm/", "/demo/mailbox/", "/api/v1/conflicts/", "/api/v1/quarantine/", "/api/v1/settings")

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class SimulatedMailboxes:
    """The `MailboxAccess` of a demonstration: the simulated Graph gives out tokens for whoever has a mailbox in it."""

    graph_auth = "token"

    def __init__(self, graph: GraphSandbox) -> None:
        self._graph = graph

    def grant(self, principal: Principal) -> str:
        """Raises NotAllowed for somebody without a mailbox."""
        if principal.address not in self._graph.mailboxes:
            raise NotAllowed(f"{principal.address} has no mailbox in this demonstration.", remedy="Pick somebody else.")
        return self._graph.issue_token(principal.address, expires_in=_LIFETIME_S)


@dataclass(frozen=True, slots=True)
class Size:
    """Different records of each kind; a pair that stands on both sides counts once."""

    contacts: int = 40
    tasks: int = 15
    events: int = 15


class Demonstration:
    """Use `opened`. `wsgi` is the whole of it for one server; `url` is set once it has one."""

    def __init__(self, config: Config, graph: GraphSandbox, oro: OroSandbox, *, oro_url: str, size: Size) -> None:
        self.config, self.graph, self.oro, self.oro_url = config, graph, oro, oro_url
        self.url = ""
        self._size = size
        self._turn = threading.Lock()  # of whoever runs by itself, pauses that, or starts everything anew
        self._wake, self._over = threading.Event(), threading.Event()
        self._automatic = True
        self.people = self._seed()
        self.database: Database = open_database(config)
        self._choose_settings()
        self.flask, self._stop_app = self._build()
        self.wsgi: WsgiApp = self._whole()

    def _build(self) -> tuple[Flask, Callable[[], None]]:
        app, stop = build_app(
            self.config,
            self.database,
            authenticator=LocalSignIn((_PERSON,)),
            mailbox_access=SimulatedMailboxes(self.graph),
            demo=True,
        )
        app.extensions[NAME] = self
        return app, stop

    def close(self) -> None:
        self._over.set()
        self._wake.set()
        self._stop_app()
        self.database.close()

    # ---------------------------------------------------------------------------------------- what the page is told

    def facts(self) -> dict[str, Any]:
        """Where both systems are, and what is typed into the pane to connect them. The key opens nothing but them."""
        return {
            "person": _PERSON.id,
            "automatic": self._automatic,
            "orocrm": {
                "url": self.oro_url,
                "user": self.people.oro_user,
                "key": self.people.api_key,
                "control": "/demo/orocrm/sandbox",
            },
            "mailbox": {
                "address": self.people.upn,
                "name": _PERSON.name,
                "time_zone": ZONE,
                "control": f"/demo/mailbox/sandbox/mailboxes/{self.people.upn}",
            },
        }

    def set_automatic(self, *, on: bool) -> None:
        """Whether changes travel by themselves. When it returns, no run that began by itself is under way."""
        with self._turn:
            self._automatic = on
        if on:
            self._wake.set()

    def reset(self) -> None:
        """As in the beginning: both systems filled anew, nothing connected, every setting as it was. Raises TryLater
        if a run does not end in time."""
        with self._turn:
            self._end_runs()
            for account in self.database.accounts.all():
                self.database.accounts.remove(account.id)
            self.graph.reset()
            self.oro.reset()
            self.people = self._seed()
            self._choose_settings()
            self._automatic = True

    def _end_runs(self) -> None:
        runs, until = self.database.requested_runs, time.monotonic() + _PATIENCE_S
        for account in self.database.accounts.all():
            while (run := runs.active(account.id)) is not None:
                runs.cancel(account.id, run)
                if time.monotonic() > until:
                    raise TryLater("A run does not want to end.", remedy="Try again in a moment.")
                time.sleep(0.05)

    def _seed(self) -> SeededPeople:
        size = self._size
        return fill(
            self.graph,
            self.oro,
            contacts=size.contacts,
            tasks=size.tasks,
            events=size.events,
            seed=self.graph.seed,
        )

    def _choose_settings(self) -> None:
        """Conflicts are asked about, because they are to be seen; whatever else somebody chose is forgotten."""
        with self.database.transaction():
            for level in (level_of(None), level_of(None, TENANT)):
                for key in self.database.settings.get(level):
                    self.database.settings.unset(level, key, by=_BY)
            self.database.settings.set(level_of(None), "conflict_resolution", ConflictRule.ASK.value, by=_BY)

    # ---------------------------------------------------------------------------------------- changes travel

    def keep_in_step(self, told: Callable[[Report | OrosyncError], None] = lambda _: None) -> None:
        """Until `close`: a run soon after somebody changed something, and now and then."""
        while not self._over.is_set():
            self._wake.wait(_HEARTBEAT_S)
            self._wake.clear()
            if self._over.wait(_PAUSE_S):
                return
            try:
                self._hand_out_asked()
                report = self.sync_by_itself()
            except TryLater:
                self._wake.set()  # somebody asked for a run and has the account now
            except OrosyncError as error:
                told(error)
            else:
                if report is not None:
                    told(report)

    def _hand_out_asked(self) -> None:
        """Who asked while a run had the account was turned away; there is no dispatcher here."""
        for account_id, _ in self.database.requested_runs.waiting():
            attached(self.flask).queue.put(account_id, urgent=True)

    def sync_by_itself(self) -> Report | None:
        """One run, if there is an account that had its first sync and wants to be kept in step. Raises OrosyncError."""
        with self._turn:
            account = self.database.accounts.owned_by(f"{TENANT}:{_PERSON.id}")
            if account is None or not self._automatic or not self._wants(account):
                return None
            try:
                return run_once(self.config, self.database, account.name, RunRequest(background=True))
            finally:
                self._hand_out_asked()

    def _wants(self, account: Account) -> bool:
        settings, store = settings_of(self.database, account), self.database.account_store(account.id)
        begun = all(
            store.cursor(side, entity).first_done for side in Side for entity in Entity if settings.wants(entity)
        )
        last = next(iter(store.runs(1)), None)
        waits = last is not None and last["state"] == "held"  # for a person; another look would only say so again
        return begun and settings.enable_sync and account.state == "active" and not waits

    def page_of_record(self, path: str) -> str | None:
        """Where a page of the simulated back office leads, as it has none itself; None for any other path."""
        found = _RECORD_PAGE.fullmatch(path)
        if found is None:
            return None
        kind, number = found.groups()
        if kind in _ON_THE_PAGE:
            return f"{self.url}/demo#{_ON_THE_PAGE[kind]}-{number}"
        return f"/sandbox/{_PLURALS[kind]}/{number}"

    # ---------------------------------------------------------------------------------------- one origin

    def _whole(self) -> WsgiApp:
        mounts = {
            "/demo/orocrm": _hands_on(create_oro_app(self.oro)),
            "/demo/mailbox": _hands_on(create_graph_app(self.graph)),
        }
        return self.stirring(DispatcherMiddleware(self.flask, mounts), _STIRS)

    def stirring(self, app: Any, paths: tuple[str, ...] = ("/sandbox/",)) -> WsgiApp:
        """The same program; what is changed at these paths travels soon."""

        def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            stirs = environ["REQUEST_METHOD"] not in _READS and environ.get("PATH_INFO", "").startswith(paths)
            answer: Iterable[bytes] = app(environ, start_response)  # which may change the environment's paths
            if stirs:
                self._wake.set()
            return answer

        return wrapped


def _hands_on(app: Any) -> WsgiApp:
    """A simulated system's control interface, for pages of our own alone: it has no protection itself."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        try:
            from_our_own_page(request)
        except NotAllowed as error:
            return Response(str(error), 403, content_type="text/plain")(environ, start_response)
        if not request.path.startswith("/sandbox/"):
            return Response("Only the control interface is here.", 404, content_type="text/plain")(
                environ, start_response
            )
        answered: Iterable[bytes] = app(environ, _with_headers(start_response))
        return answered

    return guarded


def _with_headers(start_response: Callable[..., Any]) -> Callable[..., Any]:
    more = [
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        return start_response(status, [*headers, *more], exc_info)

    return start


@contextmanager
def opened(
    folder: Path, *, size: Size | None = None, seed: int = 7, ports: tuple[int, int, int] = (0, 0, 0)
) -> Iterator[Demonstration]:
    """Served on loopback until the end. folder: for its database. ports: the application's, OroCRM's, the mailbox's;
    0 takes a free one."""
    graph, oro = GraphSandbox(seed=seed), OroSandbox(seed=seed)
    made: list[Demonstration] = []

    def stirred(app: Any) -> WsgiApp:
        """The servers start before there is a demonstration, because it is told their addresses."""

        def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            answer: Iterable[bytes] = (made[0].stirring(app) if made else app)(environ, start_response)
            return answer

        return call

    def with_pages(app: Any) -> WsgiApp:
        def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            page = made[0].page_of_record(environ.get("PATH_INFO", "")) if made else None
            if page is not None and environ["REQUEST_METHOD"] == "GET":
                return redirect(page, 303)(environ, start_response)
            answer: Iterable[bytes] = app(environ, start_response)
            return answer

        return call

    with ExitStack() as stack:
        oro_at = stack.enter_context(serve(with_pages(stirred(create_oro_app(oro))), ports[1]))
        graph_at = stack.enter_context(serve(stirred(create_graph_app(graph)), ports[2]))
        config = Config(
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'orosync.sqlite3'}",
            secret_keys=(Fernet.generate_key().decode(),),
            graph_url=f"{graph_at.url}/v1.0",
            oro_hosts=(f"127.0.0.1:{oro_at.port}",),
            allow_insecure_loopback=True,
        )
        demonstration = Demonstration(config, graph, oro, oro_url=oro_at.url, size=size or Size())
        made.append(demonstration)
        stack.callback(demonstration.close)
        server = stack.enter_context(serve(demonstration.wsgi, ports[0]))
        demonstration.url = server.url
        yield demonstration
