"""One bad record, one bad side, one bad answer: what else goes on, what is said, and that nothing is half-written."""

from __future__ import annotations

import json

import pytest
from tests.sync.actors import Hands
from tests.sync.world import World, writes

from orosync.core.records import Entity, Side
from orosync.core.settings import effective
from orosync.errors import SettingError


def test_a_record_that_oro_refuses_waits_in_quarantine_and_the_others_are_synced(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    for name in ("Ada", "Ben", "Cem"):
        hands.make_in_outlook(name)
    refusal = {
        "errors": [
            {
                "status": "400",
                "title": "email constraint",
                "detail": "This value is not valid.",
                "source": {"pointer": "/data/attributes/emails"},
            }
        ]
    }
    world.oro.fail_next("POST", "/api/contacts", 400, refusal)
    report = world.sync()
    assert report.state == "done"
    assert report.quarantined == 1
    assert len(hands.oro()) == 2
    (held,) = world.store.quarantined()
    assert held.side is Side.OUTLOOK
    assert "emails" in held.message
    assert held.next_try > world.clock.now()
    assert writes(world.sync()) == 0, "not tried again before its time"
    world.clock.forward(minutes=6)
    assert world.sync().entities[Entity.CONTACT]["oro"]["created"] == 1
    assert world.store.quarantined() == []
    assert writes(world.sync()) == 0


def test_a_quarantined_record_is_tried_at_once_when_it_is_edited(world: World) -> None:
    hands = Hands(world, Entity.TASK)
    native = hands.make_in_outlook("Ada")
    world.oro.fail_next("POST", "/api/tasks", 400, {"errors": [{"status": "400", "title": "bad", "detail": "no"}]})
    assert world.sync().quarantined == 1
    hands.edit_in_outlook(native, "first", 4)
    assert world.sync().entities[Entity.TASK]["oro"]["created"] == 1
    assert world.store.quarantined() == []


@pytest.mark.parametrize("entity", list(Entity))
def test_an_answer_about_a_record_that_oro_refuses_waits_until_it_is_taken(world: World, entity: Entity) -> None:
    notes = {f"field_direction.{each}.description": "both" for each in ("task", "event")}
    world.system = {**world.system, **notes, "conflict_resolution": "ask"}
    hands = Hands(world, entity)
    number = hands.make_in_oro("Ada")
    world.settle()
    (native,) = hands.outlook()
    hands.edit_in_outlook(native, "first", 1)
    hands.edit_in_oro(number, "first", 2)
    world.sync()
    (asked,) = world.store.conflicts()
    world.database.settle_conflict(world.account_id, asked.id, Side.OUTLOOK)
    world.oro.fail_next("PATCH|PUT", ".*", 400, {"errors": [{"status": "400"}]})
    assert world.sync().quarantined == 1
    assert [row.choice for row in world.store.conflicts()] == [Side.OUTLOOK]
    world.clock.forward(minutes=6)
    world.settle()
    assert world.store.conflicts() == []
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 1, 0)


def test_back_off_doubles_with_each_failure(world: World) -> None:
    hands = Hands(world, Entity.TASK)
    hands.make_in_outlook("Ada")
    waits = []
    for _ in range(4):
        world.oro.fail_next("POST", "/api/tasks", 400, {"errors": [{"status": "400", "title": "bad", "detail": "no"}]})
        world.sync()
        (held,) = world.store.quarantined()
        waits.append((held.next_try - world.clock.now()).total_seconds() / 60)
        world.clock.time = held.next_try
    assert waits == [5, 10, 20, 40]


def test_an_item_in_a_form_nobody_understands_waits_by_itself(world: World) -> None:
    hands = Hands(world, Entity.TASK)
    native = hands.make_in_outlook("Odd")
    hands.make_in_outlook("Ada")
    world.mailbox.store.find("task", native)[0].data["body"] = ["no", "body"]
    report = world.sync()
    assert report.quarantined == 1
    assert [row[0] for row in hands.oro().values()] == ["Ada"]
    (held,) = world.store.quarantined()
    assert (held.id, held.code) == (native, "malformed")
    assert writes(world.sync()) == 0
    hands.edit_in_outlook(native, "second", 1)
    world.sync()
    assert sorted(row[0] for row in hands.oro().values()) == ["Ada", "Odd"]
    assert world.store.quarantined() == []


