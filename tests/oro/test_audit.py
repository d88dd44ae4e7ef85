"""The audit log as a hint beside the feeds: what it tells, what it costs, and what becomes of it when it is not to be
had."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.oro.conftest import World

from orosync.core.exchange import FeedPage, FeedRequest, Sighting
from orosync.core.records import Entity
from orosync.errors import SideFailing
from orosync.oro import audit
from orosync.oro.audit import AuditEntry, AuditMark
from orosync.oro.feed import PageSizes
from orosync.oro.instance import OroInstance

HOUR = {"start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z"}


class Round:
    """Reads the feeds of all entities together, as a run does."""

    def __init__(self, world: World, side: OroInstance | None = None, **options: Any) -> None:
        self.world = world
        self.side = side or world.side(audit=True, **options)
        self.cursors: dict[Entity, str | None] = dict.fromkeys(Entity)

    def __call__(self, *entities: Entity) -> dict[Entity, list[Sighting]]:
        seen: dict[Entity, list[Sighting]] = {}
        open_ = list(entities or Entity)
        while open_:
            requests = [FeedRequest(entity, self.cursors[entity]) for entity in open_]
            for entity, page in zip(list(open_), self.side.pages(requests), strict=True):
                assert isinstance(page, FeedPage), page
                seen.setdefault(entity, []).extend(page.sightings)
                self.cursors[entity] = page.cursor
                if page.last:
                    open_.remove(entity)
        return seen

    def settle(self) -> None:
        """Everything is read, and newer records keep what was there before out of the overlap, where every poll looks
        at contents."""
        self()
        self.world.clock.forward(minutes=30)
        office = self.world.oro.back_office
        office.create("contact", {"firstName": "Newest"})
        office.create("task", {"subject": "Newest"})
        office.create("event", {"title": "Newest"} | HOUR)
        self()
        self.world.clock.forward(minutes=6)
        self()
        self.world.oro.forget_requests()

    @property
    def asked(self) -> list[str]:
        return [each for each in self.world.requests() if "/audits" in each]


def person(world: World, **values: Any) -> int:
    return world.oro.back_office.create("contact", {"firstName": "Ada", "emails": ["ada@example.com"]} | values)


def test_an_idle_round_of_all_entities_costs_one_request_more(world: World) -> None:
    person(world)
    round_ = Round(world)
    round_.settle()
    assert round_() == {entity: [] for entity in Entity}
    requests = world.requests()
    assert len(requests) == 1 + 1 + 2 + 1  # contacts, tasks, events, audit
    assert sum("/audits" in each for each in requests) == 1


@pytest.mark.parametrize("field", ["emails", "phones"])
def test_a_row_written_by_another_api_client_brings_its_contact_with_one_reading(world: World, field: str) -> None:
    number = person(world, **{field: ["before"] if field == "phones" else ["before@example.com"]})
    other = person(world)
    round_ = Round(world)
    round_.settle()
    value = "+1 555" if field == "phones" else "after@example.com"
    world.oro.api_client_edit("contact", number, {field: [value]})
    world.oro.forget_requests()
    (seen,) = round_()[Entity.CONTACT]
    assert seen.id == str(number) != str(other)
    assert seen.item is not None
    assert value in json.dumps(seen.item.body)
    assert len(world.requests()) == 1 + 1 + 2 + 1 + 1
    assert round_()[Entity.CONTACT] == []  # told once
    assert len(world.requests()) == 1 + 1 + 2 + 1


def test_what_changed_by_its_time_and_by_its_rows_is_seen_once(world: World) -> None:
    number = person(world)
    round_ = Round(world)
    round_.settle()
    world.oro.back_office.edit("contact", number, {"firstName": "Bea", "emails": ["bea@example.com"]})
    assert [each.id for each in round_()[Entity.CONTACT]] == [str(number)]


def test_removals_of_every_entity_are_told(world: World) -> None:
    ids = {
        Entity.CONTACT: person(world),
        Entity.TASK: world.oro.back_office.create("task", {"subject": "Call"}),
        Entity.EVENT: world.oro.back_office.create("event", {"title": "Talk"} | HOUR),
    }
    round_ = Round(world)
    round_.settle()
    for entity, number in ids.items():
        world.oro.back_office.delete(entity.value, number)
    seen = round_()
    assert {entity: [(each.id, each.removed) for each in found] for entity, found in seen.items()} == {
        entity: [(str(number), True)] for entity, number in ids.items()
    }
    assert round_() == {entity: [] for entity in Entity}


def test_an_entry_that_is_written_late_is_told_late_and_once(world: World) -> None:
    first, second = person(world), person(world, emails=["bob@example.com"])
    round_ = Round(world)
    round_.settle()
    world.oro.settings.audit_consumer_running = False
    world.oro.api_client_edit("contact", first, {"emails": ["late@example.com"]})
    world.clock.forward(minutes=2)
    assert round_()[Entity.CONTACT] == []
    world.oro.run_consumer()
    world.oro.settings.audit_consumer_running = True
    world.oro.api_client_edit("contact", second, {"emails": ["new@example.com"]})
    assert sorted(each.id for each in round_()[Entity.CONTACT]) == sorted([str(first), str(second)])
    assert round_()[Entity.CONTACT] == []


def test_a_feed_that_was_read_alone_does_not_take_news_from_the_others(world: World) -> None:
    number = person(world)
    task = world.oro.back_office.create("task", {"subject": "Call"})
    round_ = Round(world)
    round_.settle()
    world.oro.back_office.delete("contact", number)
    world.oro.back_office.delete("task", task)
    assert [each.id for each in round_(Entity.TASK)[Entity.TASK]] == [str(task)]
    assert [each.id for each in round_(Entity.CONTACT)[Entity.CONTACT]] == [str(number)]


def test_a_user_who_may_not_read_the_audit_asks_for_it_once_a_day_and_never_in_a_round(world: World) -> None:
    world.oro.set_permission("admin", "audit", "*", "none")
    round_ = Round(world)
    assert round_.side.discover()["audit"] is False
    round_.settle()
    round_()
    assert round_.asked == []


def test_a_permission_that_was_taken_away_is_asked_for_once_until_the_next_sweep(world: World) -> None:
    person(world)
    round_ = Round(world)
    round_.settle()
    world.oro.set_permission("admin", "audit", "*", "none")
    for _ in range(3):
        round_.side.use(round_.side.facts | {"audit": True})  # as each run does with the stored facts
        round_()
    assert len(round_.asked) == 1
    world.oro.set_permission("admin", "audit", "*", "system")
    round_.cursors = dict.fromkeys(Entity)
    round_.side.use(round_.side.facts | {"audit": True})
    round_.settle()
    round_()
    assert len(round_.asked) == 1


def test_trouble_with_the_audit_does_not_disturb_the_feeds(world: World) -> None:
    number = person(world)
    round_ = Round(world)
    round_.settle()
    world.oro.back_office.edit("contact", number, {"firstName": "Bea"})
    world.oro.fail_next("GET", "audits", 500, times=2)
    assert [each.id for each in round_()[Entity.CONTACT]] == [str(number)]
    world.oro.api_client_edit("contact", number, {"emails": ["new@example.com"]})
    assert [each.id for each in round_()[Entity.CONTACT]] == [str(number)]


def test_contacts_of_others_are_not_brought_where_only_the_own_ones_are_in_scope(world: World) -> None:
    own, other = person(world), person(world, owner=world.users["bob"].id)
    round_ = Round(world, scope="owned")
    round_.settle()
    for number in (own, other):
        world.oro.api_client_edit("contact", number, {"emails": ["same@example.com"]})
    assert [each.id for each in round_()[Entity.CONTACT]] == [str(own)]


def test_a_value_with_a_comma_is_left_to_the_sweep(world: World) -> None:
    number = person(world, phones=["1"])
    round_ = Round(world)
    round_.settle()
    world.oro.api_client_edit("contact", number, {"phones": ["2, ext. 3"]})
    assert round_()[Entity.CONTACT] == []


def test_what_was_removed_from_a_list_does_not_say_whose_it_was_and_is_left_to_the_sweep(world: World) -> None:
    number = person(world, emails=["ada@example.com", "second@example.com"])
    round_ = Round(world)
    round_.settle()
    world.oro.api_client_edit("contact", number, {"emails": ["ada@example.com"]})
    assert round_()[Entity.CONTACT] == []


def test_many_entries_are_read_page_by_page_and_very_many_only_at_their_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 3)
    numbers = [person(world, emails=[f"a{n}@example.com"]) for n in range(20)]
    round_ = Round(world, sizes=PageSizes(walk=50))
    round_.settle()
    for number in numbers[:7]:
        world.oro.api_client_edit("contact", number, {"emails": [f"b{number}@example.com"]})
        world.clock.forward(seconds=1)
    assert len(round_()[Entity.CONTACT]) == 7
    assert 3 <= len(round_.asked) <= 4  # those of the overlap count as well
    world.clock.forward(minutes=30)
    for number in numbers:
        world.oro.api_client_edit("contact", number, {"emails": [f"c{number}@example.com"]})
        world.clock.forward(seconds=1)
    found = {each.id for each in round_()[Entity.CONTACT]}
    assert len(round_.asked) == 2
    assert str(numbers[-1]) in found
    assert len(found) <= 3
    world.oro.api_client_edit("contact", numbers[0], {"emails": ["d@example.com"]})
    assert str(numbers[0]) in {each.id for each in round_()[Entity.CONTACT]}  # it goes on at the end


def test_a_position_that_an_older_program_wrote_is_good_and_gets_its_mark(world: World) -> None:
    person(world)
    round_ = Round(world)
    round_()
    for entity, cursor in round_.cursors.items():
        assert cursor is not None
        text = json.loads(cursor)
        assert text.pop("audit") is not None
        round_.cursors[entity] = json.dumps(text)
    assert round_() == {entity: [] for entity in Entity}
    assert round_.asked == []
    round_()
    assert len(round_.asked) == 1


# ---------------------------------------------------------------- read beside the feeds


def between_list_and_audit(world: World, act: Callable[[], object]) -> None:
    """The contacts' list is answered, then `act` happens, then the audit log is answered."""
    listed, handle = threading.Event(), world.oro.handle

    def in_this_order(asked: Any) -> Any:
        if "/audits" in asked.path:
            assert listed.wait(20)
            world.oro.handle = handle  # type: ignore[method-assign]
            act()
        answer = handle(asked)
        if asked.path.endswith("/contacts"):
            listed.set()
        return answer

    world.oro.handle = in_this_order  # type: ignore[method-assign]


