"""Settings as the API tells and takes them: value, where it was set, what it may be, and a tag for If-Match."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from orosync.bootstrap import Database
from orosync.core.records import Json
from orosync.core.setting_values import Names, Object, OneOf, Pair, Shape, Text, Whole, YesNo
from orosync.core.settings import KEYS, Level, as_json, effective, setting_named, validate
from orosync.errors import SettingError
from orosync.store.settings import Level as StoredLevel
from orosync.web.problems import Invalid, Problem

HIDDEN = frozenset({"addin_look"})  # it has pages of its own
Levels = Sequence[Mapping[str, Any]]  # system, organisation, user


def as_items(levels: Levels, *, editable: Level) -> list[Json]:
    """Every setting with what is in force."""
    values = as_json(effective(*levels))
    return [
        {
            "key": key,
            "value": values[key],
            "default": entry.default,
            "set_at": _set_at(key, levels),
            "editable": editable in entry.levels,
            "description": entry.description,
            **_kind(entry.shape),
        }
        for key, entry in KEYS.items()
        if key not in HIDDEN
    ]


def _set_at(key: str, levels: Levels) -> str:
    chosen = [level.value for level, values in zip(Level, levels, strict=False) if key in values]
    return chosen[-1] if chosen else "default"


def _kind(shape: Shape) -> Json:
    if isinstance(shape, OneOf):
        return {"kind": "choice", "choices": [word.value for word in shape.words]}
    if isinstance(shape, YesNo):
        return {"kind": "yes_no"}
    if isinstance(shape, Whole):
        return {"kind": "number", "least": shape.least, "most": shape.most, "unit": shape.unit}
    if isinstance(shape, Pair):
        return {"kind": "pair", "least": shape.each.least, "most": shape.each.most, "unit": shape.each.unit}
    if isinstance(shape, Names):
        return {"kind": "names", "choices": list(shape.known)}
    if isinstance(shape, Text):
        return {"kind": "text", "longest": shape.longest}
    if isinstance(shape, Object):
        return {"kind": "object", "longest": shape.longest}
    raise TypeError(shape)


def tag(levels: Levels) -> str:
    """Of what is set on every level: a change above is a change of what the caller saw."""
    text = json.dumps([dict(each) for each in levels], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def must_match(levels: Levels) -> None:
    """Raises Problem: 428 without If-Match, 412 if somebody else changed settings meanwhile."""
    if "If-Match" not in request.headers:
        raise Problem(
            "Say which version of the settings you are changing.",
            remedy="Send the ETag of GET as If-Match.",
            field="If-Match",
            status=428,
            code="precondition_required",
        )
    if not request.if_match.contains(tag(levels)):
        raise Problem(
            "The settings were changed by somebody else meanwhile.",
            remedy="Look at them again, then save.",
            status=412,
            code="precondition_failed",
        )


def _checked(key: str, value: Any, level: Level) -> Any:
    if key in HIDDEN:
        raise SettingError(f"{key} cannot be set here.", field=key, remedy="Use /admin/look.")
    if value is None and level in setting_named(key).levels:
        return None
    return validate(key, value, level)


def change(database: Database, level: StoredLevel, body: Mapping[str, Any], *, by: str) -> None:
    """All of it or nothing; null means "use the level above". Raises Invalid that names every wrong key."""
    chosen: dict[str, Any] = {}
    errors = []
    for key, value in body.items():
        try:
            chosen[key] = _checked(key, value, Level(level.name))
        except SettingError as error:
            errors.append({"field": key, "message": str(error)})
    if errors:
        raise Invalid(
            "Some settings cannot be saved; none was.", errors, code="invalid_setting", field=errors[0]["field"]
        )
    with database.transaction():
        for key, value in chosen.items():
            if value is None:
                database.settings.unset(level, key, by=by)
            else:
                database.settings.set(level, key, value, by=by)
