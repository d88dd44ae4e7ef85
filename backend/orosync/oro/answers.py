"""What a refusal by OroCRM means for the record or the entity it is about, for both dialects.

A message names the field from the error's pointer or form tree and OroCRM's own rule, never a value. Answers that
concern the whole account were raised by the client before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from orosync.core.records import Entity
from orosync.errors import EntityForbidden, OrosyncError, RecordChanged, RecordMissing, RecordRefused, SideFailing
from orosync.oro import jsonapi
from orosync.oro.client import Answer

TYPE_DENIED = "No access to this type of entities."
WORKFLOW_RULES = "workflow entity constraint"
PLURAL = {Entity.CONTACT: "contacts", Entity.TASK: "tasks", Entity.EVENT: "calendar events"}
_STRUCTURE = {"data", "attributes", "relationships", "included"}
_LONGEST_WORDS = 500  # of one rule; the longest of OroCRM's own has fewer than a hundred
_DEEPEST_FORM = 16  # an event's form has four levels


def errors_of(document: Any) -> list[dict[str, Any]]:
    """The `errors` of a JSON:API answer; empty if there are none."""
    errors = document.get("errors") if isinstance(document, dict) else None
    return [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []


def rows_of(answer: Answer) -> list[dict[str, Any]]:
    """The rows of a list, of either dialect. Raises SideFailing if there is none."""
    document = answer.document.get("data") if isinstance(answer.document, dict) else answer.document
    if not isinstance(document, list):
        raise SideFailing("OroCRM answered a list request without a list.")
    return [jsonapi.sound(row) for row in document]


def one_of(answer: Answer, id: str | None = None) -> dict[str, Any]:
    """The single resource or event of an answer; id: whose it has to be, where that is known. Raises SideFailing if
    there is none, or another one."""
    document = answer.document
    row = document.get("data", document) if isinstance(document, dict) else None
    if not isinstance(row, dict) or row.get("id") is None:
        raise SideFailing("OroCRM answered a request for one record without a record.")
    if id is not None and str(row["id"]) != id:
        raise SideFailing("OroCRM answered a request for one record with another one.")
    return jsonapi.sound(row)


def entity_refusal(answer: Answer, entity: Entity) -> OrosyncError:
    """Why a list of an entity is not to be had."""
    name = PLURAL[entity]
    if answer.status == 403:
        return EntityForbidden(
            f"OroCRM does not allow this user to see {name}.",
            entity=entity.value,
            remedy=f"Ask its administrator for the permission to view {name}, or switch them off in the settings.",
        )
    if answer.status == 404:
        return EntityForbidden(
            f"This OroCRM has no {name}.",
            entity=entity.value,
            remedy=f"Ask its administrator for the package with {name}, or switch them off in the settings.",
        )
    rules = "; ".join(_sentence(error) for error in errors_of(answer.document))
    return SideFailing(f"OroCRM refuses the list of {name} (status {answer.status}). {rules}".strip())


def write_refusal(answer: Answer, entity: Entity) -> OrosyncError:
    """Why a write was not carried out. Nothing was applied, whatever comes out of here."""
    status, errors = answer.status, errors_of(answer.document)
    code = str(errors[0].get("title", ""))[:100] if errors else f"status {status}"
    rules = "; ".join(dict.fromkeys(_rules(answer))) or f"status {status}"
    if status == 404:
        return RecordMissing("The record is no longer in OroCRM.", code=code, status=status)
    if status == 403:
        if any(error.get("detail") == TYPE_DENIED for error in errors):
            return EntityForbidden(
                f"OroCRM does not allow this user to write {PLURAL[entity]}.",
                entity=entity.value,
                remedy="Ask its administrator for the permission, or let this entity travel to Outlook only.",
            )
        return RecordRefused("OroCRM does not allow this user to write this record.", code="forbidden", status=403)
    if status == 409:
        return RecordChanged(f"OroCRM reports a conflict: {rules}", code=code, status=status)
    if status >= 500:
        return RecordRefused(
            "OroCRM's database refuses a value (driver exception), most likely one that is too long.",
            code="driver exception",
            status=status,
        )
    return RecordRefused(f"OroCRM refuses the record: {rules}", code=code, status=status)


def is_workflow_refusal(answer: Answer) -> bool:
    """True if a task's status is ruled by a workflow (tasks-error-patch-status-closed-workflow-active)."""
    return answer.status == 400 and any(each.get("title") == WORKFLOW_RULES for each in errors_of(answer.document))


def is_taken_uid(answer: Answer) -> bool:
    """True if the calendar has an event of this uid already (calendarevents-error-duplicate-uid)."""
    return answer.status == 400 and any(
        field == "uid" and "unique" in rule for field, rule in form_errors(answer.document)
    )


def form_errors(document: Any) -> list[tuple[str, str]]:
    """(field, rule) pairs of the old REST API's form tree; the field "" is the whole form."""
    tree = document.get("errors") if isinstance(document, dict) else None
    return list(_walk(tree, "")) if isinstance(tree, dict) else []


def _walk(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(node, dict) or path.count(".") > _DEEPEST_FORM:
        return
    rules, children = node.get("errors"), node.get("children")
    for rule in rules if isinstance(rules, list) else []:
        yield path, _without_values(str(rule))
    children = dict(enumerate(children)) if isinstance(children, list) else children
    for name, child in children.items() if isinstance(children, dict) else ():
        yield from _walk(child, f"{path}.{name}" if path else str(name))


def _rules(answer: Answer) -> list[str]:
    legacy = [f"{field}: {rule}" if field else rule for field, rule in form_errors(answer.document)]
    if legacy:
        return legacy
    return [_sentence(error) for error in errors_of(answer.document)]


def _sentence(error: dict[str, Any]) -> str:
    given = error.get("source")
    source = given if isinstance(given, dict) else {}
    field = (_field(str(source.get("pointer") or "")) or str(source.get("parameter") or ""))[:200]
    rule = _without_values(str(error.get("detail") or error.get("title") or ""))
    return f"{field}: {rule}" if field else rule


def _field(pointer: str) -> str:
    """`/data/attributes/firstName` -> firstName; `/included/0/relationships/country/data` -> addresses.0.country."""
    parts = pointer.strip("/").split("/")
    named = [part for part in parts if part not in _STRUCTURE]
    if parts[0] == "included":
        named.insert(0, "addresses")
    return ".".join(named)


def _without_values(text: str) -> str:
    """OroCRM quotes what it refuses (`"x" is not valid`, `Region A does not belong to country B`); we do not."""
    text = re.sub(r"\"[^\"]*\"", "(a value)", text[:_LONGEST_WORDS])
    return re.sub(r"Region .* does not belong to country .*", "The region does not belong to the country.", text)
