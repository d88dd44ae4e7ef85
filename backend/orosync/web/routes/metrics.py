"""`/metrics`, for Prometheus: only for this machine itself, or with the operator's token.

A proxy on the same machine makes every request look as if it came from there: one that says that it was forwarded needs
the token.
"""

from __future__ import annotations

import hmac
import ipaddress

from flask import Blueprint, Response, request

from orosync.web.parts import parts
from orosync.web.problems import NotFound, NotSignedIn

blueprint = Blueprint("metrics", __name__)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Raises NotSignedIn."""
    text = parts().metrics
    if text is None:
        raise NotFound("There is nothing at this address.")
    if not (_has_token() or _is_from_this_machine()):
        raise NotSignedIn("Metrics are not for everybody.", remedy="Send OROSYNC_METRICS_TOKEN as bearer token.")
    response = Response(text(), content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _has_token() -> bool:
    wanted = parts().config.metrics_token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(wanted) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), wanted.encode())


def _is_from_this_machine() -> bool:
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.environ.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a socket of this machine's files has no address; whoever forwards by it may be a proxy
        return False
