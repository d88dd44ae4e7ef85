"""The control surface: what a person does by hand in a mailbox, and a look inside, for other processes.

No protection of any kind: only for loopback. Faults of values come back as Graph's codes.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from flask import Blueprint, Response, jsonify, request

from orosync.sandbox.graph.sandbox import GraphSandbox
from orosync.sandbox.graph.wire import JSON, GraphFault

_OF_KIND = "/mailboxes/<upn>/<any(contact, task, event):kind>"


def _plain(row: JSON) -> JSON:
    return {**row, "extended": dict(row["extended"])}


def _error(status: int, code: str, message: str) -> tuple[Response, int]:
    return jsonify(error={"code": code, "message": message}), status


def control_surface(graph: GraphSandbox) -> Blueprint:
    """JSON under `/sandbox`; the README beside this file lists the paths."""
    surface = Blueprint("control", __name__, url_prefix="/sandbox")

    @surface.errorhandler(GraphFault)
    def refused(fault: GraphFault) -> tuple[Response, int]:
        return _error(fault.status, fault.code, fault.message)

    @surface.errorhandler(KeyError)
    @surface.errorhandler(ValueError)
    @surface.errorhandler(TypeError)
    def wrong(error: Exception) -> tuple[Response, int]:
        return _error(400, type(error).__name__, str(error))

    for add_routes in (_people, _requests, _faults, _notifications, _items, _arranging, _mail):
        add_routes(surface, graph)
    return surface


def _body() -> JSON:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _people(surface: Blueprint, graph: GraphSandbox) -> None:
    @surface.get("/mailboxes")
    def mailboxes() -> Response:
        return jsonify(
            value=[
                {
                    "upn": mailbox.upn,
                    "id": mailbox.user_id,
                    "displayName": mailbox.display_name,
                    "timeZone": mailbox.time_zone,
                    "maxConcurrencySeen": mailbox.max_concurrency_seen,
                }
                for mailbox in graph.mailboxes.values()
            ]
        )

    @surface.post("/mailboxes")
    def add_mailbox() -> tuple[Response, int]:
        mailbox = graph.add_mailbox(**_body())
        return jsonify(upn=mailbox.upn, id=mailbox.user_id), 201

    @surface.post("/tokens")
    def issue_token() -> Response:
        """`{"upn": ...}` for a delegated token, `{}` for the application's."""
        body = _body()
        lifetime = int(body.get("expires_in", 3600))
        if "upn" in body:
            return jsonify(access_token=graph.issue_token(body["upn"], expires_in=lifetime))
        return jsonify(access_token=graph.issue_app_token(expires_in=lifetime))

    @surface.route("/settings", methods=["GET", "PATCH"])
    def settings() -> Response:
        known = {field.name for field in fields(graph.settings)}
        for name, value in _body().items():
            if name not in known:
                message = f"setting {name!r} is not known: one of {sorted(known)}"
                raise ValueError(message)
            setattr(graph.settings, name, value)
        return jsonify(asdict(graph.settings))

    @surface.post("/reset")
    def reset() -> tuple[str, int]:
        graph.reset()
        return "", 204


def _requests(surface: Blueprint, graph: GraphSandbox) -> None:
    @surface.get("/statistics")
    def statistics() -> Response:
        return jsonify(graph.statistics.to_json() | {"max_concurrency_seen": graph.max_concurrency_seen})

    @surface.get("/requests")
    def requests() -> Response:
        rows = [asdict(entry) for entry in graph.request_log if not isinstance(entry.body, bytes)]
        return jsonify(value=rows)

    @surface.delete("/requests")
    def clear_requests() -> tuple[str, int]:
        graph.clear_log()
        return "", 204


