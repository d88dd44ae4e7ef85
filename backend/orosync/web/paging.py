"""Pages of lists: a cursor says where the next page begins, so that what is added meanwhile moves nothing."""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import marshmallow as ma

from orosync.web.problems import Invalid

LARGEST = 200
USUAL = 50


class PageQuery(ma.Schema):
    cursor = ma.fields.String(load_default="", metadata={"description": "`next` of the page before."})
    limit = ma.fields.Integer(load_default=USUAL, validate=ma.validate.Range(1, LARGEST))


def position(query: Mapping[str, Any]) -> int | None:
    """The number that `next` hid; None for the first page. Raises Invalid."""
    if not query["cursor"]:
        return None
    try:
        number = int(base64.urlsafe_b64decode(query["cursor"].encode("ascii") + b"=="))
    except (binascii.Error, ValueError) as error:
        raise Invalid("cursor is not one that we gave.", [{"field": "cursor", "message": "Leave it out."}]) from error
    if not -(2**62) < number < 2**62:
        raise Invalid("cursor is not one that we gave.", [{"field": "cursor", "message": "Leave it out."}])
    return number


def page(items: Sequence[Any], following: int | None) -> dict[str, Any]:
    """following: the number that the next page begins after, None if this is the last."""
    code = None if following is None else base64.urlsafe_b64encode(str(following).encode()).decode().rstrip("=")
    return {"items": list(items), "next": code}


def slice_of(rows: Iterable[Any], query: Mapping[str, Any]) -> tuple[Sequence[Any], int | None]:
    """A page out of all rows, none of which is looked at behind it; its cursor counts rows."""
    start = min(max(position(query) or 0, 0), sys.maxsize - LARGEST)
    chosen = list(islice(rows, start, start + query["limit"] + 1))
    more = len(chosen) > query["limit"]
    return chosen[: query["limit"]], start + query["limit"] if more else None


def keyed(rows: Sequence[Any], query: Mapping[str, Any], key: Callable[[Any], int]) -> tuple[Sequence[Any], int | None]:
    """A page out of one row more than was asked for, if there are more; its cursor is the key of its last row."""
    chosen = rows[: query["limit"]]
    return chosen, key(chosen[-1]) if len(rows) > len(chosen) else None
