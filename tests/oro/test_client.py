"""The OroCRM client: what it sends, what it repeats, and what it makes of answers that make no sense."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.oro.conftest import URL, Clock, World

from orosync.core.records import Entity
from orosync.errors import AccountBlocked, BadInput, OutcomeUnknown, SideFailing, SignInNeeded, Throttled, Unreachable
from orosync.oro.auth import Wsse
from orosync.oro.client import Dialect, OroClient
from orosync.sandbox.transport import RunningServer, WsgiAdapter, serve


def test_the_media_type_has_no_parameter(world: World) -> None:
    answer = world.client().write("POST", "contacts", {"data": {"type": "contacts", "attributes": {"firstName": "Ö"}}})
    assert answer.status == 201
    assert world.oro.contact(1)["firstName"] == "Ö"
    (asked,) = world.logged()
    assert asked.headers["content-type"] == asked.headers["accept"] == "application/vnd.api+json"


@pytest.mark.parametrize("prefix", ["", "/admin", "/shop/admin"])
def test_an_address_may_have_a_path_before_the_api(world: World, prefix: str) -> None:
    world.oro.settings.path_prefix = prefix
    client = world.client(url=f"https://shop.example{prefix}/")
    assert client.get("contacts").ok
    assert client.get("calendars/default", dialect=Dialect.LEGACY).ok


@pytest.mark.parametrize("url", [
    "crm.example", "ftp://crm.example", "https://", "https://user:hush@crm.example", "https://crm.example/?a=b",
    "http://crm.example", "http://127.0.0.1:1",
])  # fmt: skip
def test_an_address_that_cannot_be_right_is_refused_with_its_field(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        OroClient(url, Wsse("u", "k", now=Clock()))
    assert refused.value.field == "orocrm_url"
    assert refused.value.remedy
    assert "hush" not in str(refused.value)


def test_plain_http_to_this_machine_is_a_choice() -> None:
    client = OroClient("http://127.0.0.1:1/", Wsse("u", "k", now=Clock()), allow_loopback_http=True)
    assert client.base_url == "http://127.0.0.1:1"


@pytest.mark.parametrize("status", [502, 504, None])
def test_a_read_is_repeated_once_and_signed_anew(world: World, status: int | None) -> None:
    world.oro.fail_next("GET", "contacts", status, applied=True)
    client = world.client()
    assert client.get("contacts").ok, "the same nonce again would be refused"
    assert (client.requests_sent, world.pauses) == (2, [1.0])


@pytest.mark.parametrize(("status", "error"), [(502, SideFailing), (None, Unreachable)])
def test_a_read_is_repeated_only_once(world: World, status: int | None, error: type[Exception]) -> None:
    world.oro.fail_next("GET", "contacts", status, times=5)
    client = world.client()
    with pytest.raises(error):
        client.get("contacts")
    assert client.requests_sent == 2


@pytest.mark.parametrize("status", [500, 501])
def test_other_failures_of_a_read_are_not_repeated(world: World, status: int) -> None:
    world.oro.fail_next("GET", "contacts", status)
    client = world.client()
    with pytest.raises(SideFailing):
        client.get("contacts")
    assert (client.requests_sent, world.pauses) == (1, [])


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [502, 504, None])
def test_a_write_is_never_repeated(world: World, method: str, status: int | None) -> None:
    world.oro.fail_next(method, "contacts", status)
    client = world.client()
    with pytest.raises(OutcomeUnknown):
        client.write(method, "contacts/1", {"data": {}})
    assert client.requests_sent == 1


@pytest.mark.parametrize(("header", "seconds"), [("12", 12.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("soon", None),
                                                 (None, None)])  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_is_handed_on_and_not_slept(world: World, status: int, header: str | None, seconds: float) -> None:
    world.oro.fail_next("GET", "contacts", status, headers={"Retry-After": header} if header else {})
    with pytest.raises(Throttled) as asked:
        world.client().get("contacts")
    assert asked.value.retry_after_s == seconds
    assert world.pauses == []


@pytest.mark.parametrize("form", ["html", "truncated"])
def test_an_answer_that_is_not_the_apis_is_named(world: World, form: str) -> None:
    world.oro.malformed_next("contacts", form)
    with pytest.raises(SideFailing, match=r"crm\.example.*not OroCRM's API") as odd:
        world.client().get("contacts")
    assert "orocrm_url" in odd.value.remedy


@pytest.mark.parametrize("target", ["https://elsewhere.example/user/login", "/user/login?from=x"])
def test_a_redirect_is_not_followed_and_its_target_named(world: World, target: str) -> None:
    world.oro.fail_next("GET", "contacts", 302, headers={"Location": target})
    client = world.client()
    with pytest.raises(SideFailing, match=r"elsewhere\.example|/user/login") as moved:
        client.get("contacts")
    assert client.requests_sent == 1
    assert "orocrm_url" in moved.value.remedy


@pytest.mark.parametrize("target", ["http://[::1", "//]", "http://\xff", "\u20ac"])
def test_a_redirect_to_what_is_no_address_is_an_answer_without_sense(target: str) -> None:
    def moved(_: Any, start_response: Any) -> list[bytes]:
        start_response("301 Moved Permanently", [("Location", target)])
        return [b""]

    sign_in = Wsse("admin", "0" * 40, now=Clock())
    client = OroClient(URL, sign_in, adapters={"https://": WsgiAdapter(moved)}, pause=lambda _s: None)
    with pytest.raises(SideFailing, match="sends requests on"):
        client.get("contacts")
    with pytest.raises(OutcomeUnknown):
        client.write("POST", "contacts", {})


def test_half_a_sign_out_of_a_former_answer_is_asked_for_nowhere(world: World) -> None:
    with pytest.raises(SideFailing, match="no request can hold"):
        world.client().get("contacts", {"filter[owner]": "\ud800"})


def test_a_switched_off_api_is_told_from_a_missing_record(world: World) -> None:
    assert world.client().get("contacts/99").status == 404
    world.oro.settings.web_api_enabled = False
    with pytest.raises(AccountBlocked, match="Enable API"):
        world.client().get("contacts/99")


def test_a_list_answer_without_a_list_fails_the_page(world: World) -> None:
    side = world.side()
    world.oro.fail_next("GET", "contacts", 200, {"data": "nothing"}, times=9)
    with pytest.raises(SideFailing, match="without a list"):
        side._resource(Entity.CONTACT).items(side._client.get("contacts"))


def test_no_cookie_and_no_netrc_travels(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine crm.example login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    seen: list[str] = []

    def echo(environ, start):
        seen.append(f"{environ.get('HTTP_AUTHORIZATION')} {environ.get('HTTP_COOKIE')}")
        start("200 OK", [("Content-Type", "application/vnd.api+json"), ("Set-Cookie", "BAPID=1; Path=/")])
        return [b'{"data": []}']

    world.app = echo
    client = world.client()
    client.get("contacts")
    client.get("contacts")
    assert seen == ["None None", "None None"]


# real sockets


def test_a_refused_connection_was_certainly_not_applied() -> None:
    server = serve(lambda environ, start: [])
    url = server.url
    server.stop()
    client = OroClient(url, Wsse("u", "k", now=Clock()), allow_loopback_http=True)
    for ask in (lambda: client.get("contacts"), lambda: client.write("POST", "contacts", {})):
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1.*connection") as refused:
            ask()
        assert refused.value.remedy


def test_an_answer_that_does_not_come_in_time(world: World) -> None:
    import threading

    go_on = threading.Event()

    def slow(environ, start):
        go_on.wait(10)
        start("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    with serve(slow) as server:
        client = OroClient(
            server.url, Wsse("u", "k", now=Clock()), allow_loopback_http=True, timeouts=(1, 0.05),
            pause=world.pauses.append,
        )  # fmt: skip
        try:
            with pytest.raises(OutcomeUnknown, match="no answer in time"):
                client.write("POST", "contacts", {})
            with pytest.raises(Unreachable, match="no answer in time"):
                client.get("contacts")
        finally:
            go_on.set()


class Secured:
    """An OroCRM behind a certificate it signed itself."""

    def __init__(self, world: World, folder: Path, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(who)
            .issuer_name(who)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = made.fingerprint(hashes.SHA256()).hex()
        file = folder / f"{name}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        self.server: RunningServer = serve(world.app, ssl_context=context)


@pytest.fixture
def secured(world: World, tmp_path: Path):
    running = Secured(world, tmp_path, "crm")
    yield running
    running.server.stop()


def test_an_untrusted_certificate_is_reported_with_its_fingerprint_and_the_remedy(
    world: World, secured: Secured
) -> None:
    client = OroClient(secured.server.url, Wsse("admin", world.oro.user("admin").api_key, now=world.clock))
    with pytest.raises(Unreachable) as refused:
        client.get("contacts")
    assert refused.value.fingerprint == secured.fingerprint
    assert secured.fingerprint in refused.value.message
    assert "trust_certificate" in refused.value.remedy
    assert world.logged() == [], "no sign-in was shown to it"


@pytest.mark.parametrize(
    "form", [str.lower, str.upper, lambda text: ":".join(text[i : i + 2] for i in range(0, 64, 2))]
)
def test_a_pinned_certificate_is_accepted(world: World, secured: Secured, form) -> None:
    key = world.oro.user("admin").api_key
    client = OroClient(
        secured.server.url, Wsse("admin", key, now=world.clock), pinned_fingerprint=form(secured.fingerprint)
    )
    assert client.get("contacts").ok


def test_another_certificate_than_the_pinned_one_is_refused_before_anything_is_sent(
    world: World, secured: Secured
) -> None:
    client = OroClient(
        secured.server.url, Wsse("admin", world.oro.user("admin").api_key, now=world.clock), pinned_fingerprint="a" * 64
    )
    with pytest.raises(Unreachable, match="another certificate") as refused:
        client.write("POST", "contacts", {})
    assert refused.value.fingerprint == secured.fingerprint
    assert world.logged() == []


def test_a_fingerprint_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        OroClient(URL, Wsse("u", "k", now=Clock()), pinned_fingerprint="12:34")
    assert refused.value.field == "trust_certificate"


def test_a_wrong_key_needs_its_user(world: World) -> None:
    client = world.client(sign_in=Wsse("admin", "0" * 40, now=world.clock))
    with pytest.raises(SignInNeeded):
        client.get("contacts")
    assert client.requests_sent == 1


def test_whoever_may_forbid_a_write_is_asked_after_a_token_was_waited_for(world: World) -> None:
    """A lease may end meanwhile."""
    order: list[str] = []

    class Slow(Wsse):
        @contextmanager
        def use(self, post: Any) -> Iterator[dict[str, str]]:
            with super().use(post) as signed:
                order.append("signed")
                yield signed

    client = world.client(sign_in=Slow("admin", world.oro.user("admin").api_key, now=world.clock))
    client.before_writing = lambda: order.append("asked")
    assert client.write("POST", "contacts", {"data": {"type": "contacts", "attributes": {"firstName": "Ö"}}}).ok
    assert client.get("contacts").ok
    assert order == ["signed", "asked", "signed"]
