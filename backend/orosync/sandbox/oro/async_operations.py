"""The asynchronous list operation: `PATCH /api/contacts` with many records.

The request is only stored; the message-queue consumer works on it later, here when it is polled often enough or
`run_consumer` is called. Source: async-*, section 8 of the API reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orosync.sandbox.oro import permissions, requests_in, schema, writes
from orosync.sandbox.oro.contact_rules import Included
from orosync.sandbox.oro.documents import Renderer
from orosync.sandbox.oro.problems import Problem, Refused, denied
from orosync.sandbox.oro.records import AsyncOperation, OroUser
from orosync.sandbox.oro.schema_parts import Resource
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.wire import Answer, Asked

_NOT_A_LIST = (
    "Failed to parse the data file. Parsing error in [0:0]. Document must start with a named object that has an "
    "array as a value."
)


def accept(state: OroState, user: OroUser, asked: Asked, resource: Resource, renderer: Renderer) -> Answer:
    """Takes a request in. Raises `Refused` 403."""
    if state.level(user, "async_operation", "create") == permissions.NONE:
        raise denied("No access to create the asynchronous operation.")
    now = state.now()
    number = max(state.operations, default=0) + 1
    polls = state.settings.async_polls
    operation = AsyncOperation(number, user.id, asked.body, now, now, resource.name, polls_left=polls)
    state.operations[number] = operation
    document = renderer.document(schema.OPERATIONS, operation)
    address = f"{renderer.base}/asyncoperations/{number}"
    return Answer(202, {"data": document}, {"Content-Location": address})


def polled(state: OroState, operation: AsyncOperation) -> None:
    """Works on an operation that was polled often enough."""
    if operation.status == "new" and operation.polls_left <= 0:
        process(state, operation)


def after_poll(_state: OroState, operation: AsyncOperation) -> None:
    """Counts a poll."""
    operation.polls_left -= 1


def process(state: OroState, operation: AsyncOperation) -> None:
    """What the consumer does."""
    user = state.users.get(operation.owner)
    operation.updated_at = state.now()
    operation.summary = dict.fromkeys(
        ("aggregateTime", "readCount", "writeCount", "errorCount", "createCount", "updateCount"), 0
    )
    operation.status = "success"
    try:
        body = json.loads(operation.body)
    except ValueError:
        return  # a cut-off body ends as success with nothing read
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Sequence) or isinstance(data, str):
        operation.status = "failed"
        operation.summary["errorCount"] = 1
        problem = Problem(400, "async operation exception", _NOT_A_LIST)
        operation.errors.append(_error(operation, problem, chunk=0))
        return
    for index, entry in enumerate(data):
        operation.summary["readCount"] += 1
        if user is not None:
            _one(state, user, operation, index, entry, body.get("included") or ())


def _one(
    state: OroState, user: OroUser, operation: AsyncOperation, index: int, entry: Any, included: Sequence[Any]
) -> None:
    summary = operation.summary or {}
    try:
        updated = _write(state, user, operation, index, entry, included)
    except Refused as refused:
        summary["errorCount"] += 1
        operation.errors += [_error(operation, problem, at=f"/data/{index}") for problem in refused.problems]
        return
    summary["writeCount"] += 1
    summary["updateCount" if updated else "createCount"] += 1


def _write(
    state: OroState, user: OroUser, operation: AsyncOperation, index: int, entry: Any, included: Sequence[Any]
) -> bool:
    kind = entry.get("type") if isinstance(entry, Mapping) else None
    resource = schema.resource_named(state, operation.entity_type)
    if resource is None or kind != operation.entity_type:
        detail = f'The entity type "{kind}" is not supported by this batch operation.'
        raise Refused(Problem(400, "entity type constraint", detail))
    at = f"/data/{index}"
    shape = requests_in.shape_problems(entry, at)
    if shape:
        raise Refused(*shape)
    mine = {str(each["id"]) for each in ((entry.get("relationships") or {}).get("addresses") or {}).get("data") or ()}
    along = [Included(each, f"/included/{place}") for place, each in enumerate(included) if str(each.get("id")) in mine]
    if not (entry.get("meta") or {}).get("update"):
        writes.create(state, user, resource, entry, along, at)
        return False
    record = writes.record_for(state, user, resource, str(entry.get("id")), "edit")
    writes.update(state, user, record, entry, along, at)
    return True


def _error(operation: AsyncOperation, problem: Problem, at: str | None = None, chunk: int = 1) -> dict[str, Any]:
    pointer = problem.pointer or at
    return {
        "type": "asyncoperationerrors",
        "id": f"{operation.id}-{chunk}-{len(operation.errors) + 1}",
        "attributes": {
            "status": problem.status,
            "title": problem.title,
            "detail": problem.detail,
            "source": {"pointer": pointer} if pointer else None,
        },
    }


def errors_of(operation: AsyncOperation, address: str, _base: str) -> dict[str, Any]:
    """The list of errors of an operation."""
    return {"data": operation.errors, "links": {"self": address}}


def run_consumer(state: OroState) -> None:
    """Works on everything that waits."""
    for operation in state.operations.values():
        if operation.status == "new":
            process(state, operation)
