"""`/healthz` and `/readyz`, for whoever watches this process. Nobody signs in for them: they tell which part is missing
and nothing about it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from orosync.web.parts import parts

blueprint = Blueprint("health", __name__)
RETRY_AFTER_S = 5


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process is alive: whoever gets no answer should start it anew."""
    return _answer("alive", 200)


@blueprint.get("/readyz")
def readyz() -> Response:
    """The process can do its work: on 503 send requests elsewhere for a while. What stands still everywhere, because
    a broker or all workers are away, is told as well, but people can go on looking."""
    lacks = parts().readiness.lacks()
    missing = [each.part for each in lacks]
    if any(each.own for each in lacks):
        response = _answer("not ready", 503, problems=missing)
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response
    return _answer("degraded", 200, problems=missing) if lacks else _answer("ready", 200)


def _answer(status: str, code: int, **more: Any) -> Response:
    response = jsonify(status=status, **more)
    response.status_code = code
    response.headers["Cache-Control"] = "no-store"
    return response
