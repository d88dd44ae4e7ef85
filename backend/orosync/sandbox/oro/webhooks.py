"""Webhooks of OroCRM 7.0.2: who is told what, and what becomes of the answers.

Read in source and not recorded (API reference, section 10): topics of entities that an administrator made accessible,
and none is after installation; JSON signed with HMAC-SHA256, sent by the message-queue consumer; redirects not
followed, 410 deletes the registration, retryable answers are queued again, others dropped. What a change is, is
decided by the rules of each entity, which note it through the audit.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests

from orosync.sandbox.oro.state import OroState

SINCE = (7, 0, 2)
EVENTS = {"create": "created", "update": "updated", "remove": "deleted"}
ALIASES = {"contact": "contact", "task": "task", "event": "calendarevent"}
TYPES = {"contact": "contacts", "task": "tasks", "event": "calendarevents"}
RETRYABLE = frozenset({423, 425, 429, 500, 502, 503, 504, 507, 510})  # of Symfony's HTTP client

Send = Callable[[str, bytes, Mapping[str, str]], int]
"""(address, body, headers) -> status of the answer; 0 if there was none."""


@dataclass
class Webhook:
    """One registration; `owner` decides which records it tells of."""

    id: str
    url: str
    topic: str
    format: str
    secret: str
    owner: int
    enabled: bool = True
    verify_ssl: bool = True


@dataclass
class Delivery:
    """A notification that waits for the consumer, or was tried (`statuses`: what came back, 0 for nothing)."""

    webhook: str
    url: str
    body: bytes
    headers: dict[str, str]
    statuses: list[int] = field(default_factory=list)


def served(state: OroState) -> bool:
    """Whether this version has webhooks at all."""
    return state.settings.release >= SINCE


def topics(state: OroState) -> list[str]:
    """Those of the entities that an administrator made accessible."""
    return [f"{ALIASES[kind]}.{event}" for kind in state.settings.webhook_accessible for event in EVENTS.values()]


def note(state: OroState, action: str, kind: str, number: int) -> None:
    """A record was created, updated or removed: whoever registered for that is told when the consumer runs."""
    if kind not in ALIASES or not served(state):
        return
    topic = f"{ALIASES[kind]}.{EVENTS[action]}"
    if topic not in topics(state):
        return
    message = state.new_uuid()
    payload = {
        "topic": topic,
        "eventData": {"data": {"type": TYPES[kind], "id": str(number)}},
        "timestamp": int(state.now().timestamp()),
        "messageId": message,
    }
    body = json.dumps(payload, separators=(",", ":")).encode()
    for hook in state.webhooks.values():
        if hook.enabled and hook.topic == topic:
            headers = {"Content-Type": "application/json", "Webhook-Topic": topic, "Webhook-Id": message}
            if hook.secret:
                signature = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
                headers |= {"Webhook-Signature": signature, "Webhook-Signature-Algorithm": "HMAC-SHA256"}
            state.deliveries.append(Delivery(hook.id, hook.url, body, headers))


def settle(state: OroState, delivery: Delivery, status: int) -> None:
    """What OroCRM makes of an answer."""
    delivery.statuses.append(status)
    state.delivered.append(delivery)
    if status == 410:
        state.webhooks.pop(delivery.webhook, None)
    elif status in RETRYABLE:
        state.deliveries.append(delivery)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """As OroCRM sends: redirects are not followed."""
    try:
        return requests.post(url, data=body, headers=dict(headers), timeout=10, allow_redirects=False).status_code
    except requests.RequestException:
        return 0
