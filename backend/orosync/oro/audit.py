"""OroCRM's data audit as a hint: removals, and e-mails and phones written by other API clients, which move no
`updatedAt`.

One request tells all entities. It is written late, can be switched off, and addresses are not in it, so the sweep stays
the ground truth. A row of e-mail or phone that was removed does not say whose it was: that, too, is left to the sweep.
Rules from orocrm-api.md 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from orosync.core.records import Entity
from orosync.errors import SideFailing
from orosync.oro import legacy_rest
from orosync.oro.answers import rows_of
from orosync.oro.client import Answer, Dialect, OroClient
from orosync.oro.jsonapi import instant, moment

PAGE = 200
MOST_PAGES = 5  # beyond that it was an import, and the sweep is the cheaper way to see it

_ENTITIES: Mapping[str, Entity] = {
    "Oro\\Bundle\\ContactBundle\\Entity\\Contact": Entity.CONTACT,
    "Oro\\Bundle\\TaskBundle\\Entity\\Task": Entity.TASK,
    "Oro\\Bundle\\CalendarBundle\\Entity\\CalendarEvent": Entity.EVENT,
}
_ROWS: Mapping[str, str] = {
    "Oro\\Bundle\\ContactBundle\\Entity\\ContactEmail": "emails",
    "Oro\\Bundle\\ContactBundle\\Entity\\ContactPhone": "phones",
}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """at: `...Z`, OroCRM's time. removed: entity and id. row: "emails" or "phones", with the value that was written."""

    id: str
    at: str
    removed: tuple[Entity, str] | None = None
    row: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AuditMark:
    """How far the audit was read: the newest time seen, and id -> time of what lies within the overlap. refused: it may
    not be read after all; it is tried again after the next sweep."""

    newest: str
    seen: Mapping[str, str] = field(default_factory=dict)
    refused: bool = False

    @classmethod
    def from_json(cls, text: Any) -> AuditMark | None:
        """Raises KeyError, TypeError, AttributeError for what this program did not write."""
        if text is None:
            return None
        return cls(str(text["newest"]), dict(text["seen"].items()), bool(text["refused"]))

    def to_json(self) -> dict[str, Any]:
        return {"newest": self.newest, "seen": dict(self.seen), "refused": self.refused}

    def start(self, overlap: timedelta) -> str:
        """From where to read: entries are written late, and not in the order of their times."""
        return instant(datetime.fromisoformat(self.newest) - overlap)

    def fresh(self, entries: list[AuditEntry], overlap: timedelta) -> list[AuditEntry]:
        start = self.start(overlap)
        return [each for each in entries if each.id not in self.seen and each.at >= start]

    def after(self, entries: list[AuditEntry], overlap: timedelta) -> AuditMark:
        newest = max([self.newest, *(each.at for each in entries)])
        start = replace(self, newest=newest).start(overlap)
        seen = {**self.seen, **{each.id: each.at for each in entries}}
        return replace(self, newest=newest, seen={each: at for each, at in seen.items() if at >= start})


def may_read(client: OroClient) -> bool:
    """Raises what the client raises."""
    return _page(client, None, 1, 1).ok


def read_audit(client: OroClient, since: str) -> list[AuditEntry] | None:
    """All entries from then on; of very many only the newest. None: the user may not read it. Raises what the client
    raises."""
    answer = _page(client, since, PAGE, 1)
    if answer.status in {403, 404}:
        return None
    rows = _rows(answer)
    total = len(rows) if answer.total is None else answer.total
    pages = -(-total // PAGE)
    wanted = range(2, pages + 1) if pages <= MOST_PAGES else range(pages, pages + 1)
    for number in wanted:
        rows += _rows(_page(client, since, PAGE, number))
    return [_entry(row) for row in rows]


def _page(client: OroClient, since: str | None, size: int, number: int) -> Answer:
    return client.get(
        legacy_rest.AUDITS, legacy_rest.audit_page(size, number, since=since), dialect=Dialect.LEGACY, total=True
    )


def _rows(answer: Answer) -> list[dict[str, Any]]:
    if not answer.ok:
        raise SideFailing(f"OroCRM refuses the audit log (status {answer.status}).")
    return list(rows_of(answer))


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    number, at, of_class = str(row["id"]), moment(row.get("loggedAt")), str(row.get("objectClass"))
    is_removal = row.get("action") == "remove"
    entity, rows = _ENTITIES.get(of_class), _ROWS.get(of_class)
    removed = (entity, str(row.get("objectId"))) if entity is not None and is_removal else None
    written = (rows, str(row["objectName"])) if rows and not is_removal and row.get("objectName") else None
    return AuditEntry(number, at, removed, written)
