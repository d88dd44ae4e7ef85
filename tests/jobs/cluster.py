"""A whole cluster of real processes for a test: PostgreSQL, a broker of its own, workers, a dispatcher, and simulated
systems with many people. Database, broker and the OroCRM instances are reached through proxies that can be cut."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa
from cryptography.fernet import Fernet
from tests.jobs.brokers import broker
from tests.jobs.cutting import Proxy

from orosync.bootstrap import Connection, save_connection
from orosync.core.due import DueWork
from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.store import migrations, tables
from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.store.settings import SYSTEM
from orosync.store.vault import Vault

SYSTEMS = Path(__file__).with_name("served_systems.py")
COMMAND = [sys.executable, "-c", "from orosync.cli import main; main()"]
NEVER_S = 80_000  # an interval that no test lives to see: whoever ran once is not due again


class Systems:
    """The simulated systems, as a process."""

    def __init__(self, **wanted: Any) -> None:
        command = [sys.executable, str(SYSTEMS), json.dumps(wanted)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.told: dict[str, Any] = json.loads(self.process.stdout.readline())
        self._http = requests.Session()

    def graph(self, path: str, method: str = "GET", body: Any = None) -> Any:
        return self._ask(self.told["graph"], path, method, body)

    def oro(self, path: str, method: str = "GET", body: Any = None) -> list[Any]:
        """Of every instance."""
        return [self._ask(url, path, method, body) for url in self.told["oro"]]

    def _ask(self, url: str, path: str, method: str, body: Any) -> Any:
        answer = self._http.request(method, f"{url}/sandbox/{path}", json=body, timeout=120)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def most_at_once(self) -> int:
        return max(self.graph("statistics")["max_concurrency_seen"].values())

    def feeds_read(self) -> Counter[str]:
        """How often each mailbox was asked what changed among its contacts: once in each run."""
        form = re.compile(r"/users/([^/]+)/.*contacts.*/delta", re.IGNORECASE)
        found = (form.search(each["path"]) for each in self.graph("requests")["value"])
        return Counter(match.group(1).lower() for match in found if match)

    def add_contact(self, number: int, first: str) -> None:
        """To the mailbox of person `number`."""
        item = {"givenName": first, "surname": f"t{number}"}
        self.graph(f"mailboxes/p{number}@contoso.example/contact", "POST", item)

    def hold_create(self, number: int) -> None:
        """The next contact of person `number` that is made in OroCRM is made, and whoever asked hears nothing."""
        wish = {"method": "POST", "path": "/api/contacts$", "body": f'"lastName": ?"t{number}"'}
        self._ask(self._url_of(number), "hold", "POST", wish)

    def wait_for_held(self, number: int, seconds: int = 60) -> None:
        until = time.monotonic() + seconds
        while not self._ask(self._url_of(number), "hold?wait=10", "GET", None):
            assert time.monotonic() < until, "nobody asked for it"

    def let_go(self, number: int) -> None:
        self._ask(self._url_of(number), "hold", "DELETE", None)

    def _url_of(self, number: int) -> str:
        return str(self.told["oro"][self.told["people"][number]["instance"]])

    def in_mailbox(self, upn: str) -> list[str]:
        items = self.graph(f"mailboxes/{upn}/contact")["value"]
        return sorted(f"{each['givenName']} {each['surname']}" for each in items)

    def in_oro(self) -> dict[str, list[str]]:
        """By the number in their last name: person n has g<n> and t<n>."""
        found: dict[str, list[str]] = {}
        for contacts in self.oro("contacts"):
            for each in contacts:
                found.setdefault(each["lastName"][1:], []).append(f"{each['firstName']} {each['lastName']}")
        return {number: sorted(names) for number, names in found.items()}

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._http.close()


@dataclass
class Cluster:
    """Everything of one installation. folder: logs of its processes, and nothing else."""

    folder: Path
    systems: Systems
    database: Database
    environment: dict[str, str]
    broker: Proxy
    database_proxy: Proxy
    oro_proxies: list[Proxy]
    ids: list[int] = field(default_factory=list)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    started: int = 0  # workers so far, so that no two have a name

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*COMMAND, *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self.processes[name]

    def start_workers(self, count: int, threads: int = 4) -> None:
        for _ in range(count):
            self.started += 1
            self.start(f"worker{self.started}", "worker", "--threads", str(threads))

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def logs(self) -> str:
        return "\n".join(f"--- {file.name}\n{file.read_text()}" for file in sorted(self.folder.glob("*.log")))

    def workers_seen(self) -> int:
        return sum(each.slots > 0 for each in self.database.workers.all())

    def end(self, name: str, number: int = signal.SIGTERM, within_s: float = 20) -> float:
        """Returns how long it took to end."""
        process = self.processes.pop(name)
        began = time.monotonic()
        process.send_signal(number)
        process.wait(timeout=within_s)
        return time.monotonic() - began

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()

    # what is due, and what was done

    def make_due(self, numbers: Iterable[int] | None = None) -> None:
        """These people, or everybody, at once."""
        now = datetime.now(UTC)
        with self.database.transaction():
            for account_id in self.ids if numbers is None else [self.ids[number] for number in numbers]:
                self.database.due_work.change(account_id, lambda work: DueWork(work.account_id, due_at=now))

    def finished(self) -> set[int]:
        """Accounts whose run came to its end, and that are not due again."""
        statement = sa.select(tables.due_work.c.account_id).where(
            tables.due_work.c.oro_read_at.is_not(None), tables.due_work.c.due_at > datetime.now(UTC)
        )
        with self.database.engine.connect() as connection:
            return set(connection.execute(statement).scalars())

    def done(self) -> int:
        return len(self.finished())

    def in_trouble(self) -> int:
        statement = sa.select(sa.func.count()).where(tables.due_work.c.trouble != "")
        with self.database.engine.connect() as connection:
            return int(connection.execute(statement).scalar_one())

    def runs(self) -> Counter[tuple[int, str]]:
        """(account, state) -> how many rows of history."""
        with self.database.engine.connect() as connection:
            rows = connection.execute(sa.select(tables.runs.c.account_id, tables.runs.c.state)).all()
        return Counter((row.account_id, row.state) for row in rows)

    def held_by(self, process: subprocess.Popen[bytes]) -> set[int]:
        """Accounts that it works on now."""
        statement = sa.select(tables.leases.c.account_id, tables.leases.c.owner).where(
            tables.leases.c.owner.is_not(None)
        )
        with self.database.engine.connect() as connection:
            rows = connection.execute(statement).all()
        return {row.account_id for row in rows if row.owner.split(":")[1] == str(process.pid)}

    def whose(self, number: int) -> str:
        """The name of the worker that has this person's account."""
        found = [name for name, each in self.processes.items() if self.ids[number] in self.held_by(each)]
        assert len(found) == 1
        return found[0]

    def epochs(self) -> dict[int, int]:
        """How often each account was taken."""
        with self.database.engine.connect() as connection:
            rows = connection.execute(sa.select(tables.leases.c.account_id, tables.leases.c.epoch)).all()
        return {row.account_id: row.epoch for row in rows}

    def open_intents(self) -> set[int]:
        """Accounts with a write of which nobody knows yet what became of it."""
        with self.database.engine.connect() as connection:
            return set(connection.execute(sa.select(tables.intents.c.account_id)).scalars())

    def worker_names(self) -> list[str]:
        return [name for name in self.processes if name.startswith("worker")]


