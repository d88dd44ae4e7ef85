"""What a notification of OroCRM's webhooks must look like to be believed."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from orosync.core.records import Entity
from orosync.core.webhooks import TOPICS, is_signed, read_notification
from orosync.errors import BadInput

BODY = b'{"topic":"contact.updated"}'
SECRET = "a secret"
SIGNATURE = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
TOLD: dict[str, Any] = {
    "topic": "contact.updated",
    "eventData": {"data": {"type": "contacts", "id": "12"}},
    "timestamp": 1_795_000_000,
    "messageId": "0b1c8a3e-6a53-4f0c-9d5b-0f4a4f2d1c11",
}


def test_there_is_a_topic_for_each_entity_and_event() -> None:
    assert len(TOPICS) == 9
    assert TOPICS["calendarevent.deleted"].entity is Entity.EVENT
    assert TOPICS["task.created"].event == "created"


def test_a_genuine_signature_is_believed() -> None:
    assert is_signed(BODY, SECRET, SIGNATURE, "HMAC-SHA256")


@pytest.mark.parametrize(
    ("body", "signature", "algorithm"),
    [
        (BODY + b" ", SIGNATURE, "HMAC-SHA256"),
        (BODY, SIGNATURE[:-1] + ("0" if SIGNATURE[-1] != "0" else "1"), "HMAC-SHA256"),
        (BODY, SIGNATURE.upper(), "HMAC-SHA256"),
        (BODY, f"sha256={SIGNATURE}", "HMAC-SHA256"),
        (BODY, "", "HMAC-SHA256"),
        (BODY, "é" * 64, "HMAC-SHA256"),
        (BODY, SIGNATURE, "HMAC-SHA1"),
        (BODY, SIGNATURE, ""),
    ],
)
def test_whatever_is_not_signed_just_so_is_not(body: bytes, signature: str, algorithm: str) -> None:
    assert not is_signed(body, SECRET, signature, algorithm)


def test_a_notification_is_read_and_more_than_is_needed_does_not_disturb() -> None:
    told = read_notification(json.dumps(TOLD | {"later": 1}).encode(), "contact.updated")
    assert (told.message_id, told.record_id) == (TOLD["messageId"], "12")
    number = {"eventData": {"data": {"id": 12}, "included": []}}
    assert read_notification(json.dumps(TOLD | number).encode(), "contact.updated").record_id == "12"


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": "contact.deleted"},
        {"topic": None},
        {"timestamp": "now"},
        {"timestamp": True},
        {"timestamp": -1},
        {"messageId": ""},
        {"messageId": "a" * 129},
        {"messageId": "a b"},
        {"messageId": 7},
        {"eventData": None},
        {"eventData": []},
        {"eventData": {"data": None}},
        {"eventData": {"data": []}},
        {"eventData": {"data": {"id": ""}}},
        {"eventData": {"data": {"id": "12;"}}},
        {"eventData": {"data": {"id": True}}},
        {"eventData": {"data": {"id": "9" * 20}}},
        {"eventData": {"data": {"id": "١٢"}}},
    ],
    ids=str,
)
def test_what_is_not_of_the_known_shape_is_refused_without_a_word_of_it(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        read_notification(json.dumps(TOLD | wrong).encode(), "contact.updated")
    assert refused.value.field == next(iter(wrong))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000, b'"contact.updated"'])
def test_what_is_no_object_of_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        read_notification(body, "contact.updated")
