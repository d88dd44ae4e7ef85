"""`/manifest.xml`: the add-in's manifest for this installation's own address and name. Nobody signs in for it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from orosync.bootstrap.product_files import manifest_for
from orosync.errors import BadInput
from orosync.web.look import SYSTEM, look_in_force
from orosync.web.manifest import MEDIA_TYPE, checked_base_url
from orosync.web.parts import parts
from orosync.web.problems import Problem

blueprint = Blueprint("manifest", __name__)
FILE_NAME = "manifest.xml"


def own_base_url() -> str:
    """Where people reach this installation, as far as Outlook could load an add-in from there. Raises Problem."""
    base_url = parts().config.public_url or request.url_root
    try:
        return checked_base_url(base_url)
    except BadInput as error:
        raise Problem(
            f"There is no manifest for {base_url}: Outlook loads add-ins over https from a proper address alone.",
            status=409,
            code="no_manifest",
            remedy="Set OROSYNC_PUBLIC_URL to the https address of this installation.",
        ) from error


@blueprint.get("/manifest.xml")
def manifest() -> Response:
    """With `?download` browsers save it instead of showing it."""
    text = manifest_for(own_base_url(), name=look_in_force(parts().database, SYSTEM)[0].name)
    response = Response(text, content_type=f"{MEDIA_TYPE}; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"  # without a public address it depends on how it was asked for
    if "download" in request.args:
        response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response
