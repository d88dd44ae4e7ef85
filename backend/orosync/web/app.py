"""The Flask application: routes, who is asking, errors, headers and limits are put together here."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, g, jsonify, request
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from flask_smorest import Api
from limits import parse
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from orosync import __version__
from orosync.errors import OrosyncError
from orosync.web import headers, request_counts
from orosync.web.blueprint import ProblemSchema, tidied
from orosync.web.json_body import StrictJson
from orosync.web.parts import Parts, attach
from orosync.web.problems import MEDIA_TYPE, Invalid, NotFound, Problem, as_problem, body_of
from orosync.web.registry import api_blueprints, plain_blueprints

API = "/api/v1"
LARGEST_BODY = 256 * 1024  # the look with its logo is the largest thing anybody sends
_HOOKS = f"{API}/hooks/"
_OPEN = (f"{API}/openapi.json", f"{API}/docs")  # the description of the API is no secret

_log = structlog.get_logger(__name__)


class _Id(IntegerConverter):
    """Of rows: a number that no database can hold is the number of nothing."""

    def __init__(self, map: Map, *args: Any, **more: Any) -> None:
        super().__init__(map, *args, **({"max": 2**63 - 1} | more))


class _Api(Api):  # type: ignore[misc]
    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """Ours are registered for the whole application."""


def create_app(
    parts: Parts, *, pane: Path, rate_limit: str = "600 per minute", call_limit: str = "60000 per minute"
) -> Flask:
    """pane: the folder of the task pane's files. rate_limit: of one person, or of one address while nobody signed in.
    call_limit: of one address that calls because something changed, in each process: a few of them call for everybody.
    """
    app = Flask("orosync.web", static_folder=None, template_folder=str(Path(__file__).parent / "templates"))
    app.config.update(
        API_TITLE="OroCRM for Outlook",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json = StrictJson(app)
    app.url_map.converters["int"] = _Id
    app.url_map.strict_slashes = False
    attach(app, parts)
    app.extensions["orosync.pane"] = pane
    if behind := parts.config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=behind, x_proto=behind, x_host=behind)  # type: ignore[method-assign]
    _watch(app)
    _sign_in(app, parts)
    _limit(app, parts, rate_limit)
    _limit_calls(app, call_limit)
    _refuse(app)
    _problems(app)
    headers.add_to_every_answer(
        app,
        pane=headers.pane_policy(parts.config.frame_ancestors, parts.config.authority, demo=parts.demo),
    )
    api = _Api(app)
    for blueprint in api_blueprints():
        api.register_blueprint(blueprint, url_prefix=API)
    for blueprint in plain_blueprints(parts):
        app.register_blueprint(blueprint)
    _describe(app, api)
    return app


def _describe(app: Flask, api: Any) -> None:
    document = tidied(api.spec.to_dict())
    app.extensions["orosync.openapi"] = document

    @app.get(f"{API}/openapi.json")
    def openapi() -> Response:
        return jsonify(document)


# ------------------------------------------------------------------------------------------------ each request


def _watch(app: Flask) -> None:
    """A request id, and one line in the log: the route and not the address, which may hold names."""

    @app.before_request
    def begin() -> None:
        g.request_id, g.began = str(uuid4()), time.monotonic()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        route = request.url_rule.rule if request.url_rule is not None else "(none)"
        if not route.startswith(("/addin/", "/healthz", "/readyz", "/metrics")):
            took = round((time.monotonic() - g.began) * 1000)
            _log.info("request", method=request.method, route=route, status=response.status_code, ms=took)
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        structlog.contextvars.unbind_contextvars("request_id")


def _sign_in(app: Flask, parts: Parts) -> None:
    @app.before_request
    def authenticate() -> None:
        if not request.path.startswith(API) or request.path in _OPEN or request.url_rule is None:
            return
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            try:
                g.principal = parts.authenticator.authenticate(token.strip())
            except OrosyncError as error:
                g.refusal = error  # said by `_refuse`, after the request was counted


def _refuse(app: Flask) -> None:
    """After the limit, so that refused requests count as well: a wrong token is the cheapest thing to send."""

    @app.before_request
    def refuse() -> None:
        if (refusal := g.get("refusal")) is not None:
            raise refusal
        if "\0" in request.path:  # no database takes it
            raise NotFound("There is nothing at this address.", remedy="See /api/v1/docs.")
        for name, value in request.args.items(multi=True):
            if "\0" in name + value:
                field = name.replace("\0", "")
                raise Invalid("A parameter holds a NUL.", [{"field": field, "message": "Leave it out."}])
        if request.path.startswith(API) and request.url_rule is not None and _has_body() and not request.is_json:
            # a body that is no JSON is a mistake to be told, and not to be read as an empty one
            raise Problem(
                "The body must be JSON.",
                remedy="Send Content-Type: application/json.",
                status=415,
                code="unsupported_media_type",
            )


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def _who() -> str:
    principal = g.get("principal")
    return principal.owner if principal is not None else str(get_remote_address())


def _limit(app: Flask, parts: Parts, rate_limit: str) -> None:
    """On one machine each process counts by itself; with Redis as broker all count together."""
    broker = parts.config.broker_url
    storage = broker if broker.startswith(("redis://", "rediss://")) else f"{request_counts.SCHEME}://"
    limiter = Limiter(_who, app=app, application_limits=[rate_limit], storage_uri=storage)

    @app.errorhandler(RateLimitExceeded)
    def too_many(error: RateLimitExceeded) -> Response:
        problem = _of_http(error)
        current = limiter.current_limit
        wait = 60.0 if current is None else current.reset_at - time.time()
        problem.headers["Retry-After"] = str(max(1, int(wait)))  # the moment is rounded up already
        return answer(problem)

    @limiter.request_filter
    def pages_are_free() -> bool:
        return request.path.startswith(_HOOKS) or not request.path.startswith((API, "/auth/"))


def _limit_calls(app: Flask, call_limit: str) -> None:
    """By hand: they come by the hundreds a second, and the library's counters start a thread for each."""
    limit = parse(call_limit)
    lasts_s, counts, began = limit.get_expiry(), Counter[str](), time.monotonic()

    @app.before_request
    def count_calls() -> None:
        nonlocal counts, began
        if not request.path.startswith(_HOOKS):
            return
        now, who = time.monotonic(), get_remote_address()
        if now - began >= lasts_s:
            counts, began = Counter(), now
        counts[who] += 1
        if counts[who] <= limit.amount:
            return
        wait = began + lasts_s - now
        code, message, remedy = _CODES[429]
        headers = {"Retry-After": str(max(1, round(wait)))}
        raise Problem(message, remedy=remedy, status=429, code=code, headers=headers)


