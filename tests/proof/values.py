"""The fields that people edit in the stories: how each looks on both sides, told without the program's own mappings.

Every value is unique in its story: it carries a number of six digits or a date of its own, so that it can be looked for
wherever it may have got to (`traces`). Only choices from a short list (a priority, a status) are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from orosync.core.records import Entity, Side

Row = Mapping[str, Any]  # an item as a simulator shows it
FIRST = 100_000  # the number of a story's first value
_FAX, _LINES, _EMAILS = "fax", 3, 3


@dataclass(frozen=True)
class Field:
    """make: the value with a number, given the present one. change: what a person types in on a side. seen: what stands
    there. unique: the value can be looked for. exact: of two edits one wins whole (texts and sets merge). held: what of
    OroCRM's value Outlook can hold."""

    name: str
    make: Callable[[int, Any], Any]
    change: Mapping[Side, Callable[[Any], dict[str, Any]]]
    seen: Mapping[Side, Callable[[Row], Any]]
    unique: bool = True
    exact: bool = True
    held: Callable[[Any], Any] = lambda value: value


_TRACE = re.compile(r"(?<!\d)(?:19[0-4]\d|20[3-9]\d)-\d\d-\d\d|(?<!\d)\d{4}-\d\d-\d\dT\d\d:\d\d|(?<!\d)\d{6}(?!\d)")


def traces(text: str) -> set[str]:
    """All numbers and dates of people's values in a text."""
    return set(_TRACE.findall(text))


def _both(seen: Callable[[Row], Any], other: Callable[[Row], Any]) -> dict[Side, Callable[[Row], Any]]:
    return {Side.OUTLOOK: seen, Side.ORO: other}


def _plain(name: str, words: str, outlook: str, oro: str) -> Field:
    return Field(
        name,
        lambda number, _now: f"{words}{number}",
        {Side.OUTLOOK: lambda value: {outlook: value}, Side.ORO: lambda value: {oro: value}},
        _both(lambda row: row.get(outlook) or None, lambda row: row[oro] or None),
    )


def _note_make(number: int, now: Any) -> str:
    """One of its lines is another; unchanged ones lie in between, so that two people's lines can be merged."""
    lines = str(now).split("\n") if now else [f"note {number}", *["-"] * (2 * _LINES - 2)]
    lines[number % _LINES * 2] = f"note {number}"
    return "\n".join(lines)


def _note_seen(text: Any) -> str | None:
    lines = re.findall(r"note \d{6}|-(?!\d)", re.sub(r"<[^>]*>", "\n", str(text or "")))
    return "\n".join(lines) or None


def _note(outlook: Callable[[str], dict[str, Any]], seen: Callable[[Row], Any]) -> Field:
    return Field(
        "description",
        _note_make,
        {Side.OUTLOOK: outlook, Side.ORO: lambda value: {"description": value}},
        _both(lambda row: _note_seen(seen(row)), lambda row: _note_seen(row["description"])),
        exact=False,
    )


def _body(value: str) -> dict[str, Any]:
    return {"body": {"contentType": "text", "content": value}}


def _content(row: Row) -> Any:
    return (row.get("body") or {}).get("content")


def _emails_make(number: int, now: Any) -> tuple[str, ...]:
    """One more, while Outlook can hold it; else the last is exchanged."""
    return (*tuple(now or ())[:2], f"m{number}@example.com")


def _day(first: date, number: int) -> str:
    return (first + timedelta(days=number - FIRST)).isoformat()


def _moment(number: int) -> str:
    return (datetime(2027, 2, 1) + timedelta(minutes=7 * (number - FIRST))).isoformat()  # noqa: DTZ001 - UTC by itself


def _times_in_outlook(value: str) -> dict[str, Any]:
    end = (datetime.fromisoformat(value) + timedelta(hours=1)).isoformat()
    return {name: {"dateTime": each, "timeZone": "UTC"} for name, each in (("start", value), ("end", end))}


