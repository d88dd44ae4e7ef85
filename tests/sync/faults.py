"""A wire that can be cut: between an account and its systems, one chosen request meets something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import BaseAdapter
from tests.sync.actors import Hands
from tests.sync.world import World

from orosync.core.records import Entity


class Killed(BaseException):
    """The process is gone: nothing of ours catches this."""


Story = Callable[[requests.PreparedRequest, Callable[[], requests.Response]], requests.Response]


class At(BaseAdapter):
    """Does something else with the first request that `meets` says; all others pass."""

    def __init__(self, inner: BaseAdapter, meets: Callable[[requests.PreparedRequest], bool], story: Story) -> None:
        super().__init__()
        self.inner, self.meets, self.story, self.met = inner, meets, story, 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if self.met or not self.meets(request):
            return self.inner.send(request, *args, **kwargs)
        self.met += 1
        return self.story(request, lambda: self.inner.send(request, *args, **kwargs))

    def close(self) -> None:
        self.inner.close()


def at(world: World, prefix: str, meets: Callable[[requests.PreparedRequest], bool], story: Story) -> At:
    """Between the account and one of its systems from now on."""
    key = next(each for each in world.adapters if prefix in each)
    cut = At(world.adapters[key], meets, story)
    world.adapters = {**world.adapters, key: cut}  # type: ignore[dict-item]
    return cut


def first(action: Callable[[], Any]) -> Story:
    """The action, then the request."""

    def story(_request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        action()
        return send()

    return story


def answer_lost(request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
    send()
    raise requests.exceptions.ReadTimeout(request=request)


def delivered_twice(_request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
    """By the network: the second answer is the one that comes."""
    send()
    return send()


def killed_after(_request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
    send()
    raise Killed


def writes_something(request: requests.PreparedRequest) -> bool:
    """A batch does if one of its parts does."""
    if str(request.url).endswith("/$batch"):
        return any(part["method"] != "GET" for part in json.loads(request.body or b"{}")["requests"])
    return request.method != "GET"


def writing(method: str, path: str = "") -> Callable[[requests.PreparedRequest], bool]:
    """A request, or a batch with a part, of this method and with `path` in its path."""

    def meets(request: requests.PreparedRequest) -> bool:
        if str(request.url).endswith("/$batch"):
            parts = json.loads(request.body or b"{}")["requests"]
            return any(part["method"] == method and path in part["url"] for part in parts)
        return request.method == method and path in str(request.url)

    return meets


def names(world: World, entity: Entity) -> tuple[list[str], list[str]]:
    hands = Hands(world, entity)
    return sorted(row[0] for row in hands.oro().values()), sorted(row[0] for row in hands.outlook().values())
