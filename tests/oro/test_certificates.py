"""Certificates of an OroCRM over real TLS: trusted, not trusted, pinned, changed, and no TLS at all."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from tests.oro.conftest import World

from orosync.connections import way_to
from orosync.oro.auth import Wsse
from orosync.oro.check import Finding, check, check_unsigned, offers
from orosync.oro.client import OroClient
from orosync.sandbox.transport import serve

AUTHORITY = trustme.CA()
ISSUED = AUTHORITY.issue_cert("127.0.0.1")
ELSEWHERE = AUTHORITY.issue_cert("elsewhere.example")


def fingerprint_of(certificate: trustme.LeafCert) -> str:
    pem = certificate.cert_chain_pems[0].bytes().decode()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@contextmanager
def behind(world: World, certificate: trustme.LeafCert, pin: str | None = None) -> Iterator[OroClient]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with serve(world.app, ssl_context=context) as server:
        wsse = Wsse("admin", world.oro.user("admin").api_key, now=world.clock)
        yield OroClient(server.url, wsse, pinned_fingerprint=pin, pause=world.pauses.append)


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The authority is a known one."""
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    way_to.cache_clear()  # a former test's server may have had the same port


def only_wrong(findings: list[Finding]) -> Finding:
    (wrong,) = [each for each in findings if not each.ok]
    return wrong


def test_a_certificate_of_a_known_authority_is_not_talked_about(world: World, trusting: None) -> None:
    with behind(world, ISSUED) as client:
        assert all(each.ok for each in check(client, now=world.clock))


def test_a_certificate_nobody_knows_is_found_with_its_fingerprint(world: World) -> None:
    with behind(world, ISSUED) as client:
        wrong = only_wrong(check(client, now=world.clock))
    assert (wrong.what, wrong.fingerprint) == ("certificate", fingerprint_of(ISSUED))
    assert wrong.blocks
    assert world.logged() == [], "nothing was sent to it"


def test_a_certificate_for_another_name_is_found_with_its_fingerprint(world: World, trusting: None) -> None:
    with behind(world, ELSEWHERE) as client:
        wrong = only_wrong(check(client, now=world.clock))
    assert (wrong.what, wrong.fingerprint) == ("certificate", fingerprint_of(ELSEWHERE))


def test_the_fingerprint_that_was_found_can_be_pinned(world: World) -> None:
    with behind(world, ISSUED) as client:
        met = only_wrong(check(client, now=world.clock)).fingerprint
    with behind(world, ISSUED, pin=met) as client:
        assert all(each.ok for each in check(client, now=world.clock))


def test_a_certificate_that_changed_since_is_found_and_nothing_is_sent(world: World, trusting: None) -> None:
    with behind(world, ISSUED, pin=fingerprint_of(ELSEWHERE)) as client:
        wrong = only_wrong(check(client, now=world.clock))
    assert (wrong.what, wrong.fingerprint) == ("certificate", fingerprint_of(ISSUED))
    assert "another certificate" in wrong.message
    assert world.logged() == []


def test_a_server_without_tls_is_not_taken_for_one_with_a_bad_certificate(world: World) -> None:
    with serve(world.app) as server:
        wsse = Wsse("admin", "k" * 40, now=world.clock)
        wrong = only_wrong(check(OroClient(server.url.replace("http:", "https:"), wsse)))
    assert (wrong.what, wrong.fingerprint) == ("connection", None)
    assert "https" in wrong.message
    assert "port" in wrong.remedy


@pytest.mark.parametrize(("wsse", "oauth"), [(True, True), (False, True)])
def test_a_stranger_is_told_which_sign_ins_there_are(world: World, trusting: None, wsse: bool, oauth: bool) -> None:
    world.oro.settings.wsse = wsse
    with behind(world, ISSUED) as client:
        found = offers(client)
        assert (found.wsse, found.oauth) == (wsse, oauth)
        assert [each.ok for each in check_unsigned(client, wsse=wsse, now=world.clock)] == [True]
    assert not any("x-wsse" in each.headers or "authorization" in each.headers for each in world.logged())
