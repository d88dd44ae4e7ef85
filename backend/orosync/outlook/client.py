"""One HTTP conversation with Microsoft Graph: tokens, headers, time-outs, and how a call can fail.

Touches the network. Decides which calls may be repeated (only safe ones, only after a broken connection, 502 or 504)
and to which host a token may go; what an answer means is left to `replies` and the callers.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError, SSLError
from urllib3.util import Retry

from orosync.connections import KeptAdapter, Line
from orosync.core.answers import read_answer
from orosync.errors import OrosyncError, SideFailing, SignInNeeded, Unreachable
from orosync.outlook.allowance import Allowance
from orosync.outlook.auth import TokenSource
from orosync.outlook.replies import SIGN_IN, ConnectionLost, Reply, is_throttled, outcome_of

log = logging.getLogger(__name__)

IMMUTABLE_IDS = 'IdType="ImmutableId"'
TIMEOUTS = (5.0, 60.0)
_NEVER_SENT = (NewConnectionError, ConnectTimeoutError, ProxyError, SSLError)
_DEFAULT_PORTS = {"https": 443, "http": 80}

# Two attempts, for reads only, and never by a server's Retry-After: that would put a worker to sleep for as long as
# one answer pleases (dependencies.md 2.4). A connection that could not be made is tried again for every method.
SAFE_RETRY = Retry(
    total=1,
    allowed_methods=frozenset({"GET"}),
    status_forcelist=(502, 504),
    respect_retry_after_header=False,
    raise_on_status=False,
    backoff_factor=0,
)
_KEPT = KeptAdapter(SAFE_RETRY)


class GraphClient:
    """Calls Graph for one mailbox. Thread-safe: `gate` lets one call through at a time.

    base_url: with version, "https://graph.microsoft.com/v1.0". gate: shared by all clients of one mailbox
    (`batch.MailboxGates`), so that no call runs beside a batch (graph-api.md 7). allowance: what the mailbox may still
    be asked; None for calls that are of no mailbox, or few. adapters: mounted by prefix in place of the network's.
    timeouts: connect and read, seconds. count: is told how every request ended, parts of a batch singly.
    """

    def __init__(
        self,
        base_url: str,
        tokens: TokenSource,
        *,
        gate: AbstractContextManager[Any] | None = None,
        allowance: Allowance | None = None,
        adapters: Mapping[str, BaseAdapter] | None = None,
        timeouts: tuple[float, float] = TIMEOUTS,
        user_agent: str = "orosync",
        count: Callable[[str], None] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._origin = _origin(self.base_url)
        self._prefix = urlsplit(self.base_url).path
        self._tokens = tokens
        self._gate = gate if gate is not None else threading.Lock()
        self._allowance = allowance
        known = {"User-Agent": user_agent, "Accept": "application/json"}
        self._line = Line(self.base_url, _KEPT, adapters=adapters, headers=known)
        self._timeouts = timeouts
        self._count = count or (lambda _outcome: None)
        self.before_writing: Callable[[], None] = lambda: None  # may raise: then nothing is sent
        self._counting = threading.Lock()
        self._sent = 0

    @property
    def requests_sent(self) -> int:
        """Round trips so far."""
        return self._sent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held: connections are the process's."""

    def relative(self, link: str) -> str:
        """A path below `base_url` as it is, or the same of an absolute link that Graph gave.

        Raises SideFailing for a link to any other place: a token must not go there (graph-api.md 5).
        """
        if link.startswith("/") and not link.startswith("//"):
            return link
        origin = _origin(link)
        parts = urlsplit(link if origin else "")
        below = self._prefix in {"", parts.path} or parts.path.startswith(self._prefix + "/")
        if origin is None or origin != self._origin or not below:
            raise SideFailing("Microsoft Graph answered with a link to another host or version; it is not followed.")
        return link[link.index(parts.netloc) + len(parts.netloc) + len(self._prefix) :]

    def get(self, link: str, *, prefer: Iterable[str] = ()) -> Reply:
        return self.send("GET", link, prefer=prefer)

    def send(
        self,
        method: str,
        link: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        prefer: Iterable[str] = (),
    ) -> Reply:
        """The answer, whatever its status but 401. A refused token is renewed once.

        Raises SignInNeeded, Unreachable (certainly not carried out), ConnectionLost (perhaps carried out),
        SideFailing (a 2xx answer whose body is no JSON, a redirect; or a former answer gave what cannot be sent).
        """
        url = self.base_url + self.relative(link)
        all_headers = {**(headers or {}), "Prefer": prefer_header(prefer)}
        token = self._tokens.token()
        reply = self._attempt(method, url, body, all_headers, token)
        if reply.status == 401:
            reply = self._attempt(method, url, body, all_headers, self._tokens.renewed(token, claims_of(reply)))
        if reply.status == 401:
            raise SignInNeeded("Microsoft 365 does not accept the sign-in any more.", remedy=SIGN_IN)
        return reply

    def heed(self, reply: Reply) -> None:
        """An answer, or one inside a batch: counted, and the pause that it asks for is kept, whoever calls next."""
        self._count(outcome_of(reply))
        if self._allowance is not None and is_throttled(reply):
            self._allowance.pause(reply.retry_after_s)

    def renew(self, refused: Reply) -> None:
        """After a 401 inside an answer: the next call uses another token. Raises SignInNeeded."""
        self._tokens.renewed(self._tokens.token(), claims_of(refused))

    def _attempt(self, method: str, url: str, body: Any, headers: Mapping[str, str], token: str) -> Reply:
        request_id = str(uuid.uuid4())
        data = _wire_form(body)
        all_headers = {**headers, "client-request-id": request_id, "Authorization": f"Bearer {token}"}
        if data is not None:
            all_headers["Content-Type"] = "application/json"
        with self._gate:
            if self._allowance is not None:
                self._allowance.spend(_parts(body))  # which may wait for longer than a lease lasts
            if _writes(method, body):
                self.before_writing()
            with self._counting:
                self._sent += 1
            try:
                response = self._line.request(method, url, body=data, headers=all_headers, timeout=self._timeouts)
            except requests.RequestException as error:
                self._count("unreachable")
                # `from None`: the original names the whole address, tokens of the change feed included
                raise _failure(error, urlsplit(url).hostname or "") from None
            except UnicodeError:  # half a sign, out of a former answer; nothing was sent
                self._count("failed")
                raise SideFailing("Microsoft Graph gave a text that no request can hold.") from None
        try:
            reply = _reply(response, request_id)
        except SideFailing:
            self._count("failed")
            raise
        if not (reply.ok and _is_batch(body)):  # then its parts are heeded one by one
            self.heed(reply)
        return reply


