"""Which mails a change of a meeting sends (graph-api.md 3.3). A request sends them, a person's edits here do not:
the outbox answers the question "did the synchronisation mail anybody"."""

from __future__ import annotations

from typing import Literal

from orosync.sandbox.graph.items import Item, Mail
from orosync.sandbox.graph.wire import JSON

# Changes the organiser's attendees hear of. Which others are silent is not established: see `every_patch_mails`.
ANNOUNCED = frozenset(["subject", "body", "start", "end", "isAllDay", "location", "locations", "recurrence"])


def _addresses(attendees: list[JSON]) -> list[str]:
    return [str(row["emailAddress"]["address"]) for row in attendees]


def is_organizer(item: Item) -> bool:
    return bool(item.data.get("isOrganizer", True))


def mails(kind: Literal["invitation", "update", "cancellation"], item: Item, item_id: str) -> list[Mail]:
    """One mail of this kind to every attendee; none from a mailbox that is not the organiser's."""
    if not is_organizer(item):
        return []
    subject = str(item.data.get("subject", ""))
    return [Mail(kind, to, subject, item_id) for to in _addresses(item.data.get("attendees", []))]


def after_patch(
    item: Item, item_id: str, before: list[JSON], body: JSON, *, every: bool, exceptions: int
) -> list[Mail]:
    """The mails of a PATCH: all attendees for what is announced, only the changed ones for a change of attendees.

    `exceptions`: separately changed days of a series, each mailed on its own.
    """
    if not is_organizer(item):
        return []
    attendees = item.data.get("attendees", [])
    subject = str(item.data.get("subject", ""))
    now, then = _addresses(attendees), _addresses(before)
    sent = [Mail("cancellation", to, subject, item_id) for to in then if to not in now]
    sent += [Mail("invitation", to, subject, item_id) for to in now if to not in then]
    if ANNOUNCED.isdisjoint(body) and not every:
        return sent
    staying = [to for to in now if to in then]
    return sent + [Mail("update", to, subject, item_id) for to in staying for _ in range(1 + exceptions)]
