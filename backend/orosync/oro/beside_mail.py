"""Who in OroCRM has an e-mail address, and what there is about that person: contacts, leads, and records around them.

With few requests: one list for contacts and one for leads, whatever the number of addresses, accounts embedded; one
list for each group of records. A type this user may not see is told as forbidden, and the others are shown.

OroCRM compares addresses letter by letter (contacts-list-filter-primaryEmail-case) and keeps them as they were typed
(orocrm-api.md 3). So the lists ask for the usual spellings; for addresses that they do not find the full-text search
is asked, whose index ignores case (search-contacts).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from orosync.core.beside_mail import Amount, Firm, Group, People, Person, Related
from orosync.core.records import Json
from orosync.errors import RecordMissing, RecordRefused, SideFailing
from orosync.oro import jsonapi, legacy_rest
from orosync.oro.answers import one_of, rows_of
from orosync.oro.back_office_pages import page_of
from orosync.oro.client import Answer, Dialect, OroClient

TYPES = {"contact": "contacts", "lead": "leads"}
SHOWN = 20  # records of one group
_PAGE = 100
_SEARCHES = 5  # addresses that the full-text search is asked for, at most
_LONGEST_LIST = 4_000  # characters of one filter as it is sent: web servers take about 8,000 in all
_AHEAD = timedelta(days=60)
_OVER = {"closed", "resolved", "won", "lost", "canceled"}  # statuses of what is done with
_NAMES = ("namePrefix", "firstName", "middleName", "lastName", "nameSuffix")
_FIELDS = {
    "contacts": (*_NAMES, "jobTitle", "emails", "primaryPhone", "accounts", "owner"),
    "leads": (*_NAMES, "name", "companyName", "jobTitle", "emails", "primaryPhone", "account", "owner"),
}
_EMBEDDED = {"contacts": "accounts", "leads": "account"}


# ------------------------------------------------------------------------------------------------ people


def people(client: OroClient, addresses: Sequence[str]) -> People:
    """Everybody who has one of the addresses, contacts first. Raises what the client raises, and SideFailing."""
    rows: dict[str, list[Person]] = {}
    forbidden = []
    for type_ in TYPES:
        found = _with_addresses(client, type_, [each for address in addresses for each in spellings(address)])
        if found is None:
            forbidden.append(type_)
        else:
            rows[type_] = found
    missing = [each for each in addresses if not any(_has(person, each) for some in rows.values() for person in some)]
    for address in missing[:_SEARCHES] if rows else ():
        _search(client, address, rows)
    everybody = [person for some in rows.values() for person in some]
    by_address = {each: tuple(person for person in everybody if _has(person, each)) for each in addresses}
    return People(by_address, tuple(forbidden))


def spellings(address: str) -> list[str]:
    """As it is given, in small letters, and with capitals where a name begins: Anna.Becker@example.com."""
    local, _, domain = address.rpartition("@")
    capitals = re.sub(r"[^\W\d_]+", lambda word: word[0].capitalize(), local.lower())
    return list(dict.fromkeys((address, address.lower(), f"{capitals}@{domain.lower()}")))


def _has(person: Person, address: str) -> bool:
    return any(each.casefold() == address.casefold() for each in person.emails)


def _with_addresses(client: OroClient, type_: str, addresses: list[str]) -> list[Person] | None:
    """None: the user may not see this type."""
    found: dict[str, Person] = {}
    for chunk in _chunks(addresses):
        some = _people_by(client, type_, {"filter[emails]": ",".join(chunk)})
        if some is None:
            return None
        found |= {each.id: each for each in some}
    return list(found.values())


def _chunks(texts: list[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    length = 0
    for text in texts:
        sent = len(quote(f"{text},", safe=""))
        if chunk and length + sent > _LONGEST_LIST:
            yield chunk
            chunk, length = [], 0
        chunk.append(text)
        length += sent
    yield chunk


def _people_by(client: OroClient, type_: str, condition: Mapping[str, str]) -> list[Person] | None:
    resource = TYPES[type_]
    answer = client.get(
        resource,
        {
            **condition,
            "sort": "id",
            "include": _EMBEDDED[resource],
            **jsonapi.thin("accounts", ["name"]),
            **jsonapi.thin(resource, _FIELDS[resource]),
            **jsonapi.page(_PAGE),
        },
    )
    rows = _rows(answer, resource)
    if rows is None:
        return None
    firms = jsonapi.included_by_id(answer.document, "accounts")
    return [_person(client.base_url, type_, row, firms) for row in rows]


def _search(client: OroClient, address: str, rows: dict[str, list[Person]]) -> None:
    """Adds who has the address in another spelling. That the search is not to be had is no error."""
    wanted = ",".join(TYPES[type_] for type_ in rows)
    answer = client.get("search", {"filter[searchText]": address, "filter[entities]": wanted, **jsonapi.page(10)})
    if not answer.ok:
        return
    hits: dict[str, list[str]] = {}
    for row in rows_of(answer):
        type_, number = jsonapi.target_of(row, "entity")
        hits.setdefault(type_, []).append(number)
    for type_, people_so_far in rows.items():
        ids = hits.get(TYPES[type_], [])
        known = {person.id for person in people_so_far}
        found = _people_by(client, type_, jsonapi.ids_filter(ids)) if ids else None
        people_so_far += [each for each in found or () if each.id not in known and _has(each, address)]


def _person(base_url: str, type_: str, row: Json, firms: Mapping[str, Json]) -> Person:
    given = row.get("attributes") or {}
    ids = jsonapi.related_ids(row, "accounts") or [each for each in [jsonapi.related(row, "account")] if each]
    emails = tuple(str(each.get("email") or "") for each in jsonapi.parts_of(given, "emails"))
    name = " ".join(str(given[part]).strip() for part in _NAMES if given.get(part))
    return Person(
        type=type_,
        id=str(row["id"]),
        name=name or str(given.get("name") or "") or next(iter(emails), ""),
        job_title=str(given.get("jobTitle") or ""),
        company=str(given.get("companyName") or ""),
        accounts=tuple(
            Firm(each, str(jsonapi.attributes_of(firms[each]).get("name") or ""), page_of(base_url, "account", each))
            for each in ids
            if each in firms
        ),
        phone=str(given.get("primaryPhone") or ""),
        emails=emails,
        url=page_of(base_url, type_, str(row["id"])),
        owner=jsonapi.related(row, "owner"),
    )


# ------------------------------------------------------------------------------------------------ records around them


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one group is asked for. by: type of the person -> name of the filter. title, due: names of attributes."""

    type: str
    resource: str
    by: Mapping[str, str]
    title: str
    statuses: str
    due: str | None = None
    money: bool = False


