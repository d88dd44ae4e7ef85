"""`/auth/*`: the sign-in window, the code it ends with, and the sign-in of a demonstration.

Not part of the API: these are asked for before there is a token. How signing in works is in `web/sign_in`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, jsonify, redirect, request, send_from_directory
from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.wrappers import Response as BaseResponse

from orosync.errors import OrosyncError
from orosync.web.parts import Parts, parts
from orosync.web.problems import Invalid, NotFound, as_problem
from orosync.web.sign_in.dialog import DialogSignIn
from orosync.web.sign_in.local import LIFETIME_S, LocalSignIn, from_this_machine

dialog_blueprint = Blueprint("sign_in", __name__, url_prefix="/auth")
local_blueprint = Blueprint("local_sign_in", __name__, url_prefix="/auth/local")


def sign_in_blueprint(of: Parts) -> Blueprint:
    """The one that fits: people sign in with Entra ID, or in a demonstration without."""
    return local_blueprint if isinstance(of.authenticator, LocalSignIn) else dialog_blueprint


class _Code(Schema):
    code = fields.String(required=True, validate=validate.Length(min=1, max=256))
    verifier = fields.String(required=True, validate=validate.Length(min=43, max=128))


class _Person(Schema):
    person = fields.String(required=True, validate=validate.Length(min=1, max=256))


@dialog_blueprint.get("/start")
def start() -> BaseResponse:
    """The window's first page: sends it on to Entra ID."""
    try:
        return redirect(
            DialogSignIn(parts()).start(request.args.get("challenge", ""), request.args.get("claims", "")), 303
        )
    except OrosyncError as error:
        return _end(error)


@dialog_blueprint.post("/callback")
def callback() -> BaseResponse:
    """Where Entra ID sends the window back to, with a form. Our code goes on in the fragment, which no server sees."""
    try:
        return redirect(f"done#{urlencode({'code': DialogSignIn(parts()).finish(request.form)})}", 303)
    except OrosyncError as error:
        return _end(error)


@dialog_blueprint.get("/done")
def done() -> Response:
    """The window's last page: hands what is in its fragment to the pane."""
    folder: Path = current_app.extensions["orosync.pane"]
    return send_from_directory(folder, "auth-done.html")


@dialog_blueprint.post("/token")
def token() -> Response:
    given = _body(_Code())
    issued = DialogSignIn(parts()).redeem(given["code"], given["verifier"])
    return jsonify(access_token=issued.access_token, expires_in=issued.expires_in)


@local_blueprint.get("")
def people() -> Response:
    from_this_machine(request)
    found = _local().people
    return jsonify(people=[{"id": each.id, "name": each.name, "address": each.address} for each in found])


@local_blueprint.post("")
def pick() -> Response:
    from_this_machine(request)
    return jsonify(access_token=_local().token_for(_body(_Person())["person"]), expires_in=LIFETIME_S)


@dialog_blueprint.after_request
@local_blueprint.after_request
def _keep_nowhere(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _end(error: OrosyncError) -> BaseResponse:
    """Nobody reads JSON in a window: what went wrong goes to the pane by the same way as a code."""
    problem = as_problem(error)
    words = " ".join(filter(None, (problem.message, problem.remedy)))
    return redirect(f"done#{urlencode({'error': problem.code, 'message': words})}", 303)


def _local() -> LocalSignIn:
    authenticator = parts().authenticator
    if not isinstance(authenticator, LocalSignIn):
        raise NotFound("There is no such page.")
    return authenticator


def _body(schema: Schema) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(request.get_json())
    except ValidationError as error:
        wrong = error.messages_dict
        errors = [{"field": str(name), "message": str(text)} for name, texts in wrong.items() for text in texts]
        raise Invalid("The request is not complete.", errors) from None
    return loaded
