"""Our product at work: opened as `orosync` opens it, with real clock, leases, intents and a database file.

As a program (`python -m tests.bench.product '{"database": ..., ...}'`) it is a fresh process: it says that it is ready,
then each line of standard input is a piece of work ({"do": "first_sync"}), and each gets one line with what it took.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.own_process import peak_mb

from orosync import bootstrap, telemetry
from orosync.bootstrap import Connection
from orosync.config import Config
from orosync.core.due import DueWork
from orosync.core.ledger import Account
from orosync.jobs.account_work import AccountWork
from orosync.outlook.allowance import Allowance
from orosync.store.settings import SYSTEM
from orosync.sync.session import RunRequest

KEY = "Zm9yIHRoZSBiZW5jaG1hcmsgYWxvbmUsIDMyIGJ5dGU="
THREADS = 4  # that a worker has unless told otherwise


@dataclass(frozen=True)
class Place:
    """Where the product finds both systems and its database. Person n signs in with api_keys[n]."""

    database: str
    graph: str
    oro: str
    token: str
    api_keys: Sequence[str]


@dataclass(frozen=True)
class Taken:
    """What one piece of work took. CPU is that of this process. written: records created, updated and deleted."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    written: int
    state: str = "done"


class Product:
    def __init__(self, place: Place, adapters: Mapping[str, Any] | None = None) -> None:
        telemetry.configure("warning")
        file = Path(place.database)
        self.config = Config(
            data_dir=file.parent,
            database_url=f"sqlite:///{file}",
            secret_keys=(KEY,),
            graph_url=f"{place.graph}/v1.0",
            allow_insecure_loopback=True,
            push=False,
        )
        self._adapters = adapters
        self.database = bootstrap.open_database(self.config)
        self._work = AccountWork(self.config, self.database, adapters=adapters)
        self._ids = self._accounts(place)

    def _accounts(self, place: Place) -> list[int]:
        """The guard lets a first sync pass at once: nobody is here to look at its preview."""
        known = {each.name: each.id for each in self.database.accounts.all()}
        if not known:
            self.database.settings.set(SYSTEM, "guard.creates", 1_000_000, by="bench")
        for number, key in enumerate(place.api_keys):
            name = f"p{number}"
            if name not in known:
                account = Account(name, f"{name}@contoso.example", place.oro, name, "wsse", "token")
                known[name] = self.database.accounts.add(account)
                kept = self.database.accounts.get(known[name])
                bootstrap.save_connection(self.database, kept, Connection(oro=key, graph=place.token))
        return [known[f"p{number}"] for number in range(len(place.api_keys))]

    def close(self) -> None:
        self.database.close()

    # pieces of work

    def sync(self, mode: Any = "sync") -> Taken:
        """One run of the first account, as *Sync now* does it."""
        return self._run(RunRequest(mode=mode, sweep=True))

    def _run(self, request: RunRequest, name: str = "p0") -> Taken:
        seen: dict[str, Any] = {}
        account, run, clock = self.database.accounts.named(name), bootstrap.RandomIds().new(), bootstrap.SystemClock()

        def act() -> None:
            with bootstrap.leased(self.database, account, run, clock) as held:
                free = replace(held, allowance=_no_quota())
                report = bootstrap.run_once(
                    self.config, self.database, name, request, adapters=self._adapters, run=run, held=free
                )
            seen["state"] = "; ".join([report.state, *report.problems])
            counts = [each[side] for each in report.entities.values() for side in ("outlook", "oro")]
            seen["written"] = sum(sum(each.values()) for each in counts)

        wall, cpu = _timed(act)
        return Taken(wall, cpu, peak_mb(), int(seen["written"]), str(seen["state"]))

    def settle(self) -> Taken:
        """Until nothing is to be done any more."""
        for _ in range(5):
            taken = self._run(RunRequest())
            if not taken.written:
                return taken
        raise RuntimeError("it does not come to rest")

    def change(self) -> Taken:
        """A run in the background that finds something."""
        return self._run(RunRequest(background=True))

    def look(self, times: int = 10) -> Taken:
        """A look at the first account where nothing changed, warm, as a worker does it; the median of so many."""
        for _ in range(2):
            self._look(self._ids[0])
        took = [_timed(lambda: self._look(self._ids[0])) for _ in range(times)]
        return Taken(statistics.median(wall for wall, _ in took), sum(cpu for _, cpu in took) / times, peak_mb(), 0)

    def first_syncs(self) -> Taken:
        """Of all accounts, one after the other, until they are at rest."""
        wall, cpu = _timed(lambda: [self._run(RunRequest(), f"p{n}") for n in range(len(self._ids)) for _ in range(2)])
        return Taken(wall, cpu, peak_mb(), 0)

    def look_at_all(self) -> Taken:
        """A look at every account, by as many threads as a worker has."""
        with ThreadPoolExecutor(THREADS) as threads:
            wall, cpu = _timed(lambda: list(threads.map(self._look, self._ids)))
        return Taken(wall, cpu, peak_mb(), 0)

    def _look(self, account_id: int) -> None:
        now = datetime.now(UTC)
        self.database.due_work.change(account_id, lambda work: DueWork(work.account_id, due_at=now))
        self._work.carry_out(account_id)
        trouble = self.database.due_work.get(account_id).trouble
        if trouble:
            raise RuntimeError(f"a look came to nothing: {trouble}")


def _no_quota() -> Allowance:
    """From some thousand requests on, a run waits most of its time so that Graph's quota for a mailbox is never used
    up. That is no matter of speed, and would hide everything else."""
    return Allowance(1e9, capacity=1e9, refill_per_s=1e9)


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    began = time.perf_counter()
    product = Product(Place(**json.loads(sys.argv[1])))
    _say({"ready_s": time.perf_counter() - began})
    for line in sys.stdin:
        wish = json.loads(line)
        _say(asdict(getattr(product, wish.pop("do"))(**wish)))
    product.close()


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
