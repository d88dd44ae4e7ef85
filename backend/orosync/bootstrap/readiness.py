"""Whether this installation can do its work: what this process needs for itself, and what it needs of others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import sqlalchemy as sa

from orosync.config import Config
from orosync.errors import ConfigurationError, OrosyncError
from orosync.store import migrations
from orosync.store.database import Database
from orosync.store.workers import LOST_AFTER

__all__ = ["LOST_AFTER", "Lack", "Reachable", "Readiness", "broker_trouble", "of_itself", "signs_missing"]

_KEPT_S = 5.0  # a broker that is away is not asked for each question


class Reachable(Protocol):
    def answers(self) -> bool:
        """Whether messages can be given to it now."""
        ...


@dataclass(frozen=True, slots=True)
class Lack:
    """part: "database", "schema", "keys", "queue", "worker" or "dispatcher". own: without it this process can do
    nothing; else people can look at everything, and only what runs by itself stands still. Says nothing that strangers
    may not read."""

    part: str
    message: str
    own: bool = False


class Readiness:
    """queue: None where none is asked. dispatching: something hands out what is due; a demonstration does not."""

    def __init__(self, database: Database, queue: Reachable | None = None, *, dispatching: bool = True) -> None:
        self._database, self._queue, self._dispatching = database, queue, dispatching
        self._queue_answers = _Kept(queue.answers) if queue is not None else None

    def lacks(self) -> list[Lack]:
        """Empty: all is well. Never raises for what is wrong with database, keys or queue."""
        own = list(of_itself(self._database))
        return own or [*self._of_queue(), *self._of_others()]

    def _of_queue(self) -> Iterator[Lack]:
        if self._queue_answers is not None and not self._queue_answers():
            yield Lack("queue", "The queue, or its broker, does not answer.")

    def _of_others(self) -> Iterator[Lack]:
        if self._queue is None:
            return
        try:
            yield from signs_missing(self._database, dispatching=self._dispatching)
        except OrosyncError:
            yield Lack("database", "The database does not answer.", own=True)


class _Kept:
    """An answer is good for a few seconds."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask, self._guard = ask, threading.Lock()
        self._until, self._answer = 0.0, False

    def __call__(self) -> bool:
        with self._guard:
            if time.monotonic() >= self._until:
                self._answer = self._ask()
                self._until = time.monotonic() + _KEPT_S
            return self._answer


@lru_cache(maxsize=1)
def _newest_schema() -> str:
    return migrations.head()


def of_itself(database: Database) -> Iterator[Lack]:
    """What a process needs whatever else there is."""
    try:
        current = migrations.current(database.engine)
    except (sa.exc.SQLAlchemyError, OrosyncError):
        yield Lack("database", "The database does not answer.", own=True)
        return
    if current != _newest_schema():
        yield Lack("schema", "The database has another schema: orosync db upgrade.", own=True)
        return
    try:
        newest = database.overview.newest_secret()
        if newest is not None:
            account_id, name = newest
            database.secrets(account_id).get(name)
    except OrosyncError:
        yield Lack("keys", "A stored secret cannot be read with OROSYNC_SECRET_KEYS.", own=True)


def broker_trouble(config: Config) -> str:
    """What is wrong with the broker; empty: it answers."""
    from orosync.jobs.cluster import must_answer  # Celery is an extra, and slow to import

    try:
        must_answer(config.broker_url)
    except ConfigurationError as error:
        return error.problems[0]
    return ""


def signs_missing(database: Database, *, dispatching: bool = True) -> Iterator[Lack]:
    """Who gives no sign of life. Raises TryLater while the database cannot take part."""
    alive = [each for each in database.workers.all() if each.seen_at >= database.workers.now() - LOST_AFTER]
    if all(each.dispatches for each in alive):
        yield Lack("worker", "No worker gives a sign of life.")
    if dispatching and not any(each.dispatches for each in alive):
        yield Lack("dispatcher", "No dispatcher gives a sign of life.")
