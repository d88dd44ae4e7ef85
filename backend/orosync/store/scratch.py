"""What a run sets aside while it works on more records than memory should hold: shelves of values, gone with the run.

SQLite's own private temporary database: it has no name, lives in SQLite's cache and goes to a nameless file when it
outgrows that, which the operating system drops with the process. Nothing in it is ever read by another process, so
values are kept as pickles.
"""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from orosync.errors import TryLater
from orosync.store.transactions import CHUNK, chunks

_CACHE_KB = 4_096
_SCHEMA = f"""
PRAGMA cache_size = -{_CACHE_KB};
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE kept (number INTEGER PRIMARY KEY, shelf TEXT NOT NULL, label TEXT NOT NULL, value BLOB NOT NULL);
CREATE INDEX in_order ON kept (shelf, label, number);
"""
_KEEP = "INSERT INTO kept (shelf, label, value) VALUES (?, ?, ?)"
_FIND = "SELECT label, value FROM kept WHERE shelf = ? AND label IN (SELECT value FROM json_each(?)) ORDER BY number"
_NEXT = (
    "SELECT label, number, value FROM kept WHERE shelf = ? AND (label, number) > (?, ?) ORDER BY label, number LIMIT ?"
)


class Scratch:
    """Values on shelves, each with a label. One thread's; see `sync/ports.py`."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def keep(self, shelf: str, values: Iterable[tuple[str, Any]]) -> None:
        """(label, value): several may have the same label."""
        rows = ((shelf, label, _closed(value)) for label, value in values)
        with _speaking_plainly():
            self._connection.executemany(_KEEP, rows)

    def find(self, shelf: str, labels: Iterable[str]) -> dict[str, list[Any]]:
        """Values by label, as they were kept; labels without any are missing from the answer."""
        found: dict[str, list[Any]] = {}
        for some in chunks(dict.fromkeys(labels), CHUNK):
            with _speaking_plainly():
                rows = self._connection.execute(_FIND, (shelf, json.dumps(some))).fetchall()
            for label, value in rows:
                found.setdefault(label, []).append(_opened(value))
        return found

    def slices(self, shelf: str, size: int) -> Iterator[list[tuple[str, Any]]]:
        """All of a shelf, at most `size` at a time: by label, then as they were kept. What is kept meanwhile behind the
        place that was reached comes too."""
        label, number = "", 0
        while True:
            with _speaking_plainly():
                rows = self._connection.execute(_NEXT, (shelf, label, number, size)).fetchall()
            if not rows:
                return
            label, number, _ = rows[-1]
            yield [(each, _opened(value)) for each, _, value in rows]

    def clear(self, shelf: str, to: str | None = None) -> None:
        """All of a shelf, or what has this label or one before it. Others use its room."""
        with _speaking_plainly():
            if to is None:
                self._connection.execute("DELETE FROM kept WHERE shelf = ?", (shelf,))
            else:
                self._connection.execute("DELETE FROM kept WHERE shelf = ? AND label <= ?", (shelf, to))


def _closed(value: Any) -> bytes:
    text = io.BytesIO()
    _Pickler(text, pickle.HIGHEST_PROTOCOL).dump(value)
    return text.getvalue()


def _opened(value: bytes) -> Any:
    return pickle.loads(value)  # noqa: S301  # nosec B301  # written by this very process, into a file without a name


class _Pickler(pickle.Pickler):
    """Frozen dataclasses go field by field in C; by themselves they do it in Python, at twice the cost of all else."""

    def reducer_override(self, value: Any) -> Any:
        form = _forms.get(type(value)) or _form_of(type(value))
        return (_made, (type(value), form[0](value))) if form[0] is not None else NotImplemented


_Form = tuple[Callable[[Any], Any] | None, tuple[Callable[[Any, Any], None], ...]]
_forms: dict[type, _Form] = {}


def _form_of(kind: type) -> _Form:
    """How all fields of such a value are read, and each of them set; no way to read those of any other kind."""
    names = [each.name for each in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
    slots = len(names) > 1 and all(name in getattr(kind, "__slots__", ()) for name in names)
    form: _Form = (attrgetter(*names), tuple(getattr(kind, name).__set__ for name in names)) if slots else (None, ())
    return _forms.setdefault(kind, form)


def _made(kind: type, values: tuple[Any, ...]) -> Any:
    made: Any = object.__new__(kind)
    for put, value in zip(_forms[kind][1], values, strict=True):
        put(made, value)
    return made


@contextmanager
def _speaking_plainly() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise TryLater(
            f"There is no room to set aside what this run works on ({type(error).__name__}).",
            remedy="Make room where temporary files go: SQLITE_TMPDIR, else TMPDIR, /var/tmp or /tmp.",
        ) from error


class ScratchSpace:
    """Of an `AccountStore`."""

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """Gone with all that is in it at the end of the block."""
        scratch = Scratch()
        try:
            yield scratch
        finally:
            scratch.close()
