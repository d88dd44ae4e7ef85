"""A process with more threads than connections: who has to wait too long is told to try again, and nothing breaks."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa

from orosync.errors import TryLater
from orosync.store.database import Database
from orosync.store.engine import LOCK_WAIT_S


def test_who_finds_no_free_connection_is_to_try_again(
    engine: sa.Engine, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool: Any = engine.pool
    assert pool._timeout == LOCK_WAIT_S
    monkeypatch.setattr(pool, "_timeout", 0.01)
    with ExitStack() as others:
        for _ in range(pool.size() + pool._max_overflow):
            others.enter_context(engine.connect())
        with pytest.raises(TryLater, match="no free connection"):
            database.workers.all()
        with pytest.raises(TryLater, match="no free connection"):
            database.workers.sign("here:1", 4)
    database.workers.sign("here:1", 4)
    assert len(database.workers.all()) == 1
