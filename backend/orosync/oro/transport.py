"""How bytes reach an OroCRM: adapters, retries of connecting, certificates, and what a broken connection means.

Nothing here knows a dialect or a sign-in. Certificates are either trusted by the system or pinned by their SHA-256
fingerprint; a certificate that is neither is reported with the fingerprint met, so that it can be compared and pinned.
Where a connection may end is decided by `addresses.py`.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import Retry
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError, ProtocolError

from orosync.connections import KeptAdapter, Line
from orosync.errors import BadInput, OrosyncError, OutcomeUnknown, Unreachable
from orosync.oro.addresses import AddressRule, addresses_of, peer_of, ruled_pools
from orosync.oro.endings import EndingBody

CONNECT_S, READ_S = 5.0, 60.0
LOOPBACK = {"127.0.0.1", "::1", "localhost"}

# A request that was sent is never repeated here: its WSSE nonce is used up, so the client signs the next try anew
# (orocrm-api.md 1). What is left for urllib3 is connecting, where nothing was sent yet.
CONNECT_ONLY = Retry(
    total=1, connect=1, read=False, redirect=0, status=0, other=False, backoff_factor=0.5, allowed_methods=None,
    raise_on_status=False, respect_retry_after_header=False,
)  # fmt: skip


def checked_url(url: str, *, allow_loopback_http: bool = False) -> str:
    """The base URL without trailing slash; a path prefix (`/admin` of OroCommerce) stays.

    Raises BadInput for what cannot be a base URL, and for plain http: the sign-in would travel in the open. Only
    loopback may be plain, if allowed.
    """
    parts = urlsplit(url.strip())
    example = "Give the address of the back office, like https://crm.example.com or https://shop.example.com/admin."
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInput("orocrm_url is no web address.", field="orocrm_url", remedy=example)
    if parts.username or parts.password:
        raise BadInput("orocrm_url must not hold a user or password.", field="orocrm_url", remedy=example)
    if parts.query or parts.fragment:
        raise BadInput("orocrm_url must not have a part after '?' or '#'.", field="orocrm_url", remedy=example)
    if parts.scheme == "http" and not (allow_loopback_http and parts.hostname in LOOPBACK):
        raise BadInput("orocrm_url must begin with https://.", field="orocrm_url", remedy=example)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def checked_fingerprint(fingerprint: str) -> str:
    """SHA-256 of a certificate as 64 lower-case hex digits; colons and blanks are taken out."""
    digits = fingerprint.replace(":", "").replace(" ", "").lower()
    if len(digits) != 64 or any(digit not in "0123456789abcdef" for digit in digits):
        raise BadInput(
            "trust_certificate is no SHA-256 fingerprint.", field="trust_certificate", remedy="Give 64 hex digits."
        )
    return digits


class _Adapter(KeptAdapter):
    """rule: for the addresses connected to. A proxy of the environment resolves names itself, and rules by itself."""

    def __init__(self, rule: AddressRule | None = None) -> None:
        self._rule = rule
        super().__init__(CONNECT_ONLY)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        if self._rule is not None:
            self.poolmanager.pool_classes_by_scheme = ruled_pools(self._rule)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(request, *args, **kwargs)
        response.raw = EndingBody(response.raw)
        return response


class PinnedAdapter(_Adapter):
    """Accepts exactly one certificate, whoever signed it (urllib3 `assert_fingerprint`)."""

    def __init__(self, fingerprint: str, rule: AddressRule | None = None) -> None:
        self._fingerprint = fingerprint
        super().__init__(rule)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, assert_fingerprint=self._fingerprint, **kwargs)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """No chain of signers is asked for: the fingerprint is checked in its place. Set here, since REQUESTS_CA_BUNDLE
        in the environment overrules the session's own `verify`."""
        return super().send(request, *args, **{**kwargs, "verify": False})


@lru_cache(maxsize=8)
def _kept(rule: AddressRule | None) -> _Adapter:
    return _Adapter(rule)


