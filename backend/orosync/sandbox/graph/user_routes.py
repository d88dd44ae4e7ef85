"""What requests on the user and the mailbox itself do: profile, settings, zones, translated ids."""

from __future__ import annotations

from orosync.sandbox.graph.call import Call, picked
from orosync.sandbox.graph.ids import IMMUTABLE, MUTABLE, item_id, split_id
from orosync.sandbox.graph.items import KINDS
from orosync.sandbox.graph.wire import JSON, GraphFault, Reply, bad_request
from orosync.sandbox.graph.zones import supported_time_zones

_USER_KNOWN = frozenset(
    [
        "id",
        "userPrincipalName",
        "mail",
        "displayName",
        "givenName",
        "surname",
        "jobTitle",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "businessPhones",
        "otherMails",
        "proxyAddresses",
        "userType",
        "accountEnabled",
        "companyName",
    ]
)


def read_user(call: Call) -> Reply:
    mailbox = call.mailbox
    given, _, surname = mailbox.display_name.rpartition(" ")
    row: JSON = {
        "@odata.context": f"{call.request.base_url}/$metadata#users/$entity",
        "businessPhones": [],
        "displayName": mailbox.display_name,
        "givenName": given or None,
        "jobTitle": None,
        "mail": mailbox.upn,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": mailbox.language,
        "surname": surname or None,
        "userPrincipalName": mailbox.upn,
        "id": mailbox.user_id,
    }
    select = call.selection(_USER_KNOWN, "User")
    return Reply(200, row if select is None else picked(row, (*select, "@odata.context")))


def read_settings(call: Call) -> Reply:
    """The zone has its Windows name here, whatever it is called elsewhere."""
    mailbox = call.mailbox
    return Reply(
        200,
        {
            "@odata.context": call.context("mailboxSettings"),
            "timeZone": mailbox.windows_zone,
            "dateFormat": "dd.MM.yyyy",
            "timeFormat": "HH:mm",
            "language": {"locale": mailbox.language, "displayName": mailbox.language},
            "userPurpose": "user",
            "workingHours": {
                "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                "startTime": "08:00:00.0000000",
                "endTime": "17:00:00.0000000",
                "timeZone": {"name": mailbox.windows_zone},
            },
        },
    )


def list_time_zones(call: Call) -> Reply:
    url = f"{call.request.base_url}/$metadata#Collection(microsoft.graph.timeZoneInformation)"
    return Reply(200, {"@odata.context": url, "value": supported_time_zones()})


def translate_ids(call: Call) -> Reply:
    """Between the two REST forms; failures are reported by id (graph-api.md 8)."""
    body = call.request.json()
    ids, target = body.get("inputIds"), body.get("targetIdType")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 1000:
        raise bad_request("inputIds must hold 1 to 1000 ids.")
    forms = {"restid": MUTABLE, "restimmutableentryid": IMMUTABLE}
    if str(target).lower() not in forms or str(body.get("sourceIdType")).lower() not in forms:
        raise bad_request("Only restId and restImmutableEntryId are translated.")
    rows: list[JSON] = []
    for given in ids:
        row: JSON = {"sourceId": given}
        try:
            row["targetId"] = _translated(call, str(given), forms[str(target).lower()])
        except GraphFault as fault:
            row["errorDetails"] = {"code": fault.code, "message": fault.message}
        rows.append(row)
    url = f"{call.request.base_url}/$metadata#Collection(microsoft.graph.convertIdResult)"
    return Reply(200, {"@odata.context": url, "value": rows})


def _translated(call: Call, given: str, form: str) -> str:
    parts = split_id(given)
    for kind in KINDS if parts else ():
        try:
            item, day = call.store.find(kind, given)
        except GraphFault:
            continue
        return call.store.id_of(item, form == IMMUTABLE, day)
    if parts is None:
        raise bad_request("Id is malformed.", "ErrorInvalidIdMalformed")
    raise GraphFault(404, "ErrorItemNotFound", f"Not found: {item_id(*parts)}")
