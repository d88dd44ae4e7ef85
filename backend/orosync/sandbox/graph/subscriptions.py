"""What requests on /subscriptions do (graph-api.md 6): what can be subscribed to, by whom, for how long; the handshake.

Not beside the other routes, because a subscription belongs to the tenant and its path names no mailbox, and because a
handshake is a request of Graph's own, which must not be made under the sandbox's lock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orosync.sandbox.graph.items import Container, Kind
from orosync.sandbox.graph.notifications import Subscription
from orosync.sandbox.graph.wire import JSON, GraphFault, GraphRequest, Reply, bad_request, parse_prefer, utc_ticks

if TYPE_CHECKING:
    from orosync.sandbox.graph.mailbox import Mailbox
    from orosync.sandbox.graph.sandbox import Grant, GraphSandbox

LONGEST: dict[Kind, timedelta] = {
    "contact": timedelta(minutes=10_080),
    "event": timedelta(minutes=10_080),
    "task": timedelta(minutes=4_230),
}
SHORTEST = timedelta(minutes=45)
_CHANGES = frozenset({"created", "updated", "deleted"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_RESOURCE = re.compile(
    r"/?(?:me|users/(?P<user>[^/]+))/"
    r"(?:(?P<contacts>contacts)|contactFolders/(?P<folder>[^/]+)/contacts|(?P<events>events)"
    r"|todo/lists/(?P<list>[^/]+)/tasks)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    subscription: Subscription
    handshakes: tuple[str, ...]


class SubscriptionService:
    """Answers below /subscriptions. Raises GraphFault."""

    def __init__(self, graph: GraphSandbox) -> None:
        self._graph = graph
        self._told = graph.notifications

    def handle(self, request: GraphRequest, grant: Grant) -> Reply:
        segments = request.path.strip("/").split("/")[1:]
        with self._graph.lock:
            self._graph.check_throttle()
            self._told.drop_expired()
        if not segments:
            if request.method == "POST":
                return self._create(request, grant)
            if request.method == "GET":
                return self._list(request, grant)
            raise _not_that_method()
        with self._graph.lock:
            found = self._told.subscriptions.get(segments[0])
            if found is None or (grant.upn is not None and found.owner != grant.upn):
                raise GraphFault(404, "ResourceNotFound", "The object was not found.")
            if segments[1:] == ["reauthorize"] and request.method == "POST":
                return Reply(204)
            if len(segments) > 1:
                raise bad_request(f"Resource not found for the segment '{segments[1]}'.", "BadRequest")
            return self._of_one(request, found)

    def _of_one(self, request: GraphRequest, found: Subscription) -> Reply:
        if request.method == "GET":
            return Reply(200, self._row(request, found))
        if request.method == "DELETE":
            self._told.remove(found)
            return Reply(204)
        if request.method != "PATCH":
            raise _not_that_method()
        body = request.json()
        if set(body) - {"expirationDateTime", "notificationUrl"}:
            raise bad_request("Only expirationDateTime and notificationUrl can be changed.", "ValidationError")
        found.expires = self._expiry(body.get("expirationDateTime"), found.kind)
        return Reply(200, self._row(request, found))

    def _list(self, request: GraphRequest, grant: Grant) -> Reply:
        with self._graph.lock:
            mine = [each for each in self._told.subscriptions.values() if grant.upn in {None, each.owner}]
            rows = [_told_of(each) for each in mine]
        return Reply(200, {"@odata.context": f"{request.base_url}/$metadata#subscriptions", "value": rows})

    def _create(self, request: GraphRequest, grant: Grant) -> Reply:
        with self._graph.lock:
            wanted = self._wanted(request, grant)
        for url in wanted.handshakes:
            if not self._told.shakes_hands(url):
                raise bad_request(
                    "Subscription validation request failed. Notification endpoint must respond with 200 OK to"
                    " validation request.",
                    "ValidationError",
                )
        with self._graph.lock:
            self._refuse_duplicate(wanted.subscription)
            made = replace(wanted.subscription, id=self._told.new_id())
            self._told.add(made)
            return Reply(201, self._row(request, made))

    def _wanted(self, request: GraphRequest, grant: Grant) -> _Wanted:
        body = request.json()
        changes = _text(body, "changeType").split(",")
        if not set(changes) <= _CHANGES:
            raise bad_request("changeType: created, updated and deleted are supported.", "ValidationError")
        mailbox, kind, container = self._resource(_text(body, "resource"), grant)
        url, lifecycle = _text(body, "notificationUrl"), body.get("lifecycleNotificationUrl") or ""
        for each in filter(None, (url, lifecycle)):
            _must_be_safe(each)
        state = body.get("clientState")
        if state is not None and (not isinstance(state, str) or len(state) > 128):
            raise bad_request("clientState is longer than 128 characters.", "ValidationError")
        wanted = Subscription(
            id="",
            owner=grant.upn,
            mailbox=mailbox,
            kind=kind,
            container=container,
            resource=_text(body, "resource"),
            change_types=frozenset(changes),
            url=url,
            lifecycle_url=lifecycle,
            client_state=state,
            expires=self._expiry(body.get("expirationDateTime"), kind),
            immutable=parse_prefer(request.headers.get("prefer", "")).immutable_ids,
        )
        self._refuse_duplicate(wanted)
        return _Wanted(wanted, tuple(filter(None, (url, lifecycle))))

    def _refuse_duplicate(self, wanted: Subscription) -> None:
        """Of the same caller, for the same changes of the same resource (409: third-party reports)."""
        for each in self._told.subscriptions.values():
            if (each.owner, each.resource.casefold(), each.change_types) == (
                wanted.owner,
                wanted.resource.casefold(),
                wanted.change_types,
            ):
                raise GraphFault(409, "ExtensionError", "Subscription already exists for the requested combination.")

    def _resource(self, resource: str, grant: Grant) -> tuple[Mailbox, Kind, Container | None]:
        found = _RESOURCE.fullmatch(resource)
        if found is None:
            raise bad_request(f"Unsupported resource '{resource}'.", "InvalidRequest")
        mailbox = self._mailbox(found["user"], grant)
        store = mailbox.store
        if found["list"]:
            if grant.upn is None:  # delegated only (graph-api.md 4)
                raise GraphFault(403, "Forbidden", "Application permissions are not supported for this resource.")
            if not self._graph.settings.todo_subscriptions:
                raise bad_request("The resource is not supported in this cloud.", "InvalidRequest")
            return mailbox, "task", store.container("task", found["list"])
        if found["events"]:
            return mailbox, "event", None
        folder = store.container("contact", found["folder"]) if found["folder"] else store.default["contact"]
        return mailbox, "contact", folder

    def _mailbox(self, user: str | None, grant: Grant) -> Mailbox:
        if user is None:
            if grant.upn is None:
                raise bad_request("/me is only valid with delegated authentication flow.", "BadRequest")
            return self._graph.mailbox(grant.upn)
        try:
            mailbox = self._graph.mailbox(user)
        except KeyError:
            raise GraphFault(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.") from None
        if grant.upn not in {None, mailbox.upn}:
            raise GraphFault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        return mailbox

    def _expiry(self, text: Any, kind: Kind) -> datetime:
        """Too little is raised to the least, too much is refused."""
        now = self._graph.clock()
        try:
            wanted = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(text)))
        except ValueError:
            raise bad_request("expirationDateTime is no date and time.", "ValidationError") from None
        if wanted.tzinfo is None or wanted <= now:
            raise bad_request("Subscription expiration cannot be in the past.", "ValidationError")
        if wanted > now + LONGEST[kind]:
            minutes = int(LONGEST[kind].total_seconds() // 60)
            raise bad_request(
                f"Subscription expiration can only be {minutes} minutes in the future.", "ValidationError"
            )
        return max(wanted, now + SHORTEST)

    @staticmethod
    def _row(request: GraphRequest, each: Subscription) -> JSON:
        return {"@odata.context": f"{request.base_url}/$metadata#subscriptions/$entity", **_told_of(each)}


def _told_of(each: Subscription) -> JSON:
    """ClientState is never shown again."""
    return {
        "id": each.id,
        "resource": each.resource,
        "applicationId": "00000003-0000-0000-c000-000000000000",
        "changeType": ",".join(sorted(each.change_types)),
        "clientState": None,
        "notificationUrl": each.url,
        "lifecycleNotificationUrl": each.lifecycle_url or None,
        "expirationDateTime": utc_ticks(each.expires),
        "creatorId": each.mailbox.user_id,
        "includeResourceData": False,
        "notificationQueryOptions": None,
        "encryptionCertificate": None,
        "encryptionCertificateId": None,
        "latestSupportedTlsVersion": "v1_2",
        "notificationUrlAppId": None,
    }


def _text(body: JSON, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise bad_request(f"The property '{name}' is required.", "ValidationError")
    return value


def _must_be_safe(url: str) -> None:
    """https; plain http to this machine alone, which the real one would refuse."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise bad_request("Notification URL must use the HTTPS protocol.", "ValidationError")


def _not_that_method() -> GraphFault:
    return GraphFault(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
