"""Graph's change notifications: what can be subscribed to, and making, renewing and ending a subscription (graph-api.md
6, 12).

Calls Graph through the client it is given. What is remembered of a subscription, and when something is done about it,
is left to `core/push.py` and the caller. The secret that a notification has to carry is made here and shown once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from orosync.core.records import Entity, Json
from orosync.errors import OrosyncError, SideFailing
from orosync.outlook.client import GraphClient
from orosync.outlook.replies import Reply, read_error
from orosync.outlook.resource import segment

CHANGES = "created,updated,deleted"
# Ten minutes less than the longest there is: what counts is Graph's clock when the request arrives.
LIFE = {
    Entity.CONTACT: timedelta(minutes=10_070),
    Entity.EVENT: timedelta(minutes=10_070),
    Entity.TASK: timedelta(minutes=4_220),
}
_WITH_TASKS = "graph.microsoft.com"  # webhooks for tasks are in the global cloud only
_SECRET_BYTES = 48  # 64 signs; Graph takes up to 128
_REFUSALS = frozenset({400, 403, 404, 405, 501})
_MOST_PAGES = 20


class Refused(OrosyncError):
    """This cloud, tenant or role has no such subscription, and asking again soon changes nothing."""


@dataclass(frozen=True, slots=True)
class Granted:
    """digest: of the secret, in hex; "" for a renewal, which keeps the former one."""

    id: str
    expires: datetime
    digest: str = ""


def digest_of(secret: str) -> str:
    """SHA-256 in hex: the secret is long and random, so it needs no salt."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def resources(
    user: str, containers: Mapping[str, Any], chosen: Iterable[Entity], wanted: Iterable[Entity]
) -> dict[str, Entity]:
    """What to subscribe to, each with its entity. user: "me" or a principal name. containers: as discovered; chosen:
    of which entities the folder is another than the default one. Events have no address for one calendar."""
    base = "me" if user == "me" else f"users/{user}"
    found: dict[str, Entity] = {}
    for entity in wanted:
        container = containers.get(str(entity))
        if entity is Entity.EVENT:
            found[f"{base}/events"] = entity
        elif entity is Entity.TASK and container:
            found[f"{base}/todo/lists/{segment(str(container))}/tasks"] = entity
        elif entity is Entity.CONTACT and entity not in chosen:
            found[f"{base}/contacts"] = entity
        elif entity is Entity.CONTACT and container:
            found[f"{base}/contactFolders/{segment(str(container))}/contacts"] = entity
    return found


