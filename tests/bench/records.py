"""The records that are synced in the benchmark, by number: the same ones for our product, for vdirsyncer and for the
bare loop. About half a kilobyte each, with diacritics, as `sync-engine.md` section 7 measured vdirsyncer with.

Four shapes of one record: what a person types into OroCRM, what one types into Outlook, what goes to each over its API,
and a vCard.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

Json = dict[str, Any]

ENTITIES = ("contact", "task", "event")
FIRST = ("Zoë", "Jürgen", "Ana", "Łukasz", "Chloé", "Søren", "Maria", "Tomáš")
LAST = ("Müller", "Novák", "García", "Lefèvre", "Ångström", "Kowalski", "Smith", "Öztürk")
JOBS = ("Buyer", "Head of purchasing", "Geschäftsführer", "Directrice des ventes")
NOTE = "Met at the fair in Köln; wants the price list for spring, prefers to be called in the morning."
STREET, CITY, CODE = "Kaiserstraße", "Karlsruhe", "76133"


def mixed(count: int) -> dict[str, int]:
    """How many of each entity are in `count` mixed records."""
    tasks = events = count * 3 // 10
    return {"contact": count - tasks - events, "task": tasks, "event": events}


def name_of(number: int) -> tuple[str, str]:
    """First and last name; no two numbers have the same."""
    return FIRST[number % len(FIRST)], f"{LAST[number // 8 % len(LAST)]} {number}"


def _addresses(number: int) -> list[str]:
    return [f"person{number}@customer.example", f"private{number}@mail.example"]


def _phone(number: int) -> str:
    return f"+49 721 {1_000_000 + number}"


def _birthday(number: int) -> str:
    return (date(1950, 1, 1) + timedelta(days=number % 18_000)).isoformat()


def _job(number: int, changed: int) -> str:
    """`changed`: how often somebody has changed it since."""
    return JOBS[number % len(JOBS)] + (f" ({changed})" if changed else "")


# ------------------------------------------------------------------------------------------------ as people type them


def in_oro(entity: str, number: int, today: date) -> Json:
    """For the simulated back office."""
    first, last = name_of(number)
    if entity == "task":
        return {"subject": f"Call {first} {last}", "dueDate": f"{_day(number, today)}T15:00:00Z"}
    if entity == "event":
        start, end = _hours(number)
        day = _day(number, today)
        return {"title": f"Visit {first} {last}", "start": f"{day}T{start}Z", "end": f"{day}T{end}Z", "allDay": False}
    address = {"street": f"{STREET} {number}", "city": CITY, "postalCode": CODE, "country": "DE", "types": ["billing"]}
    return {
        "firstName": first,
        "lastName": last,
        "jobTitle": _job(number, 0),
        "emails": _addresses(number),
        "phones": [_phone(number)],
        "birthday": _birthday(number),
        "description": NOTE,
        "addresses": [address],
    }


def in_outlook(entity: str, number: int, today: date) -> Json:
    """For the simulated mailbox."""
    if entity == "task":
        first, last = name_of(number)
        return {"title": f"Call {first} {last}", "due_by_user": _day(number, today)}
    if entity == "event":
        return _graph_event(number, today)
    return {**_graph_contact(number), "extended": {"primary_phone": _phone(number)}}


def change_in_oro(entity: str, number: int, times: int) -> Json:
    if entity == "contact":
        return {"jobTitle": _job(number, times)}
    return {"subject" if entity == "task" else "title": f"Changed {times} times: {number}"}


def change_in_outlook(entity: str, number: int, times: int) -> Json:
    if entity == "contact":
        return {"jobTitle": _job(number, times)}
    return {"title" if entity == "task" else "subject": f"Changed {times} times: {number}"}


def _day(number: int, today: date) -> date:
    return today + timedelta(days=1 + number % 300)


def _hours(number: int) -> tuple[str, str]:
    hour = 8 + number % 9
    return f"{hour:02}:00:00", f"{hour + 1:02}:00:00"


def _graph_contact(number: int) -> Json:
    first, last = name_of(number)
    shown = f"{first} {last}"
    return {
        "givenName": first,
        "surname": last,
        "displayName": shown,
        "jobTitle": _job(number, 0),
        "emailAddresses": [{"name": shown, "address": each} for each in _addresses(number)],
        "businessAddress": {
            "street": f"{STREET} {number}",
            "city": CITY,
            "postalCode": CODE,
            "countryOrRegion": "Germany",
        },
        "birthday": f"{_birthday(number)}T11:59:00Z",
        "personalNotes": NOTE,
    }


def _graph_event(number: int, today: date) -> Json:
    first, last = name_of(number)
    start, end = ({"dateTime": f"{_day(number, today)}T{hour}", "timeZone": "UTC"} for hour in _hours(number))
    return {"subject": f"Visit {first} {last}", "start": start, "end": end, "isAllDay": False}


# ------------------------------------------------------------------------------------------------ as an API takes them


def to_graph(entity: str, number: int, today: date) -> Json:
    """The body of a request that creates it."""
    if entity == "task":
        return {"title": in_outlook(entity, number, today)["title"]}
    return _graph_event(number, today) if entity == "event" else _graph_contact(number)


def to_oro(entity: str, number: int, today: date) -> Json:
    """The JSON:API document, or the older dialect's body of an event, that creates it."""
    values = in_oro(entity, number, today)
    if entity == "event":
        return values
    if entity == "task":
        relations = {"taskPriority": ("taskpriorities", "normal"), "status": ("taskstatuses", "open")}
        data: Json = {"type": "tasks", "attributes": values, "relationships": _relations(relations)}
        return {"data": data}
    (address,) = values.pop("addresses")
    country, types = address.pop("country"), address.pop("types")
    included: Json = {"type": "contactaddresses", "id": "new0", "attributes": address}
    included["relationships"] = _relations({"country": ("countries", country)}) | {
        "types": {"data": [{"type": "addresstypes", "id": each} for each in types]}
    }
    values |= {"primaryEmail": values["emails"][0], "primaryPhone": values["phones"][0]}
    values |= {"emails": [{"email": each} for each in values["emails"]]}
    values |= {"phones": [{"phone": each} for each in values["phones"]]}
    data = {"type": "contacts", "attributes": values}
    data["relationships"] = {"addresses": {"data": [{"type": "contactaddresses", "id": "new0"}]}}
    return {"data": data, "included": [included]}


def _relations(to: dict[str, tuple[str, str]]) -> Json:
    return {name: {"data": {"type": kind, "id": key}} for name, (kind, key) in to.items()}


def vcard(number: int, changed: int = 0) -> str:
    first, last = name_of(number)
    work, private = _addresses(number)
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:bench-{number}",
        f"N:{last};{first};;;",
        f"FN:{first} {last}",
        "ORG:Customer",
        f"TITLE:{_job(number, changed)}",
        f"EMAIL;TYPE=WORK:{work}",
        f"EMAIL;TYPE=HOME:{private}",
        f"TEL;TYPE=WORK:{_phone(number)}",
        f"TEL;TYPE=CELL:{_phone(number)}9",
        f"ADR;TYPE=WORK:;;{STREET} {number};{CITY};;{CODE};Germany",
        f"BDAY:{_birthday(number)}",
        f"NOTE:{NOTE}",
        "END:VCARD",
    ]
    return "\r\n".join(lines) + "\r\n"
