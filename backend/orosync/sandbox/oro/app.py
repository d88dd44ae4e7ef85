"""The simulated OroCRM as a Flask program: turns WSGI requests into `Asked` and answers into responses."""

from __future__ import annotations

from flask import Response, request
from werkzeug.http import http_date

from orosync.sandbox.oro.control import create_control
from orosync.sandbox.oro.sandbox import OroSandbox
from orosync.sandbox.oro.wire import Answer, Asked
from orosync.sandbox.program import SandboxProgram

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_oro_app(oro: OroSandbox) -> SandboxProgram:
    """The whole API below `oro.settings.path_prefix`, and the control interface below `/sandbox`."""
    app = SandboxProgram("orosync.sandbox.oro", static_folder=None)
    # a dropped connection, and any mistake in here, reaches the server as it is
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.register_blueprint(create_control(oro))

    def answer(path: str = "") -> Response:
        prefix = oro.settings.path_prefix.rstrip("/")
        full = f"/{path}"
        if prefix:
            if not full.startswith(f"{prefix}/"):
                return Response("Not Found", 404)
            full = full.removeprefix(prefix)
        response = _response(oro.handle(_asked(full)))
        response.headers["Date"] = http_date(oro.clock())  # by its own clock, as every origin server says it
        return response

    options = {"methods": METHODS, "provide_automatic_options": False}
    app.add_url_rule("/", "root", answer, **options)  # type: ignore[arg-type]
    app.add_url_rule("/<path:path>", "api", answer, **options)  # type: ignore[arg-type]
    return app


def _asked(path: str) -> Asked:
    environ = request.environ
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    return Asked(
        method=request.method,
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=request.get_data(cache=False),
        host=f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}",
    )


def _response(answer: Answer) -> Response:
    response = Response(answer.payload(), answer.status, answer.headers)
    del response.headers["Content-Type"]
    if answer.content_type is not None:
        response.headers["Content-Type"] = answer.content_type
    response.headers["Cache-Control"] = answer.cache
    response.autocorrect_location_header = False
    return response