@lru_cache(maxsize=256)  # a connection that another certificate was accepted for is never used
def _kept_pinned(fingerprint: str, rule: AddressRule | None) -> PinnedAdapter:
    return PinnedAdapter(fingerprint, rule)


def new_line(
    base_url: str,
    *,
    pinned_fingerprint: str | None,
    adapters: Mapping[str, BaseAdapter] | None,
    rule: AddressRule | None = None,
) -> Line:
    """The way to one OroCRM, for all threads of a client."""
    kept = _kept(rule) if pinned_fingerprint is None else _kept_pinned(pinned_fingerprint, rule)
    return Line(base_url, kept, adapters=adapters)


def fingerprint_met(base_url: str, rule: AddressRule | None = None, timeout_s: float = CONNECT_S) -> str | None:
    """SHA-256 of the certificate the host shows, not checked in any way; None if that cannot be told.

    Raises Unreachable if the rule forbids the address.
    """
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or 443
    if rule is not None:
        rule.check(host, addresses_of(host, port))
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as plain:
            if rule is not None:
                rule.check(host, [peer_of(plain)])
            with context.wrap_socket(plain, server_hostname=host) as secured:
                certificate = secured.getpeercert(binary_form=True)
    except OSError:
        return None
    return hashlib.sha256(certificate).hexdigest() if certificate else None


def broken(
    error: requests.RequestException,
    base_url: str,
    *,
    pinned: bool,
    writing: bool,
    rule: AddressRule | None = None,
) -> OrosyncError:
    """What a request without an answer means.

    Never connected: Unreachable, certainly not applied. Sent and then lost: OutcomeUnknown for a write.
    """
    host = urlsplit(base_url).netloc
    if isinstance(error, requests.exceptions.SSLError):
        return _untrusted(host, base_url, rule, pinned=pinned)
    if never_sent(error):
        name = isinstance(_reason(error), NameResolutionError)
        what = "its name is not known" if name else "it does not accept the connection"
        return Unreachable(f"OroCRM at {host} cannot be reached: {what}.", remedy="Check orocrm_url and the network.")
    what = "no answer in time" if isinstance(error, requests.Timeout) else "the connection broke"
    if writing:
        return OutcomeUnknown(f"OroCRM at {host}: {what} after a write was sent.", code="no_answer")
    return Unreachable(f"OroCRM at {host} does not answer: {what}.", remedy="Check the network, then try again.")


def _untrusted(host: str, base_url: str, rule: AddressRule | None, *, pinned: bool) -> Unreachable:
    met = fingerprint_met(base_url, rule)
    if met is None:
        return Unreachable(
            f"OroCRM at {host} does not speak https.", remedy="Check orocrm_url, its port first, and the network."
        )
    shown = f" Its SHA-256 fingerprint is {met}."
    if pinned:
        return Unreachable(
            f"OroCRM at {host} shows another certificate than the pinned one.{shown}",
            remedy="If it was renewed, compare the fingerprint with its administrator's and change trust_certificate.",
            fingerprint=met,
        )
    return Unreachable(
        f"The certificate of OroCRM at {host} is not trusted.{shown}",
        remedy="Install a certificate of a known authority, or, if your administrator allows it, compare the "
        "fingerprint with theirs and set trust_certificate to it.",
        fingerprint=met,
    )


def may_repeat(error: requests.RequestException) -> bool:
    """True for a connection that broke under way. Not for one never made (urllib3 tried again), nor for a host that is
    too slow: twice the wait would help nobody."""
    if isinstance(error, requests.exceptions.SSLError | requests.Timeout):
        return False
    return isinstance(error, requests.ConnectionError) and not never_sent(error)


def never_sent(error: requests.RequestException) -> bool:
    """True if the connection was never made, so that nothing can have been applied."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return isinstance(_reason(error), NewConnectionError | NameResolutionError)


def _reason(error: requests.RequestException) -> BaseException | None:
    inner = error.args[0] if error.args else None
    if isinstance(inner, MaxRetryError):
        return inner.reason
    return inner if isinstance(inner, BaseException) and not isinstance(inner, ProtocolError) else None
