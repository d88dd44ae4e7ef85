"""Every way to sign in, from the vault to a run and back: what is renewed is stored before it is needed again."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from orosync import bootstrap
from orosync.bootstrap import Connection, Database
from orosync.bootstrap import lease as leases
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.core.records import Side
from orosync.errors import BadInput, ConfigurationError, SignInNeeded, TryLater
from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.seed import SeededPeople, seed
from orosync.sandbox.transport import WsgiAdapter
from orosync.sync.session import RunRequest

CLIENT = "11111111-2222-4333-8444-555555555555"


@dataclass
class World:
    config: Config
    database: Database
    graph: GraphSandbox
    oro: OroSandbox
    people: SeededPeople
    adapters: dict[str, Any]

    def account(self, oro_auth: str, graph_auth: str, connection: Connection, user: str = "") -> Account:
        url, name = "https://crm.example.com/admin", user or self.people.oro_user
        given = Account("anna", self.people.upn, url, name, oro_auth, graph_auth)
        made = self.database.accounts.get(self.database.accounts.add(given))
        bootstrap.save_connection(self.database, made, connection)
        return made

    def preview(self) -> str:
        request = RunRequest(mode="preview")
        return bootstrap.run_once(self.config, self.database, "anna", request, adapters=self.adapters).state


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    graph, oro = GraphSandbox(), OroSandbox()
    oro.settings.path_prefix = "/admin"
    people = seed(graph, oro, contacts=5, tasks=2, events=2)
    graph.register_client(CLIENT, "application-secret")
    graph_adapter = WsgiAdapter(create_graph_app(graph))
    adapters = {
        "https://graph.microsoft.com": graph_adapter,
        "https://login.microsoftonline.com": graph_adapter,
        "https://crm.example.com": WsgiAdapter(create_oro_app(oro)),
    }
    config = Config(
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'test.sqlite3'}",
        secret_keys=(Fernet.generate_key().decode(),),
        tenant_id=graph.tenant_id,
        client_id=CLIENT,
        client_secret="application-secret",
    )
    database = bootstrap.open_database(config)
    yield World(config, database, graph, oro, people, adapters)
    database.close()


def test_an_api_key_and_a_given_token(world: World) -> None:
    world.account("wsse", "token", Connection(oro=world.people.api_key, graph=world.people.token))
    assert world.preview() == "done"


def test_an_oauth_application_of_orocrm_and_the_application_in_entra(world: World) -> None:
    client, secret = world.oro.add_oauth_client(["client_credentials"], world.people.oro_user)
    account = world.account("client-credentials", "app", Connection(oro=secret), user=client)
    assert world.preview() == "done"
    before = [each.path for each in world.oro.request_log].count("/oauth2-token")
    assert world.preview() == "done"
    assert [each.path for each in world.oro.request_log].count("/oauth2-token") == before == 1, "the token was stored"
    assert "oro_tokens" in world.database.secrets(account.id).names()


def test_a_password_and_a_users_own_sign_in(world: World) -> None:
    user = world.oro.user(world.people.oro_user)
    client, secret = world.oro.add_oauth_client(["password"], user)
    refresh = world.graph.issue_refresh_token(world.people.upn)
    typed = Connection(oro=user.password, oro_client=client, oro_client_secret=secret, graph=refresh)
    account = world.account("password", "user", typed)
    assert world.preview() == "done"
    names = world.database.secrets(account.id).names()
    assert "graph_cache" in names
    assert "graph_refresh" not in names, "the typed one is void: its successor is in the cache"
    assert world.preview() == "done", "the stored one still works"


def test_a_key_that_is_wrong_suspends_the_account_and_a_new_one_brings_it_back(world: World) -> None:
    account = world.account("wsse", "token", Connection(oro="wrong", graph=world.people.token))
    assert world.preview() == "suspended"
    assert world.database.accounts.get(account.id).state == "suspended"
    bootstrap.save_connection(world.database, account, Connection(oro=world.people.api_key))
    assert world.preview() == "done"
    assert world.database.accounts.get(account.id).state == "active"


def test_without_any_secret_the_remedy_is_named(world: World) -> None:
    world.account("wsse", "token", Connection())
    with pytest.raises(SignInNeeded, match="OROSYNC_GRAPH_TOKEN"):
        world.preview()


def test_signing_in_as_the_application_needs_its_registration(world: World) -> None:
    world.account("wsse", "app", Connection(oro=world.people.api_key))
    world.config = dataclasses.replace(world.config, client_id="", tenant_id="", client_secret="")
    with pytest.raises(ConfigurationError, match="OROSYNC_TENANT_ID"):
        world.preview()


def test_the_check_finds_what_is_wrong_on_either_side(world: World) -> None:
    account = world.account("wsse", "token", Connection(oro="wrong", graph="stale"))
    findings = bootstrap.check_account(world.config, world.database, account, adapters=world.adapters)
    wrong = [(each.side, each.what, each.sign_in) for each in findings if not each.ok]
    assert wrong == [(Side.OUTLOOK, "sign_in", True), (Side.ORO, "sign_in", True)]
    bootstrap.save_connection(world.database, account, Connection(oro=world.people.api_key, graph=world.people.token))
    findings = bootstrap.check_account(world.config, world.database, account, adapters=world.adapters)
    assert all(each.ok for each in findings), findings
    world.oro.settings.web_api_enabled = False
    findings = bootstrap.check_account(world.config, world.database, account, adapters=world.adapters)
    assert [each.what for each in findings if not each.ok] == ["api"]


def test_two_runs_of_one_account_do_not_meet(world: World) -> None:
    world.account("wsse", "token", Connection(oro=world.people.api_key, graph=world.people.token))
    with (
        bootstrap.open_session(world.config, world.database, "anna", adapters=world.adapters),
        pytest.raises(TryLater, match="Another run is working on account anna"),
    ):
        world.preview()
    assert world.preview() == "done", "the lease was given back"


def test_the_lease_of_a_process_that_died_here_is_taken_over_and_that_of_another_machine_is_not(world: World) -> None:
    account = world.account("wsse", "token", Connection(oro=world.people.api_key, graph=world.people.token))
    now, dead = bootstrap.SystemClock().now(), _a_dead_process()
    elsewhere = world.database.leases.take(account.id, f"another-machine:{dead}:run", now, leases.LEASE)
    assert elsewhere is not None
    with pytest.raises(TryLater, match="another-machine"):
        world.preview()
    world.database.leases.release(elsewhere)
    assert world.database.leases.take(account.id, f"{socket.gethostname()}:{dead}:run", now, leases.LEASE)
    assert world.preview() == "done"


def _a_dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_disabled_account_is_refused(world: World) -> None:
    account = world.account("wsse", "token", Connection(oro=world.people.api_key, graph=world.people.token))
    world.database.accounts.disable(account.id, "on leave", bootstrap.SystemClock().now())
    with pytest.raises(BadInput, match="disabled"):
        world.preview()


def test_other_mailboxes_of_the_same_orocrm_are_colleagues(world: World) -> None:
    world.account("wsse", "token", Connection(oro=world.people.api_key, graph=world.people.token))
    for name, url in (("bob", "https://crm.example.com/admin"), ("eve", "https://other.example.com")):
        world.database.accounts.add(Account(name, f"{name}@Contoso.example", url, name, "wsse", "token"))
    with bootstrap.open_session(world.config, world.database, "anna", adapters=world.adapters) as session:
        assert session.colleagues == {"bob@contoso.example"}


def test_other_accounts_are_looked_at_when_a_run_asks_for_colleagues_and_not_before(world: World) -> None:
    """Thousands of them, each half minute, for a run that finds nothing to do."""
    world.account("wsse", "token", Connection(oro=world.people.api_key, graph=world.people.token))
    seen: list[str] = []
    sa.event.listen(world.database.engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    with bootstrap.open_session(world.config, world.database, "anna", adapters=world.adapters) as session:
        assert not [each for each in seen if "FROM accounts" in each and "accounts.orocrm_url = " in each]
        assert "eve@contoso.example" not in session.colleagues
        assert [each for each in seen if "FROM accounts" in each and "accounts.orocrm_url = " in each]


def test_secrets_do_not_show_in_a_repr() -> None:
    assert "s3cret" not in repr(Connection(oro="s3cret", graph="s3cret"))