_KINDS = (
    _Kind(
        "opportunity",
        "opportunities",
        {"contact": "contact", "lead": "lead"},
        "name",
        "opportunitystatuses",
        due="closeDate",
        money=True,
    ),
    _Kind("lead", "leads", {"contact": "contact"}, "name", "leadstatuses"),
    _Kind("case", "cases", {"contact": "relatedContact"}, "subject", "casestatuses"),
    _Kind(
        "task",
        "tasks",
        {"contact": "activityTargets][contacts", "lead": "activityTargets][leads"},
        "subject",
        "taskstatuses",
        due="dueDate",
    ),
)
_MONEY = ("budgetAmountValue", "budgetAmountCurrency", "closeRevenueValue", "closeRevenueCurrency")


def related(client: OroClient, type_: str, id: str, calendar: str | None, now: datetime) -> list[Group]:
    """Groups that the person's type can have, in a fixed order. calendar: id of the user's own, None if there is none.

    Raises RecordMissing or RecordRefused if the person is not there or not to be seen, and what the client raises.
    """
    emails = _emails_of(client, type_, id)
    groups = [_group(client, kind, kind.by[type_], id) for kind in _KINDS if type_ in kind.by]
    return [*groups, _events(client, type_, id, emails, calendar, now)]


def _emails_of(client: OroClient, type_: str, id: str) -> set[str]:
    resource = TYPES[type_]
    answer = client.get(f"{resource}/{id}", jsonapi.thin(resource, ["emails"]))
    if answer.status == 404:
        raise RecordMissing(f"OroCRM has no {type_} of this id.", code="not_found", status=404)
    if answer.status == 403:
        raise RecordRefused(f"OroCRM does not show you this {type_}.", code="forbidden", status=403)
    if not answer.ok:
        raise SideFailing(f"OroCRM refuses to show a {type_} (status {answer.status}).")
    rows = jsonapi.parts_of(jsonapi.attributes_of(one_of(answer)), "emails")
    return {str(each.get("email") or "").casefold() for each in rows}


