"""Whether this process can do its work: the database answers and has the schema of this program."""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa

from orosync.store import migrations
from orosync.store.database import Database


@lru_cache(maxsize=1)
def _newest_schema() -> str:
    return migrations.head()


def is_ready(database: Database) -> bool:
    """Asks the database; never raises for what is wrong with it."""
    try:
        return migrations.current(database.engine) == _newest_schema()
    except sa.exc.SQLAlchemyError:
        return False
