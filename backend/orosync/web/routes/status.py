"""`/me` and `/status`: what the pane's first screen needs, in one request each."""

from __future__ import annotations

from collections.abc import Sequence

from orosync import bootstrap
from orosync.core.account_state import account_state, next_run_at
from orosync.core.account_state import told as as_text
from orosync.core.records import Entity, Json, Side
from orosync.web.accounts import Mine, mine
from orosync.web.blueprint import Blueprint
from orosync.web.look import level_for, look_of
from orosync.web.parts import parts
from orosync.web.principal import signed_in
from orosync.web.routes.runs import told
from orosync.web.run_json import is_over
from orosync.web.schemas.status import MeSchema, StatusSchema

blueprint = Blueprint("status", __name__, description="Who one is, and how one's account is doing.")

_SYNCS = ("sync", "resync")
_LOOK_BACK = 50  # runs


@blueprint.route("/me")
@blueprint.response(200, MeSchema)
def me() -> Json:
    """Who is signed in."""
    principal = signed_in()
    return {
        "name": principal.name,
        "address": principal.address,
        "is_admin": principal.is_admin,
        "connected": parts().account_of(principal) is not None,
        "demo": parts().demo,
        "organisation": "" if principal.is_home else principal.tenant,
        "look": look_of(parts().database, level_for(principal)),
    }


@blueprint.route("/status")
@blueprint.response(200, StatusSchema)
def status() -> Json:
    """How the account is doing."""
    own = mine()
    settings = bootstrap.settings_of(parts().database, own.account)
    rows = own.store.runs(_LOOK_BACK)
    since = own.account.state_since
    now = parts().clock.now()
    facts = parts().database.account_states.of([own.account.id])[own.account.id]
    return {
        "state": account_state(facts, now).to_json(),
        "account": {
            "state": own.account.state,
            "reason": own.account.state_reason,
            "since": as_text(since),
        },
        "enabled": settings.enable_sync,
        "show_alerts": settings.show_alerts,
        "running": _told_or_none(own, _running(own, rows)),
        "last_run": _told_or_none(own, next((row for row in rows if row["mode"] in _SYNCS and is_over(row)), None)),
        "held": _told_or_none(own, _held(rows)),
        "next_run_at": as_text(next_run_at(facts, now)),
        "read_at": {side.value: as_text(facts.work.read_at.get(side)) for side in Side},
        "first_sync_done": all(
            own.store.cursor(side, entity).first_done for side in Side for entity in Entity if settings.wants(entity)
        ),
        "entities": {entity.value: _entity(own, entity, rows, wanted=settings.wants(entity)) for entity in Entity},
        "open_conflicts": own.store.count_unanswered_conflicts(),
        "quarantined": own.store.count_quarantined(),
    }


def _running(own: Mine, rows: Sequence[Json]) -> Json | None:
    """The one that was asked for, else the one that runs by itself. One that a killed worker left is neither."""
    asked = parts().database.requested_runs.active(own.account.id)
    if asked is not None:
        return own.store.run(asked)
    holder = parts().database.leases.holder(own.account.id)
    return next((row for row in rows if not is_over(row) and holder and holder.owner.endswith(f":{row['run']}")), None)


def _held(rows: Sequence[Json]) -> Json | None:
    """The newest plan that waits for an approval: a later run that was not held has dealt with it."""
    for row in rows:
        if row["mode"] in _SYNCS and is_over(row):
            return row if row["state"] == "held" else None
    return None


def _entity(own: Mine, entity: Entity, rows: Sequence[Json], *, wanted: bool) -> Json:
    last = next((row for row in rows if row["mode"] in _SYNCS and entity.value in _entities(row)), None)
    return {
        "wanted": wanted,
        "linked": own.store.count_links(entity),
        "only_outlook": own.store.count_unlinked(Side.OUTLOOK, entity),
        "only_oro": own.store.count_unlinked(Side.ORO, entity),
        "last_run_at": last["finished_at"] if last else None,
    }


def _entities(row: Json) -> Json:
    found: Json = (row["summary"] or {}).get("entities") or {}
    return found


def _told_or_none(own: Mine, row: Json | None) -> Json | None:
    return None if row is None else told(own, row)