def _times_in_oro(value: str) -> dict[str, Any]:
    end = (datetime.fromisoformat(value) + timedelta(hours=1)).isoformat()
    return {"start": f"{value}Z", "end": f"{end}Z"}


def _choice(name: str, outlook: str, oro: str, words: Mapping[str, str]) -> Field:
    """words: OroCRM's by Outlook's."""
    told = list(words)
    return Field(
        name,
        lambda number, _now: told[number % len(told)],
        {Side.OUTLOOK: lambda value: {outlook: value}, Side.ORO: lambda value: {oro: words[value]}},
        _both(lambda row: row[outlook], lambda row: next((a for a, b in words.items() if b == row[oro]), None)),
        unique=False,
    )


FIELDS: Mapping[Entity, tuple[Field, ...]] = {
    Entity.CONTACT: (
        _plain("name", "Ada", "givenName", "firstName"),
        _plain("job_title", "job ", "jobTitle", "jobTitle"),
        _note(lambda value: {"personalNotes": value}, lambda row: row.get("personalNotes")),
        Field(
            "emails",
            _emails_make,
            {
                Side.OUTLOOK: lambda value: {"emailAddresses": [{"name": each, "address": each} for each in value]},
                Side.ORO: lambda value: {"emails": [{"email": each} for each in value], "primaryEmail": value[0]},
            },
            _both(
                lambda row: tuple(each["address"] for each in row.get("emailAddresses") or ()),
                lambda row: tuple(row["emails"]),
            ),
            exact=False,
            held=lambda value: value[:_EMAILS],
        ),
        Field(
            "birthday",
            lambda number, _now: _day(date(1900, 1, 1), number),
            {
                Side.OUTLOOK: lambda value: {"birthday": f"{value}T11:59:00Z"},
                Side.ORO: lambda value: {"birthday": value},
            },
            _both(
                lambda row: (row.get("birthday") or "")[:10] or None,
                lambda row: str(row["birthday"])[:10] if row["birthday"] else None,
            ),
        ),
        Field(
            "fax",
            lambda number, _now: f"{number} fax",
            {
                Side.OUTLOOK: lambda value: {"extended": {_FAX: value}},
                Side.ORO: lambda value: {"fax": value},
            },
            _both(lambda row: row["extended"].get(_FAX) or None, lambda row: row["fax"] or None),
        ),
    ),
    Entity.TASK: (
        _plain("subject", "task ", "title", "subject"),
        _choice("priority", "importance", "taskPriority", {each: each for each in ("low", "normal", "high")}),
        _choice(
            "status", "status", "status", {"notStarted": "open", "inProgress": "in_progress", "completed": "closed"}
        ),
        Field(
            "due_date",
            lambda number, _now: _day(date(2030, 1, 1), number),
            {
                Side.OUTLOOK: lambda value: {"dueDateTime": {"dateTime": f"{value}T00:00:00", "timeZone": "UTC"}},
                Side.ORO: lambda value: {"dueDate": f"{value}T12:00:00Z"},
            },
            _both(
                lambda row: ((row.get("dueDateTime") or {}).get("dateTime") or "")[:10] or None,
                lambda row: row["dueDate"].date().isoformat() if row["dueDate"] else None,
            ),
        ),
        _note(_body, _content),
    ),
    Entity.EVENT: (
        _plain("title", "event ", "subject", "title"),
        Field(
            "time",
            lambda number, _now: _moment(number),
            {Side.OUTLOOK: _times_in_outlook, Side.ORO: _times_in_oro},
            _both(lambda row: row["start"]["dateTime"][:19], lambda row: row["start"][:19]),
        ),
        _note(_body, _content),
    ),
}
NAME_OF: Mapping[Entity, str] = {Entity.CONTACT: "name", Entity.TASK: "subject", Entity.EVENT: "title"}


def field_of(entity: Entity, name: str) -> Field:
    return next(each for each in FIELDS[entity] if each.name == name)


def look(entity: Entity, side: Side, row: Row) -> dict[str, Any]:
    """All fields of one item, in words that are the same for both sides."""
    return {each.name: each.seen[side](row) for each in FIELDS[entity]}
