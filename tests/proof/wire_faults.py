"""What can go wrong at a boundary, by name. Each fault says at which boundaries it can happen.

A refusal is an answer of the system's own kind, given before anything was carried out, unless the name says otherwise.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

import requests
import sqlalchemy as sa
from tests.proof.boundaries import Boundary, Fault, Send, Wire, answer
from tests.sync.faults import Killed
from tests.sync.world import UPN, World

from orosync.core.records import Entity, Side
from orosync.oro.auth import wsse_header

COLLEAGUE = "zoe@example.com"
RUNS_REFUSED = 2  # how long a lost permission stays lost
_HTML = b"<html><head><title>Wartung</title></head><body>Bitte warten</body></html>"

Way = Callable[[Boundary, Send, Wire], requests.Response]
Where = Callable[[Boundary], bool]


def anywhere(boundary: Boundary) -> bool:
    return not boundary.is_commit


@dataclass(frozen=True)
class AtRequest:
    """A fault of the way to a side. is_crash: the process does not live on."""

    name: str
    way: Way
    where: Where = anywhere
    is_crash: bool = False

    def at_request(self, boundary: Boundary, send: Send, wire: Wire) -> requests.Response:
        return self.way(boundary, send, wire)

    def before_commit(self, wire: Wire) -> None:
        raise AssertionError(self.name)

    def after_commit(self, wire: Wire) -> None:
        raise AssertionError(self.name)


@dataclass(frozen=True)
class AtCommit:
    """A fault of the process or its database when what a run did is to be remembered."""

    name: str
    before: Callable[[Wire], None] = lambda _wire: None
    after: Callable[[Wire], None] = lambda _wire: None
    is_crash: bool = True

    def where(self, boundary: Boundary) -> bool:
        return boundary.is_commit

    def at_request(self, boundary: Boundary, send: Send, wire: Wire) -> requests.Response:
        raise AssertionError(self.name)

    def before_commit(self, wire: Wire) -> None:
        self.before(wire)

    def after_commit(self, wire: Wire) -> None:
        self.after(wire)


# ------------------------------------------------------------------------------------------------ the process ends


def _die(wire: Wire) -> Any:
    wire.dead = True
    raise Killed


def _killed_after(boundary: Boundary, send: Send, wire: Wire) -> requests.Response:
    send(_asked(boundary))
    raise _die(wire)


def _refuse_commit(_wire: Wire) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorname = "SQLITE_FULL"
    raise sa.exc.OperationalError("COMMIT", {}, full)


CRASHES = (
    AtRequest("killed before the request", lambda _b, _s, wire: _die(wire), is_crash=True),
    AtRequest("killed after it was applied, before the answer", _killed_after, is_crash=True),
    AtCommit("killed after the answer, before the commit", before=_die),
    AtCommit("killed after the commit", after=_die),
)
COMMIT_REFUSED = AtCommit("the database refuses the commit", before=_refuse_commit, is_crash=False)

# ------------------------------------------------------------------------------------------------ no answer, refusals


def _asked(boundary: Boundary) -> requests.PreparedRequest:
    assert boundary.request is not None
    return boundary.request


def _lost_on_the_way(boundary: Boundary, _send: Send, _wire: Wire) -> requests.Response:
    raise requests.exceptions.ReadTimeout(request=_asked(boundary))


def _answer_lost(boundary: Boundary, send: Send, _wire: Wire) -> requests.Response:
    send(_asked(boundary))
    raise requests.exceptions.ReadTimeout(request=_asked(boundary))


def _broken_off(boundary: Boundary, send: Send, _wire: Wire) -> requests.Response:
    send(_asked(boundary))
    raise requests.exceptions.ConnectionError("Connection broken", request=_asked(boundary))


_GRAPH_CODES = {
    401: "InvalidAuthenticationToken",
    403: "ErrorAccessDenied",
    404: "UnknownError",
    410: "resyncRequired",
    412: "ErrorIrresolvableConflict",
    429: "TooManyRequests",
    503: "serviceNotAvailable",
}


def graph_error(status: int) -> dict[str, Any]:
    return {"error": {"code": _GRAPH_CODES[status], "message": "The request was refused."}}


def _error_of(side: Side | None, status: int) -> dict[str, Any]:
    if side is Side.OUTLOOK:
        return graph_error(status)
    return {"errors": [{"status": str(status), "title": "http exception", "detail": "The request was refused."}]}


def refusal(boundary: Boundary, status: int) -> requests.Response:
    pause = {"Retry-After": "30"} if status in {429, 503} else {}
    return answer(_asked(boundary), status, _error_of(boundary.side, status), pause)


def _refused_with(status: int) -> Way:
    return lambda boundary, _send, _wire: refusal(boundary, status)


def _unavailable_although_applied(boundary: Boundary, send: Send, _wire: Wire) -> requests.Response:
    send(_asked(boundary))
    return answer(_asked(boundary), 504, _error_of(boundary.side, 503))


# ------------------------------------------------------------------------------------------------ delivered twice


def _twice(*, first: bool) -> Way:
    def way(boundary: Boundary, send: Send, wire: Wire) -> requests.Response:
        answers = send(_asked(boundary)), send(_signed_anew(boundary, wire))
        return answers[0] if first else answers[1]

    return way


def _signed_anew(boundary: Boundary, wire: Wire) -> requests.PreparedRequest:
    """A nonce works once, so that a request signed with one cannot be applied twice: here it is as with OAuth."""
    request = _asked(boundary).copy()
    if boundary.side is Side.ORO:
        request.headers["X-WSSE"] = sign_in(wire.world)
    return request


def sign_in(world: World) -> str:
    created = f"{world.clock_of(Side.ORO)():%Y-%m-%dT%H:%M:%SZ}"
    return wsse_header(world.oro_user, world.oro.user(world.oro_user).api_key, secrets.token_bytes(16), created)


# ------------------------------------------------------------------------------------------------ wrong bodies


def _with_body(spoil: Callable[[bytes], bytes]) -> Way:
    def way(boundary: Boundary, send: Send, _wire: Wire) -> requests.Response:
        response = send(_asked(boundary))
        response._content = spoil(response.content)
        return response

    return way


def _as_page_of_html(boundary: Boundary, send: Send, _wire: Wire) -> requests.Response:
    send(_asked(boundary))
    return answer(_asked(boundary), 200, _HTML, {"Content-Type": "text/html"})


def _without_links(content: bytes) -> bytes:
    body = json.loads(content)
    for page in [part.get("body") for part in body.get("responses", [])] or [body]:
        if isinstance(page, dict):
            for name in ("@odata.nextLink", "@odata.deltaLink"):
                page.pop(name, None)
    return json.dumps(body).encode()


def _has_pages(boundary: Boundary) -> bool:
    return any("delta" in part["url"] for part in boundary.parts)


def _colleagues_reply(boundary: Boundary, send: Send, wire: Wire) -> requests.Response:
    """What the same request gives to somebody else; a write was carried out, but its answer went to them."""
    asked = _asked(boundary)
    if boundary.writes:
        send(asked)
        (item,) = wire.world.graph.mailbox(COLLEAGUE).items("contact")
        theirs = {name: value for name, value in item.items() if name not in {"extended", "kind"}}
        parts = [{"id": part["id"], "status": 200, "body": theirs} for part in boundary.parts]
        return answer(asked, 200, {"responses": parts} if parts else theirs, {"client-request-id": "theirs"})
    request = asked.copy()
    request.headers["Authorization"] = f"Bearer {wire.world.graph.issue_token(COLLEAGUE, expires_in=10**9)}"
    request.headers["client-request-id"] = "theirs"
    return send(request)


def _is_graph(boundary: Boundary) -> bool:
    return boundary.side is Side.OUTLOOK


def _another_record(boundary: Boundary, send: Send, wire: Wire) -> requests.Response:
    """The answer to a question for another record, one that is there: of a missing one no answer tells the id."""
    asked = _asked(boundary)
    if asked.method != "GET":
        send(asked)
    request = requests.Request("GET", _another(asked, wire.world), headers=dict(asked.headers)).prepare()
    request.headers["X-WSSE"] = sign_in(wire.world)
    request.headers.pop("Content-Length", None)
    return copy(send(request))


def _another(request: requests.PreparedRequest, world: World) -> str:
    head, _, number = str(request.url).partition("?")[0].rpartition("/")
    kind = {"contacts": Entity.CONTACT, "tasks": Entity.TASK, "calendarevents": Entity.EVENT}[head.rpartition("/")[2]]
    there = sorted({int(row["id"]) for row in world.in_oro(kind)} - {int(number)})
    return f"{head}/{there[0]}"


def _is_oros_record(boundary: Boundary) -> bool:
    """By its id, read or changed. A list cannot be another's: its rows are taken by their ids."""
    if boundary.side is not Side.ORO or boundary.is_commit:
        return False
    head, _, number = str(_asked(boundary).url).partition("?")[0].rpartition("/")
    kind = head.rpartition("/")[2]
    return number.isdigit() and kind in {"contacts", "tasks", "calendarevents"} and _asked(boundary).method != "DELETE"


