"""Sends single requests to one OroCRM and turns answers into documents, or into errors by what the caller must do.

Nothing is retried but reads whose connection broke or that met 502 or 504 (dependencies.md 2.4), each try signed
anew. What a refusal means for a record is left to `answers.py`, what the documents mean to the dialects.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

from orosync.core.answers import read_answer
from orosync.errors import AccountBlocked, OrosyncError, OutcomeUnknown, SideFailing, SignInNeeded, Throttled
from orosync.oro import transport
from orosync.oro.addresses import AddressRule
from orosync.oro.auth import TOKEN_PATH, SignIn

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
READ_TRIES = 2
PAUSE_S = 1.0


class Dialect(Enum):
    """Path and media type of the two interfaces (orocrm-api.md 0); a media type parameter would be a 415."""

    JSONAPI = ("/api/", "application/vnd.api+json")
    LEGACY = ("/api/rest/latest/", "application/json")

    @property
    def path(self) -> str:
        return self.value[0]

    @property
    def media_type(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and the parsed body (None if empty). Always below 500, never 401, 429 or a redirect."""

    status: int
    headers: Mapping[str, str]
    document: Any

    @property
    def ok(self) -> bool:
        return self.status < 300

    @property
    def total(self) -> int | None:
        """`X-Include-Total-Count`, where it was asked for."""
        text = self.headers.get("X-Include-Total-Count", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    @property
    def date(self) -> datetime | None:
        """When it was given, by OroCRM's clock; None if it does not say."""
        return date_of(self.headers)


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """What the header `Date` says; None for what is no time of HTTP, such as two of them."""
    try:
        at = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


class OroClient:
    """One OroCRM as one user. Thread-safe.

    adapters: URL prefix -> requests adapter, for a simulated OroCRM inside the process. addresses: where connections
    may end, None for anywhere. pause: waits seconds. count: is told how every request ended.
    """

    def __init__(
        self,
        base_url: str,
        sign_in: SignIn,
        *,
        adapters: Mapping[str, BaseAdapter] | None = None,
        pinned_fingerprint: str | None = None,
        allow_loopback_http: bool = False,
        addresses: AddressRule | None = None,
        timeouts: tuple[float, float] = (transport.CONNECT_S, transport.READ_S),
        pause: Callable[[float], None] = time.sleep,
        count: Callable[[str], None] | None = None,
    ) -> None:
        self.base_url = transport.checked_url(base_url, allow_loopback_http=allow_loopback_http)
        self._sign_in = sign_in
        self._pin = transport.checked_fingerprint(pinned_fingerprint) if pinned_fingerprint else None
        self._rule = addresses
        self._line = transport.new_line(self.base_url, pinned_fingerprint=self._pin, adapters=adapters, rule=addresses)
        self._timeouts = timeouts
        self._pause = pause
        self._count = count or (lambda _outcome: None)
        self._sent = itertools.count(1)
        self._counting = threading.Lock()
        self._requests_sent = 0
        self._own = threading.local()
        self.before_writing: Callable[[], None] = lambda: None  # may raise: then nothing is sent

    @property
    def requests_sent(self) -> int:
        """Round trips so far, those for tokens and repeated ones included."""
        return self._requests_sent

    @property
    def writes_taken(self) -> int:
        """How many writes of this thread were carried out, by OroCRM's word."""
        return int(getattr(self._own, "writes_taken", 0))

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        dialect: Dialect = Dialect.JSONAPI,
        total: bool = False,
    ) -> Answer:
        """A read. Raises SignInNeeded, AccountBlocked, Throttled, Unreachable or SideFailing."""
        wanted = ["totalCount"] if total else []
        if dialect is Dialect.JSONAPI:
            wanted.append("noHateoas")
        # joined by semicolon: with a comma both are silently ignored (contacts-list-total-count-no-hateoas)
        headers = {"X-Include": ";".join(wanted)} if wanted else {}
        return self._answer("GET", path, params, None, dialect=dialect, headers=headers)

    def write(self, method: Method, path: str, body: Any = None, *, dialect: Dialect = Dialect.JSONAPI) -> Answer:
        """A write, sent once. Raises as `get`, and OutcomeUnknown; Unreachable and Throttled: certainly not applied."""
        headers = {"X-Include": "noHateoas"} if dialect is Dialect.JSONAPI else {}
        answer = self._answer(method, path, None, body, dialect=dialect, headers=headers)
        if answer.ok:
            self._own.writes_taken = self.writes_taken + 1
        return answer

    def post_token_form(self, form: Mapping[str, str]) -> tuple[int, Any]:
        """The token endpoint; it knows neither dialect. A refusal is an answer, not an error."""
        try:
            headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
            response = self._send("POST", TOKEN_PATH, None, urlencode(form).encode(), headers)
        except requests.RequestException as error:
            raise self._broken(error, writing=False) from error
        self._raise_for_pause(response, writing=False)
        return response.status_code, _parsed(response)

    def get_unsigned(self, path: str) -> tuple[int, Mapping[str, str], str]:
        """A GET without sign-in, for the set-up check: status, headers and the beginning of the text."""
        try:
            response = self._send("GET", path, None, None, {"Accept": Dialect.JSONAPI.media_type})
        except requests.RequestException as error:
            raise self._broken(error, writing=False) from error
        return response.status_code, response.headers, response.text[:2000]

    def _answer(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str] | None,
        body: Any,
        *,
        dialect: Dialect,
        headers: dict[str, str],
    ) -> Answer:
        headers["Accept"] = dialect.media_type
        data = None
        if body is not None:
            headers["Content-Type"] = dialect.media_type
            data = json.dumps(body, separators=(",", ":")).encode()
        response = self._signed(method, dialect.path + path, params, data, headers)
        writing = method != "GET"
        self._raise_for_pause(response, writing=writing)
        if response.status_code == 401:
            raise SignInNeeded(
                f"OroCRM at {self.host} refuses the sign-in.",
                remedy="Check user name, API key (not the password) and this machine's clock; or sign in again.",
            )
        document = _parsed(response)
        self._raise_for_nonsense(response, document, writing=writing)
        if response.status_code == 404 and _switched_off(document):
            raise api_switched_off(self.host)
        return Answer(response.status_code, response.headers, document)

    def _signed(
        self, method: Method, path: str, params: Mapping[str, str] | None, data: bytes | None, headers: dict[str, str]
    ) -> requests.Response:
        tries = READ_TRIES if method == "GET" else 1
        renewed = False
        while True:
            tries -= 1
            with self._sign_in.use(self.post_token_form) as signed:
                if method != "GET":
                    self.before_writing()  # not before a token was waited for
                try:
                    response = self._send(method, path, params, data, headers | signed)
                except requests.RequestException as error:
                    if not tries or not transport.may_repeat(error):
                        raise self._broken(error, writing=method != "GET") from error
                    response = None
            if response is not None and response.status_code == 401 and not renewed:
                renewed = self._sign_in.refused(signed)
                if renewed:  # refused before anything was done, so even a write may be sent again
                    tries += 1
                    continue
            if response is not None and not (tries and response.status_code in {502, 504}):
                return response
            self._pause(PAUSE_S)

    def _send(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str] | None,
        data: bytes | None,
        headers: Mapping[str, str],
    ) -> requests.Response:
        with self._counting:
            self._requests_sent = next(self._sent)
        # Redirects are not followed: a sign-in must not travel to another host, and a nonce works once.
        url = self.base_url + path
        try:
            response = self._line.request(
                method, url, params=params, body=data, headers=headers, timeout=self._timeouts
            )
        except requests.RequestException:
            self._count("unreachable")
            raise
        except UnicodeError:  # half a sign, out of a former answer; nothing was sent
            self._count("failed")
            raise SideFailing(f"OroCRM at {self.host} gave a text that no request can hold.") from None
        self._count(_outcome_of(response.status_code))
        return response

    def _broken(self, error: requests.RequestException, *, writing: bool) -> OrosyncError:
        pinned = self._pin is not None
        return transport.broken(error, self.base_url, pinned=pinned, writing=writing, rule=self._rule)

    def _raise_for_pause(self, response: requests.Response, *, writing: bool) -> None:
        """503 also comes from what stands before OroCRM, when what was passed on may have been carried out (R24)."""
        status = response.status_code
        if status in {429, 503}:
            after = _retry_after(response.headers.get("Retry-After"))
            pause = Throttled(f"OroCRM at {self.host} asks for a pause.", retry_after_s=after)
            if writing and status == 503:
                raise OutcomeUnknown(pause.message, code="unavailable", status=status, pause=pause)
            raise pause

    def _raise_for_nonsense(self, response: requests.Response, document: Any, *, writing: bool) -> None:
        status = response.status_code
        trouble: OrosyncError | None = None
        if 300 <= status < 400:
            where = _named_in(response.headers.get("Location", ""))
            trouble = SideFailing(
                f"OroCRM at {self.host} sends requests on to {where} in place of answering.",
                remedy="Set orocrm_url to the final address of the back office, with https and its path prefix.",
            )
        elif status >= 500 and _title(document) != "driver exception":
            trouble = SideFailing(f"OroCRM at {self.host} fails with status {status}.")
        elif status >= 500 and not writing:
            trouble = SideFailing(f"OroCRM at {self.host} fails with status {status} (driver exception).")
        elif document is NOT_JSON:
            trouble = SideFailing(
                f"{self.host} answers with something that is not OroCRM's API (status {status}).",
                remedy="Check orocrm_url: the address of the back office, with its path prefix if it has one.",
            )
        if trouble is None:
            return
        if writing:
            raise OutcomeUnknown(str(trouble), code="no_sense", status=status)
        raise trouble


