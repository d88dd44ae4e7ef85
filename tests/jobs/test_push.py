"""Push from Microsoft Graph through the whole program: subscriptions are kept by themselves, a change arrives without a
poll of the other feed, and a loss costs latency and nothing else. The clock is the test's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from tests.jobs.background_world import Background

from orosync import bootstrap
from orosync.bootstrap.graph_push import push_url
from orosync.core.due import SAFETY_POLL_S
from orosync.core.push import Subscription, is_alive
from orosync.core.records import Entity, Side
from orosync.outlook.subscriptions import LIFE
from orosync.sandbox.transport import WsgiAdapter
from orosync.store.settings import user

PUBLIC = "https://sync.example.com"


class Reachable:
    """An installation that the simulated Graph can call."""

    def __init__(self, world: Background, **config: Any) -> None:
        self.world = world
        self.flask = world.go_online(PUBLIC, **config)
        self.told = world.graph.notifications

    def settle(self) -> None:
        """After the first sync, until everything is quiet."""
        self.world.first_sync()
        self.seconds(45, at_once=5)
        self.seconds(5)

    def seconds(self, count: int, at_once: int = 1) -> None:
        """at_once: how many pass between two rounds; the fewer rounds, the sooner a test is over."""
        for _ in range(0, count, at_once):
            self.world.clock.forward(seconds=at_once - 1)
            self.world.second()
            self.told.deliver()

    def seconds_until(self, happened: Callable[[], bool], at_once: int = 1, at_most: int = 2000) -> int:
        for second in range(at_once, at_most, at_once):
            self.seconds(at_once, at_once)
            if happened():
                return second
        raise AssertionError(f"not within {at_most} s")

    def rows(self, name: str = "anna") -> dict[Entity, Subscription]:
        found = self.world.database.subscriptions.of_account(self.world.ids[name], Side.OUTLOOK)
        return {each.entity: each for each in found}

    def living(self) -> set[Entity]:
        return {entity for entity, row in self.rows().items() if is_alive(row, self.world.clock.now())}

    def forget_requests(self) -> None:
        self.world.graph.clear_log()
        self.world.oro.forget_requests()

    def asked_of_outlook(self) -> Counter[str]:
        """Paths without ids, of calls and parts."""
        return Counter(
            f"{seen.method} {'delta' if seen.path.endswith('/delta') else seen.path.split('/')[1]}"
            for seen in self.world.graph.request_log
            if seen.path != "/$batch"
        )


World = Callable[..., Background]


@pytest.fixture
def reachable(background: World) -> Reachable:
    return Reachable(background())


def in_oro(world: Background) -> set[str]:
    return {str(each["firstName"]) for each in world.oro.contacts()}


def make_in_outlook(world: Background, first: str) -> None:
    world.mailbox().user_create("contact", {"givenName": first, "surname": "Hopper"})


def test_after_its_first_sync_an_account_is_called_for_everything_it_synchronises(reachable: Reachable) -> None:
    reachable.settle()
    assert reachable.living() == set(Entity)
    at_graph = reachable.told.subscriptions
    assert {row.id for row in reachable.rows().values()} == set(at_graph)
    assert {each.url for each in at_graph.values()} == {f"{PUBLIC}/api/v1/hooks/graph"}
    assert {each.lifecycle_url for each in at_graph.values()} == {f"{PUBLIC}/api/v1/hooks/graph/lifecycle"}
    secrets = {each.client_state for each in at_graph.values()}
    assert len(secrets) == 3
    stored = repr(reachable.world.database.subscriptions.of_account(reachable.world.ids["anna"], Side.OUTLOOK))
    assert not any(secret in stored for secret in secrets if secret)


def test_a_change_arrives_within_seconds_and_without_a_poll_of_the_other_feed(reachable: Reachable) -> None:
    reachable.settle()
    world = reachable.world
    anna = world.ids["anna"]
    looked = lambda: world.database.due_work.get(anna).read_at[Side.ORO]  # noqa: E731
    before = looked()
    reachable.seconds_until(lambda: looked() != before)  # OroCRM's own look is not due for the next two minutes
    reachable.seconds(5)
    before = looked()
    reachable.forget_requests()
    make_in_outlook(world, "Grace")
    took = reachable.seconds_until(lambda: "Grace" in in_oro(world))
    asked, of_oro = reachable.asked_of_outlook(), [f"{seen.method} {seen.path}" for seen in world.oro.request_log]
    print(f"\nOutlook to OroCRM with push: {took} s; asked of Graph: {dict(asked)}; of OroCRM: {of_oro}")
    assert took <= 4
    assert asked["GET delta"] == 3  # one of each, in one batch
    assert looked() == before  # nobody asked OroCRM what changed there
    reachable.seconds(20)
    assert looked() == before
    assert len(world.oro.contacts()) == 1
    assert len(world.mailbox().items("contact")) == 1


def test_a_quiet_mailbox_is_asked_every_quarter_of_an_hour(reachable: Reachable) -> None:
    reachable.settle()
    reachable.seconds(60)
    reachable.forget_requests()
    reachable.seconds(3 * int(SAFETY_POLL_S), at_once=10)
    asked = reachable.asked_of_outlook()
    assert 2 * 3 <= asked["GET delta"] <= 4 * 3
    assert set(asked) == {"GET delta"}


def test_what_is_never_told_is_found_by_the_poll(reachable: Reachable) -> None:
    reachable.settle()
    world = reachable.world
    world.graph.settings.notifications_to_lose = -1
    make_in_outlook(world, "Grace")
    took = reachable.seconds_until(lambda: "Grace" in in_oro(world), at_once=10)
    print(f"\nOutlook to OroCRM with all notifications lost: {took} s")
    assert 60 < took <= SAFETY_POLL_S * 1.06


def test_without_subscriptions_the_interval_counts_again(reachable: Reachable) -> None:
    """Graph drops them and cannot be talked into new ones."""
    reachable.settle()
    world = reachable.world
    reachable.told.adapters.clear()  # nobody can be reached
    for row in reachable.rows().values():
        assert row.id is not None
        world.database.subscriptions.note_loss(Side.OUTLOOK, row.id)
    reachable.told.clear()
    world.database.due_work.ask(world.ids["anna"])
    world.database.due_work.unclaim([world.ids["anna"]])
    with structlog.testing.capture_logs() as logs:
        reachable.seconds(60)
        make_in_outlook(world, "Grace")
        took = reachable.seconds_until(lambda: "Grace" in in_oro(world))
        reachable.seconds(200, at_once=5)
    print(f"\nOutlook to OroCRM without subscriptions: {took} s")
    assert took <= 36
    said = Counter(each["entity"] for each in logs if each["event"] == "a subscription could not be kept")
    assert said == Counter({"contact": 1, "task": 1, "event": 1})
    tries = [seen for seen in world.graph.request_log if (seen.method, seen.path) == ("POST", "/subscriptions")]
    assert len(tries) < 3 + 3 * 5
    assert world.database.due_work.get(world.ids["anna"]).trouble == ""
    reachable.told.adapters[PUBLIC] = WsgiAdapter(reachable.flask)
    reachable.seconds_until(lambda: reachable.living() == set(Entity), at_once=5)


def test_they_are_renewed_before_they_end(reachable: Reachable) -> None:
    reachable.settle()
    first = reachable.rows()
    reachable.world.clock.forward(seconds=LIFE[Entity.TASK].total_seconds() * 0.7)
    reachable.seconds(150, at_once=10)
    now = reachable.rows()
    assert {entity: row.id for entity, row in now.items()} == {entity: row.id for entity, row in first.items()}
    renewed = {entity for entity, row in now.items() if row.expires != first[entity].expires}
    assert renewed == {Entity.TASK}
    assert reachable.living() == set(Entity)


def test_after_a_long_sleep_they_are_made_anew(reachable: Reachable) -> None:
    reachable.settle()
    world, first = reachable.world, reachable.rows()
    world.clock.forward(days=30)
    assert reachable.living() == set()
    reachable.seconds_until(lambda: reachable.living() == set(Entity), at_once=5)
    assert {row.id for row in reachable.rows().values()}.isdisjoint({row.id for row in first.values()})
    make_in_outlook(world, "Grace")
    assert reachable.seconds_until(lambda: "Grace" in in_oro(world)) <= 4


def test_one_that_ended_by_our_clock_alone_is_made_anew(reachable: Reachable) -> None:
    """Graph's clock is another, and still has it."""
    reachable.settle()
    world, row = reachable.world, reachable.rows()[Entity.EVENT]
    world.database.subscriptions.save(replace(row, expires=world.clock.now() - timedelta(seconds=1)))
    reachable.seconds(130, at_once=10)
    now = reachable.rows()[Entity.EVENT]
    assert (now.state, now.id in {None, row.id}) == ("active", False)
    assert {each.id for each in reachable.rows().values()} == set(reachable.told.subscriptions)


