"""`/hooks/graph` and `/hooks/graph/lifecycle`: Microsoft Graph tells that something changed (graph-api.md 6).

Nobody signs in here: a notification counts if it carries the secret of a subscription that is known here. It is
checked, the account is planned to look, and that is all: Graph wants its answer within three seconds, so nothing is
asked of it from here, and what changed is read by the account's next run.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import structlog
from flask import Response, current_app, request

from orosync.core.push import Subscription
from orosync.core.records import Json, Side
from orosync.errors import TryLater
from orosync.web import json_body
from orosync.web.blueprint import Blueprint, ProblemSchema
from orosync.web.calls import Calls
from orosync.web.parts import attached, parts
from orosync.web.problems import MEDIA_TYPE, NotAllowed, Problem

LARGEST_BODY = 1024 * 1024
MOST_ITEMS = 1000
LONGEST_TOKEN = 4096
REPLAYED_WITHIN_S = 600.0
RETRY_AFTER_S = 10
_MOST_REMEMBERED = 100_000
_LONGEST_WORD = 512
_CALLS, _SEEN = "orosync.calls", "orosync.seen_notifications"
_MAILBOX = frozenset({Side.OUTLOOK})
_NOBODY = "0" * 64  # compared with where there is no subscription, so that an answer takes as long

blueprint = Blueprint("graph_hooks", __name__, description="Calls of the systems on either side.")
_log = structlog.get_logger(__name__)


class Seen:
    """Bodies of the last minutes, by digest: what is sent again has no effect again."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._at: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, digest: bytes) -> bool:
        with self._lock:
            at = self._at.get(digest)
        return at is not None and self._monotonic() - at < REPLAYED_WITHIN_S

    def remember(self, digest: bytes) -> None:
        now = self._monotonic()
        with self._lock:
            self._at[digest] = now
            self._at.move_to_end(digest)
            while self._at and (
                len(self._at) > _MOST_REMEMBERED or now - next(iter(self._at.values())) >= REPLAYED_WITHIN_S
            ):
                self._at.popitem(last=False)


def _begin(state: Any) -> None:
    state.app.extensions[_CALLS] = Calls(attached(state.app).database)
    state.app.extensions[_SEEN] = Seen()


blueprint.record_once(_begin)


def calls_of(app: Any) -> Calls:
    """Of this application, to be closed with it."""
    found: Calls = app.extensions[_CALLS]
    return found


_TEXT = {"type": "string"}
_TOKEN = {
    "name": "validationToken",
    "in": "query",
    "schema": {**_TEXT, "minLength": 1, "maxLength": LONGEST_TOKEN},
    "description": "Of the handshake when a subscription is made: it is echoed, and there is no body then.",
}


def _body_of(**more: Any) -> Json:
    members = {"subscriptionId": _TEXT, "clientState": {**_TEXT, "description": "The subscription's secret."}, **more}
    item = {"type": "object", "required": ["subscriptionId", "clientState"], "properties": members}
    body = {"type": "object", "required": ["value"], "properties": {"value": {"type": "array", "items": item}}}
    return {"required": False, "content": {"application/json": {"schema": body}}}


_CHANGED = _body_of(changeType=_TEXT, resource=_TEXT, resourceData={"type": "object"})
_LIFECYCLE = _body_of(
    lifecycleEvent={**_TEXT, "enum": ["reauthorizationRequired", "subscriptionRemoved", "missed"]}, resource=_TEXT
)
_PROBLEM: dict[str, Any] = {"schema": ProblemSchema, "content_type": MEDIA_TYPE}


def _called_by_graph(rule: str, body: Json) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """A route of Graph's: nobody is signed in, and every answer it may get is in the description."""
    problems = {
        400: "It has not the shape of notifications.",
        403: "None of it carries the secret of a subscription.",
        413: "It is too large, or holds too many notifications.",
        503: "It could not be written down: send it again.",
    }
    handshake = "The token of a handshake."

    def register(view: Callable[[], Any]) -> Callable[[], Any]:
        for status, description in reversed(problems.items()):
            view = blueprint.alt_response(status, **_PROBLEM, description=description)(view)
        view = blueprint.alt_response(200, schema=_TEXT, content_type="text/plain", description=handshake)(view)
        view = blueprint.response(202, description="It was taken.")(view)
        view = blueprint.doc(security=[], requestBody=body, parameters=[_TOKEN])(view)
        registered: Callable[[], Any] = blueprint.route(rule, methods=["POST"])(view)
        return registered

    return register


@_called_by_graph("/hooks/graph", _CHANGED)
def hear_graph() -> Any:
    """Microsoft Graph tells that something changed in mailboxes."""
    return _answer(_take_changes)


