"""The web application with its real parts, and what works in the background behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from flask import Flask

from orosync.bootstrap.counting import begin_counting
from orosync.bootstrap.gauges import StateOfAll
from orosync.bootstrap.product_files import product_file
from orosync.bootstrap.readiness import Reachable, Readiness
from orosync.config import Config
from orosync.jobs.account_work import AccountWork
from orosync.jobs.dispatcher import Dispatcher
from orosync.jobs.local import LocalQueue
from orosync.jobs.signs_of_life import SignsOfLife
from orosync.metrics import text_of
from orosync.store.database import Database
from orosync.sync.ports import AccountQueue, Clock
from orosync.web.app import create_app
from orosync.web.parts import Authenticator, MailboxAccess, Parts
from orosync.web.routes.hooks import calls_of
from orosync.web.sign_in.on_behalf_of import OnBehalfOf
from orosync.web.sign_in.tokens import EntraTokens


class ReachableQueue(AccountQueue, Reachable, Protocol):
    """Both queues are."""


class Background:
    """Everything of one machine: a queue, threads that work it off, and the dispatcher that fills it."""

    def __init__(
        self,
        config: Config,
        database: Database,
        *,
        clock: Clock | None = None,
        adapters: Mapping[str, Any] | None = None,
    ) -> None:
        time = clock or database.clock
        self.work = AccountWork(config, database, clock=time, adapters=adapters)
        self.queue = LocalQueue(self.work, config.data_dir / "queue.sqlite3", config.runs_at_once)
        self.dispatcher = Dispatcher(database, self.queue, time, timedelta(days=config.history_days))
        self._signs = SignsOfLife(database, config.runs_at_once)
        self._over = threading.Event()
        self._rounds = threading.Thread(
            target=self.dispatcher.keep_going, args=(self._over,), name="dispatcher", daemon=True
        )

    def start(self, *, dispatching: bool = True) -> None:
        """dispatching: not where somebody else decides what is due."""
        self._signs.start()
        self.queue.start()
        if dispatching:
            self._rounds.start()

    def stop(self) -> None:
        """Runs end at their next step and are waited for; what is left is due when the next process starts."""
        self._over.set()
        self.queue.stop()
        if self._rounds.ident is not None:
            self._rounds.join()
        self._signs.stop()


def build_app(
    config: Config,
    database: Database,
    *,
    authenticator: Authenticator | None = None,
    mailbox_access: MailboxAccess | None = None,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    demo: bool = False,
    shared_metrics: Path | None = None,
) -> tuple[Flask, Callable[[], None]]:
    """The application, and what stops its threads. With a broker, others do the work: see `bootstrap.cluster`.

    Without other parts people sign in with Entra ID: raises ConfigurationError if the configuration is not enough.
    demo: the parts of a demonstration are only ever given by the program, never by configuration; it decides
    itself when changes travel. shared_metrics: the folder in which several processes count together.
    """
    time = clock or database.clock
    who = authenticator or EntraTokens(config)
    access = mailbox_access or OnBehalfOf(config, adapters=adapters)
    queue, stop = _behind(config, database, time, adapters, dispatching=not demo)
    parts = Parts(
        config=config,
        database=database,
        clock=time,
        queue=queue,
        authenticator=who,
        mailbox_access=access,
        adapters=adapters,
        demo=demo,
        known_readiness=Readiness(database, queue, dispatching=not demo),
        metrics=_metrics_page(config, database, time, shared_metrics),
    )
    app = create_app(parts, pane=product_file("addin"))

    def end() -> None:
        calls_of(app).close()
        stop()

    return app, end


def _metrics_page(config: Config, database: Database, clock: Clock, shared: Path | None) -> Callable[[], bytes]:
    counted, state = begin_counting(), StateOfAll(config, database, clock)
    return lambda: text_of(counted, [state], shared)


def _behind(
    config: Config, database: Database, clock: Clock, adapters: Mapping[str, Any] | None, *, dispatching: bool
) -> tuple[ReachableQueue, Callable[[], None]]:
    if config.broker_url:
        from orosync.jobs.cluster import ClusterQueue  # Celery is an extra, and slow to import

        cluster = ClusterQueue(config.broker_url)
        return cluster, cluster.close
    background = Background(config, database, clock=clock, adapters=adapters)
    background.start(dispatching=dispatching)
    return background.queue, background.stop