def test_what_graph_asks_for_is_done_by_the_next_run(reachable: Reachable) -> None:
    reachable.settle()
    world, first = reachable.world, reachable.rows()
    contact, event = first[Entity.CONTACT].id, first[Entity.EVENT].id
    world.clock.forward(hours=1)
    reachable.told.lifecycle("reauthorizationRequired", contact)
    reachable.told.lifecycle("subscriptionRemoved", event)
    reachable.seconds(10)
    now = reachable.rows()
    assert now[Entity.CONTACT].id == contact
    assert now[Entity.CONTACT].expires != first[Entity.CONTACT].expires
    assert now[Entity.EVENT].id not in {event, None}
    assert reachable.living() == set(Entity)
    world.graph.settings.notifications_to_lose = 2
    make_in_outlook(world, "Grace")
    assert reachable.told.lifecycle("missed", contact) == 1
    assert reachable.seconds_until(lambda: "Grace" in in_oro(world)) <= 4


def test_what_is_switched_off_is_not_called_for_any_more(reachable: Reachable) -> None:
    reachable.settle()
    world = reachable.world
    world.database.settings.set(user(world.ids["anna"]), "sync_tasks", False, by="anna")
    bootstrap.look_soon(world.database, world.ids["anna"], world.clock.now())
    reachable.seconds(10)
    assert reachable.living() == {Entity.CONTACT, Entity.EVENT}
    assert {each.kind for each in reachable.told.subscriptions.values()} == {"contact", "event"}
    world.database.settings.set(user(world.ids["anna"]), "enable_sync", False, by="anna")
    bootstrap.look_soon(world.database, world.ids["anna"], world.clock.now())
    reachable.seconds(10)
    assert reachable.told.subscriptions == {}
    assert reachable.rows() == {}


