"""Which look the pane has for whom: the organisation's own, else the system's. Stored as the setting `addin_look`."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from orosync.bootstrap import Database, level_of
from orosync.core.look import Look, clean
from orosync.core.records import Json
from orosync.web.principal import Principal

KEY = "addin_look"
SYSTEM = level_of(None)


def level_for(principal: Principal) -> Any:
    """Whose look somebody sees, and an administrator decides: a guest tenant's own, or the whole installation's."""
    return SYSTEM if principal.is_home else level_of(None, principal.tenant)


def look_in_force(database: Database, level: Any) -> tuple[Look, str]:
    """(the look, where it was set: "default", "system" or "organisation")."""
    for each in (level, SYSTEM):
        stored = database.settings.get(each).get(KEY)
        if isinstance(stored, dict):
            return _cleaned(json.dumps(stored)), each.name
    return Look(), "default"


def look_of(database: Database, level: Any) -> Json:
    """As the API tells it to everybody: without its CSS, which is a file of its own."""
    return {name: value for name, value in look_in_force(database, level)[0].as_setting().items() if name != "css"}


@lru_cache(maxsize=128)
def _cleaned(stored: str) -> Look:
    """Cleaned again, because the command line and an older version may have stored something else."""
    return clean(json.loads(stored))[0]
