"""`/demo`: the page of a demonstration, and the little it needs beside the API and the simulated systems.

There is no such page in an ordinary installation.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request, send_from_directory

from orosync.bootstrap.product_files import product_file
from orosync.web.demonstration import demonstration, from_our_own_page
from orosync.web.problems import Invalid
from orosync.web.sign_in.local import from_this_machine

blueprint = Blueprint("demo", __name__, url_prefix="/demo")


@blueprint.before_request
def _near() -> None:
    """All of this is for whoever sits at this machine; a link to the page may stand anywhere."""
    if request.endpoint == "demo.page":
        from_this_machine(request)
    else:
        from_our_own_page(request)


@blueprint.get("")
def page() -> Response:
    demonstration()
    return send_from_directory(product_file("addin/demo"), "page.html", max_age=0)


@blueprint.get("/facts")
def facts() -> Response:
    """{person, automatic, orocrm: {url, user, key, control}, mailbox: {address, name,
    time_zone, control}}. `control` is where
    a system's control interface is below this origin."""
    return _told()


@blueprint.post("/automatic")
def automatic() -> Response:
    """`{"on": true | false}`: whether changes travel by themselves. Answers with the facts."""
    body = request.get_json()
    on = body.get("on") if isinstance(body, dict) else None
    if not isinstance(on, bool):
        raise Invalid("Say whether it is to be on.", [{"field": "on", "message": "true or false."}], field="on")
    demonstration().set_automatic(on=on)
    return _told()


@blueprint.post("/reset")
def reset() -> Response:
    """Both systems filled anew and nothing connected. Answers with the facts, which may have changed."""
    demonstration().reset()
    return _told()


def _told() -> Response:
    response = jsonify(demonstration().facts())
    response.headers["Cache-Control"] = "no-store"
    return response
