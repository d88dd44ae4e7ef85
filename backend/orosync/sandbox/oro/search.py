"""Searching all over the instance (`/api/search`): by the beginnings of words, whatever their case.

Source: search-contacts. What is indexed is what the search configuration of contacts and sales names: names, titles,
companies, every e-mail address and phone number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from orosync.sandbox.oro import schema
from orosync.sandbox.oro.problems import Problem, Refused
from orosync.sandbox.oro.query import Listing, unsupported
from orosync.sandbox.oro.records import Contact, CrmRecord, OroUser
from orosync.sandbox.oro.state import OroState

_WORDS = re.compile(r"\w+")
_PAGES = {"contacts": "contact", "accounts": "account", "leads": "lead", "opportunities": "opportunity"}


def found(state: OroState, user: OroUser, asked: Listing) -> tuple[list[tuple[str, Any]], bool]:
    """One page of (resource, record), newest first among equals, and whether more follows. Raises `Refused` 400."""
    unknown = [each.parameter for each in asked.conditions if each.field not in ("searchText", "entities")]
    if unknown:
        raise Refused(*(unsupported(name) for name in unknown))
    given = {each.field: each.value for each in asked.conditions}
    kinds = given["entities"].split(",") if given.get("entities") else list(_PAGES)
    for kind in kinds:
        if kind not in _PAGES:
            detail = f'The "{kind}" is not known entity.'
            raise Refused(Problem(400, "filter constraint", detail, parameter="filter[entities]"))
    wanted = _WORDS.findall(given.get("searchText", "").lower())
    rows = [
        (kind, record)
        for kind in kinds
        for record in _records(state, user, kind)
        if all(any(word.startswith(each) for word in _words(record)) for each in wanted)
    ]
    rows.sort(key=lambda row: row[1].id, reverse=True)
    first = (asked.page - 1) * max(asked.size, 0)
    last = None if asked.size < 0 else first + asked.size
    return rows[first:last], last is not None and last < len(rows)


def _records(state: OroState, user: OroUser, kind: str) -> Iterator[Any]:
    table: Any = state.contacts if kind == "contacts" else state.crm[kind]
    resource = schema.resource_named(state, kind)
    for record in table:
        if resource is not None and state.may(user, _PAGES[kind], "view", record.owner):
            yield record


def _words(record: Contact | CrmRecord) -> list[str]:
    texts = [str(value) for value in record.attributes.values()]
    texts += [row.value for row in (*record.emails, *record.phones)]
    return _WORDS.findall(" ".join(texts).lower())


def document(row: tuple[str, Any], base: str | None) -> dict[str, Any]:
    """One result; `base` None leaves the link to the back office out."""
    kind, record = row
    shown: dict[str, Any] = {"type": "search", "id": f"{kind}-{record.id}"}
    if base is not None:
        shown["links"] = {"entityUrl": f"{base.removesuffix('/api')}/{_PAGES[kind]}/view/{record.id}"}
    return shown | {
        "attributes": {"entityName": record.title},
        "relationships": {"entity": {"data": {"type": kind, "id": str(record.id)}}},
    }
