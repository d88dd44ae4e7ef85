"""Believable people, tasks and events for both simulated systems, the same every time for one seed.

Each record stands in one place only, or in both with small differences, and every trap that real data has is among
them: duplicates, private items, meetings, five e-mail addresses, untyped addresses, notes in HTML, leap days. What a
first sync should make of it is counted in `Expected`, from how the records were made, not from any rule of a sync.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from orosync.sandbox.crm_seed import fill_crm
from orosync.sandbox.graph import GraphSandbox, Mailbox
from orosync.sandbox.oro import BackOffice, OroSandbox
from orosync.sandbox.people import EVENTS, TASKS, Person, people

MAILBOX = "anna.becker@contoso.example"
USER = "anna"
ZONE = "Europe/Berlin"


@dataclass
class Expected:
    """Of one entity: records that stand on one side alone, pairs, and Outlook's that nobody may take over."""

    only_in_oro: int = 0
    only_in_outlook: int = 0
    pairs: int = 0
    private: int = 0
    spare: int = 0  # a second item in Outlook with the match key of a pair


@dataclass
class SeededPeople:
    """Who was made, how to sign in as them, and what is in their books ("contact", "task", "event")."""

    upn: str
    oro_user: str
    api_key: str = field(repr=False)
    token: str = field(repr=False)
    expected: dict[str, Expected] = field(default_factory=dict)
    ids: dict[str, dict[str, Any]] = field(default_factory=dict)


class Halves:
    """The two sides a record is put on. A process that simulates one system alone leaves the other away."""

    def __init__(self, mailbox: Mailbox | None, office: BackOffice | None, today: date) -> None:
        self.mailbox, self.office, self.today = mailbox, office, today

    def outlook(self, kind: Any, item: dict[str, Any]) -> str | None:
        return None if self.mailbox is None else self.mailbox.user_create(kind, item)

    def oro(self, kind: str, values: dict[str, Any]) -> int | None:
        return None if self.office is None else self.office.create(kind, values)


def seed(
    graph: GraphSandbox, oro: OroSandbox, *, contacts: int = 40, tasks: int = 15, events: int = 15, seed: int = 7
) -> SeededPeople:
    """Fill both. Each number is of different records; a pair counts once, duplicates and private items come on top."""
    made = SeededPeople(MAILBOX, USER, api_key_of(seed), "")
    mailbox, office = add_mailbox(graph), add_user(oro, seed)
    made.token = graph.issue_token(MAILBOX, expires_in=30 * 24 * 3600)
    halves = Halves(mailbox, office, graph.clock().astimezone(ZoneInfo(ZONE)).date())
    fill(halves, made, contacts=contacts, tasks=tasks, events=events, seed=seed)
    _invite(oro, made, halves.today)
    return made


def add_mailbox(graph: GraphSandbox) -> Mailbox:
    return graph.add_mailbox(MAILBOX, display_name="Anna Becker", time_zone=ZONE)


def add_user(oro: OroSandbox, seed: int) -> BackOffice:
    """Anna, and Bob who invites her. Returns Anna's back office."""
    oro.add_user(USER, email=MAILBOX, first_name="Anna", last_name="Becker", api_key=api_key_of(seed), time_zone=ZONE)
    oro.add_user("bob", email="bob@contoso.example", first_name="Bob", last_name="Fischer")
    return oro.back_office_as(USER)


def api_key_of(seed: int) -> str:
    return f"{random.Random(f'key {seed}').getrandbits(160):040x}"


def fill(halves: Halves, made: SeededPeople, *, contacts: int, tasks: int, events: int, seed: int) -> None:
    """Put the records on the sides that are there. The same calls with one side alone make that side the same."""
    for kind, count, fill_kind in (
        ("contact", contacts, _contacts),
        ("task", tasks, _tasks),
        ("event", events, _events),
    ):
        made.expected[kind] = Expected()
        made.ids[kind] = {}
        fill_kind(halves, made, count, random.Random(f"{seed} {kind}"))
    if halves.office is not None:
        known, todo = (_in_oro(made.ids[kind]) for kind in ("contact", "task"))
        fill_crm(halves.office, known, todo, halves.today, seed)