@_called_by_graph("/hooks/graph/lifecycle", _LIFECYCLE)
def hear_graph_lifecycle() -> Any:
    """Microsoft Graph tells what becomes of its subscriptions."""
    return _answer(_take_lifecycle)


Take = Callable[[list[tuple[Json, Subscription]]], bool]


def _answer(take: Take) -> Any:
    """take: what is done with what is genuine; True if all of it can be told apart from another of the same words."""
    if "validationToken" in request.args:
        return _echo(request.args["validationToken"])
    body = _body()
    items = _items(body)
    seen: Seen = current_app.extensions[_SEEN]
    digest = hashlib.sha256(request.path.encode() + b"\0" + body).digest()
    if seen.knows(digest):
        return Response(status=202)
    try:
        genuine = _genuine(items)
        if not genuine:
            raise NotAllowed("None of these notifications carries the secret of a subscription.", code="forged")
        tellable = take(genuine)
    except TryLater as error:
        raise Problem(
            error.message,
            remedy="Send it again.",
            status=503,
            code="try_later",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        ) from error
    if tellable:
        seen.remember(digest)
    if len(genuine) < len(items):
        _log.warning("notifications without a known secret were left aside", count=len(items) - len(genuine))
    return Response(status=202)


def _echo(token: str) -> Response:
    """As text that no browser takes for anything else: `web/headers.py` adds nosniff and a policy without rights."""
    if not 0 < len(token) <= LONGEST_TOKEN:
        raise Problem("The token is empty or too long.", status=400, code="malformed", field="validationToken")
    return Response(token, 200, mimetype="text/plain")


def _body() -> bytes:
    """Raises 413 by the length that is said, or as soon as more comes than is allowed."""
    request.max_content_length = LARGEST_BODY
    return request.get_data(cache=False)


def _items(body: bytes) -> list[Json]:
    """Raises Problem 400 for what are no notifications, 413 for too many."""
    try:
        content = json_body.loads(body)
    except json_body.Unreadable as error:
        raise _malformed(str(error)) from None
    items = content.get("value") if isinstance(content, dict) else None
    if not isinstance(items, list) or not items:
        raise _malformed("The body holds no list `value`.")
    if len(items) > MOST_ITEMS:
        raise Problem(
            "These are too many notifications.", remedy=f"Send at most {MOST_ITEMS}.", status=413, code="too_large"
        )
    for item in items:
        if not isinstance(item, dict) or not all(
            _is_word(item.get(name)) for name in ("subscriptionId", "clientState")
        ):
            raise _malformed("A notification has no subscriptionId or no clientState.")
    return items


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD


def _malformed(message: str) -> Problem:
    return Problem(message, remedy="Send what Microsoft Graph sends.", status=400, code="malformed")


def _genuine(items: list[Json]) -> list[tuple[Json, Subscription]]:
    """Those that carry the secret of their subscription. Every one is compared, also with nobody's, so that the time an
    answer takes says nothing."""
    known = parts().database.subscriptions.with_ids(Side.OUTLOOK, sorted({item["subscriptionId"] for item in items}))
    found = []
    for item in items:
        subscription = known.get(item["subscriptionId"])
        digest = hashlib.sha256(item["clientState"].encode("utf-8", "replace")).hexdigest()
        expected = subscription.digest if subscription is not None else _NOBODY
        if hmac.compare_digest(digest, expected) and subscription is not None:
            found.append((item, subscription))
    return found


def _take_changes(genuine: list[tuple[Json, Subscription]]) -> bool:
    """Two changes of one item may be told in the same words where its version is not told along: such a body is heard
    each time it comes, because hearing once too often costs a look, and once too seldom a quarter of an hour."""
    calls_of(current_app).call({subscription.account_id: _MAILBOX for _, subscription in genuine})
    return all(_tells_its_version(item) for item, _ in genuine)


def _tells_its_version(item: Json) -> bool:
    data = item.get("resourceData")
    return bool(item.get("id")) or (isinstance(data, dict) and bool(data.get("@odata.etag")))


def _take_lifecycle(genuine: list[tuple[Json, Subscription]]) -> bool:
    """Marks and calls; the account's next run renews, or makes anew."""
    rows, accounts = parts().database.subscriptions, dict[int, frozenset[Side]]()
    for item, subscription in genuine:
        account_id = subscription.account_id
        accounts[account_id] = accounts.get(account_id, _MAILBOX)
        if item.get("lifecycleEvent") == "reauthorizationRequired":
            rows.renew_soon(Side.OUTLOOK, item["subscriptionId"])
        elif item.get("lifecycleEvent") == "subscriptionRemoved":
            rows.note_loss(Side.OUTLOOK, item["subscriptionId"])
        elif item.get("lifecycleEvent") == "missed":
            accounts[account_id] = frozenset(Side)
    calls_of(current_app).call(accounts)
    return True
