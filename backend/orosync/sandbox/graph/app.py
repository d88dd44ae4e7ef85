"""The simulated Graph as a WSGI program: `/v1.0` beside the sign-in service and the control surface.

Graph's own paths are answered before Flask, because a first sync asks tens of thousands of times.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from orosync.sandbox.graph.control import control_surface
from orosync.sandbox.graph.oauth import sign_in_service
from orosync.sandbox.graph.sandbox import GraphSandbox
from orosync.sandbox.graph.service import GraphService
from orosync.sandbox.graph.wire import GraphRequest
from orosync.sandbox.program import SandboxProgram

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

VERSION = "/v1.0"


class GraphWsgi:
    """Answers `/v1.0/...`, hands everything else to `rest`."""

    def __init__(self, graph: GraphSandbox, rest: WSGIApplication) -> None:
        self._service = GraphService(graph)
        self._rest = rest

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        if not path.startswith(VERSION + "/"):
            return self._rest(environ, start_response)
        reply = self._service.handle(_request(environ, path[len(VERSION) :].rstrip("/")))
        payload = reply.payload()
        headers = [("Content-Length", str(len(payload))), *reply.headers.items()]
        if payload and "Content-Type" not in reply.headers:
            headers.append(("Content-Type", "application/json; odata.metadata=minimal; charset=utf-8"))
        start_response(f"{reply.status} {_reason(reply.status)}", headers)
        return [payload]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _request(environ: WSGIEnvironment, path: str) -> GraphRequest:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    length = environ.get("CONTENT_LENGTH") or ""
    source: Any = environ["wsgi.input"]
    chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    body = source.read(int(length)) if length.isdigit() else source.read() if chunked else b""
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return GraphRequest(
        environ["REQUEST_METHOD"],
        path,
        dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        headers,
        raw_body=body,
        base_url=f"{environ['wsgi.url_scheme']}://{host}{VERSION}",
    )


def create_graph_app(graph: GraphSandbox) -> SandboxProgram:
    """The program: Graph under `/v1.0`, sign-in under `/{tenant}`, control under `/sandbox`.

    Has no protection of its own: serve it on loopback only (`transport.serve` does).
    """
    app = SandboxProgram("orosync.sandbox.graph", static_folder=None)
    app.register_blueprint(control_surface(graph))
    app.register_blueprint(sign_in_service(graph))
    app.wsgi_app = GraphWsgi(graph, app.wsgi_app)  # type: ignore[method-assign]
    return app
