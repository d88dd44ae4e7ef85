"""`/connection/authorize`, and the addresses of the window in which a person signs in on OroCRM's own page.

The window's addresses are no part of the API: a browser goes there without a token. How it works is in
`web/oro_sign_in.py`.
"""

from __future__ import annotations

from urllib.parse import urlencode

import flask
import marshmallow as ma
from flask import Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from orosync.core.records import Json
from orosync.errors import OrosyncError
from orosync.web.blueprint import Blueprint
from orosync.web.oro_sign_in import begin, came_back, page_of_orocrm
from orosync.web.parts import parts
from orosync.web.principal import signed_in
from orosync.web.problems import as_problem

LAST_PAGE = "/addin/auth-done.html"

blueprint = Blueprint("oro_sign_in", __name__, description="Signing in on OroCRM's own page.")
pages_blueprint = flask.Blueprint("oro_sign_in_window", __name__, url_prefix="/auth/oro")


class AuthorizeBody(ma.Schema):
    orocrm_url = ma.fields.String(required=True, validate=ma.validate.Length(1, 500))
    certificate = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(0, 128),
        metadata={"description": "SHA-256 fingerprint: trust exactly this certificate."},
    )


class AuthorizeResult(ma.Schema):
    start_url = ma.fields.String(
        required=True, metadata={"description": "To be opened in a window, once and within five minutes."}
    )


@blueprint.route("/connection/authorize", methods=["POST"])
@blueprint.arguments(AuthorizeBody)
@blueprint.response(200, AuthorizeResult)
def authorize(body: Json) -> Json:
    """Begin to sign in on OroCRM's own page. The window ends by handing the pane a one-time code, the `code` of
    `PUT /connection`."""
    return {"start_url": begin(parts(), signed_in(), body["orocrm_url"], body["certificate"])}


@pages_blueprint.get("/start")
def start() -> BaseResponse:
    """The window's first page: sends it on to OroCRM."""
    try:
        return redirect(page_of_orocrm(parts(), request.args.get("state", "")), 303)
    except OrosyncError as error:
        return _end(error)


@pages_blueprint.get("/callback")
def callback() -> BaseResponse:
    """Where OroCRM sends the window back to. The code goes on in the fragment, which no server sees or logs."""
    try:
        return _last_page(kind="oro", code=came_back(parts(), request.args))
    except OrosyncError as error:
        return _end(error)


@pages_blueprint.after_request
def _keep_nowhere(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _end(error: OrosyncError) -> BaseResponse:
    """Nobody reads JSON in a window: what went wrong goes to the pane by the same way as a code."""
    problem = as_problem(error)
    return _last_page(kind="error", error=problem.code, message=f"{problem.message} {problem.remedy}".strip())


def _last_page(**result: str) -> BaseResponse:
    return redirect(f"{LAST_PAGE}#{urlencode(result)}", 303)
