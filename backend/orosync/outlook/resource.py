"""What the three entities have in common on Graph's side: how a request is spelt and how an item is read.

`Resource` is the shape that contacts, tasks and events fill in; `reading`, `writing`, `delta` and `mailbox` use it.
Nothing here calls Graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from orosync.core.exchange import Lookup, Sighting, Write
from orosync.core.mapping.lens import STAMP_PROPERTY
from orosync.core.mapping.stamps import EXTENDED
from orosync.core.records import Entity, Item, Json
from orosync.errors import SideFailing
from orosync.outlook.batch import Part

CLOCKS_APART = timedelta(minutes=2)  # between ours and the mailbox server's


class Resource(Protocol):
    """One entity in one container of one mailbox. Paths are below the version root."""

    @property
    def entity(self) -> Entity: ...

    @property
    def container(self) -> str:
        """Its id; "" for the default contact folder while nobody knows it."""

    @property
    def page_size(self) -> int: ...

    def first_page(self, window: tuple[str, str]) -> Part:
        """A new delta round; `window` is used by events alone."""

    def sighting(self, row: Json) -> Sighting | None:
        """What one row of a delta page says; None for a row that says nothing."""

    def one(self, id: str) -> Part:
        """By id, with everything mapping needs."""

    def anywhere(self, id: str) -> Part | None:
        """The same in whatever container, where `one` looks into one only; else None."""

    def listing(self) -> str:
        """The first page of all items, as `one` would show them."""

    def find(self, lookup: Lookup) -> str:
        """The first page of candidates; may list more than is looked for."""

    def is_hit(self, row: Json, lookup: Lookup) -> bool: ...

    def item(self, row: Json) -> Item: ...

    def elsewhere(self, row: Json) -> bool: ...

    def create(self, write: Write) -> Part: ...

    def update(self, write: Write, item: Item) -> list[Part]:
        """Sent one after the other; none when there is nothing to write."""

    def delete(self, item: Item) -> Part: ...

    def completed(self, write: Write, replies: Sequence[Json]) -> Item:
        """The last representation, completed with what Graph never echoes."""


def address(path: str, **options: Any) -> str:
    """`path?$name=value&...`; underscores in front of a name keep it from getting its dollar sign."""
    named = {(name[1:] if name.startswith("_") else f"${name}"): str(value) for name, value in options.items()}
    return path + "?" + urlencode(named, quote_via=quote, safe="$(),'") if named else path


def segment(id: str) -> str:
    """An id inside a path. Raises SideFailing for half a sign, which Graph cannot have meant."""
    try:
        return quote(id, safe="=-_")
    except UnicodeEncodeError:
        raise SideFailing("Microsoft Graph gave an id that no request can hold.") from None


def expand_extended(ids: Iterable[str]) -> str:
    """Without a filter Graph shows none (graph-api.md 2.1)."""
    return f"{EXTENDED}($filter={' or '.join(f'id eq {_literal(each)}' for each in ids)})"


def stamped_with(value: str) -> str:
    """A `$filter` for the items that carry this stamp; values compare without case."""
    return f"{EXTENDED}/any(ep:ep/id eq {_literal(STAMP_PROPERTY)} and ep/value eq {_literal(value)})"


def changed_since(since: datetime) -> str:
    """A `$filter` for what changed since then by the server's clock."""
    return f"lastModifiedDateTime ge {since - CLOCKS_APART:%Y-%m-%dT%H:%M:%SZ}"


def with_extended(row: Json, *sources: Mapping[str, Any] | None) -> Json:
    """`row` with the extended properties of `sources`, later ones first in right; replies omit them all."""
    values: dict[str, Json] = {}
    for source in (*sources, row):
        given = (source or {}).get(EXTENDED)
        for each in given if isinstance(given, list) else []:
            if isinstance(each, dict):
                values[str(each.get("id", "")).casefold()] = dict(each)
    return {**row, EXTENDED: list(values.values())} if values else row


def version_of(row: Json) -> str:
    """The etag; where an answer has none, what it is made of or the time of the last change."""
    if row.get("@odata.etag"):
        return str(row["@odata.etag"])
    if row.get("changeKey"):
        return f'W/"{row["changeKey"]}"'
    return str(row.get("lastModifiedDateTime") or "")


def precondition(item: Item) -> dict[str, str]:
    """If-Match for PATCH and DELETE: harmless if ignored (graph-api.md 9). Only for what is an etag."""
    return {"If-Match": item.version} if item.version.startswith(('"', 'W/"')) else {}


def plain(row: Json) -> Json:
    """An item's own members: what is about the reply as such is dropped."""
    return {name: value for name, value in row.items() if name != "@odata.context"}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
