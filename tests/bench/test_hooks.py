"""What the endpoint of notifications bears: 500 a second over loopback into a real `orosync serve`, each answered
within the 3 s that Microsoft Graph waits, with forged, malformed, oversized and repeated ones among them.

Run by `make bench`. Times hold for the machine they were taken on, sender and server together; they are printed.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from orosync import bootstrap
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.core.push import Subscription, granted
from orosync.core.records import Entity, Side
from orosync.outlook.subscriptions import digest_of

ACCOUNTS = 2000
A_SECOND = 500
SECONDS = 10
SENDERS = 24
HOOK = "/api/v1/hooks/graph"
SECRET = "the same for all, as only its digest is looked at"
ENTRA = {
    "OROSYNC_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "OROSYNC_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
    "OROSYNC_CLIENT_SECRET": "not-a-real-secret",
    "OROSYNC_PUBLIC_URL": "https://sync.example.com",
    "OROSYNC_LOG_LEVEL": "warning",
}


def fill(folder: Path, key: str) -> None:
    """Accounts with three subscriptions each. They had no first sync, so that calls are written and no runs follow."""
    config = Config(data_dir=folder, database_url=f"sqlite:///{folder / 'orosync.sqlite3'}", secret_keys=(key,))
    database = bootstrap.open_database(config)
    expires = datetime.now(UTC) + timedelta(days=6)
    with database.transaction():
        for number in range(ACCOUNTS):
            name = f"a{number}"
            account = Account(name, f"{name}@contoso.example", "https://crm.example.com", name, "wsse", "token")
            account_id = database.accounts.add(account)
            for entity in Entity:
                new = Subscription(account_id, Side.OUTLOOK, f"me/{entity}", entity)
                made = granted(new, f"{entity}-{number}", expires, datetime.now(UTC), digest_of(SECRET))
                database.subscriptions.save(made)
    database.close()


@contextmanager
def serving(folder: Path, key: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    variables = {"OROSYNC_DATA_DIR": str(folder), "OROSYNC_SECRET_KEYS": key, **ENTRA}
    command = [sys.executable, "-c", "from orosync.cli import main; main()", "serve", "--bind", f"127.0.0.1:{port}"]
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=log, stdout=log)
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                    connection.request("GET", "/healthz")
                    assert connection.getresponse().status == 200
                    connection.close()
                    break
                except OSError:
                    assert process.poll() is None, (folder / "serve.log").read_text()
                    time.sleep(0.1)
            yield process, port
        finally:
            process.terminate()
            process.wait(30)


_OTHERS = {5: "forged", 25: "forged", 30: "malformed", 45: "repeated", 65: "repeated", 99: "oversized"}


def body(number: int) -> tuple[str, bytes]:
    """What kind it is, and a POST: nearly all genuine, of ever other accounts."""
    account, entity = number % ACCOUNTS, list(Entity)[number % 3]
    kind = _OTHERS.get(number % 100, "genuine")
    data = {"@odata.etag": f'W/"{0 if kind == "repeated" else number}"', "id": "A"}
    secret = "a guess" if kind == "forged" else SECRET
    subscription = "contact-0" if kind == "repeated" else f"{entity}-{account}"
    item = {"subscriptionId": subscription, "clientState": secret, "changeType": "updated", "resourceData": data}
    if kind == "malformed":
        return kind, b'{"value": [{"subscriptionId": 7}]}'
    if kind == "oversized":
        return kind, json.dumps({"value": [item] * 1001}).encode()
    return kind, json.dumps({"value": [item]}).encode()


class Sender:
    """Sends on time, whatever becomes of the ones before: number n goes out at n / A_SECOND."""

    def __init__(self, port: int, count: int) -> None:
        self._port, self._numbers = port, itertools.count()
        self._count, self._began = count, time.monotonic() + 0.5
        self.took: list[float] = []  # from when it was sent
        self.behind: list[float] = []  # from when it was to be sent: what the sender itself could not do is in here
        self.answers: Counter[tuple[str, int]] = Counter()

    def run(self) -> None:
        threads = [threading.Thread(target=self._send_all) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send_all(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while (number := next(self._numbers)) < self._count:
            kind, content = body(number)
            planned = self._began + number / A_SECOND
            time.sleep(max(0.0, planned - time.monotonic()))
            sent = time.monotonic()
            try:
                connection.request("POST", HOOK, content, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):  # the server ended an idle connection
                connection.close()
                status = 0
            done = time.monotonic()
            self.took.append(done - sent)
            self.behind.append(done - planned)
            self.answers[kind, status] += 1
        connection.close()


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Of the server and its worker so far (Linux)."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    ticks = 0
    for pid in (str(process.pid), *children):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


WANTED = {"genuine": {202}, "repeated": {202}, "forged": {403}, "malformed": {400}, "oversized": {413}}


def test_500_notifications_a_second(benchmark: Any, tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    fill(tmp_path, key)
    with serving(tmp_path, key) as (process, port):
        spent_s = cpu_seconds(process)
        sender = Sender(port, A_SECOND * SECONDS)
        benchmark.pedantic(sender.run, rounds=1, iterations=1)
        spent_s = cpu_seconds(process) - spent_s
    took = sorted(sender.took)
    rate = len(took) / (SECONDS + max(0.0, max(sender.behind) - 0.1))
    print(
        f"\n{len(took)} notifications of {ACCOUNTS} accounts, {A_SECOND} a second wanted, {rate:.0f} a second done\n"
        f"answered in {statistics.median(took) * 1000:.0f} ms (median), {took[-len(took) // 100] * 1000:.0f} ms (99 %),"
        f" {took[-1] * 1000:.0f} ms (longest); {spent_s / len(took) * 1000:.2f} ms of CPU each\n"
        f"longest behind its plan {max(sender.behind) * 1000:.0f} ms\n"
        f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {dict(sender.answers)}"
    )
    wrong = {kind: status for kind, status in sender.answers if status not in WANTED[kind]}
    assert not wrong
    assert took[-1] < 3
    config = Config(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'orosync.sqlite3'}", secret_keys=(key,))
    database = bootstrap.open_database(config)
    called = sum(bool(database.due_work.get(each.id).called_at) for each in database.accounts.all())
    database.close()
    print(f"accounts called: {called} of {ACCOUNTS}")
    assert called > ACCOUNTS * 0.9  # some only ever sent what was refused
    benchmark.extra_info["longest_s"] = took[-1]
