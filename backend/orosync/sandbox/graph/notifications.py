"""Change notifications of the simulated Graph: who is told what, when, and what happens if nobody listens (graph-api.md
6). What may be subscribed to, and for how long, is in `subscriptions`.

Queued under the sandbox's lock with each change, delivered outside it: by `deliver`, or by a thread of its own from
`start` to `stop`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import requests

from orosync.sandbox.graph.ids import IdMint
from orosync.sandbox.graph.items import Container, Item, Kind
from orosync.sandbox.graph.settings import GraphSettings
from orosync.sandbox.graph.wire import JSON, utc_ticks

if TYPE_CHECKING:
    from orosync.sandbox.graph.mailbox import Mailbox

Change = Literal["created", "updated", "deleted"]
Lifecycle = Literal["reauthorizationRequired", "subscriptionRemoved", "missed"]

IN_TIME_S = 3.0
RETRIES_IN_TIME_S = 10.0
HANDSHAKE_S = 10.0
GIVEN_UP = timedelta(hours=4)
_FIRST_RETRY = timedelta(seconds=10)
_TYPES: dict[Kind, tuple[str, str]] = {
    "contact": ("#Microsoft.Graph.Contact", "Contacts"),
    "event": ("#Microsoft.Graph.Event", "Events"),
    "task": ("#microsoft.graph.todoTask", "todo/tasks"),
}


@dataclass(slots=True)
class Subscription:
    """owner: who made it, None for the application. container: whose items it is about; None: of all containers."""

    id: str
    owner: str | None
    mailbox: Mailbox
    kind: Kind
    container: Container | None
    resource: str
    change_types: frozenset[str]
    url: str
    lifecycle_url: str
    client_state: str | None
    expires: datetime
    immutable: bool


@dataclass(slots=True)
class _Queued:
    url: str
    row: JSON
    since: datetime
    due: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST. status 0: nobody answered. counted: as delivered."""

    url: str
    body: JSON
    status: int
    took_s: float
    counted: bool


