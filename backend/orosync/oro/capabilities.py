"""What an OroCRM offers to a user, found out by asking: nothing is assumed from a version number.

The answers are plain JSON to be stored and handed to `OroInstance.use`; what mapping makes of them is its own affair.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from orosync.core.records import Entity, Json
from orosync.core.zones import iana_of
from orosync.errors import EntityForbidden, SideFailing, SignInNeeded
from orosync.oro import audit, jsonapi, legacy_rest
from orosync.oro.answers import entity_refusal, one_of, rows_of
from orosync.oro.client import Answer, Dialect, OroClient, api_switched_off

ZONE = "configurationoptions/oro_locale.timezone"  # any user may read it (timezone-of-user-nina)
_MOST_PAGES = 1000  # of a dictionary: an instance that hands out less than a row in a thousand is none
RESOURCES = {Entity.CONTACT: "contacts", Entity.TASK: "tasks"}


def discover(client: OroClient, entities: Collection[Entity]) -> Json:
    """See `SidePort.discover`. Raises SignInNeeded, AccountBlocked, Throttled, Unreachable, SideFailing."""
    who = user(client)
    forbidden = [entity.value for entity in entities if not _may_read(client, entity)]
    contacts = Entity.CONTACT in entities and Entity.CONTACT.value not in forbidden
    tasks = Entity.TASK in entities and Entity.TASK.value not in forbidden
    events = Entity.EVENT in entities and Entity.EVENT.value not in forbidden
    external_id = contacts and has_external_id(client)
    countries, regions = places(client) if contacts else ({}, {})
    return {
        "user_id": who["id"],
        "address": who["email"],
        "zone": zone(client),
        "calendar_id": own_calendar(client) if events else "",
        "version": "7.0.2 or later" if external_id else "",
        "workflow_active": workflow_active(client) if tasks else None,
        "contact_external_id": external_id,
        "audit": audit.may_read(client),
        "countries": countries,
        "regions": regions,
        "forbidden": forbidden,
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


def places(client: OroClient) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Countries by id -> name, regions by id -> [country id, code, name]; each list whole."""
    countries = {str(row["id"]): _attribute(row, "name") for row in _whole_list(client, "countries", ["name"])}
    regions = {
        str(row["id"]): [
            jsonapi.related(row, "country") or "",
            _attribute(row, "code"),
            _attribute(row, "name"),
        ]
        for row in _whole_list(client, "regions", ["code", "name", "country"])
    }
    return countries, regions


def has_external_id(client: OroClient) -> bool:
    """`externalId` came to contacts with 7.0.2; before, the filter is unknown (contacts-error-filter-unknown)."""
    params = {"filter[externalId]": "0", **jsonapi.page(1), **jsonapi.thin("contacts", ["externalId"])}
    return client.get("contacts", params).ok


def workflow_active(client: OroClient) -> bool | None:
    """True if the newest task has a workflow item. Else None: a task may be older than the workflow, or missing."""
    params = {"sort": "-id", **jsonapi.page(1), **jsonapi.thin("tasks", ["subject"])}
    rows = rows_of(client.get("tasks", params))
    if not rows:
        return None
    answer = client.get(legacy_rest.task_path(str(rows[0]["id"])), dialect=Dialect.LEGACY)
    return True if answer.ok and one_of(answer).get("workflowItem") is not None else None


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


def _may_read(client: OroClient, entity: Entity) -> bool:
    answer = probe(client, entity)
    if answer.ok:
        return True
    refusal = entity_refusal(answer, entity)
    if isinstance(refusal, EntityForbidden):
        return False
    raise refusal


def probe(client: OroClient, entity: Entity) -> Answer:
    """The smallest list of an entity; for events the user's own calendar. Raises SideFailing."""
    if entity is Entity.EVENT:
        calendar = client.get(legacy_rest.OWN_CALENDAR, dialect=Dialect.LEGACY)
        if not calendar.ok or not isinstance(calendar.document, dict):
            return calendar
        found = str(calendar.document.get("calendar"))
        if not jsonapi.is_number(found):
            raise SideFailing("OroCRM answered with a calendar whose id is no number.")
        page = legacy_rest.event_page(found, 1)
        return client.get(legacy_rest.EVENTS, page, dialect=Dialect.LEGACY)
    type_ = RESOURCES[entity]
    return client.get(type_, {**jsonapi.page(1), **jsonapi.thin(type_, ["id"])})


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
