"""`/conflicts`, `/quarantine` and `/records/.../explanation`: what waits for a person, what fails, and why."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from datetime import datetime

from orosync.core.explain import explain as in_words
from orosync.core.ledger import Conflict, Quarantined
from orosync.core.records import Entity, Json, Side
from orosync.errors import BadInput
from orosync.sync.known import known_of
from orosync.web import paging
from orosync.web.accounts import Mine, mine
from orosync.web.blueprint import Blueprint
from orosync.web.parts import parts
from orosync.web.problems import Clash, NotFound
from orosync.web.run_json import title_from, titles_of
from orosync.web.schemas.troubles import (
    Choice,
    ConflictList,
    ConflictQuery,
    ConflictSchema,
    Explanation,
    ExplanationQuery,
    QuarantineList,
    Resolved,
    Retried,
)

blueprint = Blueprint("troubles", __name__, description="Conflicts, quarantine, and why a record is where it is.")

_Record = tuple[Side, Entity, str]


# ------------------------------------------------------------------------------------------------ conflicts


@blueprint.route("/conflicts")
@blueprint.arguments(ConflictQuery, location="query")
@blueprint.response(200, ConflictList)
def conflicts(query: Json) -> Json:
    """Fields that were changed differently on both sides; the open ones wait for a choice, oldest first."""
    own = mine()
    begin, some = paging.position(query), query["limit"] + 1
    if query["state"] == "open":
        found = own.store.open_conflicts_after(begin or 0, some)
    else:
        found = own.store.conflicts_before(begin, some)
    chosen, following = paging.keyed(found, query, lambda each: int(each.id))
    return paging.page(_told(own, list(chosen)), following)


def _told(own: Mine, found: list[Conflict]) -> list[Json]:
    keys = [(each.entity, side, native) for each in found for side, native in _ids(each) if native]
    titles = titles_of(own.store, keys)
    open_ids = own.store.open_among(each.id for each in found)
    return [
        {
            "id": each.id,
            "entity": each.entity.value,
            "title": next((t for side, native in _ids(each) if (t := titles.get((each.entity, side, str(native))))), "")
            or title_from(each.entity, each.oro),
            "field": each.field,
            "outlook_id": each.outlook_id,
            "oro_id": each.oro_id,
            "base": each.base,
            "outlook": each.outlook,
            "oro": each.oro,
            "rule": each.rule,
            "choice": each.choice,
            "waiting_for_run": each.choice is not None and each.id in open_ids,
            "at": _instant(each.at),
            "run": each.run,
        }
        for each in found
    ]


def _ids(conflict: Conflict) -> tuple[tuple[Side, str | None], ...]:
    return (Side.ORO, conflict.oro_id), (Side.OUTLOOK, conflict.outlook_id)


@blueprint.route("/conflicts/<int:conflict_id>/resolve", methods=["POST"])
@blueprint.arguments(Choice)
@blueprint.response(200, ConflictSchema)
def resolve(body: Json, conflict_id: int) -> Json:
    """Choose a side's value; the next run carries it to the other side. It may be chosen anew until then."""
    own = mine()
    if own.store.conflict(conflict_id) is None:
        raise NotFound("You have no such conflict.", remedy="GET /conflicts lists them.")
    try:
        parts().database.settle_conflict(own.account.id, conflict_id, Side(body["take"]))
    except BadInput as error:
        raise Clash("This conflict is settled already.", remedy="Edit the record itself.") from error
    settled = own.store.conflict(conflict_id)
    if settled is None:
        raise NotFound("A run has just dealt with this conflict.")
    return _told(own, [settled])[0]


@blueprint.route("/conflicts/resolve", methods=["POST"])
@blueprint.arguments(Choice)
@blueprint.response(200, Resolved)
def resolve_all(body: Json) -> Json:
    """The same choice for every conflict that is open."""
    own = mine()
    count = 0
    with parts().database.transaction():
        for each in own.store.conflicts():
            if each.choice is None:
                with suppress(BadInput):  # a run has just dealt with it
                    parts().database.settle_conflict(own.account.id, each.id, Side(body["take"]))
                    count += 1
    return {"resolved": count}


# ------------------------------------------------------------------------------------------------ quarantine


@blueprint.route("/quarantine")
@blueprint.arguments(paging.PageQuery, location="query")
@blueprint.response(200, QuarantineList)
def quarantine(query: Json) -> Json:
    """Records that fail by themselves, and when they are tried again."""
    own = mine()
    start = max(paging.position(query) or 0, 0)
    found = own.store.quarantined_page(start, query["limit"] + 1)
    chosen = found[: query["limit"]]
    following = start + len(chosen) if len(found) > len(chosen) else None
    titles = titles_of(own.store, [(row.entity, row.side, row.id) for row in chosen])
    return paging.page([_row(row, titles.get((row.entity, row.side, row.id), "")) for row in chosen], following)


def _row(row: Quarantined, title: str) -> Json:
    return {
        "id": _code_of(row),
        "side": row.side.value,
        "entity": row.entity.value,
        "record_id": row.id,
        "title": title,
        "code": row.code,
        "message": row.message,
        "attempts": row.attempts,
        "first_at": _instant(row.first_at),
        "next_try": _instant(row.next_try),
    }


@blueprint.route("/quarantine/<string:code>/retry", methods=["POST"])
@blueprint.response(202, Retried)
def retry(code: str) -> Json:
    """Let the next run try this one again."""
    own = mine()
    count = parts().database.retry_quarantined(own.account.id, _record_of(code))
    if not count:
        raise NotFound("This record is not in quarantine (any more).", remedy="GET /quarantine lists them.")
    return {"retried": count}


@blueprint.route("/quarantine/retry", methods=["POST"])
@blueprint.response(202, Retried)
def retry_all() -> Json:
    """Let the next run try all of them again."""
    own = mine()
    return {"retried": parts().database.retry_quarantined(own.account.id)}


def _code_of(row: Quarantined) -> str:
    """Ids of Outlook may hold what no path can."""
    text = f"{row.side.value}\n{row.entity.value}\n{row.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _record_of(code: str) -> _Record:
    try:
        side, entity, native = base64.urlsafe_b64decode(code.encode() + b"==").decode().split("\n", 2)
        return Side(side), Entity(entity), native
    except (binascii.Error, ValueError) as error:
        raise NotFound("There is no such record in quarantine.") from error


# ------------------------------------------------------------------------------------------------ why


@blueprint.route("/records/<string:side>/<path:native>/explanation")
@blueprint.arguments(ExplanationQuery, location="query")
@blueprint.response(200, Explanation)
def explanation(query: Json, side: str, native: str) -> Json:
    """Why a record is, or is not, synchronised."""
    own = mine()
    if side not in set(Side):
        raise NotFound("There is no such side.", remedy="outlook or oro.")
    entities = [Entity(query["entity"])] if query["entity"] else list(Entity)
    found = {entity.value: known for entity in entities if (known := known_of(own.store, entity, native)) is not None}
    return {"found": {name: in_words(known) for name, known in found.items()}}


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
