"""How the pane looks at this company: `/look` for everybody, `/admin/look` to change it, and `/addin/look.css`."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response, request
from flask.views import MethodView

from orosync.bootstrap import level_of
from orosync.core.look import CLEANED, Look, Removal, clean, stylesheet
from orosync.core.records import Json
from orosync.web.blueprint import Blueprint
from orosync.web.look import KEY, level_for, look_in_force, look_of
from orosync.web.parts import parts
from orosync.web.principal import Principal, administrator, signed_in
from orosync.web.problems import Invalid
from orosync.web.schemas.look import AdminLookSchema, LookQuery, LookRequest, LookSchema

blueprint = Blueprint("look", __name__, description="The pane's name, logo, colour, texts and sections.")
style_blueprint = flask.Blueprint("look_css", __name__)  # outside the API: a page loads it without a token


@blueprint.route("/look", methods=["GET"])
@blueprint.response(200, LookSchema)
def look() -> Json:
    """The look of the pane for whoever asks."""
    return look_of(parts().database, level_for(signed_in()))


@blueprint.route("/admin/look")
class AdminLook(MethodView):
    @blueprint.response(200, AdminLookSchema)
    def get(self) -> Json:
        """The look in force, with its CSS."""
        return _in_force(administrator(), [])

    @blueprint.arguments(LookRequest)
    @blueprint.arguments(LookQuery, location="query")
    @blueprint.response(200, AdminLookSchema)
    def put(self, body: Json, query: Json) -> Json:
        """Replace the look. HTML and CSS are cleaned, and the answer says what that took away. With `preview=true`
        nothing is stored. For an administrator of a guest tenant it is that tenant's own look."""
        principal = administrator()
        cleaned, removed = clean(body)
        _refuse_what_is_wrong(removed)
        if query["preview"]:
            return _told(cleaned, look_in_force(parts().database, level_for(principal))[1], removed)
        parts().database.settings.set(level_for(principal), KEY, cleaned.as_setting(), by=principal.owner)
        return _in_force(principal, removed)

    @blueprint.response(200, AdminLookSchema)
    def delete(self) -> Json:
        """Back to the look of the level above, which is the answer."""
        principal = administrator()
        parts().database.settings.unset(level_for(principal), KEY, by=principal.owner)
        return _in_force(principal, [])


def _refuse_what_is_wrong(removed: list[Removal]) -> None:
    """Cleaning is told and goes on; a value that cannot be used at all is the sender's to mend. Raises Invalid."""
    wrong = [{"field": each.field, "message": each.words} for each in removed if not each.cleaned]
    if wrong:
        raise Invalid("Some of the look cannot be used.", wrong, field=wrong[0]["field"], remedy="Mend these fields.")


def _in_force(principal: Principal, removed: list[Removal]) -> Json:
    found, level = look_in_force(parts().database, level_for(principal))
    return _told(found, level, removed)


def _told(found: Look, level: str, removed: list[Removal]) -> Json:
    sentences = [f"{each.field.upper()}: {each.words}" for each in removed if each.field in CLEANED]
    return {**found.as_setting(), "set_at": level, "removed": sentences}


@style_blueprint.get("/addin/look.css")
def look_css() -> Any:
    """Of the organisation named by `?organisation=`, else the system's. It holds nothing but colours and rules."""
    organisation = request.args.get("organisation", "")
    found, _ = look_in_force(parts().database, level_of(None, organisation))
    response = Response(stylesheet(found), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"  # asked again each time, answered with 304 while it is the same
    response.add_etag()
    return response.make_conditional(request)
