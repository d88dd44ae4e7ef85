"""OroCRM's calls: what is believed, whom it concerns, and that nothing is asked of OroCRM from there."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.web.application import CRM, Application, Person
from werkzeug.test import TestResponse

from orosync.core.records import Entity, Side
from orosync.errors import TryLater
from orosync.store.webhooks import InTheMaking
from orosync.web.calls import Calls

CONTACT = Entity.CONTACT


class Hook:
    """A registration of the instance, and calls to it as OroCRM makes them."""

    def __init__(self, world: Application, topic: str = "contact.updated") -> None:
        self.world, self.topic = world, topic
        world.flask.extensions["orosync.calls"] = Calls(world.database, every_s=0)  # no test waits for its second
        making = world.database.webhooks.begin(CRM, topic)
        assert making is not None
        self.making: InTheMaking = making
        world.database.webhooks.made(making.digest, f"remote-{topic}")

    def body(self, number: int | str = 1, message: str = "m-1", **more: Any) -> bytes:
        data = {"data": {"type": "contacts", "id": str(number)}}
        told = {"topic": self.topic, "eventData": data, "timestamp": 1_795_000_000, "messageId": message}
        return json.dumps(told | more).encode()

    def post(self, body: bytes, *, token: str = "", **headers: str) -> TestResponse:
        signed = {
            "Content-Type": "application/json",
            "Webhook-Signature": hmac.new(self.making.secret.encode(), body, hashlib.sha256).hexdigest(),
            "Webhook-Signature-Algorithm": "HMAC-SHA256",
        }
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        client = self.world.flask.test_client()
        return client.post(f"/api/v1/hooks/oro/{token or self.making.token}", data=body, headers=signed | more)

    def tell(self, number: int | str = 1, message: str = "m-1", **more: Any) -> int:
        return self.post(self.body(number, message, **more)).status_code


@pytest.fixture
def first(world: Application, connected: Person) -> int:
    """Id of a contact in OroCRM that boris holds; his account is kept in step."""
    number = world.oro.back_office.create("contact", {"firstName": "Ada", "lastName": "King"})
    assert connected.first_sync()["state"] == "done"
    calm(world)
    return number


def calm(world: Application) -> None:
    def quiet(work: Any) -> Any:
        return type(work)(work.account_id, due_at=world.parts.clock.now() + timedelta(hours=1), read_at=work.read_at)

    world.database.due_work.change(world.account().id, quiet)
    world.oro.forget_requests()


def is_called(world: Application) -> bool:
    work = world.database.due_work.get(world.account().id)
    assert work.due_at is not None
    soon = work.due_at <= world.parts.clock.now() + timedelta(seconds=3)
    assert soon is (set(work.called_at) == {Side.ORO})
    return soon


@pytest.fixture
def nothing_asked(world: Application) -> Iterator[None]:
    yield
    assert not world.oro.request_log


@pytest.mark.parametrize("event", ["updated", "deleted"])
def test_a_change_of_a_record_calls_the_account_that_holds_it(
    world: Application, first: int, event: str, nothing_asked: None
) -> None:
    assert Hook(world, f"contact.{event}").tell(first) == 204
    assert is_called(world)


def test_a_change_of_a_record_that_nobody_here_holds_calls_nobody(
    world: Application, first: int, nothing_asked: None
) -> None:
    assert Hook(world).tell(first + 1000) == 204
    assert Hook(world, "task.updated").tell(first) == 204
    assert not is_called(world)


def test_a_new_record_may_be_anybody_s_so_all_of_the_instance_are_called(
    world: Application, first: int, nothing_asked: None
) -> None:
    assert Hook(world, "contact.created").tell(first + 1000) == 204
    assert is_called(world)


def test_an_account_of_another_orocrm_is_not_called(world: Application, first: int) -> None:
    making = world.database.webhooks.begin("https://other.example.com", "contact.created")
    assert making is not None
    hook = Hook(world, "contact.created")
    hook.making = making
    assert hook.tell(first) == 410  # and nobody is there
    assert world.database.webhooks.of_instance("https://other.example.com") == []
    assert not is_called(world)


def test_a_message_that_comes_again_has_no_effect(world: Application, first: int) -> None:
    hook = Hook(world)
    assert hook.tell(first) == 204
    calm(world)
    assert hook.tell(first) == 204
    assert not is_called(world)
    assert hook.tell(first, "m-2") == 204
    assert is_called(world)


def test_a_call_that_could_not_be_written_may_come_again(
    world: Application, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = Hook(world)

    def locked(*_: Any) -> None:
        raise TryLater("The database is locked.")

    with monkeypatch.context() as patch:
        patch.setattr(world.database.due_work, "call", locked)
        assert hook.tell(first) == 503
    assert not is_called(world)
    assert hook.tell(first) == 204
    assert is_called(world)


@pytest.mark.parametrize(
    "headers",
    [
        {"Webhook_Signature": "0" * 64},
        {"Webhook_Signature": ""},
        {"Webhook_Signature_Algorithm": "HMAC-SHA1"},
        {"Webhook_Signature_Algorithm": "none"},
    ],
    ids=str,
)
def test_a_forged_call_is_refused_and_has_no_effect(world: Application, first: int, headers: dict[str, str]) -> None:
    hook = Hook(world)
    response = hook.post(hook.body(first), **headers)
    assert (response.status_code, response.get_json()["code"]) == (403, "bad_signature")
    assert not is_called(world)
    assert hook.tell(first) == 204  # and did not use up the message


def test_a_body_that_was_changed_on_its_way_is_refused(world: Application, first: int) -> None:
    hook = Hook(world)
    signature = hmac.new(hook.making.secret.encode(), hook.body(first), hashlib.sha256).hexdigest()
    assert hook.post(hook.body(first) + b" ", Webhook_Signature=signature).status_code == 403


@pytest.mark.parametrize(
    "more",
    [{"topic": "contact.deleted"}, {"eventData": {}}, {"eventData": None}, {"timestamp": "x"}, {"messageId": None}],
    ids=str,
)
def test_a_signed_call_of_another_shape_is_refused(world: Application, first: int, more: dict[str, Any]) -> None:
    hook = Hook(world)
    response = hook.post(hook.body(first, **more))
    assert (response.status_code, response.get_json()["code"]) == (400, "malformed")
    assert hook.post(b"[").status_code == 400
    assert not is_called(world)


def test_a_call_that_is_too_large_is_refused_before_it_is_read(world: Application, first: int) -> None:
    hook = Hook(world)
    assert hook.tell(first, padding="x" * 70_000) == 413
    assert not is_called(world)


def test_an_unknown_address_is_not_found_and_one_that_was_ours_is_gone(world: Application, first: int) -> None:
    hook = Hook(world)
    assert hook.post(hook.body(first), token="abc").status_code == 404
    other = Hook(world, "contact.deleted")
    world.database.webhooks.drop(other.making.digest)
    assert other.tell(first) == 410
    assert hook.tell(first) == 204


def test_the_log_tells_neither_the_address_nor_what_was_sent(
    world: Application, first: int, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = Hook(world)
    hook.tell(first)
    hook.post(hook.body(first), Webhook_Signature="0" * 64)
    said = "".join(capfd.readouterr())
    assert hook.making.token not in said
    assert hook.making.secret not in said


def test_only_post_is_known(world: Application, first: int) -> None:
    token = Hook(world).making.token
    assert world.flask.test_client().get(f"/api/v1/hooks/oro/{token}").status_code == 405
