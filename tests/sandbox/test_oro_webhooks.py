"""Webhooks of the simulated OroCRM, which only 7.0.2 and later have."""

import hashlib
import hmac
import json

import pytest
from tests.sandbox.oro_caller import OroCaller, contact

URL = "https://sync.example.com/api/v1/hooks/oro/abc"


class Receiver:
    def __init__(self):
        self.status, self.got = 204, []

    def __call__(self, url, body, headers):
        self.got.append((url, body, dict(headers)))
        return self.status


@pytest.fixture
def oro() -> OroCaller:
    caller = OroCaller()
    caller.oro.settings.version = "7.0.2"
    caller.oro.settings.webhook_accessible = ("contact", "event")
    client, secret = caller.oro.add_oauth_client(["client_credentials"], "admin")
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    token = caller.client.post("/oauth2-token", data=form).json["access_token"]
    caller.key = lambda _user: {"Authorization": f"Bearer {token}"}
    caller.oro.send_webhook = Receiver()
    return caller


def registration(topic="contact.updated", **attributes):
    relations = {"topic": ("webhooktopics", topic), "format": ("webhookformats", "thin")}
    data = {
        "type": "webhooks",
        "attributes": {"notificationUrl": URL, "secret": "s3cret"} | attributes,
        "relationships": {name: {"data": {"type": kind, "id": target}} for name, (kind, target) in relations.items()},
    }
    return {"data": data}


def register(oro, topic="contact.updated", **attributes):
    answer = oro("POST", "/api/webhooks", registration(topic, **attributes))
    assert answer.status_code == 201, answer.text
    return answer.json["data"]["id"]


def test_before_7_0_2_nobody_knows_of_webhooks():
    oro = OroCaller()
    for name in ("webhooks", "webhooktopics", "webhookformats"):
        assert oro("GET", f"/api/{name}").status_code == 404


def test_only_entities_that_were_made_accessible_have_topics(oro):
    wanted = [f"{name}.{event}" for name in ("contact", "calendarevent") for event in ("created", "updated", "deleted")]
    assert oro.ids("/api/webhooktopics") == wanted
    assert oro("GET", "/api/webhooktopics/contact.created").status_code == 200
    assert oro("GET", "/api/webhooktopics/task.created").status_code == 404
    assert oro("POST", "/api/webhooks", registration("task.created")).status_code == 400
    oro.oro.settings.webhook_accessible = ()
    assert oro.ids("/api/webhooktopics") == []


def test_a_registration_never_shows_its_secret_and_can_be_switched_off_and_deleted(oro):
    hook = register(oro)
    shown = oro("GET", f"/api/webhooks/{hook}").json["data"]
    assert shown["attributes"] == {"notificationUrl": URL, "enabled": True, "system": False, "verifySsl": True}
    assert shown["relationships"]["topic"]["data"]["id"] == "contact.updated"
    assert "s3cret" not in oro("GET", "/api/webhooks").text
    off = {"data": {"type": "webhooks", "id": hook, "attributes": {"enabled": False}}}
    assert oro("PATCH", f"/api/webhooks/{hook}", off).json["data"]["attributes"]["enabled"] is False
    assert oro("DELETE", f"/api/webhooks/{hook}").status_code == 204
    assert oro("GET", f"/api/webhooks/{hook}").status_code == 404


def test_a_user_without_the_permission_may_not_register(oro):
    oro.oro.set_permission("admin", "webhook", "*", "none")
    assert oro("POST", "/api/webhooks", registration()).status_code == 403
    assert oro("GET", "/api/webhooks").status_code == 403


def test_a_change_is_told_by_the_consumer_thin_and_signed(oro):
    register(oro)
    number = oro("POST", "/api/contacts", contact({"firstName": "Ada"})).json["data"]["id"]
    oro("PATCH", f"/api/contacts/{number}", contact({"firstName": "Bea"}, int(number)))
    assert oro.oro.send_webhook.got == []
    oro.oro.run_consumer()
    ((url, body, headers),) = oro.oro.send_webhook.got
    told = json.loads(body)
    assert url == URL
    assert (told["topic"], told["eventData"]) == ("contact.updated", {"data": {"type": "contacts", "id": number}})
    assert headers["Webhook-Id"] == told["messageId"]
    assert headers["Webhook-Topic"] == "contact.updated"
    assert headers["Webhook-Signature"] == hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["Webhook-Signature-Algorithm"] == "HMAC-SHA256"


def test_people_s_edits_creations_and_removals_are_told_alike(oro):
    for topic in ("contact.created", "contact.deleted", "calendarevent.created"):
        register(oro, topic)
    number = oro.oro.back_office.create("contact", {"firstName": "Ada"})
    hour = {"start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z"}
    oro.oro.back_office.create("event", {"title": "Talk"} | hour)
    oro.oro.back_office.create("task", {"subject": "Call"})
    oro.oro.back_office.delete("contact", number)
    oro.oro.deliver_webhooks()
    topics = [json.loads(body)["topic"] for _, body, _ in oro.oro.send_webhook.got]
    assert topics == ["contact.created", "calendarevent.created", "contact.deleted"]


@pytest.mark.parametrize(
    ("status", "waiting", "registered"), [(204, 0, 1), (503, 1, 1), (404, 0, 1), (410, 0, 0), (302, 0, 1), (0, 0, 1)]
)
def test_what_becomes_of_a_notification_depends_on_the_answer(oro, status, waiting, registered):
    register(oro, "contact.created")
    oro.oro.send_webhook.status = status
    oro.oro.back_office.create("contact", {"firstName": "Ada"})
    assert oro.oro.deliver_webhooks() == [status]
    assert (len(oro.oro.state.deliveries), len(oro.oro.webhooks)) == (waiting, registered)


def test_a_registration_that_is_switched_off_is_told_nothing(oro):
    register(oro, "contact.created", enabled=False)
    oro.oro.back_office.create("contact", {"firstName": "Ada"})
    assert oro.oro.deliver_webhooks() == []
