"""What an OroCRM offers to a user, found out by asking: nothing is assumed from a version number.

The answers are plain JSON to be stored and handed to `OroInstance.use`; what mapping makes of them is its own affair.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from orosync.core.records import Entity, Json
from orosync.core.zones import iana_of
from orosync.errors import EntityForbidden, SideFailing, SignInNeeded
from orosync.oro import audit, jsonapi, legacy_rest
from orosync.oro.answers import entity_refusal, one_of, rows_of
from orosync.oro.at_once import AtOnce
from orosync.oro.client import Answer, Dialect, OroClient, api_switched_off

ZONE = "configurationoptions/oro_locale.timezone"  # any user may read it (timezone-of-user-nina)
_MOST_PAGES = 1000  # of a dictionary: an instance that hands out less than a row in a thousand is none
RESOURCES = {Entity.CONTACT: "contacts", Entity.TASK: "tasks"}


@dataclass(frozen=True, slots=True)
class _Found:
    """What is there of one entity. calendar: id of the own one. workflow: None for unknown."""

    readable: bool = True
    external_id: bool = False
    workflow: bool | None = None
    calendar: str = ""


def discover(client: OroClient, entities: Collection[Entity], at_once: AtOnce | None = None) -> Json:
    """See `SidePort.discover`. Raises SignInNeeded, AccountBlocked, Throttled, Unreachable, SideFailing."""
    at_once = at_once or AtOnce()
    with at_once.questions() as ask:
        who = ask(lambda: user(client))
        contacts = ask(lambda: _contacts(client) if Entity.CONTACT in entities else _Found())
        tasks = ask(lambda: _tasks(client) if Entity.TASK in entities else _Found())
        events = ask(lambda: _events(client) if Entity.EVENT in entities else _Found())
        own_zone = ask(lambda: zone(client))
        audited = ask(lambda: audit.may_read(client))
    found = {Entity.CONTACT: contacts(), Entity.TASK: tasks(), Entity.EVENT: events()}
    addresses = Entity.CONTACT in entities and contacts().readable
    countries, regions = places(client, at_once) if addresses else ({}, {})
    return {
        "user_id": who()["id"],
        "address": who()["email"],
        "zone": own_zone(),
        "calendar_id": events().calendar,
        "version": "7.0.2 or later" if contacts().external_id else "",
        "workflow_active": tasks().workflow,
        "contact_external_id": contacts().external_id,
        "audit": audited(),
        "countries": countries,
        "regions": regions,
        "forbidden": [entity.value for entity in entities if not found[entity].readable],
    }


def readable(client: OroClient) -> bool:
    """True if these credentials can read what is always there, so that a 404 elsewhere means what it says."""
    return client.get(ZONE).ok


def zone(client: OroClient) -> str:
    """The IANA zone in force for the user."""
    answer = client.get(ZONE)
    value = jsonapi.attributes_of(one_of(answer)).get("value") if answer.ok else None
    return str(value) if isinstance(value, str) and iana_of(value) else "UTC"


def own_calendar(client: OroClient) -> str:
    """Id of the user's own calendar; "" without permission (calendar-default-nina)."""
    answer = client.get(legacy_rest.OWN_CALENDAR, dialect=Dialect.LEGACY)
    if not answer.ok or not isinstance(answer.document, dict):
        return ""
    found = str(answer.document.get("calendar") or "")
    return found if jsonapi.is_number(found) else ""


