"""`orosync settings`: what is in force and where it was set; setting and unsetting it.

With --account the user's own level is meant, with --organisation an organisation's, else the system's.
"""

from __future__ import annotations

from typing import Any

import click

from orosync import bootstrap
from orosync.bootstrap import Database
from orosync.cli.printing import json_option, print_json, print_table
from orosync.cli.surroundings import opened, this_user
from orosync.core.settings import KEYS, Level, as_json, effective, parse, setting_named, validate
from orosync.errors import BadInput, SettingError

_account = click.option("--account", "name", help="For this account's user; else for the whole system.")
_organisation = click.option("--organisation", help="For all accounts of this organisation.")


@click.group()
def settings() -> None:
    """Show and change how records are synchronised."""


@settings.command()
@_account
@_organisation
@click.argument("keys", nargs=-1)
@json_option
def show(name: str | None, organisation: str | None, keys: tuple[str, ...], *, as_json: bool) -> None:
    """What is in force, and on which level it was set. KEYS: only these, or all that begin so."""
    with opened() as (_, database):
        levels = _levels(database, name, organisation)
    for key in keys:
        if not any(each.startswith(key) for each in KEYS):
            setting_named(key)
    values = as_json_of(levels)
    shown = [key for key in KEYS if not keys or key.startswith(keys)]
    if as_json:
        print_json({key: {"value": values[key], "set": _where(key, levels)} for key in shown})
        return
    rows = [(key, _text(values[key]), _where(key, levels), KEYS[key].allowed, KEYS[key].description) for key in shown]
    print_table(("setting", "value", "set for", "values", "meaning"), rows)


def as_json_of(levels: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return as_json(effective(*levels))


def _levels(
    database: Database, name: str | None, organisation: str | None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    if name is not None:
        system, middle, user = database.account_store(database.accounts.named(name).id).settings_levels()
        return dict(system), dict(middle), dict(user)
    middle = database.settings.get(bootstrap.level_of(None, organisation)) if organisation else {}
    return database.settings.get(bootstrap.level_of(None)), dict(middle), {}


def _where(key: str, levels: tuple[dict[str, Any], ...]) -> str:
    names = (Level.SYSTEM, Level.ORGANISATION, Level.USER)
    chosen = [level.value for level, values in zip(names, levels, strict=True) if key in values]
    return chosen[-1] if chosen else "default"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@settings.command("set")
@_account
@_organisation
@click.argument("pairs", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(name: str | None, organisation: str | None, pairs: tuple[str, ...]) -> None:
    """Choose values; all of them, or none if one is wrong."""
    level = _level(name, organisation)
    chosen: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise SettingError(f"{pair!r} has no value.", field=key, remedy="Write KEY=VALUE.")
        chosen[key.strip()] = validate(key.strip(), parse(key.strip(), text), level)
    with opened() as (_, database):
        place = _place(database, name, organisation)
        with database.transaction():
            for key, value in chosen.items():
                database.settings.set(place, key, value, by=this_user())
            bootstrap.settings_changed(database, place, database.clock.now())
    for key, value in chosen.items():
        click.echo(f"{key} = {_text(value)}")


@settings.command()
@_account
@_organisation
@click.argument("keys", nargs=-1, required=True)
def unset(name: str | None, organisation: str | None, keys: tuple[str, ...]) -> None:
    """Use the level above again."""
    for key in keys:
        setting_named(key)
    with opened() as (_, database):
        place = _place(database, name, organisation)
        with database.transaction():
            changed = {key: database.settings.unset(place, key, by=this_user()) for key in keys}
            bootstrap.settings_changed(database, place, database.clock.now())
    for key, was_set in changed.items():
        click.echo(f"{key}: the level above is used" if was_set else f"{key}: it was not set here")


def _level(name: str | None, organisation: str | None) -> Level:
    if name and organisation:
        raise BadInput("Both --account and --organisation are given.", field="--account", remedy="Leave one out.")
    return Level.USER if name else Level.ORGANISATION if organisation else Level.SYSTEM


def _place(database: Database, name: str | None, organisation: str | None) -> Any:
    _level(name, organisation)
    return bootstrap.level_of(database.accounts.named(name) if name else None, organisation)
