"""`/syncs` and `/resyncs`: asking for runs, watching them, taking them back."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from flask import Response, current_app, request, url_for
from flask.views import MethodView

from orosync import bootstrap
from orosync.bootstrap import Database
from orosync.core.records import Json
from orosync.core.settings import ResyncMode
from orosync.errors import BadInput, TryLater
from orosync.web import paging
from orosync.web.accounts import Mine, mine
from orosync.web.blueprint import Blueprint
from orosync.web.parts import parts
from orosync.web.problems import Clash, Invalid, NotConnected, Problem
from orosync.web.run_json import MODES, as_run, done_op, entry_titles, is_over, planned_op, titles_of, with_titles
from orosync.web.schemas.runs import (
    ApproveRequest,
    OpList,
    OpsQuery,
    ResyncRequest,
    RunList,
    RunSchema,
    SyncRequest,
    UndoRequest,
)

blueprint = Blueprint("runs", __name__, description="Runs: sync now, preview, approve, cancel, undo.")

_LONGEST_KEY = 200
_LOOK_EVERY_S = 0.3
_SILENT_AT_MOST_S = 15.0
_STREAMS, _STREAMS_OF_ONE = 8, 3  # at once; `orosync serve` has 16 threads
_STREAM_AT_MOST_S = 10 * 60.0  # a client that is still there asks again


@blueprint.route("/syncs")
class Syncs(MethodView):
    @blueprint.arguments(paging.PageQuery, location="query")
    @blueprint.response(200, RunList)
    def get(self, query: Json) -> Json:
        """Runs, the newest first."""
        own = mine()
        parts().database.requested_runs.end_dead(own.account.id)
        rows = own.store.older_runs(paging.position(query), MODES, query["limit"] + 1)
        shown = rows[: query["limit"]]
        return paging.page([told(own, row) for _, row in shown], shown[-1][0] if len(rows) > query["limit"] else None)

    @blueprint.arguments(SyncRequest)
    @blueprint.response(202, RunSchema)
    def post(self, body: Json) -> Any:
        """Sync now, or show what would be done. `Idempotency-Key` makes a repeated request harmless."""
        own = mine()
        _must_be_enabled(own)
        wanted = {"entities": body["entities"], "approve": body["approve"]}
        return _ask(own, "preview" if body["preview"] else "sync", wanted)


@blueprint.route("/resyncs", methods=["POST"])
@blueprint.arguments(ResyncRequest)
@blueprint.response(202, RunSchema)
def resync(body: Json) -> Any:
    """Compare everything again, as in a first sync."""
    own = mine()
    _must_be_enabled(own)
    settings = bootstrap.settings_of(parts().database, own.account)
    mode = body["mode"] or settings.resync_mode
    wanted = {"approve": body["approve"], "replace": mode == ResyncMode.REPLACE}
    return _ask(own, "resync_preview" if body["preview"] else "resync", wanted)


@blueprint.route("/syncs/<string:run>")
@blueprint.response(200, RunSchema)
def show(run: str) -> Json:
    """One run."""
    own = mine()
    return told(own, own.run(run))


@blueprint.route("/syncs/<string:run>/ops")
@blueprint.arguments(OpsQuery, location="query")
@blueprint.response(200, OpList)
def ops(query: Json, run: str) -> Json:
    """What a preview or a held plan would do, else what was done."""
    own = mine()
    found = own.run(run)
    if found["mode"].endswith("preview") or found["state"] == "held":
        planned = (each for each in own.store.planned_ops(run) if _is_wanted(each["entity"], each["verb"], query))
        chosen, following = paging.slice_of(planned, query)
        return paging.page([planned_op(each) for each in with_titles(own.store, chosen)], following)
    entries = own.store.oplog_page(
        run, paging.position(query) or 0, query["limit"] + 1, entity=query["entity"], verb=query["verb"]
    )
    some, following = paging.keyed(entries, query, lambda each: int(each.seq))
    return paging.page(
        [done_op(entry, title) for entry, title in zip(some, entry_titles(own.store, some), strict=True)], following
    )


def _is_wanted(entity: str, verb: str, query: Json) -> bool:
    return query["entity"] in {None, entity} and query["verb"] in {None, verb}


@blueprint.route("/syncs/<string:run>/approve", methods=["POST"])
@blueprint.arguments(ApproveRequest)
@blueprint.response(202, RunSchema)
def approve(body: Json, run: str) -> Any:
    """Carry out exactly the plan that was shown or held; one that has changed since is held again."""
    own = mine()
    _must_be_enabled(own)
    found = own.run(run)
    plan = own.store.plan(run)
    if plan is None or not plan["plan_hash"]:
        raise Clash("This run has no plan that waits for an approval.", remedy="Ask for a preview first.")
    if plan["plan_hash"] != body["plan_hash"]:
        raise Clash(
            "This is not the plan of that run.", remedy="Approve the plan_hash that the run shows.", field="plan_hash"
        )
    asked = parts().database.requested_runs.get(own.account.id, run)
    former = asked.request if asked is not None else {}
    wanted = {"approve": plan["plan_hash"], "entities": former.get("entities"), "replace": former.get("replace", False)}
    return _ask(own, "resync" if found["mode"].startswith("resync") else "sync", wanted)


@blueprint.route("/syncs/<string:run>/cancel", methods=["POST"])
@blueprint.response(202, RunSchema)
def cancel(run: str) -> Json:
    """Stop it at its next step; what is done stays done."""
    own = mine()
    found = own.run(run)
    if not parts().database.requested_runs.cancel(own.account.id, run):
        if is_over(found):
            raise Clash("This run is over.", remedy="Undo it, if that is meant.")
        raise Clash("This run was not asked for by a person and ends by itself.", remedy="Wait a moment.")
    return told(own, own.run(run))


@blueprint.route("/syncs/<string:run>/undo", methods=["POST"])
@blueprint.arguments(UndoRequest)
@blueprint.response(202, RunSchema)
def undo(body: Json, run: str) -> Any:
    """Take it back: what it made, changed and deleted, where nobody has touched it since."""
    own = mine()
    _must_be_enabled(own)
    if not told(own, own.run(run))["can_undo"]:
        raise Clash("There is nothing of this run that could be taken back.")
    return _ask(own, "undo_preview" if body["preview"] else "undo", {"of": run})


def _must_be_enabled(own: Mine) -> None:
    if own.account.state == "disabled":
        raise Clash(
            f"Your account is switched off: {own.account.state_reason or 'by an administrator'}.",
            remedy="Ask an administrator to enable it.",
            code="disabled",
        )


def _ask(own: Mine, mode: str, wanted: Json) -> Any:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= _LONGEST_KEY:
        raise Invalid(f"Idempotency-Key has to have 1 to {_LONGEST_KEY} characters.", field="Idempotency-Key")
    database = parts().database
    try:
        with database.transaction():  # a wish of which nobody is told would keep its person from asking again
            asked = database.requested_runs.add(own.account.id, str(uuid4()), mode, wanted, key=key)
            if asked.outcome == "new":
                database.due_work.ask(own.account.id)
    except BadInput as error:  # disconnected a moment ago
        raise NotConnected from error
    if asked.outcome == "busy":
        raise Clash(
            "A run that was asked for is not over yet.",
            remedy="Wait for it, or cancel it.",
            code="already_running",
            run=asked.run,
        )
    if asked.outcome == "new":
        with contextlib.suppress(TryLater):  # the dispatcher finds it, as soon as the queue is there again
            parts().queue.put(own.account.id, urgent=True)
    where = url_for("runs.show", run=asked.run)
    return told(own, own.run(asked.run)), 202, {"Location": where}


def told(own: Mine, row: Json) -> Json:
    left = ((row["summary"] or {}).get("left")) if row["mode"].startswith("undo") else None
    if not isinstance(left, list) or not left:
        return as_run(row)
    entries = own.store.oplog(row["summary"]["undo_of"])
    keys = {(e.entity, e.side, str(e.outlook_id if e.side == "outlook" else e.oro_id)): e for e in entries}
    linked = titles_of(own.store, keys)
    names = dict(zip(keys, entry_titles(own.store, list(keys.values())), strict=True)) | linked
    return as_run(row, titles={(entity.value, side.value, native): t for (entity, side, native), t in names.items()})


# ------------------------------------------------------------------------------------------------ progress


@blueprint.route("/syncs/<string:run>/events")
@blueprint.response(
    200, content_type="text/event-stream", description="`event: run` on every change, then `event: end`."
)
def events(run: str) -> Response:
    """Server-sent events. Read it with fetch, as browsers' own EventSource sends no bearer token."""
    own = mine()
    own.run(run)
    streams = _streams()
    if not streams.begin(own.account.id):
        raise Problem(
            "Too many runs are watched just now.",
            remedy="Ask for the run itself now and then.",
            status=503,
            code="try_later",
            headers={"Retry-After": "5"},
        )
    body = _changes(own, run, parts().database)  # without the request's context: several may be open in one thread
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # a proxy must hand on each line at once
    response = Response(body, mimetype="text/event-stream", headers=headers)
    response.call_on_close(lambda: streams.end(own.account.id))  # also if nobody ever reads it
    return response


