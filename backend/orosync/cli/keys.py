"""`orosync keys`: the keys that secrets in the database are encrypted with."""

from __future__ import annotations

from dataclasses import asdict

import click
from cryptography.fernet import Fernet

from orosync.cli.printing import json_option, print_json, print_table
from orosync.cli.surroundings import configuration, opened
from orosync.config import Config
from orosync.config_values import PREFIX
from orosync.errors import BadInput
from orosync.key_file import KEY_FILE, add_key, forget_older_keys


@click.group()
def keys() -> None:
    """The keys that secrets in the database are encrypted with. They are named by a digest, never shown."""


@keys.command()
def new() -> None:
    """Print a new key, for OROSYNC_SECRET_KEYS. It is kept nowhere else."""
    click.echo(Fernet.generate_key().decode())


@keys.command()
@json_option
def show(*, as_json: bool) -> None:
    """Which keys there are, and how many secrets of accounts each of them opens."""
    with opened() as (_, database):
        uses = database.keys.uses()
    if as_json:
        print_json([asdict(use) for use in uses])
        return
    what = {True: "newest", False: "older"}
    rows = [(use.name, what[use.newest] if use.ours else "MISSING", use.secrets) for use in uses]
    print_table(("key", "", "secrets"), rows)


@keys.command()
@click.option(
    "--forget-old",
    is_flag=True,
    help=f"Make no new key; take the older ones out of {KEY_FILE} when nothing needs them.",
)
@json_option
def rotate(*, forget_old: bool, as_json: bool) -> None:
    """Encrypt all secrets with the newest key. The service may go on meanwhile.

    With the key file a new key is made first, and the older ones stay in it. Restart the service, then call this again
    with --forget-old. With OROSYNC_SECRET_KEYS the first key of it is the newest; take the others out afterwards.
    """
    config = configuration()
    in_file = not config.secret_keys
    if forget_old and not in_file:
        raise BadInput(
            f"The keys are in {PREFIX}SECRET_KEYS, which is not ours to change.",
            field="--forget-old",
            remedy="Rotate without it, then take the older keys out of the variable.",
        )
    if in_file and not forget_old:
        add_key(config.data_dir)
    with opened(config) as (_, database):
        rotated = database.keys.rotate()
        newest = database.keys.uses()[0].name
    forgotten = forget_older_keys(config.data_dir) if forget_old else 0
    if as_json:
        print_json({"rotated": rotated, "newest": newest, "forgotten": forgotten})
        return
    click.echo(f"{rotated} secret(s) were encrypted anew; all have the key {newest} now.")
    click.echo(_what_is_next(config, forgotten, forget_old=forget_old))


def _what_is_next(config: Config, forgotten: int, *, forget_old: bool) -> str:
    if forget_old:
        return f"{forgotten} older key(s) were forgotten. Backups from before need them: keep a copy as long as those."
    if config.secret_keys:
        return f"Take the older keys out of {PREFIX}SECRET_KEYS when every process has been restarted with the newest."
    return (
        f"Copy {config.data_dir / KEY_FILE} to where you keep it. Then restart, and: orosync keys rotate --forget-old"
    )
