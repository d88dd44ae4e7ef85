"""One request on its way to a resource, and the two shapes of collection replies: lists and delta rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from orosync.sandbox.graph.changes import ChangeLog, Round
from orosync.sandbox.graph.items import Container, Item, Kind, Occurrence
from orosync.sandbox.graph.odata import (
    Expansion,
    Getter,
    parse_expand,
    parse_filter,
    parse_select,
    sorted_by,
    whole_number,
)
from orosync.sandbox.graph.properties import shown
from orosync.sandbox.graph.wire import JSON, GraphFault, GraphRequest, Preference, Reply, bad_request

if TYPE_CHECKING:
    from orosync.sandbox.graph.mailbox import Mailbox
    from orosync.sandbox.graph.sandbox import GraphSandbox
    from orosync.sandbox.graph.settings import GraphSettings
    from orosync.sandbox.graph.store import MailStore

_ALWAYS = ("@odata.etag", "id")


class Fields(NamedTuple):
    """What a type can be filtered and ordered by, and how one of its properties is read."""

    known: frozenset[str]
    get: Getter


@dataclass(slots=True)
class Call:
    """A request with its mailbox and the ids of its path, in order."""

    graph: GraphSandbox
    mailbox: Mailbox
    request: GraphRequest
    prefer: Preference
    ids: tuple[str, ...]

    @property
    def store(self) -> MailStore:
        return self.mailbox.store

    @property
    def settings(self) -> GraphSettings:
        return self.graph.settings

    def expansion(self, allowed: frozenset[str]) -> Expansion:
        """`$expand` of this request; raises GraphFault 400 for collections the type does not have."""
        text = self.request.query.get("$expand")
        if text is None:
            return Expansion()
        found = parse_expand(text)
        unknown = found.collections - allowed
        if unknown or (found.properties and "singleValueExtendedProperties" not in allowed):
            raise bad_request(
                f"Parsing OData Select and Expand failed: {sorted(unknown) or 'singleValueExtendedProperties'}.",
                "RequestBroker--ParseUri",
            )
        return found

    def selection(self, known: frozenset[str], type_name: str) -> tuple[str, ...] | None:
        text = self.request.query.get("$select")
        return None if text is None else parse_select(text, known, type_name)

    def check_version(self, etag: str) -> None:
        """If-Match, where it is honoured (graph-api.md 9: not established). Raises GraphFault 412."""
        wanted = self.request.headers.get("if-match")
        if wanted is None or not self.settings.if_match_honoured:
            return
        if wanted not in {"*", etag, etag.removeprefix("W/")}:
            raise GraphFault(
                412,
                "ErrorIrresolvableConflict",
                "The send or update operation could not be performed because the change key passed in the request"
                " does not match the current change key for the item.",
            )

    def context(self, fragment: str) -> str:
        return f"{self.request.base_url}/$metadata#users('{quote(self.mailbox.upn)}')/{fragment}"

    def link(self, query: dict[str, str]) -> str:
        """An absolute link to this resource on the host the request came to."""
        return f"{self.request.base_url}{quote(self.request.path)}?{urlencode(query, quote_via=quote, safe='$')}"


def picked(row: JSON, select: tuple[str, ...] | None) -> JSON:
    """The selected members; id and etag always come along."""
    if select is None:
        return row
    names = (*_ALWAYS, *select)
    return {name: row[name] for name in names if name in row}


def item_row(
    call: Call, item: Item, select: tuple[str, ...] | None, expand: Expansion, day: Occurrence | None = None
) -> JSON:
    """A reply's row with what `$select` and `$expand` ask for."""
    row = picked(call.mailbox.render(item, call.prefer, day), select)
    if expand.properties:
        properties = shown(item.extended, expand.properties)
        if properties:
            row["singleValueExtendedProperties"] = properties
    if "linkedResources" in expand.collections:
        row["linkedResources"] = item.links
    return row