class _Streams:
    """Open ones of this process. Each holds one of the server's threads, and others want to be answered as well: who
    gets none asks again and again, as the pane does by itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[int] = Counter()

    def begin(self, account_id: int) -> bool:
        with self._lock:
            if self._open.total() >= _STREAMS or self._open[account_id] >= _STREAMS_OF_ONE:
                return False
            self._open[account_id] += 1
            return True

    def end(self, account_id: int) -> None:
        with self._lock:
            self._open[account_id] -= 1
            if not self._open[account_id]:
                del self._open[account_id]


def _streams() -> _Streams:
    """Of this application."""
    made: _Streams = current_app.extensions.setdefault("orosync.streams", _Streams())
    return made


def _changes(own: Mine, run: str, database: Database) -> Iterator[str]:
    last, spoke, began = "", time.monotonic(), time.monotonic()
    while time.monotonic() - began < _STREAM_AT_MOST_S:
        row = own.store.run(run)
        if row is None:  # the account was disconnected meanwhile
            yield "event: end\ndata: {}\n\n"
            return
        text = json.dumps(told(own, row))
        if text != last:
            yield f"event: run\ndata: {text}\n\n"
            last, spoke = text, time.monotonic()
        elif time.monotonic() - spoke > _SILENT_AT_MOST_S:
            yield ": still here\n\n"
            spoke = time.monotonic()
            database.requested_runs.end_dead(own.account.id)
        if is_over(row):
            yield "event: end\ndata: {}\n\n"
            return
        time.sleep(_LOOK_EVERY_S)