def places(client: OroClient, at_once: AtOnce | None = None) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Countries by id -> name, regions by id -> [country id, code, name]; each list whole."""
    with (at_once or AtOnce()).questions() as ask:
        country_rows = ask(lambda: _whole_list(client, "countries", ["name"]))
        region_rows = ask(lambda: _whole_list(client, "regions", ["code", "name", "country"]))
    countries = {str(row["id"]): _attribute(row, "name") for row in country_rows()}
    regions = {
        str(row["id"]): [
            jsonapi.related(row, "country") or "",
            _attribute(row, "code"),
            _attribute(row, "name"),
        ]
        for row in region_rows()
    }
    return countries, regions


def offers_wsse(client: OroClient) -> bool:
    """True to 6.0. The refusal of an unsigned request names the sign-ins (auth-none); gone from 6.1 on."""
    _, headers, _ = client.get_unsigned("/api/contacts?page[size]=1")
    return headers.get("WWW-Authenticate", "").upper().startswith("WSSE")


def offers_oauth(client: OroClient) -> bool:
    """True if there is a token endpoint: an unknown grant is refused in its own words (oauth2-unknown-grant)."""
    status, answer = client.post_token_form({"grant_type": "none"})
    return status in {400, 401} and isinstance(answer, dict) and "error" in answer


def user(client: OroClient) -> dict[str, str]:
    """{"id", "email"} of the user who asks; the address is "" where the profile is hidden. Raises SignInNeeded."""
    answer = client.get("userprofile")
    if answer.status == 403:  # a role may hide the profile; the own calendar names its owner too
        calendar = client.get(legacy_rest.OWN_CALENDAR, dialect=Dialect.LEGACY)
        if calendar.ok and isinstance(calendar.document, dict) and calendar.document.get("owner"):
            return {"id": str(calendar.document["owner"]), "email": ""}
        raise SignInNeeded(
            "This OroCRM user may not see the own profile, nor an own calendar, so nobody knows who it is.",
            remedy="Ask the administrator of OroCRM for a role with the permission to view and edit the own profile.",
        )
    if not answer.ok:
        raise api_switched_off(client.host)
    row = one_of(answer)
    return {"id": jsonapi.number_of(row), "email": _attribute(row, "email")}


def user_name(client: OroClient) -> str:
    """What the user signs in with; "" where the role hides the profile."""
    answer = client.get("userprofile")
    return _attribute(one_of(answer), "username") if answer.ok else ""


def _attribute(row: Json, name: str) -> str:
    return str(jsonapi.attributes_of(row).get(name) or "")


def _contacts(client: OroClient) -> _Found:
    """`externalId` came to contacts with 7.0.2; before, the filter is unknown (contacts-error-filter-unknown). Where it
    is known, its answer tells that contacts may be read, too."""
    params = {"filter[externalId]": "0", **jsonapi.page(1), **jsonapi.thin("contacts", ["externalId"])}
    external_id = client.get("contacts", params).ok
    return _Found(external_id or _is_allowed(probe(client, Entity.CONTACT), Entity.CONTACT), external_id=external_id)


def _tasks(client: OroClient) -> _Found:
    """The workflow is known to be active if the newest task has a workflow item. Else not: a task may be older than the
    workflow, or missing."""
    answer = client.get("tasks", {"sort": "-id", **jsonapi.page(1), **jsonapi.thin("tasks", ["subject"])})
    if not _is_allowed(answer, Entity.TASK):
        return _Found(readable=False)
    rows = rows_of(answer)
    if not rows:
        return _Found()
    newest = client.get(legacy_rest.task_path(str(rows[0]["id"])), dialect=Dialect.LEGACY)
    return _Found(workflow=True if newest.ok and one_of(newest).get("workflowItem") is not None else None)


def _events(client: OroClient) -> _Found:
    calendar, answer = _probe_events(client)
    allowed = _is_allowed(answer, Entity.EVENT)
    return _Found(allowed, calendar=calendar if allowed else "")


def _is_allowed(answer: Answer, entity: Entity) -> bool:
    if answer.ok:
        return True
    refusal = entity_refusal(answer, entity)
    if isinstance(refusal, EntityForbidden):
        return False
    raise refusal


def probe(client: OroClient, entity: Entity) -> Answer:
    """The smallest list of an entity; for events the user's own calendar. Raises SideFailing."""
    if entity is Entity.EVENT:
        return _probe_events(client)[1]
    type_ = RESOURCES[entity]
    return client.get(type_, {**jsonapi.page(1), **jsonapi.thin(type_, ["id"])})


def _probe_events(client: OroClient) -> tuple[str, Answer]:
    """Id of the own calendar and the smallest list of its events; "" and the calendar's own answer if there is none."""
    calendar = client.get(legacy_rest.OWN_CALENDAR, dialect=Dialect.LEGACY)
    if not calendar.ok or not isinstance(calendar.document, dict):
        return "", calendar
    found = str(calendar.document.get("calendar"))
    if not jsonapi.is_number(found):
        raise SideFailing("OroCRM answered with a calendar whose id is no number.")
    return found, client.get(legacy_rest.EVENTS, legacy_rest.event_page(found, 1), dialect=Dialect.LEGACY)


def _whole_list(client: OroClient, type_: str, fields: list[str]) -> list[dict[str, Any]]:
    """Every row of a dictionary; if the instance hands out less than it has, by pages of what it hands out."""
    params = jsonapi.thin(type_, fields)
    answer = client.get(type_, {"page[size]": "-1", **params}, total=True)
    if not answer.ok:
        return []
    rows = rows_of(answer)
    size, number = len(rows), 1
    while rows and answer.total is not None and len(rows) < answer.total and number < _MOST_PAGES:
        number += 1
        answer = client.get(type_, {**jsonapi.page(size, number), **params}, total=True)
        more = rows_of(answer)
        if not more:
            break
        rows += more
    return rows
