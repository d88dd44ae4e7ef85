"""`/healthz` and `/readyz`, for whoever watches this process. Nobody signs in for them; they tell yes or no alone."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from orosync.bootstrap.readiness import is_ready
from orosync.web.parts import parts

blueprint = Blueprint("health", __name__)
RETRY_AFTER_S = 5


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process is alive: whoever gets no answer should start it anew."""
    return _answer("alive", 200)


@blueprint.get("/readyz")
def readyz() -> Response:
    """The process can do its work: on 503 send requests elsewhere for a while."""
    if is_ready(parts().database):
        return _answer("ready", 200)
    response = _answer("not ready", 503)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _answer(status: str, code: int) -> Response:
    response = jsonify(status=status)
    response.status_code = code
    response.headers["Cache-Control"] = "no-store"
    return response
