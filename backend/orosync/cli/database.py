"""`orosync db`: the database's schema."""

from __future__ import annotations

import click

from orosync import bootstrap
from orosync.cli.surroundings import configuration


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Bring the database up to date; nothing happens if it is. Needed with PostgreSQL after an update."""
    before, after = bootstrap.upgrade_database(configuration())
    click.echo(f"The database is up to date ({after})." if before == after else f"{before or 'empty'} -> {after}")
