"""The simulated tenant: mailboxes, tokens, faults that tests ask for, and what was requested so far."""

from __future__ import annotations

import re
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from orosync.sandbox.graph.ids import IdMint
from orosync.sandbox.graph.mailbox import Mailbox
from orosync.sandbox.graph.notifications import Notifications
from orosync.sandbox.graph.settings import GraphSettings
from orosync.sandbox.graph.wire import GraphFault, GraphRequest, Reply

_LOGGED_HEADERS = ("prefer", "if-match", "client-request-id", "content-type", "consistencylevel")


@dataclass(slots=True)
class LoggedRequest:
    """One HTTP request, or one part of a batch (`part`: its id), with the status it got."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    part: str | None = None
    status: int = 0


@dataclass(slots=True)
class Statistics:
    """What was asked so far: HTTP `requests`, `parts` inside batches, both together by method and by status."""

    requests: int = 0
    parts: int = 0
    by_method: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "parts": self.parts,
            "by_method": dict(self.by_method),
            "by_status": {str(status): count for status, count in self.by_status.items()},
        }


@dataclass(slots=True)
class Failure:
    """An answer to give instead of, or after, the real one. See `GraphSandbox.fail_next`."""

    method: re.Pattern[str]
    path: re.Pattern[str]
    status: int
    code: str
    times: int
    applied: bool = False
    lose_extended: bool = False
    drop: bool = False
    retry_after: int | None = None
    body: bytes | None = None
    message: str = ""

    def reply_or_raise(self) -> Reply:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.body is not None:
            return Reply(self.status, self.body, {"Content-Type": "application/json", **headers})
        raise GraphFault(self.status, self.code, self.message or f"{self.code} (asked for)", headers=headers)


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom an access token speaks for: a mailbox's owner, or the application (None)."""

    upn: str | None
    expires: datetime