def list_reply(
    call: Call,
    fragment: str,
    items: Iterable[Any],
    fields: Fields,
    row: Callable[[Any], JSON],
) -> Reply:
    """A page of a list with `$filter`, `$orderby`, `$top`, `$skip`, `$count`, and a nextLink when there is more."""
    query = call.request.query
    if "$search" in query:
        raise bad_request("$search is not supported on this resource.", "ErrorInvalidUrlQuery")
    top = whole_number(query, "$top", call.prefer.page_size or call.settings.default_top, call.settings.max_top)
    skip = whole_number(query, "$skip", 0)
    wanted = query.get("$filter")
    if wanted is not None:
        keep = parse_filter(wanted, fields.known)
        items = [item for item in items if keep(item, fields.get)]
    if "$orderby" in query:
        items = sorted_by(items, query["$orderby"], fields.known, fields.get)
    body: JSON = {"@odata.context": call.context(fragment)}
    if query.get("$count", "").lower() == "true":
        items = list(items)
        body["@odata.count"] = len(items)
    page = list(islice(items, skip, skip + top + 1))
    body["value"] = [row(item) for item in page[:top]]
    if len(page) > top:
        body["@odata.nextLink"] = call.link({**query, "$top": str(top), "$skip": str(skip + top)})
    return Reply(200, body)


def delta_reply(
    call: Call,
    fragment: str,
    key: tuple[Any, ...],
    log: ChangeLog,
    *,
    first: Callable[[], tuple[Any, Iterable[int]]],
    show: Callable[[int, Round], list[JSON]],
) -> Reply:
    """One page of a delta round (graph-api.md 5): begins one with `first()`, or goes on from the token.

    `first` reads the options and names what is present; `show` turns one serial into rows.
    """
    query, settings, store = call.request.query, call.settings, call.store
    token = query.get("$skiptoken") or query.get("$deltatoken")
    if token is None:
        options, present = first()
        position = store.feeds.begin((*key, options), options, present, store.seq, settings.empty_pages)
    else:
        position = store.feeds.resume(
            token,
            key,
            log,
            store.seq,
            kept=settings.delta_generations_kept,
            empty_pages=settings.empty_pages,
            replay=settings.replay_items,
        )
    size = min(call.prefer.page_size or settings.default_page_size, settings.max_page_size)
    page = store.feeds.page(position, size, settings.replay_items, settings.delta_generations_kept, show)
    body: JSON = {"@odata.context": call.context(fragment), "value": page.rows}
    if page.finished:
        body["@odata.deltaLink"] = call.link({"$deltatoken": page.token})
    else:
        body["@odata.nextLink"] = call.link({"$skiptoken": page.token})
    return Reply(200, body)


def removed(item_id: str) -> JSON:
    return {"id": item_id, "@removed": {"reason": "deleted"}}


def item_delta(
    call: Call,
    container: Container,
    fragment: str,
    first: Callable[[], tuple[Any, Iterable[int]]],
    row: Callable[[Item, Any], JSON],
) -> Reply:
    """Delta over one folder or list: a row for what is here, a tombstone for what left after the cursor saw it."""

    def show(serial: int, walk: Round) -> list[JSON]:
        item = container.items.get(serial)
        if item is not None:
            return [row(item, walk.options)]
        entry = container.log.entries.get(serial)
        if entry is None or entry.gone is None or entry.first > walk.since:
            return []  # came and went unseen (docs#5301)
        kind, immutable = container.kind, call.prefer.immutable_ids
        return [removed(call.store.id_at(kind, serial, entry.gone, immutable))]

    return delta_reply(call, fragment, (container.kind, container.serial), container.log, first=first, show=show)


def container_delta(call: Call, kind: Kind, fragment: str, row: Callable[[Container], JSON]) -> Reply:
    """Delta over the folders or lists themselves; the default contact folder is not among them."""
    store = call.store
    hidden = store.default["contact"].serial if kind == "contact" else 0

    def show(serial: int, walk: Round) -> list[JSON]:
        container = store.container_by_serial[serial]
        if serial == hidden:
            return []
        if container.id in store.containers:
            return [row(container)]
        return [removed(container.id)] if store.container_log[kind].entries[serial].first <= walk.since else []

    def first() -> tuple[Any, Iterable[int]]:
        return None, [container.serial for container in store.of_kind(kind)]

    return delta_reply(call, fragment, ("containers", kind), store.container_log[kind], first=first, show=show)


def refuse(call: Call, options: Iterable[str], status: int = 400) -> None:
    """Raises GraphFault for query options a delta function does not take."""
    for option in options:
        if option in call.request.query:
            code = "ErrorInvalidUrlQuery" if status == 400 else "ErrorInternalServerError"
            raise GraphFault(
                status, code, f"The following parameters are not supported with change tracking: '{option}'."
            )
