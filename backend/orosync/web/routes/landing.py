"""`/`: what this installation is, its manifest, how to put it into each Outlook, and whether it works."""

from __future__ import annotations

from flask import Blueprint, Response, render_template_string, send_from_directory

from orosync import __version__
from orosync.bootstrap.product_files import product_file
from orosync.web.look import SYSTEM, look_in_force
from orosync.web.parts import parts
from orosync.web.problems import NotFound, Problem
from orosync.web.routes.manifest import own_base_url

blueprint = Blueprint("landing", __name__)

_FOLDER = "addin/landing"
_PAGE = "page.html.jinja"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("/")
def landing() -> Response:
    text = (product_file(_FOLDER) / _PAGE).read_text(encoding="utf-8")
    try:
        base_url, no_manifest = own_base_url(), ""
    except Problem as error:
        base_url, no_manifest = "", str(error)
    page = render_template_string(
        text,
        name=look_in_force(parts().database, SYSTEM)[0].name or "OroCRM for Outlook",
        version=__version__,
        demo=parts().demo,
        base_url=base_url,
        no_manifest=no_manifest,
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/addin/landing/<path:name>")
def landing_file(name: str) -> Response:
    if name == _PAGE:
        raise NotFound("There is nothing at this address.")
    return send_from_directory(product_file(_FOLDER), name)
