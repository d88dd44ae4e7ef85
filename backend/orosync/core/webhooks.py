"""What OroCRM's webhooks say: which topics concern us, whether a notification is genuine, and what it is about.

Pure. Formats as read in OroCRM's source (orocrm-api.md 10): JSON of {topic, eventData, timestamp, messageId}, where
eventData is a JSON:API document, signed over its raw bytes with HMAC-SHA256 in lower-case hex.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from orosync.core.records import Entity
from orosync.errors import BadInput

ALGORITHM = "HMAC-SHA256"
Event = Literal["created", "updated", "deleted"]
_EVENTS: tuple[Event, ...] = ("created", "updated", "deleted")
_ALIASES: Mapping[Entity, str] = {Entity.CONTACT: "contact", Entity.TASK: "task", Entity.EVENT: "calendarevent"}
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_RECORD_ID = re.compile(r"[0-9]{1,19}")
_MESSAGE_ID = re.compile(r"[0-9A-Za-z._:-]{1,128}")


@dataclass(frozen=True, slots=True)
class Topic:
    """What one registration is about. name: OroCRM's, `<entity alias>.<event>`."""

    entity: Entity
    event: Event

    @property
    def name(self) -> str:
        return f"{_ALIASES[self.entity]}.{self.event}"


TOPICS: Mapping[str, Topic] = {
    topic.name: topic for topic in (Topic(entity, event) for entity in Entity for event in _EVENTS)
}


@dataclass(frozen=True, slots=True)
class Notification:
    """message_id: the same when OroCRM tries again. record_id: OroCRM's."""

    message_id: str
    record_id: str


def is_signed(body: bytes, secret: str, signature: str, algorithm: str) -> bool:
    """Compared in constant time."""
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    well_formed = algorithm == ALGORITHM and _SIGNATURE.fullmatch(signature) is not None
    return hmac.compare_digest(made, signature if well_formed else "0" * 64) and well_formed


def read_notification(body: bytes, topic: str) -> Notification:
    """Raises BadInput, without a word of the content, if it is not of this topic or not of the known shape."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BadInput("This is no JSON.") from None
    if not isinstance(value, dict):
        raise _odd("the whole")
    if value.get("topic") != topic:
        raise _odd("topic")
    stamp = value.get("timestamp")
    if not isinstance(stamp, int) or isinstance(stamp, bool) or stamp < 0:
        raise _odd("timestamp")
    return Notification(_message_id(value.get("messageId")), _record_id(value.get("eventData")))


def _message_id(value: Any) -> str:
    if not isinstance(value, str) or not _MESSAGE_ID.fullmatch(value):
        raise _odd("messageId")
    return value


def _record_id(event: Any) -> str:
    """JSON:API says that ids are texts; a number is taken as well, since the source does not promise it."""
    data = event.get("data") if isinstance(event, dict) else None
    found = data.get("id") if isinstance(data, dict) else None
    text = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
    if not _RECORD_ID.fullmatch(text):
        raise _odd("eventData")
    return text


def _odd(what: str) -> BadInput:
    return BadInput(f"This is no notification of this registration's topic: {what}.", field=what)