def _in_oro(ids: dict[str, Any]) -> list[int]:
    return sorted([*ids.get("oro_oro", []), *ids.get("oro_both", [])])


def _where(count: int) -> Iterator[str]:
    """Two of five in OroCRM alone, two in Outlook alone, one in both."""
    order = ("oro", "outlook", "both", "oro", "outlook")
    return (order[index % 5] for index in range(count))


def _place(
    halves: Halves,
    made: SeededPeople,
    kind: str,
    where: str,
    oro: Callable[[], dict[str, Any]],
    outlook: Callable[[], dict[str, Any]],
) -> None:
    expected, ids = made.expected[kind], made.ids[kind]
    expected.only_in_oro += where == "oro"
    expected.only_in_outlook += where == "outlook"
    expected.pairs += where == "both"
    if where in {"oro", "both"}:
        ids.setdefault(f"oro_{where}", []).append(halves.oro(kind, oro()))
    if where in {"outlook", "both"}:
        ids.setdefault(f"outlook_{where}", []).append(halves.outlook(kind, outlook()))


# ------------------------------------------------------------------------------------------------ contacts


def _contacts(halves: Halves, made: SeededPeople, count: int, chance: random.Random) -> None:
    for index, (person, where) in enumerate(zip(people(count), _where(count), strict=True)):
        number = chance.randrange(100)
        birthday = _birthday(index, chance)
        place = chance.choice(person.country.places).split("|")
        arguments = (person, index, number, birthday, place)
        _place(
            halves,
            made,
            "contact",
            where,
            partial(_oro_contact, *arguments),
            partial(_outlook_contact, *arguments),
        )
        if where == "both" and index == 2:  # a copy that somebody once made by hand
            halves.outlook("contact", _outlook_contact(*arguments))
            made.expected["contact"].spare += 1


def _birthday(index: int, chance: random.Random) -> date | None:
    if index % 3 == 1:
        return None
    return date(1984, 2, 29) if index == 0 else date(1950, 1, 1) + timedelta(days=chance.randrange(18_000))


