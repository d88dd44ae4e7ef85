"""From the token of the pane to a mailbox that is synced for months: exchange, consent, second factor, refresh."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.web.identity_provider import PARTNER, IdentityProvider, Person, Served, anna, running
from tests.web.sign_in_world import certificate_authority, config_for, first_key

from orosync import bootstrap
from orosync.bootstrap import Database
from orosync.bootstrap.sign_in import graph_tokens, save_mailbox_access
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.errors import AccountBlocked, SignInNeeded, Unreachable
from orosync.outlook.auth import TokenSource
from orosync.web.principal import Principal
from orosync.web.problems import NotSignedIn
from orosync.web.sign_in.on_behalf_of import OnBehalfOf
from orosync.web.sign_in.tokens import EntraTokens


@pytest.fixture
def service() -> Iterator[Served]:
    provider = IdentityProvider(first_key())
    provider.consented.add(anna().oid)
    with running(provider, certificate_authority()) as served:
        yield served


@pytest.fixture
def config(service: Served, tmp_path: Path) -> Config:
    return config_for(service.provider, tmp_path)


@pytest.fixture
def access(config: Config, service: Served) -> OnBehalfOf:
    return OnBehalfOf(config, adapters=service.adapters)


@pytest.fixture
def database(config: Config) -> Iterator[Database]:
    opened = bootstrap.open_database(config)
    yield opened
    opened.close()


def signed_in(config: Config, service: Served, token: str = "") -> Principal:
    return EntraTokens(config, ssl_context=service.trust).authenticate(token or service.provider.access_token())


def connected(database: Database, principal: Principal) -> Account:
    account = Account(
        principal.name, principal.address, "https://crm.example.com", "anna", "wsse", "user", owner=principal.owner
    )
    return database.accounts.get(database.accounts.add(account))


def tokens_of(config: Config, database: Database, account: Account, service: Served) -> TokenSource:
    return graph_tokens(config, account, database.secrets(account.id), service.adapters)


def grants(service: Served) -> list[str]:
    return [form["grant_type"].rpartition(":")[2] for form in service.provider.requests]


def test_what_the_exchange_brings_keeps_the_mailbox_open_without_the_person(
    config: Config, database: Database, access: OnBehalfOf, service: Served
) -> None:
    principal = signed_in(config, service)
    account = connected(database, principal)
    save_mailbox_access(database, account, access.grant(principal))
    assert grants(service) == ["jwt-bearer"]
    sources = [tokens_of(config, database, account, service) for _ in range(2)]
    first = sources[0].token()
    assert first.startswith(f"graph.{principal.object_id}.")
    assert sources[1].token() == first, "out of the stored cache"
    assert grants(service) == ["jwt-bearer"], "nobody was asked"

    second = sources[0].renewed(first, None)
    assert second != first
    third = tokens_of(config, database, account, service).renewed(second, None)
    assert third != second
    assert grants(service) == ["jwt-bearer", "refresh_token", "refresh_token"], "each refresh token was used once"


def test_what_is_asked_for_are_the_permissions_of_the_sync_and_nothing_else(
    config: Config, access: OnBehalfOf, service: Served
) -> None:
    access.grant(signed_in(config, service))
    asked = set(service.provider.requests[0]["scope"].split())
    graph = "https://graph.microsoft.com/"
    assert asked == {
        "openid", "profile", "offline_access",
        f"{graph}Contacts.ReadWrite", f"{graph}Tasks.ReadWrite", f"{graph}Calendars.ReadWrite",
        f"{graph}MailboxSettings.Read", f"{graph}User.Read",
    }  # fmt: skip


def test_the_refresh_token_is_stored_encrypted(
    config: Config, database: Database, access: OnBehalfOf, service: Served
) -> None:
    principal = signed_in(config, service)
    save_mailbox_access(database, connected(database, principal), access.grant(principal))
    [refresh] = service.provider.refresh_tokens
    stored = b"".join(file.read_bytes() for file in config.data_dir.iterdir())
    assert refresh.encode() not in stored
    assert principal.assertion.encode() not in stored


def test_signing_in_anew_takes_the_place_of_whatever_was_stored(
    config: Config, database: Database, access: OnBehalfOf, service: Served
) -> None:
    principal = signed_in(config, service)
    account = connected(database, principal)
    bootstrap.save_connection(database, account, bootstrap.Connection(graph="typed by hand, and stale"))
    save_mailbox_access(database, account, access.grant(principal))
    assert database.secrets(account.id).names() == ["graph_cache"]
    assert tokens_of(config, database, account, service).token().startswith("graph.")


def test_an_access_token_of_a_demonstration_is_stored_as_one(database: Database) -> None:
    added = database.accounts.add(Account("demo", "a@b.example", "https://crm.example.com", "a", "wsse", "token"))
    account = database.accounts.get(added)
    save_mailbox_access(database, account, "graph-token")
    assert database.secrets(account.id).get("graph_token") == "graph-token"


def test_a_challenge_of_the_organisation_goes_back_to_the_pane_and_a_token_that_meets_it_is_taken(
    config: Config, access: OnBehalfOf, service: Served
) -> None:
    service.provider.demands_second_factor = True
    with pytest.raises(NotSignedIn) as caught:
        access.grant(signed_in(config, service))
    claims = caught.value.more["claims"]
    assert json.loads(claims)["access_token"]["capolids"]["values"] == ["c1"]
    assert caught.value.code == "not_signed_in"
    service.provider.person.second_factor = True  # the pane asked its next token with these claims
    assert access.grant(signed_in(config, service))


def test_missing_consent_is_told_by_its_own_code(config: Config, access: OnBehalfOf, service: Served) -> None:
    service.provider.consented.clear()
    with pytest.raises(NotSignedIn) as caught:
        access.grant(signed_in(config, service))
    assert caught.value.code == "consent_needed"
    assert "claims" not in caught.value.more
    assert "administrator" in caught.value.remedy


def test_a_token_that_ended_meanwhile_means_signing_in_again(
    config: Config, access: OnBehalfOf, service: Served
) -> None:
    principal = replace(signed_in(config, service), assertion=service.provider.access_token(exp=1))
    with pytest.raises(NotSignedIn) as caught:
        access.grant(principal)
    assert caught.value.code == "not_signed_in"
    assert "claims" not in caught.value.more


def test_a_wrong_secret_is_the_operators_to_mend_and_not_the_persons(config: Config, service: Served) -> None:
    wrong = OnBehalfOf(replace(config, client_secret="old"), adapters=service.adapters)
    with pytest.raises(AccountBlocked, match="OROSYNC_CLIENT_ID"):
        wrong.grant(signed_in(config, service))


def test_a_sign_in_service_that_is_away_is_no_refusal(config: Config, access: OnBehalfOf, service: Served) -> None:
    principal = signed_in(config, service)
    service.server.stop()
    with pytest.raises(Unreachable):
        access.grant(principal)


def test_people_of_a_partner_get_and_renew_their_tokens_at_their_own_tenant(
    config: Config, database: Database, service: Served
) -> None:
    both = replace(config, allowed_tenants=(config.tenant_id, PARTNER))
    ben = Person("0b0b0b0b-1111-4111-8111-111111111111", "Ben", "ben@partner.example", tenant=PARTNER)
    service.provider.people[ben.oid] = ben
    service.provider.consented.add(ben.oid)
    principal = signed_in(both, service, service.provider.access_token(ben))
    account = connected(database, principal)
    save_mailbox_access(database, account, OnBehalfOf(both, adapters=service.adapters).grant(principal))
    tokens = tokens_of(both, database, account, service)
    assert tokens.renewed(tokens.token(), None).startswith(f"graph.{ben.oid}.")
    assert set(service.provider.tenants) == {PARTNER}


def test_a_certificate_serves_instead_of_a_secret_and_is_named_by_its_sha_256(
    config: Config, database: Database, service: Served, tmp_path: Path
) -> None:
    pem, service.provider.certificate = _certificate()
    file = tmp_path / "app.pem"
    file.write_bytes(pem)
    certified = replace(config, client_secret="", client_certificate=file)
    principal = signed_in(certified, service)
    account = connected(database, principal)
    save_mailbox_access(database, account, OnBehalfOf(certified, adapters=service.adapters).grant(principal))
    tokens = tokens_of(certified, database, account, service)
    assert tokens.renewed(tokens.token(), None).startswith("graph.")
    assert all("client_secret" not in form for form in service.provider.requests)


def _certificate() -> tuple[bytes, x509.Certificate]:
    """A PEM file with key and certificate, as an operator makes it."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "orosync")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return secret + made.public_bytes(encoding), made


def test_threads_that_renew_an_accounts_tokens_at_once_lose_no_refresh_token(
    config: Config, database: Database, access: OnBehalfOf, service: Served
) -> None:
    principal = signed_in(config, service)
    account = connected(database, principal)
    save_mailbox_access(database, account, access.grant(principal))
    sources = [tokens_of(config, database, account, service) for _ in range(4)]
    ready, failed = threading.Barrier(len(sources)), []

    def renew(source: TokenSource) -> None:
        try:
            token = source.token()
            ready.wait(10)
            source.renewed(token, None)
        except (SignInNeeded, threading.BrokenBarrierError) as error:
            failed.append(error)

    threads = [threading.Thread(target=renew, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert len(service.provider.refresh_tokens) == 1, "each one was used once, by the one who came next"


def test_nothing_of_the_exchange_is_logged(
    config: Config, access: OnBehalfOf, service: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    principal = signed_in(config, service)
    access.grant(principal)
    service.provider.consented.clear()
    with pytest.raises(NotSignedIn):
        access.grant(principal)
    secret_parts = {*service.provider.refresh_tokens, *principal.assertion.split("."), config.client_secret}
    for part in secret_parts | {f"graph.{anna().oid}", "anna@contoso.example"}:
        assert part not in caplog.text
