"""The database's schema, step by step: Alembic, configured by code.

`upgrade` brings any earlier schema to the newest, all or nothing; several processes may start at once. The steps are
in `versions/`, each written out in full, so that later changes of `tables/` do not change history.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from orosync.errors import ConfigurationError
from orosync.store.engine import connected

_LOCK = 0x0F0F5C  # any number, the same for all our processes


def head() -> str:
    """The newest revision."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def current(engine: sa.Engine) -> str | None:
    """The database's revision, None if it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check(engine: sa.Engine) -> None:
    """Raises ConfigurationError unless the schema is the newest."""
    found = current(engine)
    if found != head():
        raise ConfigurationError(
            [f"the database's schema is {found or 'empty'}, this program needs {head()}; run `orosync db upgrade`"]
        )


def upgrade(engine: sa.Engine) -> None:
    """Raises ConfigurationError if the database is newer than this program."""
    found = current(engine)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError(
            [f"the database's schema {found} is newer than this program; install the version that made it"]
        )
    with connected(engine, writing=True) as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:  # SQLite alters a table by copying it; dropping the old one must not empty its children
            _pragma(connection, "foreign_keys = OFF")
        try:
            with connection.begin():
                if not sqlite:
                    connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        finally:
            if sqlite:
                _pragma(connection, "foreign_keys = ON")


def _pragma(connection: sa.Connection, pragma: str) -> None:
    """Outside any transaction, where alone SQLite listens to it."""
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
