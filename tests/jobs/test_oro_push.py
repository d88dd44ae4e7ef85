"""OroCRM's webhooks through the whole program: registered by themselves for an instance, a change arrives without a
poll of Outlook's feed, and whatever goes wrong costs latency and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.jobs.background_world import CRM, Background

from orosync import bootstrap
from orosync.bootstrap import Connection
from orosync.core.due import SAFETY_POLL_S
from orosync.core.records import Entity, Side
from orosync.core.webhooks import TOPICS
from orosync.store.webhooks import Webhook

PUBLIC = "https://sync.example.com"
World = Callable[..., Background]


class Instance:
    """An OroCRM 7.0.2 that can call us. Graph promises to call as well, so that Outlook's feed is not polled now."""

    def __init__(self, world: Background) -> None:
        self.world, self.oro = world, world.oro
        self.oro.settings.version = "7.0.2"
        self.oro.settings.contact_external_id = True
        self.oro.settings.webhook_accessible = ("contact", "task", "event")
        self.oro.send_webhook = self._receive
        self.flask = world.go_online(PUBLIC)
        for name in world.ids:
            self._sign_in_by_oauth(name)

    def _sign_in_by_oauth(self, name: str) -> None:
        """WSSE went with 6.1."""
        client, secret = self.oro.add_oauth_client(["client_credentials"], "admin")
        account = replace(self.world.account(name), orocrm_user=client, oro_auth="client-credentials")
        self.world.database.accounts.reconnect(account)
        bootstrap.save_connection(self.world.database, account, Connection(oro=secret))

    def _receive(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        assert url.startswith(f"{PUBLIC}/api/v1/hooks/oro/")
        client = self.flask.test_client()
        return client.post(urlsplit(url).path, data=body, headers=dict(headers)).status_code

    def settle(self) -> None:
        self.world.first_sync()
        self.world.seconds(300)
        self.oro.forget_requests()

    @property
    def hooks(self) -> list[Webhook]:
        return self.world.database.webhooks.of_instance(CRM)

    def asked(self) -> list[str]:
        """About webhooks, since the last look."""
        seen = [f"{each.method} {each.path.split('?')[0]}" for each in self.oro.request_log if "webhook" in each.path]
        self.oro.forget_requests()
        return seen


@pytest.fixture
def instance(background: World) -> Instance:
    return Instance(background())


def first_names(world: Background, name: str = "anna") -> set[str]:
    return {str(each["givenName"]) for each in world.mailbox(name).items("contact")}


def feed_reads(world: Background) -> int:
    return sum(each.path.endswith("/delta") for each in world.graph.request_log)


def test_after_a_due_run_the_instance_calls_for_every_topic_it_offers_once_for_all_accounts(background: World) -> None:
    instance = Instance(background("anna", "boris"))
    instance.settle()
    assert {each.topic for each in instance.oro.webhooks} == set(TOPICS)
    assert len(instance.oro.webhooks) == len(TOPICS)
    assert {each.format for each in instance.oro.webhooks} == {"thin"}
    assert len({each.url for each in instance.oro.webhooks} | {each.secret for each in instance.oro.webhooks}) == 18
    assert {each.id for each in instance.oro.webhooks} == {each.remote_id for each in instance.hooks}
    instance.world.clock.forward(hours=3)
    instance.world.seconds(300)
    assert instance.asked() == []


def test_a_change_in_orocrm_arrives_in_outlook_within_seconds_and_without_a_poll_of_outlook_s_feed(
    instance: Instance,
) -> None:
    world = instance.world
    number = world.oro.back_office.create("contact", {"firstName": "Ada", "lastName": "King"})
    instance.settle()
    bootstrap.look_soon(world.database, world.ids["anna"], world.clock.now())
    world.seconds(5)  # by now neither side would be read for a while
    world.graph.clear_log()
    world.oro.back_office.edit("contact", number, {"firstName": "Bea"})
    assert world.oro.deliver_webhooks() == [204]
    world.seconds(4)
    assert first_names(world) == {"Bea"}
    assert feed_reads(world) == 0
    instance.world.oro.back_office.delete("contact", number)
    world.oro.deliver_webhooks()
    world.seconds(4)
    assert first_names(world) == set()
    world.oro.back_office.create("contact", {"firstName": "Cleo", "lastName": "New"})
    world.oro.deliver_webhooks()
    world.seconds(4)
    assert first_names(world) == {"Cleo"}
    assert feed_reads(world) == 0


def test_an_instance_that_was_heard_to_call_is_polled_now_and_then_and_one_that_is_silent_as_ever(
    instance: Instance,
) -> None:
    world = instance.world
    instance.settle()

    def interval() -> float:
        return bootstrap.pace_of(world.database, world.account()).interval_s[Side.ORO]

    assert interval() == 120
    world.oro.back_office.create("contact", {"firstName": "Ada"})
    world.oro.deliver_webhooks()
    assert interval() == SAFETY_POLL_S
    world.clock.forward(hours=25)
    assert interval() == 120


def test_an_entity_that_is_not_switched_on_in_orocrm_keeps_the_account_polling(instance: Instance) -> None:
    instance.oro.settings.webhook_accessible = ("contact", "task")
    instance.settle()
    assert {TOPICS[each.topic].entity for each in instance.hooks} == {Entity.CONTACT, Entity.TASK}
    instance.oro.back_office.create("contact", {"firstName": "Ada"})
    instance.oro.deliver_webhooks()
    assert bootstrap.pace_of(instance.world.database, instance.world.account()).interval_s[Side.ORO] == 120


@pytest.mark.parametrize("why", ["older", "forbidden", "none"])
def test_what_is_not_to_be_had_is_asked_for_once_a_day(instance: Instance, why: str) -> None:
    if why == "older":
        instance.oro.settings.version = "7.0.1"
    elif why == "forbidden":
        instance.oro.set_permission("admin", "webhook", "*", "none")
    else:
        instance.oro.settings.webhook_accessible = ()
    instance.world.first_sync()
    instance.world.seconds(300)
    assert instance.asked()
    assert instance.hooks == []
    instance.world.clock.forward(hours=20)
    instance.world.seconds(300)
    assert instance.asked() == []
    instance.oro.settings.version = "7.0.2"
    instance.oro.set_permission("admin", "webhook", "*", "system")
    instance.oro.settings.webhook_accessible = ("contact",)
    instance.world.clock.forward(hours=5)
    instance.world.seconds(300)
    assert [each.topic for each in instance.hooks] == ["contact.created", "contact.deleted", "contact.updated"]


def test_an_account_whose_user_may_not_leaves_it_to_one_whose_user_may(background: World) -> None:
    instance = Instance(background("anna", "boris"))
    world = instance.world
    bob = instance.oro.user("bob")
    client, secret = instance.oro.add_oauth_client(["client_credentials"], bob)
    account = replace(world.account("anna"), orocrm_user=client)
    world.database.accounts.reconnect(account)
    bootstrap.save_connection(world.database, account, Connection(oro=secret))
    world.first_sync("anna")
    world.seconds(120)
    assert instance.hooks == []
    world.first_sync("boris")
    world.seconds(120)
    assert len(instance.hooks) == len(TOPICS)


def test_trouble_with_a_registration_fails_no_run_and_is_tried_again_after_minutes(instance: Instance) -> None:
    world = instance.world
    instance.oro.fail_next("POST", "/api/webhooks", 500)
    world.first_sync()
    world.seconds(120)
    assert world.database.due_work.get(world.ids["anna"]).trouble == ""
    assert len(instance.hooks) < len(TOPICS)
    world.clock.forward(minutes=11)
    world.seconds(300)
    assert len(instance.hooks) == len(TOPICS)


def test_a_registration_that_somebody_deleted_is_made_anew_in_time(instance: Instance) -> None:
    instance.settle()
    gone = instance.oro.webhooks[0]
    del instance.oro.state.webhooks[gone.id]
    instance.world.clock.forward(hours=7)
    instance.world.seconds(300)
    (again,) = [each for each in instance.oro.webhooks if each.topic == gone.topic]
    assert again.id != gone.id
    assert {each.remote_id for each in instance.hooks} == {each.id for each in instance.oro.webhooks}


def test_a_call_for_a_registration_that_we_have_forgotten_deletes_it_in_orocrm(instance: Instance) -> None:
    instance.settle()
    for each in instance.hooks:
        instance.world.database.webhooks.drop(each.digest)
    instance.oro.back_office.create("contact", {"firstName": "Ada"})
    assert instance.oro.deliver_webhooks() == [410]
    assert "contact.created" not in {each.topic for each in instance.oro.webhooks}


def test_with_the_last_account_of_the_instance_the_registrations_go(background: World) -> None:
    instance = Instance(background("anna", "boris"))
    world = instance.world
    instance.settle()
    leave(world, "anna")
    assert len(instance.oro.webhooks) == len(TOPICS)
    world.database.accounts.remove(world.ids["anna"])
    leave(world, "boris")
    assert instance.oro.webhooks == []
    assert instance.hooks == []


def test_registrations_that_cannot_be_taken_back_now_go_with_their_next_call(instance: Instance) -> None:
    world = instance.world
    instance.settle()
    instance.oro.fail_next("DELETE", "/api/webhooks", 503, times=20)
    leave(world, "anna")
    world.database.accounts.remove(world.ids["anna"])
    assert instance.hooks == []
    assert len(instance.oro.webhooks) == len(TOPICS)
    instance.oro.back_office.create("contact", {"firstName": "Ada"})
    assert instance.oro.deliver_webhooks() == [410]
    assert len(instance.oro.webhooks) == len(TOPICS) - 1


def leave(world: Background, name: str) -> None:
    bootstrap.leave_oro_push(
        world.config, world.database, world.account(name), adapters=world.adapters, clock=world.clock
    )


@pytest.mark.parametrize("config", [{"public_url": ""}, {"push": False}], ids=str)
def test_without_an_address_or_without_push_nothing_is_asked(instance: Instance, config: dict[str, Any]) -> None:
    world = instance.world
    instance.world.first_sync()
    instance.oro.forget_requests()
    bootstrap.keep_oro_push(
        replace(world.config, **config), world.database, world.account(), adapters=world.adapters, clock=world.clock
    )
    assert instance.asked() == []