NOT_JSON = object()


def _named_in(location: str) -> str:
    try:
        target = urlsplit(location)
    except ValueError:
        return "nowhere"
    return (target.netloc or target.path.split("?")[0])[:200] or "nowhere"


def _outcome_of(status: int) -> str:
    """In the few words that requests are counted by."""
    if status < 300:
        return "ok"
    if status in {429, 503}:
        return "throttled"
    return "refused" if 400 <= status < 500 else "failed"


def api_switched_off(host: str) -> AccountBlocked:
    """Every resource answers 404 without detail: the state after installation (auth-web-api-disabled)."""
    return AccountBlocked(
        f"The API of OroCRM at {host} is switched off.",
        remedy='An administrator switches it on: System > Configuration > Integrations > Web API, "Enable API".',
    )


def _parsed(response: requests.Response) -> Any:
    if not response.content:
        return None
    try:
        return read_answer(response.content)
    except ValueError:
        return NOT_JSON


def _title(document: Any) -> str:
    errors = document.get("errors") if isinstance(document, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return str(first.get("title", "")) if isinstance(first, dict) else ""


def _switched_off(document: Any) -> bool:
    """A missing record has a detail beside the same title (contacts-get-missing); a switched-off API has none."""
    if _title(document) != "not found http exception":
        return False
    return not document["errors"][0].get("detail")


def _retry_after(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return Retry().parse_retry_after(text)
    except (InvalidHeader, ValueError, OverflowError):  # a number without end; a date beyond all calendars
        return None
