"""Where a run can be hurt: every request to either side, every part of a batch, and every commit of the database.

`Wire` stands at all of them. It counts and names them, and lets a fault have its way at the one it was given; a killed
process sends and commits nothing any more, whatever its `finally` blocks try.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import requests
from requests.adapters import BaseAdapter
from tests.sync.faults import Killed, writes_something
from tests.sync.world import World

from orosync.core.records import Side

Send = Callable[[requests.PreparedRequest], requests.Response]


@dataclass(frozen=True)
class Boundary:
    """One place in a story. request: None at a commit."""

    number: int
    side: Side | None = None
    request: requests.PreparedRequest | None = None

    @property
    def is_commit(self) -> bool:
        return self.request is None

    @cached_property
    def parts(self) -> list[dict[str, Any]]:
        """Of a batch; empty for a single request."""
        if self.request is None or not str(self.request.url).endswith("/$batch"):
            return []
        parts: list[dict[str, Any]] = json.loads(self.request.body or b"{}")["requests"]
        return parts

    @property
    def writes(self) -> bool:
        return self.request is not None and writes_something(self.request)

    def __str__(self) -> str:
        if self.request is None:
            return f"boundary {self.number}: commit"
        calls = [f"{part['method']} {part['url'].split('?')[0]}" for part in self.parts]
        what = f"$batch of {', '.join(calls)}" if calls else f"{self.request.method} {self.request.path_url[:90]}"
        return f"boundary {self.number}: {self.side} {what}"


class Fault(Protocol):
    """Something that goes wrong at one boundary."""

    @property
    def name(self) -> str: ...

    def at_request(self, boundary: Boundary, send: Send, wire: Wire) -> requests.Response: ...

    def before_commit(self, wire: Wire) -> None: ...

    def after_commit(self, wire: Wire) -> None: ...


@dataclass
class Wire:
    """`meet`: asked at every boundary while the wire is watched; what it returns happens there. `dead`: the process was
    killed, until `restart`. `refused`: answers of a side in place of its own, while they last; see `faults`."""

    world: World
    meet: Callable[[Boundary], Fault | None] = lambda _boundary: None
    watched: bool = False
    met: int = 0
    dead: bool = False
    refused: dict[Side, Callable[[Boundary], requests.Response]] = field(default_factory=dict)
    runs_refused: int = 0

    def __post_init__(self) -> None:
        sides = {"https://graph.example": Side.OUTLOOK, "https://crm.example": Side.ORO}
        self.world.adapters = {  # type: ignore[assignment]
            prefix: _Watched(inner, self, sides[prefix]) for prefix, inner in self.world.adapters.items()
        }
        self._watch_commits()

    def restart(self) -> None:
        """Another process takes over, or the next run begins."""
        self.dead = False
        if self.refused:
            self.runs_refused -= 1
            if self.runs_refused <= 0:
                self.refused.clear()

    # -------------------------------------------------------------------------------------------- requests

    def around(self, side: Side, request: requests.PreparedRequest, send: Send) -> requests.Response:
        if self.dead:
            raise Killed
        boundary, fault = self._next(side, request)
        if side in self.refused:
            return self.refused[side](boundary)
        return fault.at_request(boundary, send, self) if fault is not None else send(request)

    def _next(self, side: Side | None = None, request: requests.PreparedRequest | None = None) -> _Met:
        boundary = Boundary(self.met + 1, side, request)
        if not self.watched:
            return boundary, None
        self.met += 1
        return boundary, self.meet(boundary)

    # -------------------------------------------------------------------------------------------- commits

    def _watch_commits(self) -> None:
        transactions = self.world.database._transactions
        writing = transactions.writing

        @contextmanager
        def watched(*lease: Any) -> Iterator[Any]:
            if transactions.is_open:
                with writing(*lease) as connection:
                    yield connection
                return
            fault: Fault | None = None
            with writing(*lease) as connection:
                yield connection
                if self.dead:
                    raise Killed
                _, fault = self._next()
                if fault is not None:
                    fault.before_commit(self)
            if fault is not None:
                fault.after_commit(self)

        transactions.writing = watched  # type: ignore[method-assign]


_Met = tuple[Boundary, Fault | None]


class _Watched(BaseAdapter):
    def __init__(self, inner: BaseAdapter, wire: Wire, side: Side) -> None:
        super().__init__()
        self.inner, self.wire, self.side = inner, wire, side

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return self.wire.around(self.side, request, lambda each: self.inner.send(each, *args, **kwargs))

    def close(self) -> None:
        self.inner.close()


def answer(
    request: requests.PreparedRequest, status: int, body: Any, headers: Mapping[str, str] | None = None
) -> requests.Response:
    """An answer that no simulated system gave. body: JSON, or bytes as they are."""
    response = requests.Response()
    response.status_code = status
    response.headers["Content-Type"] = "application/json"
    response.headers.update(headers or {})
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response.request, response.url = request, str(request.url)
    return response
