"""The configuration options a client may read: time zone, language and locale in force for the asking user.

No permission is needed. Source: timezone-of-user, timezone-of-user-nina.
"""

from __future__ import annotations

from typing import Any

from orosync.sandbox.oro.records import OroUser
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.times import json_api_time


def option(state: OroState, user: OroUser, key: str) -> dict[str, Any] | None:
    """The attributes of one option, or None for an unknown one."""
    values = {
        "oro_locale.timezone": user.time_zone or state.settings.system_time_zone,
        "oro_locale.language": user.language,
        "oro_locale.locale": user.language,
    }
    if key not in values:
        return None
    started = json_api_time(state.started.replace(microsecond=0))
    return {
        "scope": "user",
        "dataType": "string",
        "value": values[key],
        "createdAt": started,
        "updatedAt": started,
    }
