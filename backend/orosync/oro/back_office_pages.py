"""Addresses of records in OroCRM's back office, for people to open.

The path of a contact is recorded (search-contacts: `entityUrl`); the others are the routes of the bundles: crm
SalesBundle (`/lead`, `/opportunity`), AccountBundle (`/account`), CaseBundle (`/case`), task bundle (`/task`), calendar
bundle (`/calendar/event`). Built from ids, because `links.self` is wrong behind some proxies (orocrm-api.md 2).
"""

from __future__ import annotations

_PAGES = {
    "contact": "contact",
    "lead": "lead",
    "account": "account",
    "opportunity": "opportunity",
    "case": "case",
    "task": "task",
    "event": "calendar/event",
}


def page_of(base_url: str, type_: str, id: str) -> str:
    return f"{base_url}/{_PAGES[type_]}/view/{id}"