def _faults(surface: Blueprint, graph: GraphSandbox) -> None:
    @surface.post("/faults")
    def faults() -> tuple[str, int]:
        """The arguments of `fail_next`; `body` is a text."""
        body = _body()
        if isinstance(body.get("body"), str):
            body["body"] = body["body"].encode()
        graph.fail_next(**body)
        return "", 204

    @surface.post("/throttle")
    def throttle() -> tuple[str, int]:
        graph.throttle_after(**_body())
        return "", 204

    @surface.delete("/throttle")
    def lift() -> tuple[str, int]:
        graph.lift_throttle()
        return "", 204

    @surface.post("/expire-delta-tokens")
    def expire() -> tuple[str, int]:
        graph.expire_delta_tokens()
        return "", 204


def _notifications(surface: Blueprint, graph: GraphSandbox) -> None:
    told = graph.notifications

    @surface.get("/subscriptions")
    def subscriptions() -> Response:
        with graph.lock:
            rows = [{"id": each.id, "resource": each.resource} for each in told.subscriptions.values()]
        return jsonify(value=rows, waiting=told.waiting)

    @surface.post("/subscriptions/lifecycle")
    def lifecycle() -> Response:
        """`{"event": ..., "subscription_id"?}`."""
        body = _body()
        return jsonify(told=told.lifecycle(body["event"], body.get("subscription_id")))


def _items(surface: Blueprint, graph: GraphSandbox) -> None:
    base, mailbox = _OF_KIND, graph.mailbox

    @surface.get(base)
    def items(upn: str, kind: Any) -> Response:
        return jsonify(value=[_plain(row) for row in mailbox(upn).items(kind, request.args.get("container"))])

    @surface.post(base)
    def create(upn: str, kind: Any) -> tuple[Response, int]:
        return jsonify(id=mailbox(upn).user_create(kind, _body(), request.args.get("container"))), 201

    @surface.get(base + "/<id>")
    def read(upn: str, kind: Any, id: str) -> Response:
        return jsonify(_plain(mailbox(upn).item(kind, id)))

    @surface.patch(base + "/<id>")
    def update(upn: str, kind: Any, id: str) -> Response:
        mailbox(upn).user_update(kind, id, _body())
        return jsonify(_plain(mailbox(upn).item(kind, id)))

    @surface.delete(base + "/<id>")
    def delete(upn: str, kind: Any, id: str) -> tuple[str, int]:
        mailbox(upn).user_delete(kind, id)
        return "", 204


def _arranging(surface: Blueprint, graph: GraphSandbox) -> None:
    base, mailbox = _OF_KIND, graph.mailbox

    @surface.post(base + "/<id>/move")
    def move(upn: str, kind: Any, id: str) -> Response:
        return jsonify(id=mailbox(upn).user_move(kind, id, _body()["container"]))

    @surface.post(base + "/<id>/copy")
    def copy(upn: str, kind: Any, id: str) -> tuple[Response, int]:
        return jsonify(id=mailbox(upn).user_copy(kind, id)), 201

    @surface.get(base + "/containers")
    def containers(upn: str, kind: Any) -> Response:
        return jsonify(mailbox(upn).containers(kind))

    @surface.post(base + "/containers")
    def add_container(upn: str, kind: Any) -> tuple[Response, int]:
        box = mailbox(upn)
        add = {"contact": box.add_contact_folder, "task": box.add_todo_list, "event": box.add_calendar}[kind]
        return jsonify(id=add(_body()["name"])), 201


def _mail(surface: Blueprint, graph: GraphSandbox) -> None:
    mailbox = graph.mailbox

    @surface.post("/mailboxes/<upn>/invitations")
    def invitation(upn: str) -> tuple[Response, int]:
        return jsonify(id=mailbox(upn).receive_invitation(**_body())), 201

    @surface.get("/mailboxes/<upn>/outbox")
    def outbox(upn: str) -> Response:
        return jsonify(value=[mail.to_json() for mail in mailbox(upn).outbox])

    @surface.delete("/mailboxes/<upn>/outbox")
    def clear_outbox(upn: str) -> tuple[str, int]:
        mailbox(upn).outbox.clear()
        return "", 204

    @surface.get("/mailboxes/<upn>/deleted")
    def deleted(upn: str) -> Response:
        return jsonify(value=[_plain(row) for row in mailbox(upn).deleted_items])
