"""Many requests in one: JSON batches of up to twenty parts, each with an answer of its own (graph-api.md 7).

Decides the grouping, and that one batch at a time is in flight for a mailbox (Graph itself then runs up to four of
its parts at once); what an answer means is left to the caller.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from orosync.core.records import Json
from orosync.errors import OrosyncError, SideFailing, SignInNeeded, Throttled, TryLater
from orosync.outlook.client import GraphClient, prefer_header
from orosync.outlook.replies import ConnectionLost, Reply, is_throttled

MOST_PARTS = 20


@dataclass(frozen=True, slots=True)
class Part:
    """One request inside a batch. path: below the version root, encoded as in a URL."""

    method: str
    path: str
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    prefer: tuple[str, ...] = ()


# What became of a part: Graph's answer, or why there is none. ConnectionLost and SideFailing (an answer that cannot be
# read): it may have been carried out; every other error: it was not.
Answer = Reply | OrosyncError


class Gate:
    """Held by whoever calls Graph for a mailbox."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()


class MailboxGates:
    """One gate per mailbox, shared by all accounts and threads of this process."""

    def __init__(self) -> None:
        self._gates: WeakValueDictionary[str, Gate] = WeakValueDictionary()
        self._guard = threading.Lock()

    def of(self, mailbox: str) -> AbstractContextManager[None]:
        """mailbox: its id or address; the same one in whatever case gives the same gate."""
        with self._guard:
            return self._gates.setdefault(mailbox.casefold(), Gate())


def send_parts(client: GraphClient, parts: Sequence[Part]) -> list[Answer]:
    """One answer per part, in order. Raises nothing: what goes wrong with a batch is the answer of its parts.

    After a batch that was throttled or failed as a whole the rest is not sent: those parts get Throttled.
    """
    answers: list[Answer] = []
    for start in range(0, len(parts), MOST_PARTS):
        if answers and (stop := _reason_to_stop(answers)) is not None:
            answers += [stop] * (len(parts) - start)
            break
        answers += _group(client, parts[start : start + MOST_PARTS])
    return answers


def _reason_to_stop(answers: Sequence[Answer]) -> OrosyncError | None:
    for answer in answers:
        if isinstance(answer, Reply):
            if is_throttled(answer):
                return Throttled("Not sent: the mailbox is throttled.", retry_after_s=answer.retry_after_s)
        elif isinstance(answer, ConnectionLost | SideFailing):
            return Throttled("Not sent: the request before it failed.", retry_after_s=None)
        elif isinstance(answer, TryLater | SignInNeeded):
            return answer
    return None


def _group(client: GraphClient, parts: Sequence[Part]) -> list[Answer]:
    answers = _post(client, parts)
    refused = {n: answer for n, answer in enumerate(answers) if isinstance(answer, Reply) and answer.status == 401}
    if refused:
        try:
            client.renew(next(iter(refused.values())))
        except OrosyncError:
            return answers  # the 401 stays their answer
        for n, answer in zip(refused, _post(client, [parts[n] for n in refused]), strict=True):
            answers[n] = answer
    return answers


def _post(client: GraphClient, parts: Sequence[Part]) -> list[Answer]:
    try:
        reply = client.send("POST", "/$batch", body={"requests": [_wire(n, part) for n, part in enumerate(parts)]})
    except OrosyncError as error:
        return [error] * len(parts)
    if reply.status in {400, 413} and len(parts) > 1:
        # One part that spoils the whole batch (its size, its address) must not stop the others.
        half = len(parts) // 2
        return _post(client, parts[:half]) + _post(client, parts[half:])
    if not reply.ok:
        return [reply] * len(parts)
    answers = _by_part(reply, len(parts))
    for answer in answers:
        if isinstance(answer, Reply):
            client.heed(answer)
    return answers


def _wire(number: int, part: Part) -> Json:
    headers = {"Prefer": prefer_header(part.prefer), **part.headers}
    request: Json = {"id": str(number), "method": part.method, "url": part.path, "headers": headers}
    if part.body is not None:
        headers["Content-Type"] = "application/json"
        request["body"] = part.body
    return request


def _by_part(reply: Reply, count: int) -> list[Answer]:
    """Answers come in any order and may be missing."""
    rows = reply.body.get("responses") if isinstance(reply.body, dict) else None
    found: dict[str, Reply] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("status"), int):
            found[str(row.get("id")).casefold()] = Reply(row["status"], row.get("body"), _headers(row.get("headers")))
    missing = SideFailing("Microsoft Graph gave no answer to a part of a batch.")
    return [found.get(str(n), missing) for n in range(count)]


def _headers(value: Any) -> dict[str, str]:
    return {str(name).lower(): str(text) for name, text in value.items()} if isinstance(value, dict) else {}
