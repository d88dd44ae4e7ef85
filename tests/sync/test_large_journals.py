"""A journal that is too large for memory makes the plan that a small one makes, and leaves behind what it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from tests.sync.actors import NOTES, Hands
from tests.sync.faults import answer_lost, at
from tests.sync.pairs import forget_everything
from tests.sync.world import World, new_vault

from orosync.core.ops import REPLACE, Verb
from orosync.core.records import Entity, Side
from orosync.errors import EntityForbidden, RunCancelled
from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.sync import apply, plans, resolve_slices, run
from orosync.sync.confirm import Planned
from orosync.sync.run import Report

Change = Callable[[World], None]


@contextmanager
def sliced(size: int | None) -> Iterator[None]:
    """Everything is worked on in slices of so many records; None: as it comes."""
    with pytest.MonkeyPatch.context() as patch:
        if size is not None:
            patch.setattr(plans, "LARGE", -1)
            patch.setattr(plans, "SLICE", size)
            patch.setattr(resolve_slices, "SLICE", size)
        yield


# ------------------------------------------------------------------------------------------------ stories


def gather(world: World) -> None:
    """Of each entity: on one side only, on both, and doubles of every kind."""
    for entity in Entity:
        hands = Hands(world, entity)
        for number in range(4):
            hands.make_in_oro(f"Oro{number}", number, number)
            hands.make_in_outlook(f"Outlook{number}", number, number)
            hands.make_in_oro(f"Both{number}", number, 1)
            hands.make_in_outlook(f"Both{number}", number, 2)
        for number in range(2):
            hands.make_in_outlook("Twin", number, 1)
            hands.make_in_oro("Twin", 1 - number, 1)
            hands.make_in_oro("Twin", 6 + number, 7)


def edit(world: World) -> None:
    """Both sides of some, one side of others, deletions of every kind, items copied with their stamps and moved."""
    for entity in Entity:
        hands = Hands(world, entity)
        ours, theirs = (sorted(side, key=lambda each: repr(side[each])) for side in (hands.outlook(), hands.oro()))
        for number, native in enumerate(ours[:5]):
            hands.edit_in_outlook(native, "first", 11 + number)
        for number, native in enumerate(theirs[2:8]):
            hands.edit_in_oro(native, "second" if number % 2 else "first", 21 - number)
        hands.delete_in_outlook(ours[6])
        hands.delete_in_oro(theirs[9])
        world.mailbox.user_copy(entity.value, ours[7])  # type: ignore[arg-type]
        if entity is Entity.TASK:
            world.mailbox.user_delete("task", ours[8])
        hands.make_in_oro("Later")
        hands.make_in_outlook("Later")


def move(world: World) -> None:
    """Tasks whose former items are gone stand under new ids, with their stamps."""
    stamps = Hands(world, Entity.TASK).stamps()
    stamped = [native for native, stamp in stamps.items() if stamp and list(stamps.values()).count(stamp) == 1]
    stamped.sort(key=lambda native: repr(Hands(world, Entity.TASK).outlook()[native]))
    for native in stamped[:3]:
        world.mailbox.user_copy("task", native)
        world.mailbox.user_delete("task", native)


def lose(world: World) -> None:
    forget_everything(world)


def nothing(_world: World) -> None:
    """As it is."""


CHANGES: tuple[Change, ...] = (gather, edit, move, lose, edit, move, nothing)
SETTINGS: tuple[dict[str, Any], ...] = (
    dict(NOTES),
    {"sync_direction": "oro_to_outlook"},
    {"sync_direction": "outlook_to_oro", "conflict_resolution": "newest"},
    {"on_delete_in_outlook": "propagate", "conflict_resolution": "ask"},
)


@pytest.mark.parametrize(
    ("settings", "size"),
    [(each, 1) for each in SETTINGS] + [(SETTINGS[0], 7)],
    ids=lambda each: "/".join(each.values()) if isinstance(each, dict) else str(each),
)
def test_a_large_journal_makes_the_very_plan_of_a_small_one(world: World, settings: dict[str, Any], size: int) -> None:
    world.system = settings
    planned = 0
    for change in CHANGES:
        change(world)
        for request in ({"mode": "preview", "sweep": True}, {"mode": "resync_preview"}):
            world.sync(**request)  # a preview forgets what is gone, which may change what the next one pairs
            small = world.sync(**request)
            with sliced(size):
                large = world.sync(**request)
            assert ops_of(large) == ops_of(small)
            assert large.plan_hash == small.plan_hash
            assert large.limits == small.limits
            assert json.dumps(large.to_json()["entities"], indent=1) == json.dumps(
                small.to_json()["entities"], indent=1
            )
            planned += sum(op.verb is not Verb.LEAVE for op in small.ops)
        for _ in range(3):
            world.sync(sweep=True)
    assert planned > 100


@pytest.mark.parametrize("size", [3])
def test_a_large_journal_leaves_behind_what_a_small_one_does(tmp_path: Path, size: int) -> None:
    worlds = [world_in(tmp_path / name) for name in ("small", "large")]
    for change in CHANGES:
        for world in worlds:
            change(world)
        for request in ({"sweep": True}, {}, {"mode": "resync"}):
            reports = []
            for world, most in zip(worlds, (None, size), strict=True):
                with sliced(most):
                    reports.append(world.sync(**request))
            assert reports[0].entities == reports[1].entities
            assert left_behind(worlds[0]) == left_behind(worlds[1])
    for world in worlds:
        world.database.close()


def world_in(folder: Path) -> World:
    folder.mkdir()
    path = put_empty_database(folder / "orosync.db")
    engine = without_waiting_for_the_disk(open_engine(f"sqlite:///{path}"))
    return World(Database(engine, new_vault()), system=dict(NOTES))


def ops_of(report: Report) -> list[str]:
    return sorted(json.dumps(op.to_json(), sort_keys=True) for op in report.ops)


def left_behind(world: World) -> dict[str, list[str]]:
    """Everything that is stored of records; ids of items made by different requests are left out."""
    store = world.store
    facts: dict[str, list[Any]] = {"oplog": [], "links": [], "alone": [], "journal": [], "quarantine": []}
    for row in store.runs(100):
        facts["oplog"] += [
            (row["run"], e.entity, e.side, e.verb, e.rule, e.reason, e.before, e.after, e.mails, e.overwrites)
            for e in store.oplog(row["run"])
        ]
    for entity in Entity:
        facts["links"] += [(entity, e.state, e.shadows, e.stamped, e.frozen_fields) for e in store.links(entity)]
        facts["journal"] += [(entity, e.side, e.kind) for e in store.pending(entity)]
        for side in Side:
            facts["alone"] += [(entity, side, e.match_key, e.why) for e in store.unlinked(side, entity)]
    facts["quarantine"] = [(e.side, e.entity, e.code, e.attempts) for e in store.quarantined()]
    facts["conflicts"] = [(e.entity, e.field, e.outlook, e.oro, e.rule, e.choice) for e in store.conflicts()]
    for entity in Entity:
        facts["contents"] = [Hands(world, entity).oro().values(), Hands(world, entity).outlook().values()]
        facts["contents"] = [sorted(each, key=repr) for each in facts["contents"]]
    return {name: sorted(map(repr, rows)) for name, rows in facts.items()}


# ------------------------------------------------------------------------------------------------ slices


def carried_out(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Planned]]:
    """The slices of whatever is carried out from now on."""
    seen: list[Sequence[Planned]] = []

    def watched(session: Any, entity: Entity, slices: Iterator[Sequence[Planned]], total: int) -> Any:
        def each() -> Iterator[Sequence[Planned]]:
            for some in slices:
                seen.append(some)
                yield some

        return apply.apply(session, entity, each(), total)

    monkeypatch.setattr(run, "apply", watched)
    return seen


def deletes(planned: Planned) -> bool:
    return any(op.verb is Verb.DELETE and op.rule != REPLACE for op in planned.decision.ops)


def test_no_slice_is_larger_than_a_slice_and_deletions_are_in_the_last_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(23):
        hands.make_in_oro(f"N{number:02d}")
    world.settle()
    numbers = sorted(hands.oro())
    for number in numbers[::4]:
        hands.delete_in_oro(number)
    for number in numbers[1::4]:
        hands.edit_in_oro(number, "first", 9)
    slices = carried_out(monkeypatch)
    with sliced(4):
        report = world.sync(sweep=True)
    assert report.entities[Entity.CONTACT]["outlook"] == {"created": 0, "updated": 6, "deleted": 6}
    assert max(map(len, slices)) <= 4
    deleting = [any(map(deletes, some)) for some in slices]
    assert deleting == sorted(deleting)
    assert sum(deleting) == 2, "two whole slices, not one for each slice of the journal"


def test_nothing_is_deleted_after_something_was_forbidden_however_many_slices_before(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(12):
        hands.make_in_oro(f"N{number:02d}")
    world.settle()
    numbers = sorted(hands.oro())
    hands.delete_in_oro(numbers[0])
    for number in numbers[6:]:
        hands.edit_in_oro(number, "first", 9)
    session = world.session()
    world.clock.forward(minutes=1)
    outlook = session.sides[Side.OUTLOOK]
    write = outlook.write

    def forbidding(writes: Sequence[Any]) -> Any:
        sent = write(writes[1:])
        return {writes[0].op_id: EntityForbidden("No.", entity="contact"), **sent}

    outlook.write = forbidding  # type: ignore[method-assign]
    with sliced(2):
        report = run.run_account(session)
    assert report.state == "failed"
    assert len(hands.outlook()) == 12
    world.settle()
    assert len(hands.outlook()) == 11


def test_what_the_guard_holds_waits_and_the_rest_of_a_large_plan_goes_on(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(30):
        hands.make_in_oro(f"N{number:03d}")
    world.settle()
    numbers = list(hands.oro())
    for number in numbers[:11]:
        hands.delete_in_oro(number)
    hands.edit_in_oro(numbers[20], "first", 9)
    with sliced(3):
        report = world.sync()
        assert report.state == "held"
        assert report.entities[Entity.CONTACT]["held"] == 11
        assert len(list(report.ops)) == 11
        assert len(hands.outlook()) == 30
        assert [row for row in hands.outlook().values() if row[1] == 9]
        assert world.sync(approve=report.plan_hash).state == "done"
    assert len(hands.outlook()) == 19


def test_the_ops_of_a_very_large_plan_are_told_from_the_store(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(9):
        hands.make_in_oro(f"N{number}")
    small = world.sync(mode="preview")
    monkeypatch.setattr(plans, "_TOLD", 5)
    with sliced(2):
        large = world.sync(mode="preview")
        assert not isinstance(large.ops, list)
        assert ops_of(large) == ops_of(small)
        assert large.plan_hash == small.plan_hash
        assert [op.to_json() for op in large.ops] == list(world.store.planned_ops(large.run))
        done = world.sync()
    assert list(done.ops) == [], "what was done is in the oplog"
    assert len(world.store.oplog(done.run)) == 9


def test_a_person_may_stop_a_large_run_while_it_reads(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(6):
        hands.make_in_oro(f"N{number}")
    session = world.session()
    told: list[str] = []

    def stop(what: str, _done: int, _total: int) -> None:
        told.append(what)
        if told.count("reading contacts in oro") == 3:
            raise RunCancelled("Enough.")

    session.progress = stop
    with sliced(2):
        report = run.run_account(session)
    assert report.state == "cancelled"
    assert hands.outlook() == {}
    assert len(world.store.pending(Entity.CONTACT)) == 6
    world.settle()
    assert len(hands.outlook()) == 6


def test_what_is_journaled_while_a_large_journal_is_read_waits_for_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(6):
        hands.make_in_oro(f"N{number}")
    take = resolve_slices.Slices._take
    noted: list[str] = []

    def while_reading(slices: resolve_slices.Slices, some: Any) -> None:
        take(slices, some)
        if not noted and some:
            noted.append(some[0].id)
            slices.session.store.note_seen(Side.ORO, Entity.CONTACT, noted)  # as a hook does

    monkeypatch.setattr(resolve_slices.Slices, "_take", while_reading)
    with sliced(2):
        assert world.sync().entities[Entity.CONTACT]["outlook"]["created"] == 6
    assert [row.id for row in world.store.pending(Entity.CONTACT)] == noted
    world.settle()
    assert len(hands.outlook()) == 6


@pytest.mark.parametrize("size", [None, 1])
def test_a_moved_task_waits_while_nobody_knows_what_became_of_a_write_to_its_record(
    world: World, size: int | None
) -> None:
    hands = Hands(world, Entity.TASK)
    number = hands.make_in_oro("Call")
    world.settle()
    (native,) = hands.outlook()
    hands.edit_in_outlook(native, "first", 5)
    at(world, "crm", lambda request: request.method == "PATCH", answer_lost)
    world.sync()
    world.mailbox.user_copy("task", native)
    world.mailbox.user_delete("task", native)
    session = world.session()
    session.busy.add((Entity.TASK, Side.ORO, str(number)))
    world.clock.forward(minutes=1)
    with sliced(size), pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "recover", lambda _session: None)
        report = run.run_account(session)
    assert [op.verb for op in report.ops] == []
    world.settle()
    assert world.store.links_by_id(Side.ORO, Entity.TASK, [str(number)])[str(number)].outlook_id in hands.outlook()
    assert len(hands.oro()) == len(hands.outlook()) == 1


@pytest.mark.parametrize("change", [nothing, lose], ids=["first sync", "after a loss of the database"])
def test_outlook_is_listed_once_and_not_for_each_slice(world: World, change: Change) -> None:
    for number in range(240):
        world.mailbox.user_create("contact", {"givenName": f"Ada {number}", "surname": "Lovelace"})
        world.mailbox.user_create("event", meeting(number))
    world.system = {"guard.creates": 10_000}
    if change is lose:
        world.settle()
        change(world)
    small = world.sync(mode="preview", sweep=True)
    with sliced(40):
        large = world.sync(mode="preview", sweep=True)
    assert ops_of(large) == ops_of(small)
    for side in Side:
        assert large.requests[side] <= small.requests[side] + 2


def meeting(number: int) -> dict[str, Any]:
    at = {"timeZone": "UTC", "dateTime": f"2026-08-{1 + number % 28:02}T10:00:00.0000000"}
    return {
        "subject": f"Meeting {number}",
        "start": at,
        "end": {**at, "dateTime": at["dateTime"].replace("T10", "T11")},
    }