def _group(client: OroClient, kind: _Kind, filter_: str, id: str) -> Group:
    fields = [kind.title, "status", *([kind.due] if kind.due else []), *(_MONEY if kind.money else ())]
    answer = client.get(
        kind.resource,
        {
            f"filter[{filter_}]": id,
            "sort": "-id",
            "include": "status",
            **jsonapi.thin(kind.statuses, ["name", "label"]),
            **jsonapi.thin(kind.resource, fields),
            **jsonapi.page(SHOWN + 1),
        },
    )
    rows = _rows(answer, kind.resource)
    if rows is None:
        return Group(kind.type, forbidden=True)
    statuses = jsonapi.included_by_id(answer.document, kind.statuses)
    shown = sorted(rows[:SHOWN], key=lambda row: jsonapi.related(row, "status") in _OVER)
    items = tuple(_related(client.base_url, kind, row, statuses) for row in shown)
    return Group(kind.type, items, more=len(rows) > SHOWN)


def _related(base_url: str, kind: _Kind, row: Json, statuses: Mapping[str, Json]) -> Related:
    given, status = row.get("attributes") or {}, jsonapi.related(row, "status")
    words = (statuses.get(status or "") or {}).get("attributes") or {}
    due = given.get(kind.due) if kind.due else None
    return Related(
        id=str(row["id"]),
        title=str(given.get(kind.title) or ""),
        status=str(words.get("name") or words.get("label") or status or ""),
        url=page_of(base_url, kind.type, str(row["id"])),
        amount=_amount(given) if kind.money else None,
        due=None if due is None else str(due),
    )


def _amount(given: Mapping[str, Any]) -> Amount | None:
    """What came in, else what was hoped for."""
    for name in ("closeRevenue", "budgetAmount"):
        value = given.get(f"{name}Value")
        if value is not None:
            with suppress(TypeError, ValueError, OverflowError):  # what is no amount is not shown
                return Amount(float(value), str(given.get(f"{name}Currency") or ""))
    return None


def _events(client: OroClient, type_: str, id: str, emails: set[str], calendar: str | None, now: datetime) -> Group:
    """Coming events of the user's own calendar that the person attends, or that are linked with the person."""
    if not calendar:
        return Group("event", forbidden=True)
    window = {"calendar": calendar, "start": jsonapi.instant(now), "end": jsonapi.instant(now + _AHEAD)}
    answer = client.get(legacy_rest.EVENTS, window, dialect=Dialect.LEGACY)
    rows = _rows(answer, "calendar events")
    if rows is None:
        return Group("event", forbidden=True)
    own = [row for row in rows if row.get("calendarAlias") != "tasks"]  # tasks stand in every such list
    linked = _linked_events(client, type_, id) if any(not _attends(row, emails) for row in own) else set()
    found: dict[str, Json] = {}
    for row in sorted(own, key=lambda row: str(row.get("start"))):
        if str(row["id"]) in linked or _attends(row, emails):
            found.setdefault(str(row["id"]), row)  # of a series the next one
    items = tuple(_event(client.base_url, row) for row in list(found.values())[:SHOWN])
    return Group("event", items, more=len(found) > SHOWN)


def _attends(row: Json, emails: set[str]) -> bool:
    attendees = jsonapi.parts_of(row, "attendees")
    return any(str(each.get("email") or "").casefold() in emails - {""} for each in attendees)


def _linked_events(client: OroClient, type_: str, id: str) -> set[str]:
    """Ids of events that somebody linked with the person (activities-targets-contact)."""
    answer = client.get(f"activities/targets/{TYPES[type_]}/{id}", dialect=Dialect.LEGACY)
    if not answer.ok or not isinstance(answer.document, list):
        return set()
    rows = jsonapi.parts_of({"targets": answer.document}, "targets")
    return {str(row.get("id")) for row in rows if str(row.get("entity")).endswith("CalendarEvent")}


def _event(base_url: str, row: Json) -> Related:
    number, start = str(row["id"]), row.get("start")
    due = legacy_rest.zulu(start) if isinstance(start, str) else None
    return Related(number, str(row.get("title") or ""), "", page_of(base_url, "event", number), due=due)


def _rows(answer: Answer, name: str) -> list[Json] | None:
    """None: the user may not see this type, or this OroCRM has none of it."""
    if answer.status in {403, 404}:
        return None
    if not answer.ok:
        raise SideFailing(f"OroCRM refuses the list of {name} (status {answer.status}).")
    return rows_of(answer)
