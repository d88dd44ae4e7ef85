"""`orosync serve` alone, as a real process: what changes on either side travels, and its end loses nothing."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.test_serve import IDS, serving

from orosync import bootstrap
from orosync.bootstrap import Connection
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import serve
from orosync.sync.session import RunRequest

pytestmark = [pytest.mark.processes, pytest.mark.slow]

UPN = "anna@contoso.example"
SOON_S = 40.0  # a test that needs them has failed


class Town:
    """Both systems on loopback, and one account that had its first sync."""

    def __init__(self, folder: Path) -> None:
        self.graph, self.oro = GraphSandbox(seed=3), OroSandbox(seed=3)
        self.oro.seed_recorded_users()
        self.admin = self.oro.user("admin")
        self.mailbox = self.graph.add_mailbox(UPN, display_name="Anna")
        self.servers = [serve(create_graph_app(self.graph)), serve(create_oro_app(self.oro))]
        graph_at, oro_at = self.servers
        self.data = folder / "data"
        self.config = Config(
            data_dir=self.data,
            database_url=f"sqlite:///{self.data / 'orosync.sqlite3'}",
            graph_url=f"{graph_at.url}/v1.0",
            oro_hosts=(f"127.0.0.1:{oro_at.port}",),
            allow_insecure_loopback=True,
        )
        self.database = bootstrap.open_database(self.config)
        account = Account("anna", UPN, oro_at.url, "admin", "wsse", "token")
        added = self.database.accounts.get(self.database.accounts.add(account))
        token = self.graph.issue_token(UPN, expires_in=10**6)
        bootstrap.save_connection(self.database, added, Connection(oro=self.admin.api_key, graph=token))
        for key in ("outlook_sync_interval", "crm_sync_interval"):
            self.database.settings.set(bootstrap.level_of(None), key, 1, by="test")
        assert bootstrap.run_once(self.config, self.database, "anna", RunRequest()).state == "done"

    @property
    def variables(self) -> dict[str, str]:
        return {
            **IDS,
            "OROSYNC_GRAPH_URL": self.config.graph_url,
            "OROSYNC_ORO_HOSTS": ",".join(self.config.oro_hosts),
            "OROSYNC_ALLOW_INSECURE_LOOPBACK": "yes",
        }

    def in_oro(self) -> list[str]:
        return sorted(str(each["firstName"]) for each in self.oro.contacts())

    def in_outlook(self) -> list[str]:
        return sorted(str(each["givenName"]) for each in self.mailbox.items("contact"))

    def make_in_oro(self, name: str) -> None:
        self.oro.back_office_as(self.admin).create("contact", {"firstName": name, "lastName": "Lovelace"})

    def close(self) -> None:
        self.database.close()
        for server in self.servers:
            server.stop()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def until(happened: Callable[[], bool]) -> float:
    """Seconds it took."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < SOON_S
        time.sleep(0.02)
    return time.monotonic() - began


def test_changes_travel_by_themselves_and_the_end_of_the_process_loses_nothing(town: Town, tmp_path: Path) -> None:
    with serving(tmp_path, **town.variables) as (process, url, session):
        until(lambda: session.get(f"{url}/readyz").status_code == 200)
        town.mailbox.user_create("contact", {"givenName": "Grace", "surname": "Hopper"})
        to_oro = until(lambda: town.in_oro() == ["Grace"])
        town.make_in_oro("Ada")
        to_outlook = until(lambda: town.in_outlook() == ["Ada", "Grace"])
        print(f"\nintervals of 1 s: Outlook to OroCRM {to_oro:.1f} s, OroCRM to Outlook {to_outlook:.1f} s")
        for number in range(60):
            town.make_in_oro(f"Eve{number:02}")
        until(lambda: len(town.in_outlook()) > 2)  # in the middle of it
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
        assert process.returncode == 0, log
        assert "Traceback" not in log
    with serving(tmp_path, **town.variables) as (process, _, _):
        until(lambda: len(town.in_outlook()) >= 62)
        process.kill()
        process.wait()
    assert len(set(town.in_outlook())) == len(town.in_outlook()) == 62
    with serving(tmp_path, **town.variables):
        town.make_in_oro("Zoe")
        after_kill = until(lambda: "Zoe" in town.in_outlook())
        print(f"after kill -9 and a new start: {after_kill:.1f} s")
    assert town.in_outlook() == town.in_oro()


def test_what_people_cannot_reach_does_not_stop_the_rest(town: Town, tmp_path: Path) -> None:
    """OroCRM is away for a while: the account says so, and goes on when it is back."""
    with serving(tmp_path, **town.variables) as (_, url, session):
        until(lambda: session.get(f"{url}/readyz").status_code == 200)
        town.oro.state.settings.web_api_enabled = False
        until(lambda: town.database.accounts.named("anna").state == "suspended")
        town.oro.state.settings.web_api_enabled = True
        town.make_in_oro("Ada")
        bootstrap.look_soon(town.database, town.database.accounts.named("anna").id, bootstrap.SystemClock().now())
        until(lambda: town.in_outlook() == ["Ada"])
