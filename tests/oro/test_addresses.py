"""Where a connection may end: decided on the address it really has, before a single byte is sent."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.oro.conftest import Clock, World

from orosync.errors import Unreachable
from orosync.oro import transport
from orosync.oro.addresses import AddressRule
from orosync.oro.auth import Wsse
from orosync.oro.client import OroClient
from orosync.sandbox.transport import serve

PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
OWN_NETWORK = ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd12::1", "fec0::1",
               "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:0a00:0001::1"]  # fmt: skip
THIS_MACHINE = ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
NEVER = ["0.0.0.0",  # noqa: S104 - nothing is bound
         "::", "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "224.0.0.1", "ff02::1",
         "255.255.255.255", "240.0.0.1", "192.0.2.1", "168.63.129.16", "fd00:ec2::254", "100.100.100.200",
         "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2001:db8::1", "nonsense", ""]  # fmt: skip


@pytest.mark.parametrize("rule", [AddressRule(), AddressRule(private=True), AddressRule(loopback=True)])
def test_public_addresses_are_always_allowed_and_odd_ones_never(rule: AddressRule) -> None:
    assert [each for each in PUBLIC if rule.refused(each)] == []
    assert [each for each in NEVER if not rule.refused(each)] == []


def test_the_own_network_is_a_choice() -> None:
    assert [each for each in OWN_NETWORK + THIS_MACHINE if not AddressRule().refused(each)] == []
    assert [each for each in OWN_NETWORK + THIS_MACHINE if AddressRule(private=True).refused(each)] == []


def test_this_machine_alone_is_a_choice_for_tests_and_the_demonstration() -> None:
    rule = AddressRule(loopback=True)
    assert [each for each in OWN_NETWORK if not rule.refused(each)] == []
    assert [each for each in THIS_MACHINE if not rule.refused(each)] == ["127.0.0.1", "::1", "::ffff:127.0.0.1",
                                                                        "64:ff9b::7f00:1"]  # fmt: skip


# real sockets


class Listener:
    """Takes connections and notes what is sent on them."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.got: list[bytes] = []
        self.done = threading.Semaphore(0)
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                taken, _ = self.socket.accept()
            except OSError:
                return
            with taken:
                taken.settimeout(10)
                self.got.append(taken.recv(1000))
            self.done.release()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.socket.close()


def client_of(url: str, rule: AddressRule | None, **more: Any) -> OroClient:
    wsse = Wsse("admin", "k" * 40, now=Clock())
    return OroClient(url, wsse, addresses=rule, allow_loopback_http=True, pause=lambda seconds: None, **more)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refused_host_is_not_even_knocked_at(listener: Listener, scheme: str) -> None:
    client = client_of(f"{scheme}://localhost:{listener.port}", AddressRule())
    for ask in (lambda: client.get("contacts"), lambda: client.write("POST", "contacts", {})):
        with pytest.raises(Unreachable, match="this machine itself") as refused:
            ask()
        assert "OROSYNC_ALLOW_PRIVATE_ADDRESSES" in refused.value.remedy
    with pytest.raises(Unreachable):
        client.post_token_form({"grant_type": "password", "password": "hush"})
    with pytest.raises(Unreachable):
        client.get_unsigned("/api/contacts")
    assert listener.got == []
    assert client.requests_sent == 4, "and it is not tried again"


@pytest.mark.parametrize("pin", [None, "a" * 64])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_that_changes_its_address_after_the_check_gets_nothing(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, scheme: str, pin: str | None
) -> None:
    """DNS rebinding: the first answer is public, the second one is not."""
    answers = rebinding(monkeypatch)
    client = client_of(f"{scheme}://localhost:{listener.port}", AddressRule(), pinned_fingerprint=pin)
    with pytest.raises(Unreachable, match="this machine itself"):
        client.write("POST", "contacts", {})
    assert len(answers) == 2
    assert listener.done.acquire(timeout=10)
    assert listener.got == [b""], "not even the beginning of TLS"


def test_looking_at_a_certificate_obeys_the_rule_as_well(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"https://localhost:{listener.port}"
    with pytest.raises(Unreachable, match="this machine itself"):
        transport.fingerprint_met(url, AddressRule())
    assert listener.got == []
    rebinding(monkeypatch)
    with pytest.raises(Unreachable, match="this machine itself"):
        transport.fingerprint_met(url, AddressRule())
    assert listener.done.acquire(timeout=10)
    assert listener.got == [b""]


@pytest.mark.parametrize("rule", [AddressRule(loopback=True), AddressRule(private=True), None])
def test_an_allowed_address_is_connected_to(world: World, rule: AddressRule | None) -> None:
    with serve(world.app) as server:
        wsse = Wsse("admin", world.oro.user("admin").api_key, now=world.clock)
        assert OroClient(server.url, wsse, addresses=rule, allow_loopback_http=True).get("contacts").ok


def test_a_pinned_certificate_and_the_rule_go_together(world: World, tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    with serve(world.app, ssl_context=context) as server:
        met = transport.fingerprint_met(server.url, AddressRule(loopback=True))
        wsse = Wsse("admin", world.oro.user("admin").api_key, now=world.clock)
        allowed = OroClient(server.url, wsse, addresses=AddressRule(loopback=True), pinned_fingerprint=met)
        assert allowed.get("contacts").ok
        refused = OroClient(server.url, wsse, addresses=AddressRule(), pinned_fingerprint=met)
        with pytest.raises(Unreachable, match="this machine itself"):
            refused.get("contacts")


def test_a_name_that_is_not_known_is_still_told_as_that() -> None:
    with pytest.raises(Unreachable, match="its name is not known"):
        client_of("https://nobody.invalid", AddressRule()).get("contacts")


def rebinding(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The next look-up says a public address, those after it the truth."""
    real, asked = socket.getaddrinfo, []

    def answer(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        asked.append(port)
        if len(asked) == 1:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]
        return real(host, port, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked
