"""The e-mail and phone lists of a contact: a list sent replaces the list, one row is primary.

Rows keep their ids as far as the new list goes, as OroCRM updates them in place (audits-list-emails-of-contacts-
updates). Source: contacts-patch-emails-*, contacts-patch-primary-email-*, contacts-error-primary-email-not-in-list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orosync.sandbox.oro.problems import Problem
from orosync.sandbox.oro.records import ListRow
from orosync.sandbox.oro.state import OroState

_MAIL = re.compile(r"[^@\s,;<>()\[\]\"]+@[^@\s,;<>()\[\]\"]+\.[^@\s.,;<>()\[\]\"]+")


@dataclass(frozen=True)
class ListField:
    """Names of one list: `emails` with items `email`, or `phones` with items `phone`."""

    items: str
    item: str
    primary: str
    unknown_primary: str

    @property
    def needs_primary(self) -> Problem:
        """No row, or more than one, is primary."""
        return Problem(400, "contains primary constraint", f"One of the {self.items} must be set as primary.")


EMAILS = ListField("emails", "email", "primaryEmail", "Unknown primary email address.")
PHONES = ListField("phones", "phone", "primaryPhone", "Unknown primary phone number.")
FIELDS = (EMAILS, PHONES)


def apply(
    state: OroState, field: ListField, rows: list[ListRow], attributes: Mapping[str, Any], at: str
) -> tuple[list[ListRow], list[Problem]]:
    """The list after the attributes were written, and what is wrong with it."""
    now = state.primary(rows)
    sent = field.primary in attributes
    primary = _text(attributes.get(field.primary)) if sent else now
    pointer = f"{at}/attributes/{field.items}"
    if attributes.get(field.items) is not None:
        rows = _replaced(state, field, rows, attributes[field.items])
        found = _mark(field, rows, primary, f"{at}/attributes", named=sent)
        if field is EMAILS:
            found += [
                _bad_mail(f"{pointer}/{index}/email")
                for index, row in enumerate(rows)
                if not _MAIL.fullmatch(row.value)
            ]
        if rows or not (sent and primary):
            return rows, found
    if not sent:
        return rows, []
    rows = [ListRow(row.id, row.value, row.primary) for row in rows]
    if primary is None:
        return rows, [field.needs_primary.at(pointer)] if rows else []
    _choose(state, field, rows, primary)
    valid = field is PHONES or _MAIL.fullmatch(primary)
    return rows, [] if valid else [_bad_mail(f"{at}/attributes/{field.primary}")]


def _text(value: Any) -> str | None:
    return (str(value).strip() or None) if value is not None else None


def _bad_mail(pointer: str) -> Problem:
    return Problem(400, "email constraint", "This value is not a valid email address.", pointer)


def _replaced(state: OroState, field: ListField, rows: list[ListRow], sent: Any) -> list[ListRow]:
    values = [str(entry.get(field.item) or "").strip() for entry in sent if isinstance(entry, Mapping)]
    known = [row.id for row in rows] + [0] * len(values)
    return [ListRow(known[index] or state.next(field.item), value) for index, value in enumerate(values)]


def _mark(field: ListField, rows: list[ListRow], primary: str | None, at: str, *, named: bool) -> list[Problem]:
    for row in rows:
        row.primary = row.value == primary
    if not rows or sum(row.primary for row in rows) == 1:
        return []
    found = [field.needs_primary.at(f"{at}/{field.items}")]
    if named and primary is not None and not any(row.primary for row in rows):
        pointer = f"{at}/{field.primary}"
        found.append(Problem(400, "primary item constraint", field.unknown_primary, pointer))
    return found


def _choose(state: OroState, field: ListField, rows: list[ListRow], primary: str) -> None:
    """One in the list becomes primary; one that is not overwrites the present primary in place."""
    chosen = next((row for row in rows if row.value == primary), None)
    if chosen is None:
        chosen = next((row for row in rows if row.primary), None)
        if chosen is None:
            chosen = ListRow(state.next(field.item), primary)
            rows.append(chosen)
        chosen.value = primary
    for row in rows:
        row.primary = row is chosen


def from_texts(state: OroState, attributes: dict[str, Any], emails: list[ListRow], phones: list[ListRow]) -> None:
    """Texts become list entries, and a list without a primary keeps the present one or takes the first."""
    for field, rows in ((EMAILS, emails), (PHONES, phones)):
        if field.items not in attributes:
            continue
        given = attributes[field.items] or ()
        texts = [each[field.item] if isinstance(each, Mapping) else each for each in given]
        attributes[field.items] = [{field.item: text} for text in texts]
        if field.primary not in attributes:
            present = state.primary(rows)
            attributes[field.primary] = present if present in texts else next(iter(texts), None)