def test_what_is_removed_after_it_was_listed_is_told_as_removed_in_the_next_round(world: World) -> None:
    number = person(world)
    round_ = Round(world, at_once=4)
    round_.settle()
    world.oro.back_office.edit("contact", number, {"firstName": "Bea"})
    between_list_and_audit(world, lambda: world.oro.back_office.delete("contact", number))
    seen = [*round_()[Entity.CONTACT], *round_()[Entity.CONTACT]]
    assert [(each.id, each.removed) for each in seen] == [(str(number), False), (str(number), True)]
    assert round_()[Entity.CONTACT] == []


def test_a_row_that_is_written_after_its_contact_was_listed_comes_with_it(world: World) -> None:
    number = person(world)
    round_ = Round(world, at_once=4)
    round_.settle()
    world.oro.back_office.edit("contact", number, {"firstName": "Bea"})
    between_list_and_audit(world, lambda: world.oro.api_client_edit("contact", number, {"emails": ["new@example.com"]}))
    (seen,) = round_()[Entity.CONTACT]
    assert seen.id == str(number)
    assert seen.item is not None
    assert "new@example.com" in json.dumps(seen.item.body)


# ---------------------------------------------------------------- the mark


def test_a_mark_keeps_what_lies_within_the_overlap_and_forgets_the_rest() -> None:
    overlap = timedelta(minutes=5)
    entries = [
        AuditEntry("1", "2026-12-01T09:00:00Z"),
        AuditEntry("2", "2026-12-01T09:04:00Z"),
        AuditEntry("3", "2026-12-01T09:06:00Z"),
    ]
    mark = AuditMark("2026-12-01T08:50:00Z").after(entries, overlap)
    assert mark.newest == "2026-12-01T09:06:00Z"
    assert mark.seen == {"2": "2026-12-01T09:04:00Z", "3": "2026-12-01T09:06:00Z"}
    late = AuditEntry("4", "2026-12-01T09:01:00Z")
    assert mark.fresh([*entries, late], overlap) == [late]
    assert mark.after([], overlap) == mark
    assert AuditMark.from_json(json.loads(json.dumps(mark.to_json()))) == mark


def test_an_odd_answer_of_the_audit_is_trouble_of_the_side(world: World) -> None:
    world.oro.fail_next("GET", "audits", 400, {"code": 400})
    with pytest.raises(SideFailing):
        audit.read_audit(world.client(), "2026-12-01T09:00:00Z")