# ------------------------------------------------------------------------------------------------ errors


def _problems(app: Flask) -> None:
    @app.errorhandler(OrosyncError)
    def ours(error: OrosyncError) -> Response:
        problem = as_problem(error)
        if problem.status >= 500:
            _log.warning("request failed", code=problem.code, exc_info=error)
        return answer(problem)

    @app.errorhandler(HTTPException)
    def of_http(error: HTTPException) -> Response:
        return answer(_of_http(error))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        _log.error("request broke", exc_info=error)
        return answer(
            Problem("Something is wrong with this installation.", remedy="Try again later.", status=500, code="failed")
        )


def answer(problem: Problem) -> Response:
    response = jsonify(body_of(problem, g.get("request_id", "")))
    response.status_code = int(problem.status)
    response.content_type = MEDIA_TYPE
    response.headers.update(problem.headers)
    return response


_CODES = {
    400: ("malformed", "The request cannot be read.", "Send JSON, in UTF-8, with the right length."),
    404: ("not_found", "There is nothing at this address.", "See /api/v1/docs."),
    405: ("method_not_allowed", "This address does not know that method.", "The header Allow names those it knows."),
    413: ("too_large", "The request is too large.", f"Send at most {LARGEST_BODY // 1024} KB."),
    415: ("unsupported_media_type", "The body must be JSON.", "Send Content-Type: application/json."),
    422: ("invalid", "Some of what was sent cannot be used.", "See errors."),
    429: ("too_many_requests", "Too many requests.", "Wait as long as Retry-After says."),
}


def _of_http(error: HTTPException) -> Problem:
    """With the error's own headers: 405 must say what is allowed, 429 how long to wait."""
    status = error.code or 500
    code, message, remedy = _CODES.get(status, ("failed", error.name, ""))
    own = {name: value for name, value in error.get_headers() if name.lower() not in {"content-type", "content-length"}}
    problem = Problem(message, remedy=remedy, status=status, code=code, headers=own)
    data = getattr(error, "data", None) or {}
    if errors := list(_flat(data.get("messages") or data.get("errors"))):
        problem.more["errors"] = errors
        problem.field = errors[0]["field"]
    return problem


def _flat(messages: Any, path: tuple[str, ...] = ()) -> Any:
    """Webargs nests by location and member; the location says nothing to people."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            own = path if not path and name in {"json", "query", "headers"} else (*path, str(name))
            yield from _flat(inner, own)
    elif isinstance(messages, list):
        for message in messages:
            yield from _flat(message, path)
    elif messages:
        yield {"field": ".".join(each for each in path if each != "_schema"), "message": str(messages)}
