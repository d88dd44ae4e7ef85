"""What changed in a container, and the rounds of delta queries over it (graph-api.md 5).

A change log keeps one entry per item, newest last, so an incremental round costs what changed, not what exists.
Tokens are opaque, belong to a generation of their feed, and die with it; what an entry looks like on the wire is
decided by the caller.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from orosync.sandbox.graph.wire import GraphFault, bad_request


@dataclass(slots=True)
class Entry:
    """`first`: when the item came into this container; `last`: its latest change; `gone`: how many moves its id
    had seen when it left, None while it is here."""

    first: int
    last: int
    gone: int | None = None


class ChangeLog:
    """Entries by item serial, in order of their latest change."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}

    def touched(self, serial: int, seq: int) -> None:
        entry = self.entries.pop(serial, None)
        if entry is None or entry.gone is not None:
            entry = Entry(seq if entry is None else entry.first, seq)
        entry.last = seq
        self.entries[serial] = entry

    def left(self, serial: int, seq: int, moves: int) -> None:
        entry = self.entries.pop(serial)
        entry.last, entry.gone = seq, moves
        self.entries[serial] = entry

    def since(self, seq: int, replay: int = 0) -> list[int]:
        """Serials changed after `seq`, oldest first, preceded by up to `replay` older ones."""
        found: list[int] = []
        for serial, entry in reversed(self.entries.items()):
            if entry.last <= seq:
                if replay <= 0 or entry.gone is not None:
                    break
                replay -= 1
            found.append(serial)
        found.reverse()
        return found


@dataclass(slots=True)
class Feed:
    """One collection as one kind of caller follows it: a folder, a list, a calendar with its window."""

    key: tuple[Any, ...]
    generation: int = 0
    tokens: deque[tuple[int, str]] = field(default_factory=deque)


@dataclass(slots=True)
class Round:
    """One walk: from `since` (0: everything) to `upto`; `pending` serials are shown page by page."""

    feed: Feed
    options: Any
    since: int
    upto: int
    pending: list[int]
    empty_pages: int = 0


@dataclass(slots=True)
class Page:
    rows: list[Any]
    token: str
    finished: bool


@dataclass(slots=True)
class _Position:
    feed: Feed
    generation: int
    round: Round | None
    offset: int
    since: int
    options: Any


class DeltaFeeds:
    """All tokens of one mailbox. Not thread-safe by itself: the mailbox's caller holds the lock."""

    def __init__(self, new_token: Callable[[], str]) -> None:
        self._new_token = new_token
        self._feeds: dict[tuple[Any, ...], Feed] = {}
        self._positions: dict[str, _Position] = {}

    def expire_all(self) -> None:
        """Every token given out so far is dead, nextLinks included."""
        self._positions.clear()
        for feed in self._feeds.values():
            feed.tokens.clear()

    def begin(
        self, key: tuple[Any, ...], options: Any, present: Iterable[int], upto: int, empty_pages: int
    ) -> _Position:
        feed = self._feeds.setdefault(key, Feed(key))
        fresh = Round(feed, options, 0, upto, list(present), empty_pages)
        return _Position(feed, feed.generation, fresh, 0, 0, options)

    def resume(
        self, token: str, key: tuple[Any, ...], log: ChangeLog, upto: int, *, kept: int, empty_pages: int, replay: int
    ) -> _Position:
        """The position behind a token.

        Raises GraphFault 410 SyncStateNotFound for one that is expired or too old, 400 for one that is not ours.
        """
        if not token.startswith("sandbox_"):
            raise bad_request("Badly formed token.", "ErrorInvalidUrlQuery")
        position = self._positions.get(token)
        if position is not None and position.feed.key[: len(key)] != key:
            raise bad_request("The token does not belong to this resource.", "ErrorInvalidUrlQuery")
        if position is None or position.feed.generation - position.generation >= kept:
            raise self._gone(position)
        if position.round is not None:
            return position
        pending = log.since(position.since, replay)
        fresh = Round(position.feed, position.options, position.since, upto, pending, empty_pages)
        return _Position(position.feed, position.feed.generation, fresh, 0, position.since, position.options)

    def _gone(self, position: _Position | None) -> GraphFault:
        highest = position.feed.generation if position is not None else 0
        mine = position.generation if position is not None else 0
        return GraphFault(
            410,
            "SyncStateNotFound",
            f"The sync state generation is not found; generation={mine};[highest={highest}]",
        )

    def page(
        self, position: _Position, size: int, replay: int, kept: int, show: Callable[[int, Round], list[Any]]
    ) -> Page:
        """The next rows of a round and the token that goes on from there; a group of rows is never split."""
        walk = position.round
        if walk is None:
            raise RuntimeError("a position without a round has no pages")
        rows: list[Any] = []
        offset = position.offset
        if walk.empty_pages > 0:
            walk.empty_pages -= 1
            return Page(rows, self._issue(walk, offset, kept), False)
        if offset and replay:
            for serial in islice(walk.pending, max(0, offset - replay), offset):
                rows += show(serial, walk)
        shown = 0
        while offset < len(walk.pending) and shown < size:
            more = show(walk.pending[offset], walk)
            shown += len(more)
            rows += more
            offset += 1
        if offset < len(walk.pending):
            return Page(rows, self._issue(walk, offset, kept), False)
        return Page(rows, self._finish(walk, kept), True)

    def _issue(self, walk: Round, offset: int, kept: int) -> str:
        place = _Position(walk.feed, walk.feed.generation, walk, offset, walk.since, walk.options)
        return self._remember(place, kept)

    def _finish(self, walk: Round, kept: int) -> str:
        walk.feed.generation += 1
        place = _Position(walk.feed, walk.feed.generation, None, 0, walk.upto, walk.options)
        return self._remember(place, kept)

    def _remember(self, place: _Position, kept: int) -> str:
        token = self._new_token()
        self._positions[token] = place
        tokens = place.feed.tokens
        tokens.append((place.generation, token))
        # Two generations more than are honoured stay known, so that the 410 can name them.
        while tokens and place.feed.generation - tokens[0][0] > kept + 2:
            self._positions.pop(tokens.popleft()[1], None)
        return token