@contextlib.contextmanager
def cluster(
    folder: Path, database_url: str, kind: str, *, accounts: int, instances: int = 1, every: int = 1
) -> Iterator[Cluster]:
    """kind: of the broker. every: how many people there are for one that has records. Accounts are kept in step by
    themselves, and none is due yet."""
    key, (host, port) = Fernet.generate_key().decode(), _server(database_url)
    engine = open_engine(database_url)
    migrations.upgrade(engine)
    systems = Systems(accounts=accounts, instances=instances, every=every)
    with contextlib.ExitStack() as stack:
        stack.callback(engine.dispose)
        stack.callback(systems.stop)
        broker_url, broker_proxy = stack.enter_context(broker(kind, f"orosync-test-{os.getpid()}"))
        database_proxy = stack.enter_context(Proxy((host, port)))
        oro = [stack.enter_context(Proxy(("127.0.0.1", _server(url)[1]))) for url in systems.told["oro"]]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OROSYNC_", "COV_"))}
        environment = kept | {
            "OROSYNC_DATA_DIR": str(folder / "data"),
            "OROSYNC_DATABASE_URL": database_url.replace(f"{host}:{port}", f"127.0.0.1:{database_proxy.port}"),
            "OROSYNC_BROKER_URL": broker_url,
            "OROSYNC_SECRET_KEYS": key,
            "OROSYNC_GRAPH_URL": f"{systems.told['graph']}/v1.0",
            "OROSYNC_ALLOW_INSECURE_LOOPBACK": "1",
        }
        made = Cluster(folder, systems, Database(engine, Vault([key])), environment, broker_proxy, database_proxy, oro)
        stack.callback(made.stop)
        _connect(made)
        yield made


def _server(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 5432


def _connect(made: Cluster) -> None:
    database, told = made.database, made.systems.told
    database.settings.set(SYSTEM, "outlook_sync_interval", NEVER_S, by="test")
    database.settings.set(SYSTEM, "crm_sync_interval", NEVER_S, by="test")
    with database.transaction():
        for person in told["people"]:
            account = Account(
                name=person["user"],
                mailbox=person["upn"],
                orocrm_url=f"http://127.0.0.1:{made.oro_proxies[person['instance']].port}",
                orocrm_user=person["user"],
                oro_auth="wsse",
                graph_auth="token",
            )
            account_id = database.accounts.add(account)
            account = database.accounts.get(account_id)
            save_connection(database, account, Connection(oro=person["api_key"], graph=told["token"]))
            made.ids.append(account_id)
    _as_after_a_first_sync(made)


def _as_after_a_first_sync(made: Cluster) -> None:
    """Then an account is kept in step by itself; what is on either side is new to it all the same."""
    rows = [
        {"account_id": each, "side": side.value, "entity": entity.value, "generation": 0, "first_done": True}
        | {"fingerprint": ""}
        for each in made.ids
        for side in Side
        for entity in Entity
    ]
    with made.database.engine.begin() as connection:
        connection.execute(sa.insert(tables.cursors), rows)