# ------------------------------------------------------------------------------------------------ permissions


def _refused_for_a_while(status: int) -> Way:
    def way(boundary: Boundary, _send: Send, wire: Wire) -> requests.Response:
        assert boundary.side is not None
        wire.refused[boundary.side] = lambda each: _forbidden(each) if status == 403 else refusal(each, 401)
        wire.runs_refused = RUNS_REFUSED
        return wire.refused[boundary.side](boundary)

    return way


def _forbidden(boundary: Boundary) -> requests.Response:
    if boundary.parts:
        parts = [{"id": part["id"], "status": 403, "body": graph_error(403)} for part in boundary.parts]
        return answer(_asked(boundary), 200, {"responses": parts})
    if boundary.side is Side.OUTLOOK:
        return refusal(boundary, 403)
    denied = {"status": "403", "title": "access denied exception", "detail": "No access to this type of entities."}
    return answer(_asked(boundary), 403, {"errors": [denied]})


FAULTS = (
    AtRequest("lost on the way", _lost_on_the_way),
    AtRequest("answer lost", _answer_lost),
    AtRequest("connection broken off", _broken_off),
    AtRequest("429 with Retry-After", _refused_with(429)),
    AtRequest("503", _refused_with(503)),
    AtRequest("504 although applied", _unavailable_although_applied),
    AtRequest("410", _refused_with(410)),
    AtRequest("412", _refused_with(412)),
    AtRequest("delivered twice, the first answer", _twice(first=True)),
    AtRequest("delivered twice, the second answer", _twice(first=False)),
    AtRequest("body cut", _with_body(lambda content: content[: len(content) // 2])),
    AtRequest("body of another type", _with_body(lambda _content: b'["no", "record"]')),
    AtRequest("a page of HTML", _as_page_of_html),
    AtRequest("links of the page lost", _with_body(_without_links), _has_pages),
    AtRequest("a colleague's reply", _colleagues_reply, _is_graph),
    AtRequest("another record's reply", _another_record, _is_oros_record),
    AtRequest("403 for a while", _refused_for_a_while(403)),
    AtRequest("401 for a while", _refused_for_a_while(401)),
)

# ------------------------------------------------------------------------------------------------ parts of a batch


@dataclass(frozen=True)
class AtPart:
    """One part of a batch fails while the others are carried out. status None: it is not answered at all."""

    part: int
    status: int | None
    applied: bool = False
    is_crash: bool = False

    @property
    def name(self) -> str:
        what = "no answer" if self.status is None else str(self.status)
        return f"part of a batch: {what}{' although applied' if self.applied else ''}"

    def where(self, boundary: Boundary) -> bool:
        return self.part < len(boundary.parts)

    def at_request(self, boundary: Boundary, send: Send, _wire: Wire) -> requests.Response:
        mine = boundary.parts[self.part]["id"]
        others = [part for part in boundary.parts if part["id"] != mine]
        sent = boundary.parts if self.applied else others
        body = self._sent(boundary, send, sent) if sent else {"responses": []}
        responses = [part for part in body["responses"] if part["id"] != mine]
        if self.status is not None:
            pause = {"Retry-After": "30"} if self.status in {429, 503} else {}
            responses.append({"id": mine, "status": self.status, "headers": pause, "body": graph_error(self.status)})
        return answer(_asked(boundary), 200, {"responses": responses})

    @staticmethod
    def _sent(boundary: Boundary, send: Send, parts: list[dict[str, Any]]) -> dict[str, Any]:
        request = _asked(boundary).copy()
        request.prepare_body(None, None, json={"requests": parts})
        body: dict[str, Any] = send(request).json()
        return body

    def before_commit(self, wire: Wire) -> None:
        raise AssertionError(self.name)

    def after_commit(self, wire: Wire) -> None:
        raise AssertionError(self.name)


def faults_of_parts(boundary: Boundary) -> list[Fault]:
    """Every way in which one part of this batch can fail."""
    ways: list[tuple[int | None, bool]] = [(429, False), (503, False), (503, True), (412, False), (404, False)]
    ways += [(None, False), (None, True)]
    return [AtPart(part, *way) for part in range(len(boundary.parts)) for way in ways]


def faults_at(boundary: Boundary) -> list[Fault]:
    """All that can happen there."""
    everything: list[AtRequest | AtCommit] = [*CRASHES, COMMIT_REFUSED, *FAULTS]
    return [each for each in everything if each.where(boundary)]


def add_colleague(world: World) -> None:
    """Somebody else of the same tenant, whose replies may go astray."""
    assert world.upn == UPN
    box = world.graph.add_mailbox(COLLEAGUE, display_name="Zoe")
    box.user_create("contact", {"givenName": "Zoe's", "surname": "Secret"})
    box.user_create("task", {"title": "Zoe's secret"})