def _writes(method: str, body: Any) -> bool:
    return any(each["method"] != "GET" for each in body["requests"]) if _is_batch(body) else method != "GET"


def _wire_form(body: Any) -> bytes | None:
    if body is None:
        return None
    try:
        return json.dumps(body, allow_nan=False).encode()
    except ValueError:  # a number that JSON has not, out of a former answer
        raise SideFailing("Microsoft Graph gave a number that no request can hold.") from None


def _is_batch(body: Any) -> bool:
    return isinstance(body, dict) and isinstance(body.get("requests"), list)


def _parts(body: Any) -> int:
    """Parts of a batch count singly."""
    return len(body["requests"]) if _is_batch(body) else 1


def prefer_header(extra: Iterable[str] = ()) -> str:
    """Immutable ids are asked for in every request, parts of a batch included (graph-api.md 8)."""
    return ", ".join((IMMUTABLE_IDS, *extra))


def claims_of(reply: Reply) -> str | None:
    """The claims a 401 asks for, as JSON text: base64 inside `WWW-Authenticate` (graph-api.md 13)."""
    found = re.search(r'claims="([^"]+)"', reply.headers.get("www-authenticate", ""))
    if found is None:
        return None
    text = found[1]
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return text
    return decoded if decoded.lstrip().startswith("{") else text


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None for what is no address."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None


def _failure(error: requests.RequestException, host: str) -> OrosyncError:
    reason: Any = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(error, requests.exceptions.SSLError) or isinstance(reason, SSLError):
        return Unreachable(
            f"The certificate of {host} is not trusted.", remedy="Check proxies and the machine's certificate store."
        )
    if isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, _NEVER_SENT):
        return Unreachable(f"{host} cannot be reached.", remedy="Check the network and OROSYNC_GRAPH_URL.")
    if isinstance(error, requests.exceptions.Timeout):
        return ConnectionLost(f"{host} did not answer in time.")
    return ConnectionLost(f"The connection to {host} broke before the answer was complete.")


def _reply(response: requests.Response, request_id: str) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    if headers.get("client-request-id", request_id).casefold() != request_id:  # Graph names the request it answers
        raise SideFailing("An answer of Microsoft Graph to another request came in place of ours; it is not used.")
    body: Any = None
    if response.content:
        try:
            body = read_answer(response.content)
        except ValueError:
            if response.ok:
                raise SideFailing("Microsoft Graph gave an answer that is not JSON.") from None
    reply = Reply(response.status_code, body, headers)
    if 300 <= reply.status < 400:
        raise SideFailing(f"Microsoft Graph redirects to another address ({reply.status}); it is not followed.")
    level = logging.DEBUG if reply.ok else logging.INFO
    log.log(
        level,
        "graph answered %s %s (client-request-id %s, request-id %s)",
        reply.status,
        reply.code,
        request_id,
        headers.get("request-id", "")[:64],
    )
    return reply
