"""What is true of the whole installation now, for Prometheus: asked of the database when somebody looks, and kept for a
few seconds, so that many who look cost no more than one."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from orosync.bootstrap.certificates import client_certificate_expires
from orosync.config import Config
from orosync.core.account_state import STATES, state_name
from orosync.core.records import Side
from orosync.metrics import Metric, gauge
from orosync.store.database import Database
from orosync.store.overview import HEALTHS
from orosync.sync.ports import Clock

KEPT_S = 10.0


class StateOfAll:
    """A collector of prometheus_client. Raises TryLater from `collect` while the database is away."""

    def __init__(
        self, config: Config, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._config, self._database, self._clock, self._monotonic = config, database, clock, monotonic
        self._guard = threading.Lock()
        self._kept: list[Metric] = []
        self._asked_at: float | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing: being registered shall not ask the database."""
        return ()

    def collect(self) -> list[Metric]:
        with self._guard:
            now = self._monotonic()
            if self._asked_at is None or now - self._asked_at >= KEPT_S:
                self._kept = list(self._ask())
                self._asked_at = now
            return self._kept

    def _ask(self) -> Iterator[Metric]:
        database, now = self._database, self._clock.now()
        states: Counter[str] = Counter(dict.fromkeys(STATES, 0))
        held = 0
        for signs, count in database.account_states.counted().items():
            states[state_name(signs)] += count
            held += count if signs.held else 0
        lag = database.due_work.lag()
        late_s = 0.0 if lag.oldest is None else max(0.0, (now - lag.oldest).total_seconds())
        workers = [each for each in database.workers.all() if not each.dispatches]
        calling = database.overview.subscriptions()
        yield gauge("orosync_accounts", "Accounts by state.", [((n,), c) for n, c in states.items()], ("state",))
        yield gauge("orosync_due_waiting", "Accounts that are due and nobody works on.", [((), lag.waiting)])
        yield gauge("orosync_due_lag_seconds", "Since when the first of them is due.", [((), late_s)])
        yield gauge("orosync_held_plans", "Plans that wait for an approval.", [((), held)])
        yield gauge(
            "orosync_quarantined_records", "Records that fail by themselves.", [((), database.overview.quarantined())]
        )
        yield gauge(
            "orosync_open_conflicts", "Conflicts that wait for a choice.", [((), database.overview.open_conflicts())]
        )
        yield gauge("orosync_workers", "Processes that carry out runs.", [((), len(workers))])
        yield gauge(
            "orosync_worker_slots", "How many accounts they work on at once.", [((), sum(w.slots for w in workers))]
        )
        yield gauge(
            "orosync_subscriptions",
            "Promises of a side to call when something changes.",
            [((side.value, health), calling.get((side, health), 0)) for side in Side for health in HEALTHS],
            ("side", "health"),
        )
        yield gauge(
            "orosync_credential_expiry_seconds",
            "How long until it ends; below zero when it has.",
            [((what,), (at - now).total_seconds()) for what, at in self._expiries() if at is not None],
            ("what",),
        )

    def _expiries(self) -> Iterator[tuple[str, datetime | None]]:
        yield "client_certificate", client_certificate_expires(self._config)
        yield "subscription", self._database.overview.earliest_expiry()
