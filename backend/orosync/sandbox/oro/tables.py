"""A table in memory with the indexes that keep lists of 50,000 records cheap.

Records are anything with `id` and `updated_at`; a table keeps their ids in order, an order by (updatedAt, id) and
an exact-match index over the keys its owner names. What a key means is left to the filters.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

_AFTER_ALL = float("inf")


class Row(Protocol):
    """What a table needs of its records; `updated_at` moves only through `Table.save`."""

    id: int
    updated_at: datetime


R = TypeVar("R", bound=Row)
Key = tuple[str, Any]


class Table(Generic[R]):
    """Records by id. After any change to a record `save` must be called: it brings the indexes up to date."""

    def __init__(self, keys: Callable[[R], Iterable[Key]] = lambda _record: ()) -> None:
        self._keys = keys
        self._records: dict[int, R] = {}
        self._next_id = 1
        self._by_time: list[tuple[datetime, int]] = []
        self._times: dict[int, datetime] = {}
        self._by_key: dict[Key, set[int]] = {}
        self._keys_of: dict[int, tuple[Key, ...]] = {}
        self.ids: list[int] = []

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        return (self._records[number] for number in self.ids)

    def __contains__(self, number: int) -> bool:
        return number in self._records

    def get(self, number: int) -> R | None:
        """The record with this id, or None."""
        return self._records.get(number)

    def new_id(self) -> int:
        """The next id; ids are never used twice."""
        number = self._next_id
        self._next_id += 1
        return number

    def skip_to(self, number: int) -> None:
        """Lets the next record have at least this id."""
        self._next_id = max(self._next_id, number)

    def save(self, record: R) -> None:
        """Adds a record, puts a changed copy in its place or takes note of changes in it."""
        number = record.id
        known = number in self._records
        self._records[number] = record
        if not known:
            if not self.ids or number > self.ids[-1]:
                self.ids.append(number)
            else:
                insort(self.ids, number)
            self.skip_to(number + 1)
        self._index_time(number, record.updated_at)
        self._index_keys(number, record)

    def _index_time(self, number: int, moment: datetime) -> None:
        known = self._times.get(number)
        if known == moment:
            return
        if known is not None:
            del self._by_time[bisect_left(self._by_time, (known, number))]
        self._times[number] = moment
        if not self._by_time or self._by_time[-1] < (moment, number):
            self._by_time.append((moment, number))
        else:
            insort(self._by_time, (moment, number))

    def _index_keys(self, number: int, record: R) -> None:
        wanted = tuple(self._keys(record))
        known = self._keys_of.get(number, ())
        if wanted == known:
            return
        for key in known:
            self._by_key[key].discard(number)
        for key in wanted:
            self._by_key.setdefault(key, set()).add(number)
        self._keys_of[number] = wanted

    def remove(self, number: int) -> None:
        """Takes a record out; its id is not used again."""
        del self._records[number]
        del self.ids[bisect_left(self.ids, number)]
        del self._by_time[bisect_left(self._by_time, (self._times.pop(number), number))]
        for key in self._keys_of.pop(number, ()):
            self._by_key[key].discard(number)

    def with_key(self, name: str, value: Any) -> list[int]:
        """Ids of the records with this key, ascending."""
        return sorted(self._by_key.get((name, value), ()))

    def id_between(self, low: int | None, high: int | None) -> list[int]:
        """Ids within the bounds, ends included."""
        start = 0 if low is None else bisect_left(self.ids, low)
        end = len(self.ids) if high is None else bisect_right(self.ids, high)
        return self.ids[start:end]

    def between(
        self, low: datetime | None, high: datetime | None, *, with_low: bool = True, with_high: bool = True
    ) -> list[int]:
        """Ids by (updatedAt, id) within the bounds."""
        start, end = 0, len(self._by_time)
        if low is not None:
            start = bisect_left(self._by_time, (low, 0)) if with_low else bisect_right(self._by_time, (low, _AFTER_ALL))
        if high is not None:
            end = (
                bisect_right(self._by_time, (high, _AFTER_ALL)) if with_high else bisect_left(self._by_time, (high, 0))
            )
        return [number for _, number in self._by_time[start:end]]

    def newest(self, count: int, *, ids_ascending: bool) -> list[int]:
        """The first `count` ids when the newest updatedAt comes first; among equals ids go up or down."""
        if not ids_ascending:
            return [number for _, number in self._by_time[: -count - 1 : -1]] if count else []
        found: list[int] = []
        end = len(self._by_time)
        while end and len(found) < count:
            start = bisect_left(self._by_time, (self._by_time[end - 1][0], 0))
            found += [number for _, number in self._by_time[start:end]]
            end = start
        return found[:count]
