"""The way of every request: counted, let in, limited, carried out, answered; and `$batch` (graph-api.md 7).

A request carries one lock for its whole length, so it is atomic; waiting (`latency_s`) and hooks happen outside.
"""

from __future__ import annotations

import json
import random
import time
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from orosync.sandbox.graph.call import Call
from orosync.sandbox.graph.mailbox import Mailbox
from orosync.sandbox.graph.routing import route
from orosync.sandbox.graph.sandbox import Failure, Grant, GraphSandbox
from orosync.sandbox.graph.subscriptions import SubscriptionService
from orosync.sandbox.graph.wire import (
    JSON,
    GraphFault,
    GraphRequest,
    Reply,
    bad_request,
    error_reply,
    parse_prefer,
)
from orosync.sandbox.transport import ConnectionDropped

MAX_PARTS = 20
_AT_ONCE = 4
_FOR_WRITING = frozenset({"POST", "PATCH", "PUT"})


class GraphService:
    """Answers requests for one sandbox. Raises only `ConnectionDropped` and what hooks raise."""

    def __init__(self, graph: GraphSandbox) -> None:
        self._graph = graph
        self._random = random.Random(graph.seed)
        self._subscriptions = SubscriptionService(graph)

    def handle(self, request: GraphRequest) -> Reply:
        """One HTTP request."""
        grant: Grant | GraphFault
        try:
            grant = self._grant(request)
        except GraphFault as fault:
            grant = fault
        if request.path == "/$batch" and isinstance(grant, Grant):
            return self._answer(request, lambda: self._batch(request, grant))
        return self._answer(request, lambda: self._single(request, grant))

    def _answer(self, request: GraphRequest, work: Any) -> Reply:
        graph = self._graph
        with graph.lock:
            entry = graph.log(request)
            failure = graph.next_failure(request.method, request.path)
            request_id = graph.next_request_id()
        for hook in tuple(graph.hooks_before):
            hook(request)
        try:
            reply = self._with_failure(request, failure, work)
        except GraphFault as fault:
            reply = error_reply(fault, request_id, request.headers.get("client-request-id"), graph.clock())
        for after in tuple(graph.hooks_after):
            after(request, reply)
        with graph.lock:
            entry.status = reply.status
            graph.statistics.by_status[reply.status] += 1
        reply.headers["request-id"] = request_id
        if "client-request-id" in request.headers:
            reply.headers["client-request-id"] = request.headers["client-request-id"]
        return reply

    @staticmethod
    def _with_failure(request: GraphRequest, failure: Failure | None, work: Any) -> Reply:
        if failure is None:
            return work()  # type: ignore[no-any-return]
        if failure.applied:
            if failure.lose_extended:
                request.json().pop("singleValueExtendedProperties", None)
            work()
        if failure.drop:
            raise ConnectionDropped("asked for by fail_next")
        return failure.reply_or_raise()

    # who may do what

    def _grant(self, request: GraphRequest) -> Grant:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self._graph.lock:
            grant = self._graph.tokens.get(token.strip())
        if not token.strip() or scheme.lower() != "bearer":
            raise GraphFault(401, "InvalidAuthenticationToken", "Access token is empty.")
        if grant is None:
            raise GraphFault(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
        if grant.expires <= self._graph.clock():
            raise GraphFault(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        return grant

    def _mailbox(self, path: str, grant: Grant) -> tuple[Mailbox, list[str]]:
        segments = [segment for segment in path.split("/") if segment]
        if segments and segments[0] == "me":
            if grant.upn is None:
                raise bad_request("/me request is only valid with delegated authentication flow.", "BadRequest")
            return self._graph.mailbox(grant.upn), segments[1:]
        if len(segments) < 2 or segments[0] != "users":
            segment = segments[0] if segments else ""
            raise GraphFault(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
        try:
            mailbox = self._graph.mailbox(segments[1])
        except KeyError:
            raise GraphFault(404, "ErrorInvalidUser", f"The requested user '{segments[1]}' is invalid.") from None
        if grant.upn is not None and grant.upn != mailbox.upn:
            raise GraphFault(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        return mailbox, segments[2:]

    # carrying out

    def _single(self, request: GraphRequest, grant: Grant | GraphFault) -> Reply:
        if isinstance(grant, GraphFault):
            raise grant
        if _is_about_subscriptions(request.path):
            self._wait()
            return self._subscriptions.handle(request, grant)
        mailbox, segments = self._mailbox(request.path, grant)
        with self._graph.slots(mailbox, 1) as taken:
            self._wait()
            if not taken:
                raise _over_concurrency()
            return self._execute(request, mailbox, segments)

    def _wait(self) -> None:
        if self._graph.settings.latency_s > 0:
            time.sleep(self._graph.settings.latency_s)

    def _execute(self, request: GraphRequest, mailbox: Mailbox, segments: list[str]) -> Reply:
        handler, ids = route(request.method, segments)
        call = Call(self._graph, mailbox, request, parse_prefer(request.headers.get("prefer", "")), ids)
        with self._graph.lock:
            self._graph.check_throttle()
            reply = handler(call)
            if reply.body is not None and not isinstance(reply.body, bytes):
                reply.body = reply.payload()  # written out under the lock: rows share lists with the items
            return reply

    # $batch

    def _batch(self, request: GraphRequest, grant: Grant) -> Reply:
        parts = _checked_parts(request.json())
        mailbox = self._mailbox_of(parts, grant)
        sequential = any(part.get("dependsOn") for part in parts)
        wanted = 1 if sequential else min(_AT_ONCE, len(parts))
        replies: dict[str, JSON] = {}
        if mailbox is None:
            self._wait()
            taken = wanted
            self._run_parts(parts, request, grant, wanted=wanted, taken=taken, replies=replies)
        else:
            with self._graph.slots(mailbox, wanted) as taken:
                self._wait()
                self._run_parts(parts, request, grant, wanted=wanted, taken=taken, replies=replies)
        answers = list(replies.values())
        if self._graph.settings.batch_replies_shuffled:
            self._random.shuffle(answers)
        written = ",".join(_written(answer) for answer in answers)
        return Reply(200, f'{{"responses":[{written}]}}'.encode())

    def _run_parts(
        self, parts: list[JSON], outer: GraphRequest, grant: Grant, *, wanted: int, taken: int, replies: dict[str, JSON]
    ) -> None:
        for number, part in enumerate(parts):
            inner = _part_request(part, outer)
            failed = [name for name in part.get("dependsOn") or () if replies[str(name).casefold()]["status"] >= 400]

            def work(inner: GraphRequest = inner, number: int = number, failed: list[Any] = failed) -> Reply:
                if failed:
                    raise GraphFault(424, "FailedDependency", f"The request depends on {failed}, which failed.")
                if number % wanted >= taken:
                    raise _over_concurrency()
                if _is_about_subscriptions(inner.path):
                    return self._subscriptions.handle(inner, grant)
                mailbox, segments = self._mailbox(inner.path, grant)
                return self._execute(inner, mailbox, segments)

            reply = self._answer(inner, work)
            headers = dict(reply.headers)
            if reply.body is not None:
                headers.setdefault("Content-Type", "application/json")
            answer: JSON = {"id": part["id"], "status": reply.status, "headers": headers}
            if reply.body is not None:
                answer["body"] = reply.body
            replies[str(part["id"]).casefold()] = answer

    def _mailbox_of(self, parts: list[JSON], grant: Grant) -> Mailbox | None:
        for part in parts:
            try:
                return self._mailbox(_split(part["url"])[0], grant)[0]
            except GraphFault:
                continue
        return None


def _is_about_subscriptions(path: str) -> bool:
    return path == "/subscriptions" or path.startswith("/subscriptions/")


def _over_concurrency() -> GraphFault:
    return GraphFault(
        429,
        "ApplicationThrottled",
        "Application is over its MailboxConcurrency limit.",
        headers={"Retry-After": "1"},
    )


def _written(answer: JSON) -> str:
    """A part's reply as JSON; its body was written already."""
    body = answer.pop("body", None)
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    if body is None:
        return text
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    try:
        decoded = raw.decode("utf-8")
        if not isinstance(body, bytes) or raw[:1] in (b"{", b"["):
            return f'{text[:-1]},"body":{decoded}}}'
    except UnicodeDecodeError:
        decoded = raw.decode("latin-1")
    return f'{text[:-1]},"body":{json.dumps(decoded)}}}'


def _split(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url if url.startswith("/") else f"/{url}")
    return unquote(parts.path).rstrip("/") or "/", dict(parse_qsl(parts.query, keep_blank_values=True))


def _part_request(part: JSON, outer: GraphRequest) -> GraphRequest:
    """Only the credentials come from the outer request: a part's `Prefer` is its own."""
    path, query = _split(part["url"])
    headers = {str(name).lower(): str(value) for name, value in (part.get("headers") or {}).items()}
    return GraphRequest(
        part["method"].upper(),
        path,
        query,
        headers,
        parsed_body=part.get("body"),
        base_url=outer.base_url,
        part_id=str(part["id"]),
    )


def _checked_parts(body: JSON) -> list[JSON]:
    """The parts of a batch; raises GraphFault 400 for the whole of it (graph-api.md 7)."""
    parts = body.get("requests")
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise bad_request("Invalid batch payload format.", "BadRequest")
    if len(parts) > MAX_PARTS:
        raise bad_request(
            f"Number of batch request steps exceeds the maximum value of {MAX_PARTS}.", "MaximumValueExceeded"
        )
    seen: set[str] = set()
    for part in parts:
        missing = [name for name in ("id", "method", "url") if not isinstance(part.get(name), str) or not part[name]]
        if missing:
            raise bad_request(f"Batch request step is missing {missing}.", "BadRequest")
        name = part["id"].casefold()
        if name in seen:
            raise bad_request(f"Request Id {part['id']} is duplicated.", "BadRequest")
        for needed in part.get("dependsOn") or ():
            if str(needed).casefold() not in seen:
                raise bad_request(f"Request {part['id']} depends on {needed}, which is not before it.", "BadRequest")
        seen.add(name)
        headers = {str(header).lower() for header in part.get("headers") or {}}
        if part["method"].upper() in _FOR_WRITING and ("body" not in part or "content-type" not in headers):
            raise bad_request(
                f"Write request id : {part['id']} does not contain Content-Type header or body.", "BadRequest"
            )
        if "://" in part["url"].split("?", 1)[0]:
            raise bad_request(f"Invalid url of request {part['id']}: it must be relative.", "BadRequest")
    return parts
