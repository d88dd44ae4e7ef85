"""Sending writes and telling what became of each of them (graph-api.md 3.2, 9 to 11).

Nothing is repeated here. The one thing that is followed up is a create that Graph says it has seen before: the event
of its transactionId is adopted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orosync.core.exchange import Found, Lookup, Write, WriteResult, Written
from orosync.core.mapping.stamps import stamp_of
from orosync.core.records import Entity, Json
from orosync.errors import (
    OrosyncError,
    OutcomeUnknown,
    RecordChanged,
    RecordMissing,
    SideFailing,
)
from orosync.outlook.batch import Answer, Part, send_parts
from orosync.outlook.client import GraphClient
from orosync.outlook.reading import find, reading_of
from orosync.outlook.replies import (
    DUPLICATE_TRANSACTION,
    NO_SUCH_ITEM,
    ConnectionLost,
    Reply,
    container_missing,
    write_error,
)
from orosync.outlook.resource import Resource


@dataclass(slots=True)
class _Pending:
    """One write on its way: the parts still to send, the replies so far."""

    write: Write
    resource: Resource
    parts: list[Part]
    replies: list[Json] = field(default_factory=list)


def write(client: GraphClient, resources: Mapping[Entity, Resource], writes: Sequence[Write]) -> dict[str, WriteResult]:
    """See `SidePort.write`. Raises ValueError for an update or a delete that does not say of which item."""
    results: dict[str, WriteResult] = {}
    waiting: list[_Pending] = []
    for each in writes:
        resource = resources.get(each.entity)
        if resource is None:
            results[each.op_id] = container_missing(each.entity)
            continue
        parts = _parts(resource, each)
        if parts:
            waiting.append(_Pending(each, resource, parts))
        else:
            results[each.op_id] = Written(each.item)
    while waiting:
        answers = send_parts(client, [pending.parts.pop(0) for pending in waiting])
        for pending, answer in zip(waiting, answers, strict=True):
            result = _result(client, pending, answer)
            if result is not None:
                results[pending.write.op_id] = result
        waiting = [pending for pending in waiting if pending.write.op_id not in results]
    return results


def _parts(resource: Resource, write: Write) -> list[Part]:
    if write.verb == "create":
        return [resource.create(write)]
    if write.item is None:
        raise ValueError(f"a write with the verb {write.verb} needs its item")
    return [resource.delete(write.item)] if write.verb == "delete" else resource.update(write, write.item)


def _result(client: GraphClient, pending: _Pending, answer: Answer) -> WriteResult | None:
    """What became of the write; None when there is another part to send."""
    write = pending.write
    if isinstance(answer, ConnectionLost | SideFailing):
        return OutcomeUnknown(f"It is not known whether the {write.verb} of a {write.entity} was carried out.")
    if not isinstance(answer, Reply):
        return answer if not pending.replies else _half_done(write)
    if write.verb == "delete" and (answer.ok or (answer.status in {404, 410} and answer.says(NO_SUCH_ITEM))):
        return Written(None)
    if not answer.ok:
        if write.verb == "create" and answer.says({DUPLICATE_TRANSACTION}):
            return _adopted(client, pending, answer)
        error = write_error(answer, write)
        return error if not pending.replies else _half_done(write)
    if not isinstance(answer.body, dict) or not answer.body.get("id"):
        return OutcomeUnknown(f"Outlook confirmed the {write.verb} of a {write.entity}, but did not show the result.")
    pending.replies.append(answer.body)
    return None if pending.parts else Written(pending.resource.completed(write, pending.replies))


def _half_done(write: Write) -> OrosyncError:
    return OutcomeUnknown(f"The {write.verb} of a {write.entity} was carried out in part.")


def _adopted(client: GraphClient, pending: _Pending, reply: Reply) -> WriteResult:
    """The event that was made when this create was sent the first time (graph-api.md 3.2)."""
    write, resource = pending.write, pending.resource
    existing = reply.error.get("@event.existingEventId")
    if isinstance(existing, str) and existing:
        reading = reading_of(resource, send_parts(client, [resource.one(existing)])[0])
        candidates = [reading.item] if isinstance(reading, Found) else []
    else:
        try:
            candidates = find(
                client, resource, Lookup(write.entity, write.op_id, stamp=stamp_of(write.entity, write.patch))
            )
        except OrosyncError:
            return OutcomeUnknown("Outlook has this event already, but it cannot be read now.", code=reply.code)
    for item in candidates:
        if item.body.get("transactionId") == write.op_id:
            return Written(item)
    if candidates:
        return RecordChanged("Outlook has another event of this transaction.", code=reply.code, status=reply.status)
    if existing:
        return RecordMissing("The event of this transaction is not in the calendar any more.", code=reply.code)
    return OutcomeUnknown("Outlook has this event already, but does not show it.", code=reply.code)