def test_an_account_that_goes_takes_its_subscriptions_along(reachable: Reachable) -> None:
    reachable.settle()
    world = reachable.world
    bootstrap.end_graph_push(world.config, world.database, world.account(), adapters=world.adapters, clock=world.clock)
    assert (reachable.told.subscriptions, reachable.rows()) == ({}, {})
    reachable.seconds(130, at_once=10)
    assert reachable.living() == set(Entity)
    world.graph.fail_next("DELETE", "/subscriptions", 503, "x", times=9)
    bootstrap.end_graph_push(world.config, world.database, world.account(), adapters=world.adapters, clock=world.clock)
    assert reachable.rows() == {}  # they end by themselves, and are refused meanwhile
    make_in_outlook(world, "Grace")
    reachable.told.deliver()
    assert {each.status for each in list(reachable.told.deliveries)[-1:]} == {403}


def test_a_cloud_without_tasks_is_asked_once_a_day_and_polled(background: World) -> None:
    reachable = Reachable(background())
    reachable.world.graph.settings.todo_subscriptions = False
    reachable.settle()
    assert reachable.living() == {Entity.CONTACT, Entity.EVENT}
    reachable.forget_requests()
    reachable.seconds(600, at_once=5)
    asked = reachable.asked_of_outlook()
    assert "POST subscriptions" not in asked
    assert asked["GET delta"] >= 15 * 3


def test_where_nobody_shall_call_nothing_is_subscribed_to(background: World) -> None:
    reachable = Reachable(background(), push=False)
    reachable.settle()
    assert reachable.rows() == {}
    assert reachable.told.subscriptions == {}


def test_an_address_must_be_one_that_can_be_called(background: World) -> None:
    config = background().config
    for url, loopback, wanted in (
        (PUBLIC, False, PUBLIC),
        (f"{PUBLIC}/", False, PUBLIC),
        ("", True, ""),
        ("http://sync.example.com", True, ""),
        ("http://127.0.0.1:8443", False, ""),
        ("http://127.0.0.1:8443", True, "http://127.0.0.1:8443"),
    ):
        assert push_url(replace(config, public_url=url, allow_insecure_loopback=loopback)) == wanted
    assert push_url(replace(config, public_url=PUBLIC, push=False)) == ""


def test_trouble_with_push_is_no_trouble_of_the_account(reachable: Reachable, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(bootstrap, "keep_graph_push", broken)
    reachable.settle()
    work = reachable.world.database.due_work.get(reachable.world.ids["anna"])
    assert (work.trouble, work.attempts) == ("", 0)
    assert work.due_at is not None
    assert work.due_at - reachable.world.clock.now() <= timedelta(seconds=31)
