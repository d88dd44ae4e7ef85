"""Reading items by id, in batches or by listing the container, and looking for what a create left behind.

Decides what "not there" is: only Graph's word about that very id (graph-api.md 11); every other failure is
"cannot be told", for absence is not deletion (design.md 4, point 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from math import ceil

from orosync.core.exchange import Found, Lookup, NotReadable, NotThere, Reading
from orosync.core.records import Item, Json
from orosync.errors import EntityForbidden, OrosyncError, SideFailing
from orosync.outlook.batch import MOST_PARTS, Answer, send_parts
from orosync.outlook.client import GraphClient
from orosync.outlook.replies import NO_SUCH_ITEM, Reply, read_error
from orosync.outlook.resource import CLOCKS_APART, Resource

LIST_FROM = 100  # more ids than these are cheaper to find in a listing than one by one


def read(client: GraphClient, resource: Resource, ids: Sequence[str]) -> dict[str, Reading]:
    """See `SidePort.read`. Trouble of the whole account comes back as NotReadable of every id it concerns."""
    wanted = list(dict.fromkeys(ids))
    found: dict[str, Reading] = {}
    if len(wanted) > LIST_FROM:
        found = _listed(client, resource, wanted)
    missing = [item_id for item_id in wanted if item_id not in found]
    answers = send_parts(client, [resource.one(item_id) for item_id in missing])
    unseen: list[str] = []
    for item_id, answer in zip(missing, answers, strict=True):
        found[item_id] = reading_of(resource, answer)
        if found[item_id] == NotThere() and resource.anywhere(item_id) is not None:
            unseen.append(item_id)
    found |= _elsewhere(client, resource, unseen)
    return {item_id: found[item_id] for item_id in wanted}


def reading_of(resource: Resource, answer: Answer) -> Reading:
    """What one answer to a read by id says."""
    if not isinstance(answer, Reply):
        return NotReadable(answer)
    if answer.ok:
        if not isinstance(answer.body, dict) or not answer.body.get("id"):
            return NotReadable(SideFailing(f"Microsoft Graph gave a {resource.entity} without an id."))
        return Found(resource.item(answer.body), elsewhere=resource.elsewhere(answer.body))
    if answer.status in {404, 410} and answer.says(NO_SUCH_ITEM):
        return NotThere()
    error = read_error(answer, resource.entity)
    if isinstance(error, EntityForbidden) and answer.code.casefold() == "erroraccessdenied":
        return NotThere(forbidden=True)
    return NotReadable(error)


def _elsewhere(client: GraphClient, resource: Resource, ids: Sequence[str]) -> dict[str, Reading]:
    """Ids that are not in the chosen calendar, looked for in the whole mailbox."""
    parts = [part for item_id in ids if (part := resource.anywhere(item_id)) is not None]
    found: dict[str, Reading] = {}
    for item_id, answer in zip(ids, send_parts(client, parts), strict=True):
        reading = reading_of(resource, answer)
        found[item_id] = Found(reading.item, elsewhere=True) if isinstance(reading, Found) else reading
    return found


def _listed(client: GraphClient, resource: Resource, ids: Sequence[str]) -> dict[str, Reading]:
    """What a listing shows of `ids`; given up where it costs more than asking for the rest by id would."""
    missing = set(ids)
    found: dict[str, Reading] = {}
    for pages, page in enumerate(_shown(client, resource), start=1):
        found |= {native: reading for native, reading in page.items() if native in missing}
        missing -= page.keys()
        if pages >= ceil(len(missing) / MOST_PARTS):
            break
    return found


def listed(client: GraphClient, resource: Resource, wanted: int) -> Iterator[dict[str, Reading]]:
    """See `SidePort.listed`."""
    if wanted > LIST_FROM:
        yield from islice(_shown(client, resource), ceil(wanted / MOST_PARTS))


def _shown(client: GraphClient, resource: Resource) -> Iterator[dict[str, Reading]]:
    """Page by page. Trouble ends it: whoever was not shown is asked for, and tells their own."""
    with suppress(OrosyncError):
        for page in _walk(client, resource, resource.listing()):
            rows = [row for row in page if row.get("id")]
            yield {str(row["id"]): Found(resource.item(row), elsewhere=resource.elsewhere(row)) for row in rows}


def find(client: GraphClient, resource: Resource, lookup: Lookup) -> list[Item]:
    """See `SidePort.find`. With a stamp: the items that carry it. Else: what was created since `lookup.since`, and of
    that only what carries the op's transactionId, if something does. Raises what a failing read means."""
    start = resource.find(lookup)
    if not start or (lookup.stamp is None and lookup.since is None):
        return []
    rows = [
        row
        for page in _walk(client, resource, start)
        for row in page
        if row.get("id") and resource.is_hit(row, lookup) and _is_recent(row, lookup)
    ]
    ours = [row for row in rows if row.get("transactionId") == lookup.op_id]
    rows = sorted(ours or rows, key=lambda row: str(row.get("createdDateTime") or ""))
    return [resource.item(row) for row in rows]


def _is_recent(row: Json, lookup: Lookup) -> bool:
    if lookup.stamp is not None or lookup.since is None:
        return True
    try:
        created = datetime.fromisoformat(str(row.get("createdDateTime")))
    except ValueError:
        return True
    return created >= lookup.since - CLOCKS_APART


def _walk(client: GraphClient, resource: Resource, start: str) -> Iterator[list[Json]]:
    """The pages of a listing. Raises what an answer other than 2xx means, SideFailing for a malformed one."""
    link: str | None = start
    met: set[str] = set()
    while link:
        if link in met:
            raise SideFailing(f"Microsoft Graph's list of {resource.entity}s leads back to itself.")
        met.add(link)
        reply = client.get(link)
        if not reply.ok:
            raise read_error(reply, resource.entity)
        rows = reply.body.get("value") if isinstance(reply.body, dict) else None
        if not isinstance(rows, list):
            raise SideFailing(f"Microsoft Graph gave a list of {resource.entity}s without rows.")
        yield [row for row in rows if isinstance(row, dict)]
        link = str(reply.body.get("@odata.nextLink") or "")