class Subscriptions:
    """Of one mailbox. hook, lifecycle: the addresses Graph calls. is_ours: an id that another account here goes by."""

    def __init__(
        self,
        client: GraphClient,
        *,
        hook: str,
        lifecycle: str,
        now: Callable[[], datetime],
        is_ours: Callable[[str], bool] = lambda _id: False,
    ) -> None:
        self._client = client
        self._hook, self._lifecycle = hook, lifecycle
        self._now = now
        self._is_ours = is_ours

    def create(self, resource: str, entity: Entity) -> Granted:
        """Graph calls both addresses before it answers. Raises Refused, and what a failing request means."""
        if entity is Entity.TASK and not self._has_tasks():
            raise Refused("This cloud has no notifications for tasks.")
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        reply = self._post(resource, entity, secret)
        if reply.status == 409:
            self._end_former(resource)
            reply = self._post(resource, entity, secret)
        if not reply.ok:
            raise _error(reply, entity)
        granted = self._granted(reply)
        return Granted(granted.id, granted.expires, digest_of(secret))

    def renew(self, id: str, entity: Entity) -> Granted | None:
        """Also what Graph asks for with reauthorizationRequired. None: there is no such subscription any more."""
        reply = self._client.send("PATCH", _path(id), body={"expirationDateTime": self._expiry(entity)})
        if reply.status in {404, 410}:
            return None
        if not reply.ok:
            raise _error(reply, entity, may_refuse=False)
        return self._granted(reply)

    def delete(self, id: str) -> None:
        """One that is gone already is as good."""
        reply = self._client.send("DELETE", _path(id))
        if not reply.ok and reply.status not in {404, 410}:
            raise read_error(reply)

    def _has_tasks(self) -> bool:
        """A host that is none of Microsoft's stands in for the global cloud."""
        host = (urlsplit(self._client.base_url).hostname or "").casefold()
        national = (".microsoft.us", ".chinacloudapi.cn", ".microsoft.com")
        return host == _WITH_TASKS or not f".{host}".endswith(national)

    def _post(self, resource: str, entity: Entity, secret: str) -> Reply:
        body: Json = {
            "changeType": CHANGES,
            "resource": resource,
            "notificationUrl": self._hook,
            "lifecycleNotificationUrl": self._lifecycle,
            "expirationDateTime": self._expiry(entity),
            "clientState": secret,
        }
        return self._client.send("POST", "/subscriptions", body=body)

    def _expiry(self, entity: Entity) -> str:
        return (self._now() + LIFE[entity]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _end_former(self, resource: str) -> None:
        """One that we made, and died before we could remember it: nobody knows its secret. Raises Refused if it is
        another account's."""
        link = "/subscriptions"
        for _ in range(_MOST_PAGES):
            if not link:
                return
            reply = self._client.get(link)
            if not reply.ok:
                raise read_error(reply)
            rows = reply.body.get("value") if isinstance(reply.body, dict) else None
            if not isinstance(rows, list):
                raise SideFailing("Microsoft Graph gave a list of subscriptions without a list.")
            for row in rows:
                if self._is_former(row, resource):
                    if self._is_ours(str(row["id"])):
                        raise Refused("Another account of this installation has this subscription.")
                    self.delete(str(row["id"]))
            link = str(reply.body.get("@odata.nextLink") or "")

    def _is_former(self, row: Any, resource: str) -> bool:
        if not isinstance(row, dict) or not row.get("id") or row.get("notificationUrl") != self._hook:
            return False
        return str(row.get("resource", "")).strip("/").casefold() == resource.casefold()

    def _granted(self, reply: Reply) -> Granted:
        """With the expiry that Graph gave, which may be another than was asked for."""
        body = reply.body if isinstance(reply.body, dict) else {}
        try:
            expires = datetime.fromisoformat(_six_digits(str(body["expirationDateTime"])))
            return Granted(str(body["id"]), expires.astimezone(UTC))
        except (KeyError, ValueError, OverflowError):
            raise SideFailing("Microsoft Graph gave a subscription without id or expiry.") from None


def _error(reply: Reply, entity: Entity, *, may_refuse: bool = True) -> OrosyncError:
    said = f"{reply.status} {reply.code}".strip()
    if may_refuse and reply.status in _REFUSALS and not _about_our_address(reply):
        return Refused(f"Microsoft Graph offers no notifications for {entity}s here ({said}).")
    if reply.status == 409:
        return SideFailing("Microsoft Graph says that this subscription exists, and does not show it.")
    if _about_our_address(reply):
        return SideFailing(
            f"Microsoft Graph could not reach this application to confirm a subscription ({said}).",
            remedy="OROSYNC_PUBLIC_URL must lead here from the internet, with a certificate that is trusted.",
        )
    return read_error(reply, entity)


def _about_our_address(reply: Reply) -> bool:
    """A failed handshake. Its code is that of any invalid request, so the message decides."""
    return reply.status == 400 and "validation request" in str(reply.error.get("message", "")).casefold()


def _six_digits(text: str) -> str:
    """Graph writes seven digits of a second, which Python does not read."""
    head, dot, rest = text.partition(".")
    digits = "".join(sign for sign in rest[:7] if sign.isdigit())
    zone = rest[len(digits) :]
    return f"{head}.{digits[:6]}{zone}" if dot else text


def _path(id: str) -> str:
    return f"/subscriptions/{segment(id)}"
