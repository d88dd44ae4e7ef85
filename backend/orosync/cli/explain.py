"""`orosync explain`: why a record is, or is not, synchronised."""

from __future__ import annotations

import click

from orosync.cli.printing import json_option, print_json
from orosync.cli.surroundings import opened, reading
from orosync.core.explain import explain as in_words
from orosync.core.records import Entity
from orosync.sync.known import known_of


@click.command()
@click.argument("name")
@click.argument("record_id", metavar="ID")
@click.option("--entity", type=click.Choice([e.value for e in Entity]), help="If the id is one of several entities.")
@json_option
def explain(name: str, record_id: str, entity: str | None, *, as_json: bool) -> None:
    """Why a record is, or is not, synchronised. ID: OroCRM's, or the Outlook item's."""
    with opened() as (_, database):
        _, store = reading(database, name)
        entities = [Entity(entity)] if entity else list(Entity)
        found = {each: known for each in entities if (known := known_of(store, each, record_id)) is not None}
    told = {each: in_words(known) for each, known in found.items()}
    if as_json:
        print_json({"id": record_id, "account": name, "found": {e.value: lines for e, lines in told.items()}})
        return
    if not told:
        click.echo("Nothing is known of this id: no feed has reported it yet.")
    for each, lines in told.items():
        if len(told) > 1:
            click.echo(f"As {'an event' if each is Entity.EVENT else f'a {each}'}:")
        for line in lines:
            click.echo(line)