class GraphSandbox:
    """A tenant in memory. Everything that counts, ids included, follows from `seed`, the clock and the calls.

    `settings` are the knobs, `statistics` and `request_log` what was asked. Thread-safe.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None, seed: int = 0) -> None:
        self.clock = clock or (lambda: datetime.now(UTC))
        self.seed = seed
        self.lock = RLock()
        self.settings = GraphSettings()
        self.mailboxes: dict[str, Mailbox] = {}
        self.tokens: dict[str, Grant] = {}
        self.clients: dict[str, str] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.statistics = Statistics()
        self.request_log: deque[LoggedRequest] = deque()
        self.hooks_before: list[Callable[[GraphRequest], None]] = []
        self.hooks_after: list[Callable[[GraphRequest, Reply], None]] = []
        self.failures: list[Failure] = []
        self._mint = IdMint(seed, "tenant")
        self.tenant_id = self._mint.guid(1)
        self.notifications = Notifications(self.clock, self.settings, self.lock, self._mint, self.tenant_id)
        self._requests = 0
        self._throttle_in: int | None = None
        self._throttle_s = 0
        self._throttled_until: datetime | None = None

    # the tenant

    def add_mailbox(
        self, upn: str, *, display_name: str, time_zone: str = "Europe/Berlin", language: str = "de-DE"
    ) -> Mailbox:
        """A new mailbox with its default containers; raises ValueError for a zone without a Windows name."""
        with self.lock:
            mailbox = Mailbox(
                upn,
                display_name=display_name,
                time_zone=time_zone,
                language=language,
                seed=self.seed,
                lock=self.lock,
                clock=self.clock,
                settings=self.settings,
                tell=self.notifications.changed,
            )
            self.mailboxes[upn.casefold()] = mailbox
            return mailbox

    def mailbox(self, upn: str) -> Mailbox:
        """The mailbox of a principal name or user id; raises KeyError."""
        found = self.mailboxes.get(upn.casefold())
        if found is not None:
            return found
        for mailbox in self.mailboxes.values():
            if mailbox.user_id == upn:
                return mailbox
        raise KeyError(upn)

    def issue_token(self, upn: str, *, expires_in: int = 3600) -> str:
        """A delegated access token: `/me` is this mailbox, no other can be reached."""
        return self._issue(self.mailbox(upn).upn, expires_in)

    def issue_app_token(self, *, expires_in: int = 3600) -> str:
        """An application's access token: every mailbox by `/users/{id}`, and no `/me`."""
        return self._issue(None, expires_in)

    def _issue(self, upn: str | None, expires_in: int) -> str:
        token = f"sandbox.{'user' if upn else 'app'}.{secrets.token_urlsafe(24)}"
        with self.lock:
            self.tokens[token] = Grant(upn, self.clock() + timedelta(seconds=expires_in))
        return token

    def revoke_token(self, token: str) -> None:
        with self.lock:
            self.tokens.pop(token, None)

    def register_client(self, client_id: str, secret: str) -> None:
        """An application that may sign in with this secret."""
        self.clients[client_id] = secret

    def issue_refresh_token(self, upn: str) -> str:
        """A refresh token of the mailbox's owner; it is replaced every time it is used."""
        token = f"sandbox.refresh.{secrets.token_urlsafe(24)}"
        with self.lock:
            self.refresh_tokens[token] = self.mailbox(upn).upn
        return token

    def revoke_refresh_tokens(self, upn: str | None = None) -> None:
        """As after a change of password: using one answers invalid_grant."""
        with self.lock:
            self.refresh_tokens = {
                token: owner for token, owner in self.refresh_tokens.items() if upn is not None and owner != upn
            }

    # faults

    def expire_delta_tokens(self) -> None:
        """Every token given out so far answers 410, nextLinks in the middle of paging included."""
        with self.lock:
            for mailbox in self.mailboxes.values():
                mailbox.store.feeds.expire_all()

    def throttle_after(self, n_requests: int, retry_after: int) -> None:
        """After `n_requests` more (parts count), answers 429 until `retry_after` seconds of the clock passed."""
        with self.lock:
            self._throttle_in, self._throttle_s, self._throttled_until = n_requests, retry_after, None

    def lift_throttle(self) -> None:
        with self.lock:
            self._throttle_in = self._throttled_until = None

    def check_throttle(self) -> None:
        """Counts one request; raises GraphFault 429 with Retry-After while throttled. Caller holds the lock."""
        now = self.clock()
        if self._throttled_until is not None:
            if now < self._throttled_until:
                raise self._too_many(int((self._throttled_until - now).total_seconds()) or 1)
            self._throttled_until = None
        if self._throttle_in is None:
            return
        if self._throttle_in > 0:
            self._throttle_in -= 1
            return
        self._throttle_in = None
        self._throttled_until = now + timedelta(seconds=self._throttle_s)
        raise self._too_many(self._throttle_s)

    @staticmethod
    def _too_many(seconds: int) -> GraphFault:
        return GraphFault(429, "TooManyRequests", "Too many requests.", headers={"Retry-After": str(seconds)})

    def fail_next(
        self,
        method: str,
        path: str,
        status: int,
        code: str,
        times: int = 1,
        *,
        applied: bool = False,
        lose_extended: bool = False,
        drop: bool = False,
        retry_after: int | None = None,
        body: bytes | None = None,
        message: str = "",
    ) -> None:
        """Answers the next `times` requests or parts whose method and path match (regular expressions) wrongly.

        `applied`: the request is carried out first (`lose_extended`: without its extended properties), and only
        then the error is answered. `drop`: no answer at all, the connection ends. `body`: answered as it is.
        """
        with self.lock:
            self.failures.append(
                Failure(
                    re.compile(method),
                    re.compile(path),
                    status,
                    code,
                    times,
                    applied=applied,
                    lose_extended=lose_extended,
                    drop=drop,
                    retry_after=retry_after,
                    body=body,
                    message=message,
                )
            )

    def next_failure(self, method: str, path: str) -> Failure | None:
        """The failure to use up for this request. Caller holds the lock."""
        for failure in self.failures:
            if failure.method.fullmatch(method) and failure.path.search(path):
                failure.times -= 1
                if failure.times <= 0:
                    self.failures.remove(failure)
                return failure
        return None

    def before_request(self, hook: Callable[[GraphRequest], None]) -> Callable[[], None]:
        """Calls `hook` before each request and part is carried out; what it raises reaches the caller's transport
        (`transport.ConnectionDropped` ends the connection). Returns a function that takes the hook out again."""
        self.hooks_before.append(hook)
        return lambda: self.hooks_before.remove(hook)

    def after_request(self, hook: Callable[[GraphRequest, Reply], None]) -> Callable[[], None]:
        """As `before_request`, but after the request was carried out and before it is answered."""
        self.hooks_after.append(hook)
        return lambda: self.hooks_after.remove(hook)

    # limits of a mailbox

    @contextmanager
    def slots(self, mailbox: Mailbox, wanted: int) -> Iterator[int]:
        """Takes up to `wanted` of the mailbox's concurrent places; yields how many there were."""
        with self.lock:
            mailbox.max_concurrency_seen = max(mailbox.max_concurrency_seen, mailbox.in_flight + wanted)
            taken = max(0, min(wanted, self.settings.mailbox_concurrency - mailbox.in_flight))
            mailbox.in_flight += taken
        try:
            yield taken
        finally:
            with self.lock:
                mailbox.in_flight -= taken

    @property
    def max_concurrency_seen(self) -> dict[str, int]:
        """The most requests at one time, wanted or served, by mailbox."""
        return {mailbox.upn: mailbox.max_concurrency_seen for mailbox in self.mailboxes.values()}

    # inspection

    def log(self, request: GraphRequest) -> LoggedRequest:
        """Counts and remembers a request or part. Caller holds the lock."""
        if request.part_id is None:
            self.statistics.requests += 1
        else:
            self.statistics.parts += 1
        self.statistics.by_method[request.method] += 1
        headers = {name: request.headers[name] for name in _LOGGED_HEADERS if name in request.headers}
        body = request.seen_body() if request.path != "/$batch" else None
        entry = LoggedRequest(request.method, request.path, dict(request.query), headers, body, request.part_id)
        self.request_log.append(entry)
        while len(self.request_log) > self.settings.request_log_limit:
            self.request_log.popleft()
        return entry

    def next_request_id(self) -> str:
        self._requests += 1
        return self._mint.guid(2, self._requests)

    def clear_log(self) -> None:
        """Forgets the requests seen so far; counters and mailboxes start from nothing as well."""
        with self.lock:
            self.request_log.clear()
            self.statistics = Statistics()
            for mailbox in self.mailboxes.values():
                mailbox.max_concurrency_seen = mailbox.in_flight

    def reset(self) -> None:
        """Empties every mailbox, the log, the pending faults and the subscriptions; people, tokens and clients stay."""
        with self.lock:
            for mailbox in self.mailboxes.values():
                mailbox.empty()
            self.notifications.clear()
            self.failures.clear()
            self.lift_throttle()
            self.clear_log()
