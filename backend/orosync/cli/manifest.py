"""`orosync manifest`: the add-in's manifest for an installation, to upload or to sideload."""

from __future__ import annotations

from pathlib import Path

import click

from orosync.bootstrap.product_files import manifest_for
from orosync.errors import BadInput


@click.command()
@click.option("--base-url", required=True, help="Where people reach this installation, as https://sync.example.com.")
@click.option("--name", default="", help="What the add-in is called in Outlook; else the product's own name.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; else the manifest is printed.",
)
def manifest(base_url: str, name: str, output: Path | None) -> None:
    """The add-in's manifest for an installation: upload it in the Microsoft 365 admin center, or sideload it."""
    text = manifest_for(base_url, name=name, field="--base-url")
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"--output: {output} cannot be written ({error.strerror}).", field="--output", remedy="Name another file."
        ) from error
    click.echo(f"Wrote {output}. Deploy it in the Microsoft 365 admin center, or sideload it in Outlook.")
