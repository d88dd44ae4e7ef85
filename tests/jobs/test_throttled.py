"""A drill: Graph asks one mailbox to wait for minutes, in the middle of its work. It is left alone as long, the others
go on, and then everything follows by itself, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from tests.jobs.background_world import GRAPH, Background

from orosync.core.account_state import AccountState, account_state

PAUSE = timedelta(minutes=4)
MANY = 60  # contacts: three batches


class Limits(BaseAdapter):
    """In front of the simulated Graph: after `more` calls for a mailbox it answers 429 until the pause is over."""

    def __init__(self, world: Background, name: str) -> None:
        super().__init__()
        self._world, self._behind = world, world.adapters[GRAPH]
        secrets = world.database.secrets(world.ids[name])
        self._bearer = f"Bearer {secrets.get('graph_token')}"
        self.more: int | None = None
        self.until: datetime | None = None
        self.refused: list[datetime] = []

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]
        now = self._world.clock.now()
        if request.headers["Authorization"] == self._bearer and self.more is not None:
            if self.more == 0:
                self.until = self.until or now + PAUSE
                if now < self.until:
                    self.refused.append(now)
                    return self._too_many(request, self.until - now)
            self.more = max(self.more - 1, 0)
        answer: requests.Response = self._behind.send(request, **how)
        return answer

    def _too_many(self, request: requests.PreparedRequest, left: timedelta) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 429, request, request.url or ""
        answer.headers["Retry-After"] = str(int(left.total_seconds()))
        answer._content = b'{"error": {"code": "TooManyRequests", "message": "Please wait."}}'
        return answer

    def close(self) -> None:
        """Nothing is held open."""


@pytest.fixture
def world(background: Callable[..., Background]) -> Background:
    made = background("anna", "boris")
    made.first_sync()
    return made


def limited(world: Background) -> Limits:
    made = Limits(world, "anna")
    world.adapters[GRAPH] = made  # type: ignore[assignment]
    return made


def shown(world: Background, name: str) -> AccountState:
    number = world.ids[name]
    return account_state(world.database.account_states.of([number])[number], world.clock.now())


def in_outlook(world: Background, name: str) -> Counter[str]:
    return Counter(str(each["givenName"]) for each in world.mailbox(name).items("contact"))


def in_oro(world: Background) -> Counter[str]:
    return Counter(str(each["firstName"]) for each in world.oro.contacts())


def make_in_oro(world: Background, names: list[str]) -> None:
    for name in names:
        world.oro.back_office_as(world.oro.user("admin")).create("contact", {"firstName": name, "lastName": "Lovelace"})


def test_a_mailbox_that_graph_throttles_for_minutes_rests_and_all_arrives_once_when_the_pause_is_over(
    world: Background,
) -> None:
    limits = limited(world)
    names = [f"Ada {number:02}" for number in range(MANY)]
    make_in_oro(world, names)
    world.clock.forward(minutes=3)
    limits.more = 2  # its feeds are read and a batch is written, then no more
    world.seconds(5)
    assert limits.until is not None
    some = in_outlook(world, "anna")
    assert 0 < len(some) < MANY, "it was in the middle"
    state = shown(world, "anna")
    assert state.name == "throttled"
    assert state.until is not None
    assert limits.until <= state.until <= limits.until + PAUSE / 5
    assert in_outlook(world, "boris") == Counter(names)
    assert shown(world, "boris").name == "waiting"

    make_in_oro(world, ["Meanwhile"])
    world.mailbox("anna").user_create("contact", {"givenName": "From Anna", "surname": "Hopper"})
    world.mailbox("boris").user_create("contact", {"givenName": "From Boris", "surname": "Hopper"})
    world.ask("now", name="anna")  # people do not wait
    while world.clock.now() < limits.until - timedelta(seconds=5):
        world.seconds(5)
        assert shown(world, "anna").name == "throttled"
    assert set(limits.refused) == {limits.refused[0]}, "from then on nobody asked for it"
    assert in_outlook(world, "anna") == some + Counter(["From Anna"])
    assert in_oro(world)["From Boris"] == 1
    assert in_outlook(world, "boris")["Meanwhile"] == 1

    world.seconds(300)
    everything = Counter([*names, "Meanwhile", "From Anna", "From Boris"])
    assert in_outlook(world, "anna") == in_outlook(world, "boris") == in_oro(world) == everything
    assert shown(world, "anna").name == "waiting"
    assert world.database.due_work.get(world.ids["anna"]).trouble == ""