def _phone(person: Person, number: int) -> str:
    pattern = person.country.phone
    return pattern.format(number // 10 % 10, number) if pattern.count("{") == 2 else pattern.format(number)


def _oro_contact(person: Person, index: int, number: int, birthday: date | None, place: list[str]) -> dict[str, Any]:
    domain, login = person.country.domain, person.login
    city, code, street, region = place
    address = {"street": street, "city": city, "postalCode": code, "country": person.country.id}
    address |= {"region": region} if region else {}
    values: dict[str, Any] = {
        "firstName": person.first,
        "lastName": person.last,
        "gender": person.gender,
        "jobTitle": person.country.jobs[index % len(person.country.jobs)],
        "emails": [f"{login}@{domain}"],
        "phones": [_phone(person, number)],
        "addresses": [{**address, "types": ["billing"]}],
    }
    if birthday is not None:
        values["birthday"] = birthday.isoformat()
    if index % 5 == 0:  # more than Outlook can hold, and notes as the back office's editor writes them
        values["emails"] += [
            f"{login}@mail.example",
            f"{login}.privat@mail.example",
            f"sales+{login}@{domain}",
            f"info.{login}@{domain}",
        ]
        values["phones"] += [_phone(person, (number + 1) % 100), _phone(person, (number + 2) % 100)]
        note = person.country.notes[index % 2].replace("\n", "</p><p>")
        values["description"] = f"<p><strong>{person.first}:</strong> {note}</p><ul><li>A</li><li>B &amp; C</li></ul>"
    elif index % 2:
        values["description"] = f"<p>{person.country.notes[index % 2]}</p>"
    if index % 4 == 3:
        values["addresses"].append({**address, "street": f"{street} (2)", "types": []})
        values["fax"] = _phone(person, (number + 7) % 100)
    if index % 6 == 0:
        values["addresses"].append({**address, "street": f"{street} (3)", "types": ["shipping"]})
    return values


def _outlook_contact(
    person: Person, index: int, number: int, birthday: date | None, place: list[str]
) -> dict[str, Any]:
    domain, login = person.country.domain, person.login
    city, code, street, _ = place
    shown = f"{person.first} {person.last}"
    extended = {"gender": "2" if person.gender == "male" else "1", "primary_phone": _phone(person, number)}
    item: dict[str, Any] = {
        "givenName": person.first,
        "surname": person.last,
        "displayName": shown,
        "jobTitle": person.country.jobs[(index + 1) % len(person.country.jobs)],
        "emailAddresses": [{"name": shown, "address": f"{login}@{domain}"}],
        "businessAddress": {"street": street, "city": city, "postalCode": code, "countryOrRegion": person.country.name},
        "mobilePhone": _phone(person, (number + 3) % 100),
        "personalNotes": person.country.notes[index % 2],
        "categories": ["Kunden"] if index % 3 == 0 else [],
        "extended": extended,
    }
    if birthday is not None:  # Outlook's clients store a birthday as this instant
        item["birthday"] = f"{birthday.isoformat()}T11:59:00Z"
    if index % 3 == 0:
        item["emailAddresses"].append({"name": shown, "address": f"{login}@mail.example"})
    return item


# ------------------------------------------------------------------------------------------------ tasks

_PRIORITIES = ("low", "normal", "high")
_ORO_STATUSES = ("open", "in_progress", "closed")
_GRAPH_STATUSES = ("notStarted", "inProgress", "completed", "waitingOnOthers", "deferred")
_GRAPH_LIKE = {"open": "notStarted", "in_progress": "waitingOnOthers", "closed": "completed"}


def _named(names: tuple[str, ...], index: int) -> str:
    again = index // len(names)
    return names[index % len(names)] + (f" ({again + 1})" if again else "")


def _tasks(halves: Halves, made: SeededPeople, count: int, chance: random.Random) -> None:
    for index, where in zip(range(count), _where(count), strict=True):
        subject, priority = _named(TASKS, index), _PRIORITIES[index % 3]
        due = halves.today + timedelta(days=chance.randrange(-10, 40))
        status = _ORO_STATUSES[chance.randrange(3)]
        graph_status = _GRAPH_LIKE[status] if where == "both" else _GRAPH_STATUSES[index // 3 % 5]

        oro = partial(_oro_task, subject, priority, due, status)
        outlook = partial(_outlook_task, subject, priority, due, graph_status)
        _place(halves, made, "task", where, oro, outlook)


def _oro_task(subject: str, priority: str, due: date, status: str) -> dict[str, Any]:
    moment = datetime(due.year, due.month, due.day, 17, tzinfo=ZoneInfo(ZONE)).astimezone(ZoneInfo("UTC"))
    values = {"subject": subject, "taskPriority": priority, "status": status, "dueDate": _stamp(moment)}
    return values | {"description": "<p>Siehe <em>Akte</em></p>"}


def _outlook_task(subject: str, priority: str, due: date, status: str) -> dict[str, Any]:
    item = {"title": subject, "importance": priority, "status": status, "due_by_user": due}
    return item | {"body": {"contentType": "text", "content": "Notiz nur in Outlook"}}


# ------------------------------------------------------------------------------------------------ events

_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC", "Australia/Sydney")


def _events(halves: Halves, made: SeededPeople, count: int, chance: random.Random) -> None:
    for index, where in zip(range(count), _where(count), strict=True):
        day = halves.today + timedelta(days=chance.randrange(1, 60))
        hour, zone = 8 + chance.randrange(9), ZoneInfo(_ZONES[index % len(_ZONES)])
        title = _named(EVENTS, index)
        whole = index % 5 == 3 or title.startswith(("Trade fair", "Planning day"))
        start = datetime(day.year, day.month, day.day, hour, 30 * (index % 2), tzinfo=zone)

        oro = partial(_oro_event, title, start, whole=whole)
        outlook = partial(_outlook_event, title, start, whole=whole, meeting=index % 5 == 1)
        _place(halves, made, "event", where, oro, outlook)
    _private_events(halves, made)
    _received_meeting(halves, made)


def _oro_event(title: str, start: datetime, *, whole: bool) -> dict[str, Any]:
    values: dict[str, Any] = {"title": title, "allDay": whole, "description": "<p>Raum 3</p>"}
    if whole:
        return values | {"start": start.date().isoformat(), "end": start.date().isoformat()}
    utc = start.astimezone(ZoneInfo("UTC"))
    return values | {"start": _stamp(utc), "end": _stamp(utc + timedelta(hours=1))}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _outlook_event(title: str, start: datetime, *, whole: bool, meeting: bool = False) -> dict[str, Any]:
    item: dict[str, Any] = {"subject": title, "location": {"displayName": "Büro Anna"}, "showAs": "busy"}
    if whole:
        day = start.date()
        moments = [f"{each.isoformat()}T00:00:00" for each in (day, day + timedelta(days=1))]
        zone = "UTC"
    else:
        moments = [each.replace(tzinfo=None).isoformat() for each in (start, start + timedelta(hours=1))]
        zone = str(start.tzinfo)
    item |= {"isAllDay": whole, "start": {"dateTime": moments[0], "timeZone": zone}}
    item |= {"end": {"dateTime": moments[1], "timeZone": zone}}
    if meeting:
        guests = (("Käthe Weiß", "kweiss@example.de"), ("Tom Lee", "tlee@example.com"))
        item["attendees"] = [
            {"emailAddress": {"name": name, "address": address}, "type": "required"} for name, address in guests
        ]
    return item


def _private_events(halves: Halves, made: SeededPeople) -> None:
    day = halves.today + timedelta(days=4)
    for hour, sensitivity, title in ((8, "private", "Zahnarzt"), (18, "confidential", "Salary review")):
        start = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(ZONE))
        halves.outlook("event", {**_outlook_event(title, start, whole=False), "sensitivity": sensitivity})
        made.expected["event"].private += 1


def _received_meeting(halves: Halves, made: SeededPeople) -> None:
    """Somebody outside the company invited Anna: the meeting is in her calendar, and not hers."""
    made.expected["event"].only_in_outlook += 1
    if halves.mailbox is not None:
        day = halves.today + timedelta(days=6)
        start = datetime(day.year, day.month, day.day, 15, tzinfo=ZoneInfo("Europe/Paris"))
        item = _outlook_event("Point hebdomadaire fournisseur", start, whole=False)
        halves.mailbox.receive_invitation(
            "elefevre@example.fr", item, organizer_name="Élodie Lefèvre", response="accepted"
        )


def _invite(oro: OroSandbox, made: SeededPeople, today: date) -> None:
    """Bob invites Anna in OroCRM: her calendar gets a copy that nobody can write to."""
    day = today + timedelta(days=9)
    start = datetime(day.year, day.month, day.day, 10, tzinfo=ZoneInfo("UTC"))
    guest = {"displayName": "Anna Becker", "email": MAILBOX, "type": "required", "status": "none"}
    host = {"displayName": "Bob Fischer", "email": "bob@contoso.example", "type": "organizer", "status": "accepted"}
    values = _oro_event("Pipeline review with Bob", start, whole=False) | {"attendees": [host, guest]}
    oro.back_office_as("bob").create("event", values)
    made.expected["event"].only_in_oro += 1
