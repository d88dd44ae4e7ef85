"""The control interface below `/sandbox`: what a page or another process does to the instance from outside.

JSON in, JSON out; no sign-in, as the server only listens on loopback. It only calls `OroSandbox`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, request

from orosync.sandbox.oro.crm_rules import SHAPES
from orosync.sandbox.oro.records import OroSettings, OroUser
from orosync.sandbox.oro.sandbox import OroSandbox

_CRM = {kind: shape.entity for kind, shape in SHAPES.items()}
_MANY = {"contacts": "contact", "tasks": "task", "events": "event", **_CRM}


def create_control(oro: OroSandbox) -> Blueprint:
    """The blueprint; see the functions below for each path."""
    control = Blueprint("sandbox", __name__, url_prefix="/sandbox")
    _reading(control, oro)
    _editing(control, oro)
    _setting_up(control, oro)
    control.register_error_handler(KeyError, lambda error: _json({"error": f"not there: {error.args[0]}"}, 404))
    control.register_error_handler(ValueError, lambda error: _json({"error": str(error)}, 400))
    control.register_error_handler(TypeError, lambda error: _json({"error": str(error)}, 400))
    return control


def _json(value: Any, status: int = 200) -> Response:
    text = current_app.json.dumps(_plain(value))
    return Response(text, status, content_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _kind(name: str) -> str:
    if name not in _MANY:
        raise KeyError(name)
    return _MANY[name]


def _one(oro: OroSandbox, name: str, number: int) -> dict[str, Any]:
    looks = {"contact": oro.contact, "task": oro.task, "event": oro.event}
    return oro.crm_record(name, number) if name in _CRM else looks[_kind(name)](number)


def _user(user: OroUser, oro: OroSandbox) -> dict[str, Any]:
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "name": user.name,
        "api_key": user.api_key,
        "time_zone": user.time_zone,
        "enabled": user.enabled,
        "calendar": oro.calendar_of(user),
        "permissions": user.permissions,
    }


def _reading(control: Blueprint, oro: OroSandbox) -> None:
    @control.get("/<name>")
    def listed(name: str) -> Response:
        """`contacts`, `tasks`, `events`, `accounts` (and `leads`, `opportunities`, `cases`, `notes`, `calls`),
        `orphans`, `users`, `mails`, `audits`, `requests`, `statistics`, `settings`."""
        found: dict[str, Callable[[], Any]] = {
            "contacts": oro.contacts,
            "tasks": oro.tasks,
            "events": oro.events,
            "orphans": oro.orphan_events,
            "users": lambda: [_user(user, oro) for user in oro.state.users],
            "mails": lambda: [asdict(mail) for mail in oro.mails],
            "audits": lambda: oro.audits,
            "requests": lambda: [
                {"method": each.method, "path": each.path, "status": each.status} for each in oro.request_log
            ],
            "statistics": lambda: {
                "requests": dict(oro.counts),
                "contacts": len(oro.state.contacts),
                "tasks": len(oro.state.tasks),
                "events": len(oro.state.events),
            },
            "settings": lambda: asdict(oro.settings),
        }
        return _json(oro.crm_records(name) if name in _CRM else found[name]())

    @control.get("/<name>/<int:number>")
    def one(name: str, number: int) -> Response:
        return _json(_one(oro, name, number))


def _editing(control: Blueprint, oro: OroSandbox) -> None:
    @control.post("/<name>")
    def create(name: str) -> Response:
        """As a person; `?as=bob` says who."""
        office = oro.back_office_as(request.args["as"]) if "as" in request.args else oro.back_office
        return _json({"id": office.create(_kind(name), _body())}, 201)

    @control.patch("/<name>/<int:number>")
    def edit(name: str, number: int) -> Response:
        """As a person, or with `?by=client` as another API client."""
        if request.args.get("by") == "client":
            oro.api_client_edit(_kind(name), number, _body())
        else:
            office = oro.back_office_as(request.args["as"]) if "as" in request.args else oro.back_office
            office.edit(_kind(name), number, _body())
        return _json(_one(oro, name, number))

    @control.delete("/<name>/<int:number>")
    def delete(name: str, number: int) -> Response:
        oro.back_office.delete(_kind(name), number)
        return Response(status=204)

    @control.post("/tasks/<int:number>/transit/<transition>")
    def transit(number: int, transition: str) -> Response:
        oro.back_office.transit(number, transition)
        return _json(oro.task(number))

    @control.post("/<name>/<int:number>/owner/<username>")
    def owner(name: str, number: int, username: str) -> Response:
        oro.back_office.change_owner(_kind(name), number, oro.user(username))
        return _json(_one(oro, name, number))


def _setting_up(control: Blueprint, oro: OroSandbox) -> None:
    @control.post("/reset")
    def reset() -> Response:
        oro.reset()
        return Response(status=204)

    @control.patch("/settings")
    def settings() -> Response:
        known = {each.name for each in fields(OroSettings)}
        for name, value in _body().items():
            if name not in known:
                raise ValueError(f"setting {name!r} is not known: one of {', '.join(sorted(known))}")
            if name == "workflow_active":
                oro.back_office.set_workflow_active(active=bool(value))
            else:
                setattr(oro.settings, name, value)
        return _json(asdict(oro.settings))

    @control.post("/users")
    def add_user() -> Response:
        return _json(_user(oro.add_user(**_body()), oro), 201)

    @control.post("/oauth-clients")
    def add_client() -> Response:
        identifier, secret = oro.add_oauth_client(**_body())
        return _json({"client_id": identifier, "client_secret": secret}, 201)

    @control.post("/faults")
    def fault() -> Response:
        """`fail_next` or, with `form`, `malformed_next`, with the arguments of those."""
        body = _body()
        if "form" in body:
            oro.malformed_next(**body)
        else:
            oro.fail_next(**body)
        return Response(status=204)

    @control.post("/consumer")
    def consumer() -> Response:
        oro.run_consumer()
        return Response(status=204)

    @control.delete("/requests")
    def forget() -> Response:
        oro.forget_requests()
        return Response(status=204)