@dataclass
class Notifications:
    """adapters: URL prefix -> `requests` adapter, for endpoints inside this process."""

    clock: Callable[[], datetime]
    settings: GraphSettings
    lock: threading.RLock
    mint: IdMint
    tenant_id: str
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    adapters: dict[str, Any] = field(default_factory=dict)
    deliveries: deque[Delivery] = field(default_factory=lambda: deque(maxlen=10_000))

    def __post_init__(self) -> None:
        self._of: dict[tuple[str, Kind], dict[str, Subscription]] = defaultdict(dict)
        self._queue: deque[_Queued] = deque()
        self._numbers = 0
        self._wake, self._over = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    # who is told

    def new_id(self) -> str:
        self._numbers += 1
        return self.mint.guid(3, self._numbers)

    def add(self, subscription: Subscription) -> None:
        self.subscriptions[subscription.id] = subscription
        self._of[subscription.mailbox.upn, subscription.kind][subscription.id] = subscription

    def remove(self, subscription: Subscription) -> None:
        self.subscriptions.pop(subscription.id, None)
        self._of[subscription.mailbox.upn, subscription.kind].pop(subscription.id, None)

    def clear(self) -> None:
        """Nobody is told anything any more."""
        self.subscriptions.clear()
        self._of.clear()
        self._queue.clear()

    def drop_expired(self) -> None:
        now = self.clock()
        for each in [each for each in self.subscriptions.values() if each.expires <= now]:
            self.remove(each)

    def changed(self, mailbox: Mailbox, item: Item, change: Change) -> None:
        """Several for one change, as it is reported of the real one. Caller holds the lock."""
        now = self.clock()
        for each in list(self._of[mailbox.upn, item.kind].values()):
            if each.expires <= now:
                self.remove(each)
            elif each.container is None or each.container is item.container:
                for number in range(self.settings.notifications_per_change):
                    told = change if number == 0 or change == "deleted" else "updated"
                    if told in each.change_types:
                        self._put(each.url, self._row(each, item, told))

    def lifecycle(self, event: Lifecycle, subscription_id: str | None = None) -> int:
        """Tell one, or all of them. Tasks know only reauthorizationRequired. Returns how many are told."""
        with self.lock:
            self.drop_expired()
            chosen = [each for name, each in self.subscriptions.items() if subscription_id in {None, name}]
            chosen = [each for each in chosen if each.lifecycle_url]
            chosen = [each for each in chosen if each.kind != "task" or event == "reauthorizationRequired"]
            for each in chosen:
                if event == "subscriptionRemoved":
                    self.remove(each)
                self._put(each.lifecycle_url, self._head(each) | {"lifecycleEvent": event})
        return len(chosen)

    def _put(self, url: str, row: JSON) -> None:
        if self.settings.notifications_to_lose:
            self.settings.notifications_to_lose -= 1  # below zero: all of them, for ever
            return
        now = self.clock()
        self._queue.append(_Queued(url, row, now, now))
        self._wake.set()

    def _head(self, each: Subscription) -> JSON:
        return {
            "subscriptionId": each.id,
            "subscriptionExpirationDateTime": utc_ticks(each.expires),
            "tenantId": self.tenant_id,
            "clientState": each.client_state,
            "resource": each.resource,
        }

    def _row(self, each: Subscription, item: Item, change: str) -> JSON:
        odata_type, place = _TYPES[item.kind]
        item_id = each.mailbox.store.id_of(item, each.immutable)
        resource = f"Users/{each.mailbox.user_id}/{place}/{item_id}"
        data = {"@odata.type": odata_type, "@odata.id": resource, "@odata.etag": item.etag, "id": item_id}
        return self._head(each) | {"changeType": change, "resource": resource, "resourceData": data}

    # telling

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def deliver(self) -> int:
        """Everything that is due now; returns how many POSTs counted as delivered."""
        counted = 0
        while some := self._next():
            counted += self._send(some)
        return counted

    def _next(self) -> list[_Queued]:
        """The oldest, and what goes to the same address with it."""
        now = self.clock()
        with self.lock:
            due = [each for each in self._queue if each.due <= now]
            same = [each for each in due if each.url == due[0].url and each.attempts == due[0].attempts]
            # what is tried again is sent as it was
            some = same[: 1 if same and same[0].attempts else self.settings.notifications_per_post]
            for each in some:
                self._queue.remove(each)
        return some

    def _send(self, some: list[_Queued]) -> int:
        body: JSON = {"value": [each.row for each in some]}
        limit_s = RETRIES_IN_TIME_S if some[0].attempts else IN_TIME_S
        status, took_s = self._post(some[0].url, json.dumps(body).encode(), "application/json; charset=utf-8")[:2]
        with self.lock:
            late = took_s > limit_s
            if self.settings.deliveries_to_find_slow:
                self.settings.deliveries_to_find_slow -= 1
                late = True
            counted = 200 <= status < 300 and not late
            self.deliveries.append(Delivery(some[0].url, body, status, took_s, counted))
            if not counted:
                self._again(some)
        return int(counted)

    def _again(self, some: list[_Queued]) -> None:
        now = self.clock()
        for each in some:
            each.attempts += 1
            each.due = now + _FIRST_RETRY * 2 ** (each.attempts - 1)
            if each.due - each.since <= GIVEN_UP:
                self._queue.append(each)

    def _post(self, url: str, data: bytes, content_type: str, timeout_s: float = 30.0) -> tuple[int, float, Any]:
        began = time.monotonic()
        with requests.Session() as session:
            session.trust_env = False
            for prefix, adapter in self.adapters.items():
                session.mount(prefix, adapter)
            try:
                headers = {"Content-Type": content_type}
                response = session.post(url, data=data, headers=headers, timeout=timeout_s, allow_redirects=False)
            except requests.RequestException:
                return 0, time.monotonic() - began, None
        return response.status_code, time.monotonic() - began, response

    def shakes_hands(self, url: str) -> bool:
        """The address echoes a token, decoded, as plain text and nothing else. Call it without the lock."""
        token = f"Validation: Testing client application reachability for subscription Request-Id: {self.new_id()}"
        whole = f"{url}{'&' if '?' in url else '?'}validationToken={quote(token, safe='')}"
        status, _, response = self._post(whole, b"", "text/plain; charset=utf-8", HANDSHAKE_S)
        if status != 200:
            return False
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return bool(kind == "text/plain" and response.content == token.encode())

    # by itself

    def start(self) -> None:
        """Deliver whatever comes, from a thread of its own."""
        self._over.clear()
        self._thread = threading.Thread(target=self._keep_delivering, name="graph-notifications", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _keep_delivering(self) -> None:
        while not self._over.is_set():
            self._wake.wait(0.5)  # retries come due without anybody waking us
            self._wake.clear()
            self.deliver()
