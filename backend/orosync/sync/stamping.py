"""Outlook items that have yet to get OroCRM's id: those just created in OroCRM, and any left over.

A stamp is a hint, never the identity: one that is refused is not tried again, and one that could not be sent waits for
the next run. While the next records are created in OroCRM, the stamps of those before them go to Outlook.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from orosync.core.exchange import Found, Write
from orosync.core.records import Item, Link, Side
from orosync.errors import OrosyncError, RecordRefused
from orosync.sync.confirm import Bookkeeper, Planned
from orosync.sync.session import Session
from orosync.sync.under_way import Results, Stream, why_stopped

_AT_ONCE = 20


class Stamping:
    """Of one entity, as a context: at its end all stamps have landed. stopped: where trouble with Outlook is noted, and
    looked up."""

    def __init__(self, session: Session, keeper: Bookkeeper, stopped: dict[Side, OrosyncError]) -> None:
        self._session, self._keeper, self._stopped = session, keeper, stopped
        self._tried: set[int] = set()
        self._stream: Stream[Link] = Stream(
            session.sides[Side.OUTLOOK],
            session.launch,
            remember=self._remember,
            drop=lambda _group: None,
            ends=lambda result: why_stopped(result) is not None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._stream.__exit__(kind, error, trace)

    def follow(self, made: Iterable[Planned]) -> None:
        """Those that were just linked, while we have their items at hand."""
        found = [(each.link, each.item_on(Side.OUTLOOK)) for each in made]
        self._send([(link, item) for link, item in found if link is not None and item is not None])

    def rest(self, plan: Sequence[Planned]) -> None:
        """All that wait for one, but for those that this run has tried. plan: whose items we have at hand."""
        self.land()
        if Side.OUTLOOK in self._stopped:
            return
        entity = self._keeper.entity
        waiting = [link for link in self._session.store.links_to_stamp(entity) if link.id not in self._tried]
        if not waiting:
            return
        items = self._keeper.items_of(plan)
        unread = [link.outlook_id for link in waiting if link.outlook_id and link.outlook_id not in items]
        readings = self._session.sides[Side.OUTLOOK].read(entity, unread) if unread else {}
        items |= {native: reading.item for native, reading in readings.items() if isinstance(reading, Found)}
        for start in range(0, len(waiting), _AT_ONCE):
            some = waiting[start : start + _AT_ONCE]
            self._send([(link, item) for link in some if (item := items.get(str(link.outlook_id))) is not None])
        self._tried |= {link.id for link in waiting}  # those without an item, too: it is not asked for again and again
        self.land()

    def land(self) -> None:
        """Wait for what is under way, and remember what came of it."""
        self._stream.send(())

    def _send(self, wanted: Sequence[tuple[Link, Item]]) -> None:
        group: list[tuple[Link, Write]] = []
        for link, item in wanted:
            if link.stamped is False and Side.OUTLOOK not in self._stopped:
                with suppress(RecordRefused):
                    group.append((link, self._keeper.stamp_write(link, item)))
        self._tried |= {link.id for link, _ in group}
        self._stream.send(group)

    def _remember(self, group: Sequence[tuple[Link, Write]], results: Results) -> None:
        self._keeper.stamped([(link, results[write.op_id]) for link, write in group])
        stop = next((why for result in results.values() if (why := why_stopped(result)) is not None), None)
        if stop is not None:
            self._stopped.setdefault(Side.OUTLOOK, stop)
