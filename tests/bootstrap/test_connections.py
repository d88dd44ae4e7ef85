"""Connections that are checked before they are stored, and the guard around whatever was connected in the pane."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from cryptography.fernet import Fernet

from orosync import bootstrap
from orosync.bootstrap import Connection, Database, Finding
from orosync.bootstrap.parts import oro_client
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.core.records import Entity
from orosync.errors import AccountBlocked, BadInput, Unreachable
from orosync.oro import capabilities
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import RunningServer, serve
from orosync.store.settings import SYSTEM

OWNER = "tenant:anna"
ISSUED = trustme.CA().issue_cert("127.0.0.1")
FINGERPRINT = hashlib.sha256(ssl.PEM_cert_to_DER_cert(ISSUED.cert_chain_pems[0].bytes().decode())).hexdigest()


@dataclass
class World:
    oro: OroSandbox
    server: RunningServer
    config: Config
    database: Database

    def candidate(self, **other: Any) -> Account:
        url = self.server.url
        return replace(Account("anna", "anna@example.com", url, "bob", "wsse", "token", owner=OWNER), **other)

    def check(self, candidate: Account | None = None, connection: Connection | None = None) -> list[Finding]:
        given = connection or Connection(oro=self.oro.user("bob").api_key)
        return bootstrap.check_connection(self.config, self.database, candidate or self.candidate(), given)

    def stored(self, connection: Connection | None = None, **other: Any) -> Account:
        made = self.database.accounts.get(self.database.accounts.add(self.candidate(**other)))
        bootstrap.save_connection(self.database, made, connection or Connection(oro=self.oro.user("bob").api_key))
        return made

    def change(self, **config: Any) -> None:
        self.config = replace(self.config, **config)

    def client_of(self, account: Account) -> Any:
        return oro_client(self.config, self.database, account, None, bootstrap.SystemClock())


def _world(folder: Path, oro: OroSandbox, server: RunningServer) -> World:
    config = Config(
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'test.sqlite3'}",
        secret_keys=(Fernet.generate_key().decode(),),
        oro_hosts=(urlsplit(server.url).netloc,),
        allow_insecure_loopback=True,
    )
    return World(oro, server, config, bootstrap.open_database(config))


def _orocrm() -> OroSandbox:
    oro = OroSandbox(seed=1)
    oro.seed_recorded_users()
    return oro


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    oro = _orocrm()
    with serve(create_oro_app(oro)) as server:
        made = _world(tmp_path, oro, server)
        yield made
        made.database.close()


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[World]:
    """Behind a certificate that nobody knows."""
    oro, context = _orocrm(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ISSUED.configure_cert(context)
    with serve(create_oro_app(oro), ssl_context=context) as server:
        made = _world(tmp_path, oro, server)
        yield made
        made.database.close()


def wrong(findings: list[Finding]) -> Finding:
    (only,) = [each for each in findings if not each.ok]
    assert only.remedy
    return only


# before it is stored


def test_a_connection_is_tried_without_storing_anything(world: World) -> None:
    findings = world.check()
    assert [each.what for each in findings if each.ok] == ["url", "sign_in", "contact", "task", "event"]
    assert len(findings) == 5
    assert world.database.accounts.all() == []
    with world.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM secrets").scalar_one() == 0


def test_a_wrong_key_blocks_and_a_missing_permission_does_not(world: World) -> None:
    refused = wrong(world.check(connection=Connection(oro="0" * 40)))
    assert (refused.what, refused.blocks, refused.sign_in) == ("sign_in", True, True)
    world.oro.set_permission("bob", "task", "*", "none")
    told = wrong(world.check())
    assert (told.what, told.blocks) == ("task", False)


def test_only_what_is_to_be_synced_is_asked_for(world: World) -> None:
    world.database.settings.set(SYSTEM, "sync_tasks", False, by="test")
    assert [each.what for each in world.check()] == ["url", "sign_in", "contact", "event"]


@pytest.mark.parametrize("hosts", [(), ("crm.example.com",)])
def test_a_host_that_is_not_listed_is_found_and_not_asked(world: World, hosts: tuple[str, ...]) -> None:
    world.change(oro_hosts=hosts)
    refused = wrong(world.check())
    assert (refused.what, refused.blocks) == ("url", True)
    assert "OROSYNC_ORO_HOSTS" in refused.remedy
    assert not world.oro.request_log


def test_an_address_that_is_not_allowed_is_found_and_not_asked(secured: World) -> None:
    secured.change(allow_insecure_loopback=False)
    refused = wrong(secured.check())
    assert (refused.what, refused.blocks) == ("connection", True)
    assert "OROSYNC_ALLOW_PRIVATE_ADDRESSES" in refused.remedy
    assert not secured.oro.request_log
    secured.change(allow_private_addresses=True)
    assert wrong(secured.check()).what == "certificate", "now it is asked"


def test_a_certificate_is_found_with_its_fingerprint_and_pinned_only_where_that_is_allowed(secured: World) -> None:
    told = wrong(secured.check())
    assert (told.what, told.fingerprint, told.blocks) == ("certificate", FINGERPRINT, True)
    assert told.to_json()["fingerprint"] == FINGERPRINT
    pinned = secured.candidate(certificate=FINGERPRINT)
    assert wrong(secured.check(pinned)).what == "certificate", "a pin counts for nothing where it is not allowed"
    secured.change(allow_self_signed=True)
    assert all(each.ok for each in secured.check(pinned))
    assert wrong(secured.check(secured.candidate(certificate="a" * 64))).fingerprint == FINGERPRINT


def test_a_fingerprint_is_taken_only_where_that_is_allowed(world: World) -> None:
    assert bootstrap.checked_certificate(world.config, None) is None
    with pytest.raises(BadInput, match="not allowed") as refused:
        bootstrap.checked_certificate(world.config, FINGERPRINT)
    assert refused.value.field == "certificate"
    world.change(allow_self_signed=True)
    assert bootstrap.checked_certificate(world.config, FINGERPRINT.upper()) == FINGERPRINT
    with pytest.raises(BadInput, match="fingerprint"):
        bootstrap.checked_certificate(world.config, "12:34")


def test_a_finding_as_the_api_tells_it(world: World) -> None:
    (first, *_) = world.check()
    assert first.to_json() == {
        "side": "oro", "ok": True, "what": "url", "message": f"An OroCRM answers at {world.server.url}.", "remedy": "",
    }  # fmt: skip


# with a stored account beneath


def test_what_is_left_empty_is_taken_from_the_stored_account(world: World) -> None:
    account = world.stored()
    assert all(each.ok for each in world.check(account, Connection()))


@pytest.mark.parametrize("changed", [{"orocrm_user": "carol"}, {"oro_auth": "password"}])
def test_a_stored_secret_is_not_used_for_another_sign_in(world: World, changed: dict[str, str]) -> None:
    account = world.stored()
    refused = wrong(world.check(replace(account, **changed), Connection()))
    assert (refused.what, refused.sign_in) == ("sign_in", True)
    assert "secret" in refused.message


def test_a_stored_secret_is_not_sent_to_another_host(world: World, tmp_path: Path) -> None:
    number, secret = world.oro.add_oauth_client(["client_credentials"], "bob")
    account = world.stored(Connection(oro=secret), oro_auth="client-credentials", orocrm_user=number)
    other = OroSandbox(seed=2)
    with serve(create_oro_app(other)) as elsewhere:
        world.change(oro_hosts=("127.0.0.1",))
        refused = wrong(world.check(replace(account, orocrm_url=elsewhere.url), Connection()))
    assert refused.what == "sign_in"
    assert not other.request_log


def test_tokens_that_a_check_of_the_stored_sign_in_got_are_kept(world: World) -> None:
    number, secret = world.oro.add_oauth_client(["client_credentials"], "bob")
    account = world.stored(Connection(oro=secret), oro_auth="client-credentials", orocrm_user=number)
    for _ in range(2):
        assert all(each.ok for each in world.check(account, Connection()))
    assert "oro_tokens" in world.database.secrets(account.id).names()
    before = world.database.secrets(account.id).get("oro_tokens")
    assert wrong(world.check(account, Connection(oro="wrong"))).what == "sign_in"
    assert world.database.secrets(account.id).get("oro_tokens") == before, "a secret that is only tried spoils nothing"


# in the background


def test_runs_of_an_account_from_the_pane_are_guarded_as_well(world: World) -> None:
    account = world.stored()
    assert capabilities.discover(world.client_of(account), [Entity.CONTACT])["user_id"] == "2"
    world.change(oro_hosts=("crm.example.com",))
    with pytest.raises(AccountBlocked, match="not among") as blocked:
        world.client_of(account)
    assert "OROSYNC_ORO_HOSTS" in blocked.value.remedy
    (found,) = [each for each in bootstrap.check_account(world.config, world.database, account) if not each.ok
                and each.side.value == "oro"]  # fmt: skip
    assert found.what == "url"


def test_an_address_is_checked_at_every_connection_of_an_account_from_the_pane(secured: World) -> None:
    secured.change(allow_self_signed=True)
    account = secured.stored(certificate=FINGERPRINT)
    assert secured.client_of(account).get("contacts").ok
    secured.change(allow_insecure_loopback=False)
    with pytest.raises(Unreachable, match="this machine itself"):
        secured.client_of(account).get("contacts")


def test_an_account_of_the_command_line_is_the_operators_own_choice(secured: World) -> None:
    secured.change(allow_self_signed=True, allow_insecure_loopback=False, oro_hosts=())
    account = secured.stored(owner=None, certificate=FINGERPRINT)
    assert secured.client_of(account).get("contacts").ok
