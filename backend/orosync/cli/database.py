"""`orosync db`: the database's schema, its backup, and what is forgotten in time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from orosync import bootstrap
from orosync.cli.printing import json_option, print_json, print_table
from orosync.cli.surroundings import configuration, opened
from orosync.key_file import KEY_FILE


@click.group()
def db() -> None:
    """The database: its schema, its backup, what is forgotten in time."""


@db.command()
def upgrade() -> None:
    """Bring the database up to date; nothing happens if it is. Needed with PostgreSQL after an update."""
    before, after = bootstrap.upgrade_database(configuration())
    click.echo(f"The database is up to date ({after})." if before == after else f"{before or 'empty'} -> {after}")


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite database to FILE, a new file, while the service goes on. For PostgreSQL use pg_dump."""
    config = configuration()
    size = bootstrap.backup_database(config, file.absolute())
    where = "OROSYNC_SECRET_KEYS" if config.secret_keys else config.data_dir / KEY_FILE
    click.echo(f"{file}: {size:,} bytes. It is of no use without the keys in {where}: keep those elsewhere.")


@db.command()
@json_option
def tidy(*, as_json: bool) -> None:
    """Drop now what is older than OROSYNC_HISTORY_DAYS, as the service does every six hours."""
    with opened() as (config, database):
        dropped = database.retention.drop_old(database.clock.now(), timedelta(days=config.history_days))
    if as_json:
        print_json(dropped)
        return
    print_table(("what", "rows"), [(name, count) for name, count in dropped.items() if count], empty="Nothing was old.")