@pytest.mark.parametrize("entity", list(Entity))
def test_a_forbidden_entity_is_named_and_the_others_are_synced(world: World, entity: Entity) -> None:
    names = {Entity.CONTACT: "contact", Entity.TASK: "task", Entity.EVENT: "event"}
    for each in Entity:
        Hands(world, each).make_in_outlook("Ada")
    world.oro.set_permission("admin", names[entity], "view", "none")
    report = world.sync()
    assert report.state == "failed"
    assert any(entity.value in problem for problem in report.problems)
    for each in Entity:
        assert len(Hands(world, each).oro()) == (0 if each is entity else 1)


@pytest.mark.parametrize("side", list(Side))
def test_a_refused_sign_in_suspends_the_account_changes_nothing_and_heals(world: World, side: Side) -> None:
    hands = Hands(world, Entity.CONTACT)
    hands.make_in_outlook("Ada")
    world.settle()
    before = hands.oro(), hands.outlook()
    if side is Side.ORO:
        world.oro_key = "0" * 40
    else:
        world.graph.revoke_token(world.token)
    report = world.sync()
    assert report.state == "suspended"
    assert world.store.account().state == "suspended"
    assert world.store.account().state_reason == report.problems[0]
    assert (hands.oro(), hands.outlook()) == before
    world.oro_key = ""
    world.token = world.graph.issue_token("ada@example.com", expires_in=10**9)
    hands.make_in_outlook("Ben")
    assert world.sync().state == "done"
    assert world.store.account().state == "active"
    assert len(hands.oro()) == 2


@pytest.mark.parametrize("form", ["truncated", "html"])
def test_a_malformed_answer_fails_the_run_and_the_next_one_completes(world: World, form: str) -> None:
    hands = Hands(world, Entity.CONTACT)
    hands.make_in_oro("Ada", 1)
    world.oro.malformed_next("/api/contacts", form)
    report = world.sync()
    assert report.state == "failed"
    assert report.problems
    assert world.sync().state == "done"
    assert list(hands.outlook().values()) == [("Ada", 1, 0)]


def test_a_throttled_mailbox_ends_the_run_with_its_wait_and_nothing_is_doubled(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(30):
        hands.make_in_oro(f"N{number}")
    world.graph.fail_next("POST", r"/contacts$", 429, "TooManyRequests", times=15, retry_after=77)
    report = world.sync()
    assert report.state == "failed"
    assert report.retry_after_s == 77
    world.graph.failures.clear()
    world.settle()
    assert len(hands.outlook()) == 30


def test_another_mailbox_behind_the_same_account_is_refused(world: World) -> None:
    Hands(world, Entity.CONTACT).make_in_oro("Ada")
    world.sync()
    world.graph.add_mailbox("eve@example.com", display_name="Eve", time_zone="Europe/Berlin")
    world.token = world.graph.issue_token("eve@example.com", expires_in=10**9)
    world.clock.forward(hours=25)
    report = world.sync()
    assert report.state == "suspended"
    assert "another mailbox" in report.problems[0]
    assert world.graph.mailbox("eve@example.com").items("contact") == []


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("sync_direktion", "bidirectional", "sync_direction"), ("crm_sync_interval", 0, "86399")],
)
def test_a_bad_setting_is_refused_with_its_name_and_remedy(world: World, key: str, value: object, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        effective({key: value}, {}, {})


def test_a_report_is_plain_json(world: World) -> None:
    Hands(world, Entity.EVENT).make_in_oro("Ada")
    report = world.sync().to_json()
    assert json.loads(json.dumps(report)) == report
    assert set(report) >= {"run", "account", "state", "plan_hash", "entities", "requests", "seconds"}
