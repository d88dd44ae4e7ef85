"""An answer of Graph as a value, and what an answer that is an error means for its caller.

The table is section 11 of graph-api.md. Decisions are taken by status and code, never by message, with the one
exception that section documents; Graph's messages may quote values, so none of them gets into an error of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from orosync.core.exchange import Write
from orosync.core.records import Entity, Json
from orosync.errors import (
    AccountBlocked,
    CursorExpired,
    EntityForbidden,
    OrosyncError,
    OutcomeUnknown,
    RecordChanged,
    RecordMissing,
    RecordRefused,
    SideFailing,
    SignInNeeded,
    Throttled,
    Unreachable,
)

# Compared without case: Graph spells its codes in several ways (graph-api.md 11).
DUPLICATE_TRANSACTION = "errorduplicatetransactionid"
EXPIRED_CURSOR = frozenset({"syncstatenotfound", "resyncrequired"})
NO_SUCH_ITEM = frozenset({"erroritemnotfound", "itemnotfound", "notfound"})
NO_RIGHTS = frozenset({"authorization_requestdenied", "nopermissionsinaccesstoken", "accessdenied"})
QUOTA = frozenset({"quotalimitreached", "errorquotaexceeded"})
_KNOWN = EXPIRED_CURSOR | NO_SUCH_ITEM | NO_RIGHTS | QUOTA | {DUPLICATE_TRANSACTION, "erroraccessdenied"}

_CODE = re.compile(r"[A-Za-z0-9_.@\-]{1,100}")
SIGN_IN = "Sign in to Microsoft 365 again."


class ConnectionLost(Unreachable):
    """The connection broke after the request was sent: a write may have been carried out."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, JSON body (None without one), and headers with names in lower case."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def error(self) -> Json:
        found = self.body.get("error") if isinstance(self.body, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def code(self) -> str:
        """The deepest code that is known here, else the outermost; as Graph spells it, "" without one. It is logged and
        told to people, so it must be a word."""
        codes: list[str] = []
        level: Any = self.error
        while isinstance(level, dict):
            if isinstance(level.get("code"), str) and _CODE.fullmatch(level["code"]):
                codes.append(level["code"])
            level = level.get("innerError", level.get("innererror"))
        known = [code for code in codes if code.casefold() in _KNOWN]
        return (known or codes[:1] or [""])[-1]

    def says(self, codes: Iterable[str]) -> bool:
        return self.code.casefold() in codes

    @property
    def retry_after_s(self) -> float | None:
        """Seconds or a date (RFC 9110 10.2.3); a date is measured against the answer's own `Date`."""
        value = self.headers.get("retry-after", "").strip()
        if not value:
            return None
        try:
            seconds = float(value)
        except ValueError:
            pass
        else:
            return max(0.0, seconds) if isfinite(seconds) else None
        try:
            then = parsedate_to_datetime(value)
            sent = self.headers.get("date")
            now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
            return max(0.0, (then - now).total_seconds())
        except (TypeError, ValueError, OverflowError):
            return None


def is_throttled(reply: Reply) -> bool:
    return reply.status in {429, 509}


def outcome_of(reply: Reply) -> str:
    """In the few words that requests are counted by."""
    if reply.ok:
        return "ok"
    if is_throttled(reply) or reply.status == 503:
        return "throttled"
    return "refused" if 400 <= reply.status < 500 else "failed"


def read_error(reply: Reply, entity: Entity | None = None) -> OrosyncError:
    """What an answer other than 2xx to a read means; `entity` None: the request was about the whole mailbox."""
    said = _said(reply)
    if reply.status == 410 or reply.says(EXPIRED_CURSOR):
        return CursorExpired(f"Outlook no longer knows this position of its change feed ({said}).")
    if reply.status == 404:
        return RecordMissing(f"Outlook does not find what was asked for ({said}).", code=reply.code, status=404)
    if is_throttled(reply) or reply.status == 503:
        return _throttled(reply)
    account = _account_error(reply)
    if account is not None:
        return account
    if reply.status == 403:
        return _forbidden(entity, said)
    return SideFailing(f"Microsoft Graph gave an answer that is of no use ({said}).")


def write_error(reply: Reply, write: Write) -> OrosyncError:
    """What an answer other than 2xx to a write means for that write (graph-api.md 9 to 11, rule R24)."""
    said, status, code = _said(reply), reply.status, reply.code
    what = f"{write.verb} of a {write.entity}"
    if is_throttled(reply) or status == 423:
        return _throttled(reply)
    account = _account_error(reply)
    if account is not None:
        return account
    if status == 403 and (write.verb == "create" or reply.says(NO_RIGHTS)):
        return _forbidden(write.entity, said)
    if status in {404, 410}:
        if write.verb == "create":
            return container_missing(write.entity)
        return RecordMissing(f"Outlook has no such {write.entity} any more ({said}).", code=code, status=status)
    if status in {409, 412}:
        return RecordChanged(
            f"The {write.entity} changed in Outlook since it was read ({said}).", code=code, status=status
        )
    if 400 <= status < 500 and status != 408:
        named = _named_properties(reply, write.patch)
        return RecordRefused(f"Outlook refuses the {what}{named} ({said}).", code=code, status=status)
    return OutcomeUnknown(f"It is not known whether the {what} was carried out ({said}).", code=code, status=status)


def container_missing(entity: Entity) -> EntityForbidden:
    place = {Entity.CONTACT: "contact folder", Entity.TASK: "To Do list", Entity.EVENT: "calendar"}[entity]
    return EntityForbidden(
        f"The {place} chosen for synchronisation is not in the mailbox.",
        entity=entity,
        remedy=f"Choose another {place}, or check the account so that it is created.",
    )


def _account_error(reply: Reply) -> OrosyncError | None:
    said = _said(reply)
    if reply.status == 401:
        return SignInNeeded(f"Microsoft 365 does not accept the sign-in any more ({said}).", remedy=SIGN_IN)
    if reply.status == 507 or reply.says(QUOTA):
        return AccountBlocked(f"The mailbox is full ({said}).", remedy="Make room in the mailbox or raise its quota.")
    message = str(reply.error.get("message", ""))
    # The one message that decides: its code is that of any refused item (graph-api.md 11).
    if reply.status == 403 and "access to odata is disabled" in message.casefold():
        return AccountBlocked(
            f"An application access policy of the organisation keeps us out of this mailbox ({said}).",
            remedy="Ask the administrator to add the mailbox to the policy's scope.",
        )
    return None


def _throttled(reply: Reply) -> Throttled:
    return Throttled(f"Microsoft Graph asks for a pause ({_said(reply)}).", retry_after_s=reply.retry_after_s)


def _forbidden(entity: Entity | None, said: str) -> OrosyncError:
    if entity is None:
        return AccountBlocked(
            f"This mailbox may not be read ({said}).",
            remedy="Ask the administrator to consent to the permissions of this program.",
        )
    scope = {Entity.CONTACT: "Contacts", Entity.TASK: "Tasks", Entity.EVENT: "Calendars"}[entity]
    return EntityForbidden(
        f"Outlook does not allow access to {entity}s ({said}).",
        entity=entity,
        remedy=f"Ask the administrator to consent to {scope}.ReadWrite.",
    )


def _named_properties(reply: Reply, patch: Json) -> str:
    """The properties we sent that Graph's message names: their names only, never a value."""
    message = str(reply.error.get("message", "")).casefold()
    names = [name for name in patch if name.casefold() in message]
    return f" because of {', '.join(names)}" if names else ""


def _said(reply: Reply) -> str:
    return f"{reply.status} {reply.code}".strip()
