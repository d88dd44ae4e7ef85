"""Steps of the stories that play recorded exchanges.

A step is the name of a recording, `(name, send)` where the request needs secrets or tokens of the instance, or a
function that brings the instance into the next state (what was done in the back office, or in requests that were
not recorded).
"""

import json
from collections.abc import Callable
from typing import Any

from tests.contract.oro_replay import Send, World

Step = str | tuple[str, Send] | Callable[[World], None]


def office(kind: str, values: dict[str, Any], number: int | None = None) -> Callable[[World], None]:
    def step(world: World) -> None:
        world.wait()
        if number is not None:
            getattr(world.oro.state, f"{kind}s").skip_to(number)
        world.oro.back_office.create(kind, values)

    return step


def edit(kind: str, number: int, **values: Any) -> Callable[[World], None]:
    def step(world: World) -> None:
        world.wait()
        world.oro.back_office.edit(kind, number, values)

    return step


def api(method: str, path: str, data: Any, *, user: str = "admin", legacy: bool = False) -> Callable[[World], None]:
    def step(world: World) -> None:
        media = "application/json" if legacy else "application/vnd.api+json"
        headers = {"Accept": media, "Content-Type": media, "X-WSSE": world.wsse(user)}
        answer = world.ask(method, path, headers, json.dumps(data))
        assert answer.status_code < 300, answer.text

    return step


def two_contacts(world: World) -> None:
    world.oro.back_office.create("contact", {"firstName": "Grace"})
    world.oro.back_office.create("contact", {"firstName": "Mini"})
