"""`OroSandbox`: the simulated OroCRM as a Python object, for tests, the demo and the control interface.

Everything a test wants to set up, change, look at or break is here; the HTTP side is `app`. One lock makes every
call and every request whole.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from orosync.sandbox.oro import async_operations, audit, crm_rules, event_views, permissions, webhooks
from orosync.sandbox.oro.back_office import BackOffice, Editor, view_contact, view_task
from orosync.sandbox.oro.faults import Faults, LoggedRequest
from orosync.sandbox.oro.records import Event, Mail, OAuthClient, OroSettings, OroUser
from orosync.sandbox.oro.service import Service
from orosync.sandbox.oro.state import CalendarConnection, OroState
from orosync.sandbox.oro.wire import Answer, Asked

_RECORDED_USERS = (
    ("admin", "Ada", "Admin", "administrator"),
    ("bob", "Bob", "Seller", "sales_rep"),
    ("carol", "Carol", "Manager", "sales_manager"),
    ("rita", "Rita", "Restricted", "own_records"),
    ("nina", "Nina", "Nothing", "none"),
    ("dan", "Dan", "Disabled", "sales_rep"),
)
_ROLE_IDS = {"administrator": 3, "sales_rep": 4, "sales_manager": 5, "own_records": 6, "none": 7}


def _real_clock() -> datetime:
    return datetime.now(UTC)


class OroSandbox:
    """A whole OroCRM instance in memory. `clock` gives aware times, `seed` makes ids and keys repeatable."""

    def __init__(self, clock: Callable[[], datetime] | None = None, seed: int = 0) -> None:
        self.clock = clock or _real_clock
        self.lock = threading.RLock()
        self.latency_s = 0.0
        self.send_webhook: webhooks.Send = webhooks.post
        self._seed = seed
        self._start()

    def _start(self, settings: OroSettings | None = None) -> None:
        self.state = OroState(self.clock, random.Random(self._seed), settings or OroSettings())
        self.state.started = self.state.now()
        self._faults = Faults()
        self._service = Service(self.state)

    def reset(self) -> None:
        """Forgets everything except the settings."""
        with self.lock:
            self._start(self.state.settings)

    # requests

    def handle(self, asked: Asked) -> Answer:
        """Answers one request. Raises `ConnectionDropped` where a fault asks for it."""
        if self.latency_s:
            time.sleep(self.latency_s)
        return self._faults.around(asked, self._locked)

    def _locked(self, asked: Asked) -> Answer:
        with self.lock:
            return self._service.handle(asked)

    # set-up

    @property
    def settings(self) -> OroSettings:
        """How the instance is set up; may be changed at any time."""
        return self.state.settings

    def add_user(
        self,
        username: str,
        *,
        email: str,
        roles: str | Iterable[str] = "administrator",
        permissions: Mapping[str, str | Mapping[str, str]] | None = None,
        first_name: str | None = None,
        last_name: str = "",
        api_key: str | None = None,
        password: str | None = None,
        time_zone: str = "UTC",
        language: str = "en",
    ) -> OroUser:
        """Makes a user with a calendar; `permissions` instead of `roles` names levels per entity.

        Raises ValueError for an unknown role, entity or level, and for a user name that is taken.
        """
        with self.lock:
            if self.state.user_named(username) is not None:
                raise ValueError(f"user {username!r} exists already")
            now = self.state.now()
            user = OroUser(
                id=self.state.users.new_id(),
                username=username,
                email=email,
                first_name=username.capitalize() if first_name is None else first_name,
                last_name=last_name,
                permissions=_permissions(roles, permissions),
                created_at=now,
                updated_at=now,
                api_key=self.state.hex(40) if api_key is None else api_key,
                password=self.state.hex(16) if password is None else password,
                role_id=_ROLE_IDS.get(roles, 1) if isinstance(roles, str) else 1,
                time_zone=time_zone,
                language=language,
            )
            self.state.users.save(user)
            calendar = self.state.next("calendar")
            self.state.calendars[calendar] = user.id
            connection = self.state.next("connection")
            self.state.connections[connection] = CalendarConnection(connection, calendar, calendar)
            return user

    def seed_recorded_users(self) -> dict[str, OroUser]:
        """The people of the recordings: admin, bob, carol, rita, nina and dan, with ids 1 to 6."""
        users = {}
        for username, first, last, role in _RECORDED_USERS:
            users[username] = self.add_user(
                username, email=f"{username}@example.com", roles=role, first_name=first, last_name=last
            )
        users["dan"].enabled = False
        return users

    def user(self, username: str) -> OroUser:
        """By user name. Raises KeyError."""
        found = self.state.user_named(username)
        if found is None:
            raise KeyError(username)
        return found

    def set_permission(self, user: OroUser | str, entity: str, action: str, level: str) -> None:
        """Sets one level (`none`, `own`, `system`); `action` `*` means all four. Raises ValueError."""
        person = self.user(user) if isinstance(user, str) else user
        with self.lock:
            permissions.change(person.permissions, entity, action, level)

    def add_oauth_client(
        self,
        grants: Iterable[str],
        owner: OroUser | str,
        *,
        client_id: str | None = None,
        redirect_uris: Iterable[str] = (),
        public: bool = False,
    ) -> tuple[str, str]:
        """Makes an OAuth application and returns its id and secret (empty for a public one)."""
        person = self.user(owner) if isinstance(owner, str) else owner
        with self.lock:
            client = self._service.oauth.add_client(
                grants, person, client_id=client_id, redirect_uris=redirect_uris, public=public
            )
            return client.id, client.secret or ""

    def oauth_client(self, client_id: str) -> OAuthClient:
        """An application, for example to deactivate it. Raises KeyError."""
        return self._service.oauth.clients[client_id]

    # acting

    @property
    def back_office(self) -> BackOffice:
        """Acts as a person in the back office (the first user)."""
        return _Locked(BackOffice(self.state, self._first_user()), self.lock)  # type: ignore[return-value]

    def back_office_as(self, user: OroUser | str) -> BackOffice:
        """Acts as another person in the back office."""
        person = self.user(user) if isinstance(user, str) else user
        return _Locked(BackOffice(self.state, person), self.lock)  # type: ignore[return-value]

    def api_client_edit(self, kind: str, number: int, values: Mapping[str, Any]) -> None:
        """Edits as another API client: e-mails, phones and addresses do not move updatedAt."""
        with self.lock:
            Editor(self.state, self._first_user(), as_person=False).edit(kind, number, values)

    def api_client_edit_address(self, number: int, values: Mapping[str, Any]) -> None:
        """Another API client changes one address by itself."""
        with self.lock:
            Editor(self.state, self._first_user(), as_person=False).edit_address(number, values)

    def _first_user(self) -> OroUser:
        user = next(iter(self.state.users), None)
        if user is None:
            raise ValueError("the instance has no user: call add_user first")
        return user

    def run_consumer(self) -> None:
        """Lets the message-queue consumer work off what waits: audit entries, asynchronous operations, webhooks."""
        with self.lock:
            audit.consume(self.state)
            async_operations.run_consumer(self.state)
        self.deliver_webhooks()

    def deliver_webhooks(self) -> list[int]:
        """One try for every notification that waits; returns the statuses that came back (0: no answer). Outside the
        lock, since whoever is told may ask at once what changed."""
        with self.lock:
            waiting, self.state.deliveries = self.state.deliveries, []
        for delivery in waiting:
            status = self.send_webhook(delivery.url, delivery.body, delivery.headers)
            with self.lock:
                webhooks.settle(self.state, delivery, status)
        return [each.statuses[-1] for each in waiting]

    @property
    def webhooks(self) -> list[webhooks.Webhook]:
        """The registrations, secrets included."""
        with self.lock:
            return list(self.state.webhooks.values())

    # looking

    def contacts(self) -> list[dict[str, Any]]:
        """All contacts in the friendly shape, with datetimes."""
        with self.lock:
            return [view_contact(self.state, each) for each in self.state.contacts]

    def contact(self, number: int) -> dict[str, Any]:
        """One contact. Raises KeyError."""
        with self.lock:
            return view_contact(self.state, _there(self.state.contacts.get(int(number)), f"contact {number}"))

    def tasks(self) -> list[dict[str, Any]]:
        """All tasks in the friendly shape, with datetimes."""
        with self.lock:
            return [view_task(self.state, each) for each in self.state.tasks]

    def task(self, number: int) -> dict[str, Any]:
        """One task. Raises KeyError."""
        with self.lock:
            return view_task(self.state, _there(self.state.tasks.get(int(number)), f"task {number}"))

    def events(self, calendar: int | None = None) -> list[dict[str, Any]]:
        """All events, or those of one calendar, as the older REST API shows them."""
        with self.lock:
            return [self._event(each) for each in self.state.events if calendar is None or each.calendar == calendar]

    def event(self, number: int) -> dict[str, Any]:
        """One event. Raises KeyError."""
        with self.lock:
            return self._event(_there(self.state.events.get(int(number)), f"event {number}"))

    def _event(self, event: Event) -> dict[str, Any]:
        shown = event_views.view(self.state, self._first_user(), event)
        return shown | {"contacts": list(event.contacts)}

    def crm_records(self, kind: str) -> list[dict[str, Any]]:
        """All `accounts`, `leads`, `opportunities`, `cases`, `notes` or `calls` in the friendly shape. KeyError."""
        with self.lock:
            return [crm_rules.view(self.state, each) for each in self.state.crm[kind]]

    def crm_record(self, kind: str, number: int) -> dict[str, Any]:
        """One of them. Raises KeyError."""
        with self.lock:
            return crm_rules.view(self.state, _there(self.state.crm[kind].get(int(number)), f"{kind} {number}"))

    def orphan_events(self) -> list[dict[str, Any]]:
        """Events that stand in no calendar."""
        return [event for event in self.events() if event["calendar"] is None]

    def calendar_of(self, user: OroUser | str) -> int:
        """The id of a user's own calendar."""
        return self.state.calendar_of(self.user(user) if isinstance(user, str) else user)

    @property
    def mails(self) -> list[Mail]:
        """Mails to attendees that `notifyAttendees` asked for."""
        return self.state.mails

    @property
    def audits(self) -> list[dict[str, Any]]:
        """The audit entries: action, class, id."""
        return [
            {"action": each.action, "objectClass": each.object_class, "objectId": each.object_id}
            for each in self.state.audits
        ]

    # traffic

    @property
    def request_log(self) -> deque[LoggedRequest]:
        """The last requests, oldest first."""
        return self._faults.log

    @property
    def counts(self) -> Counter[str]:
        """How many requests came, by method and in `all`."""
        return self._faults.counts

    def forget_requests(self) -> None:
        """Empties log and counters."""
        self._faults.log.clear()
        self._faults.counts.clear()

    def fail_next(
        self,
        method: str,
        path: str,
        status: int | None,
        body: Any = None,
        *,
        times: int = 1,
        applied: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Lets the next requests that match both patterns fail; status None drops the connection.

        `applied=True` carries the request out and loses only the answer.
        """
        self._faults.fail_next(method, path, status, body, times=times, applied=applied, headers=headers)

    def malformed_next(self, path: str, form: str = "truncated") -> None:
        """The next matching answer is cut off (`truncated`) or is a login page (`html`)."""
        self._faults.malformed_next(path, form)

    def before_request(self, call: Callable[[str, str], None]) -> Callable[[], None]:
        """Calls `call(method, path)` before each request, outside the lock; returns what ends it."""
        self._faults.before.append(call)
        return lambda: self._faults.before.remove(call)


class _Locked:
    """Every call of the object behind it holds the lock."""

    def __init__(self, inner: Any, lock: AbstractContextManager[Any]) -> None:
        self._inner, self._lock = inner, lock

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                return value(*args, **kwargs)

        return call


def _permissions(
    roles: str | Iterable[str], given: Mapping[str, str | Mapping[str, str]] | None
) -> permissions.Permissions:
    return permissions.permissions_of(roles) if given is None else permissions.permissions_from(given)


def _there(record: Any, name: str) -> Any:
    if record is None:
        raise KeyError(name)
    return record
