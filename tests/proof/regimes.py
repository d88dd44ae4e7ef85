"""The settings a chapter of a story is told under, and what they promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orosync.core.records import Side

# Notes travel, and nobody has to approve anything.
BASE: Mapping[str, Any] = {
    "field_direction.task.description": "both",
    "field_direction.event.description": "both",
    "guard.deletes_at_least": 100_000,
    "guard.creates": 100_000,
}


@dataclass(frozen=True)
class Regime:
    """winner: of two edits of one field, where a rule says so by itself. restricted: records or fields may stay behind,
    so that only what has to be true under all settings is checked, until a resync under NORMAL."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    user: Mapping[str, Any] = field(default_factory=dict)
    way: Literal["both", "to_outlook", "to_oro"] = "both"
    winner: Side | None = Side.ORO
    deleted_in_outlook: Literal["restore", "propagate", "ignore"] = "restore"
    deleted_in_oro: Literal["propagate", "ignore"] = "propagate"
    restricted: bool = False


NORMAL = Regime("OroCRM wins")
_HELD = {"guard.deletes_at_least": 2, "guard.overwrites_percent": 10, "guard.creates": 2}
_FIELDS = {
    "field_direction.contact.job_title": "to_outlook",
    "field_direction.contact.fax": "off",
    "field_direction.task.subject": "to_oro",
    "field_direction.event.description": "to_outlook",
}

REGIMES: Mapping[str, Regime] = {
    each.name: each
    for each in (
        NORMAL,
        Regime("Outlook wins", {"conflict_resolution": "outlook_wins"}, winner=Side.OUTLOOK),
        Regime("the newest wins", {"conflict_resolution": "newest"}, winner=None),
        Regime("people are asked", {"conflict_resolution": "ask"}, winner=None),
        Regime("deletions in Outlook count", {"on_delete_in_outlook": "propagate"}, deleted_in_outlook="propagate"),
        Regime(
            "deletions are ignored",
            {"on_delete_in_outlook": "ignore", "on_delete_in_oro": "ignore"},
            deleted_in_outlook="ignore",
            deleted_in_oro="ignore",
        ),
        Regime("a narrow guard", _HELD),
        Regime(
            "to Outlook",
            {"sync_direction": "oro_to_outlook"},
            way="to_outlook",
            deleted_in_oro="ignore",
        ),
        Regime("to OroCRM", {"sync_direction": "outlook_to_oro"}, way="to_oro", deleted_in_outlook="ignore"),
        Regime("fields of their own", _FIELDS, restricted=True),
        Regime("busy only", {"private_items": "busy_only"}, restricted=True),
        Regime("own records", user={"oro_scope": "owned"}, restricted=True),
        Regime("selected ones", user={"sync_type": "selected"}, restricted=True),
        Regime("a narrow window", {"event_window": [1, 90]}, restricted=True),
    )
}
