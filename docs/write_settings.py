"""Writes the tables of `settings.md` from the catalogue in the program, so that they cannot differ from it.

Run it after a change of settings: `.venv/bin/python docs/write_settings.py`. The words around the tables are written
by hand and stay.
"""  # noqa: INP001

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orosync.core.fields import CATALOGUE
from orosync.core.records import Entity
from orosync.core.setting_values import OneOf
from orosync.core.settings import KEYS, SettingKey

PAGE = Path(__file__).with_name("settings.md")
_FAMILY = re.compile(r"(field_direction|match_keys)\..+")


def plain_table() -> Iterator[str]:
    """Every setting that is not one of a family with a member for each field or entity."""
    yield "| key | level | values | default | what it decides |"
    yield "|---|---|---|---|---|"
    for key, entry in KEYS.items():
        if not _FAMILY.fullmatch(key):
            levels = ", ".join(level.value for level in entry.levels)
            yield f"| `{key}` | {levels} | {_values(entry)} | {_shown(entry.default)} | {entry.description} |"


def match_key_table() -> Iterator[str]:
    yield "| key | default | fields to choose from |"
    yield "|---|---|---|"
    for entity in Entity:
        key = f"match_keys.{entity.value}"
        known = ", ".join(f"`{field.name}`" for field in CATALOGUE[entity])
        yield f"| `{key}` | {_shown(KEYS[key].default)} | {known} |"


def field_table() -> Iterator[str]:
    yield "| key | default | merges together with |"
    yield "|---|---|---|"
    for entity in Entity:
        for field in CATALOGUE[entity]:
            key = f"field_direction.{entity.value}.{field.name}"
            others = [
                each.name for each in CATALOGUE[entity] if each.group and each.group == field.group and each != field
            ]
            yield f"| `{key}` | {_shown(KEYS[key].default)} | {', '.join(others)} |"


TABLES = {"plain": plain_table, "match keys": match_key_table, "fields": field_table}


def _values(entry: SettingKey) -> str:
    if isinstance(entry.shape, OneOf):
        return ", ".join(f"`{word.value}`" for word in entry.shape.words)
    return entry.allowed


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(f"`{each}`" if isinstance(each, str) else str(each) for each in value)
    return f"`{value}`" if isinstance(value, str) else "nothing" if value == {} else str(value)


def with_tables(text: str) -> str:
    """The page with fresh tables between its marks. Raises ValueError if a mark is missing."""
    for name, table in TABLES.items():
        begin, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"settings.md needs {begin} and {end}, once each")
        before, _, rest = text.partition(begin)
        text = "\n".join([before + begin, *table(), end + rest.partition(end)[2]])
    return text


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
