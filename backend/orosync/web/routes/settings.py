"""`/settings`, one's own, and `/admin/settings`, those of the organisation and of the whole installation."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from orosync import bootstrap
from orosync.core.records import Json
from orosync.core.settings import KEYS, Level
from orosync.store.settings import SYSTEM, organisation, user
from orosync.store.settings import Level as StoredLevel
from orosync.web.accounts import Mine, mine
from orosync.web.blueprint import Blueprint
from orosync.web.parts import parts
from orosync.web.principal import Principal, administrator
from orosync.web.problems import NotAllowed
from orosync.web.schemas.settings import LevelQuery, SettingsChange, SettingsSchema
from orosync.web.setting_json import Levels, as_items, change, must_match, tag

blueprint = Blueprint("settings", __name__, description="How records are synchronised, for oneself and for others.")

_KEY_OF = {f"setting_{number}": key for number, key in enumerate(KEYS)}


@blueprint.route("/settings")
class Settings(MethodView):
    @blueprint.response(200, SettingsSchema)
    def get(self) -> Any:
        """What is in force for one's own account, and where it was set."""
        return _own(mine())

    @blueprint.arguments(SettingsChange)
    @blueprint.response(200, SettingsSchema)
    def patch(self, body: Json) -> Any:
        """Change one's own; null means "as the organisation has it". Needs `If-Match`."""
        own = mine()
        must_match(own.store.settings_levels())
        _change(user(own.account.id), body, by=own.principal.owner)
        return _own(own)


def _own(own: Mine) -> Any:
    levels = own.store.settings_levels()
    return {"items": as_items(levels, editable=Level.USER)}, 200, {"ETag": f'"{tag(levels)}"'}


@blueprint.route("/admin/settings")
class AdminSettings(MethodView):
    @blueprint.arguments(LevelQuery, location="query")
    @blueprint.response(200, SettingsSchema)
    def get(self, query: Json) -> Any:
        """What is in force for everybody who has chosen nothing else."""
        return _of_others(level_for(administrator(), query["level"]))

    @blueprint.arguments(LevelQuery, location="query")
    @blueprint.arguments(SettingsChange)
    @blueprint.response(200, SettingsSchema)
    def patch(self, query: Json, body: Json) -> Any:
        """Change them; null means "use the level above". Needs `If-Match`."""
        principal = administrator()
        level = level_for(principal, query["level"])
        must_match(_levels(level))
        _change(level, body, by=principal.owner)
        return _of_others(level)


def level_for(principal: Principal, wanted: str | None) -> StoredLevel:
    """Guests administer their own organisation alone. Raises NotAllowed."""
    if (wanted or ("system" if principal.is_home else "organisation")) == "organisation":
        return organisation(principal.tenant)
    if not principal.is_home:
        raise NotAllowed(
            "Only administrators of the organisation that runs this installation may do this.",
            remedy="Use level=organisation.",
            field="level",
        )
    return SYSTEM


def _levels(level: StoredLevel) -> Levels:
    settings = parts().database.settings
    system = settings.get(SYSTEM)
    return (system, {}, {}) if level == SYSTEM else (system, settings.get(level), {})


def _of_others(level: StoredLevel) -> Any:
    levels = _levels(level)
    return {"items": as_items(levels, editable=Level(level.name))}, 200, {"ETag": f'"{tag(levels)}"'}


def _change(level: StoredLevel, body: Json, *, by: str) -> None:
    """Whose settings they are is looked at soon, so that a change shows."""
    database = parts().database
    with database.transaction():
        change(database, level, _by_key(body), by=by)
        bootstrap.settings_changed(database, level, parts().clock.now())


def _by_key(body: Json) -> Json:
    return {_KEY_OF[name]: value for name, value in body.items()}
