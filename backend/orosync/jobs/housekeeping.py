"""What is forgotten in time: old runs with what they did, tombstones, finished conflicts, sign-in codes."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from orosync.bootstrap import Database

_log = structlog.get_logger(__name__)


def keep_house(database: Database, now: datetime, history: timedelta) -> None:
    """Drop what is older than its time (`store/retention.py`), a little at once."""
    dropped = database.retention.drop_old(now, history)
    if any(dropped.values()):
        _log.info("old history was dropped", **dropped)
