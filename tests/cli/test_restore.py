"""An old backup is put back while both sides went on: nothing is made twice, deleted or set back, and all goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from tests.sync.actors import NOTES, Hands, state_of
from tests.sync.pairs import nothing_moves
from tests.sync.world import CRM, World, new_vault, writes

from orosync.cli import program
from orosync.core.records import Entity
from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.sync.run import Report

STAY = ("Ada", "Ben", "Cem", "Dan", "Eva", "Fay")


def opened(file: Path) -> Database:
    return Database(without_waiting_for_the_disk(open_engine(f"sqlite:///{file}")), new_vault())


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("OROSYNC_DATABASE_URL", f"sqlite:///{tmp_path / 'orosync.db'}")
    return put_empty_database(tmp_path / "orosync.db")


@pytest.fixture
def world(file: Path) -> Iterator[World]:
    world = World(opened(file), system=dict(NOTES))
    yield world
    world.database.close()
    assert world.mailbox.outbox == []


def backed_up(file: Path) -> Path:
    copy = file.with_name("backup.db")
    done = CliRunner().invoke(program, ["db", "backup", str(copy)])
    assert done.exit_code == 0, done.output
    return copy


def restored(world: World, file: Path, backup: Path) -> None:
    """As the operations guide says: the files beside the database go, too."""
    world.database.close()
    for beside in file.parent.glob(f"{file.name}*"):
        beside.unlink()
    shutil.copyfile(backup, file)
    world.database = opened(file)


def life_goes_on(hands: Hands) -> None:
    """What is synchronised after the backup was made: two new ones, two deletions, edits on either side."""
    ids = {row[0]: number for number, row in hands.oro().items()}
    natives = {row[0]: native for native, row in hands.outlook().items()}
    hands.make_in_outlook("Gus", 1, 1)
    hands.make_in_oro("Hal", 2, 2)
    hands.delete_in_oro(ids["Ada"])
    hands.delete_in_outlook(natives["Ben"])  # comes back in Outlook, as another item
    hands.edit_in_oro(ids["Cem"], "first", 3)
    hands.edit_in_outlook(natives["Dan"], "second", 4)


class Noticed(BaseAdapter):
    """Calls `then` once, when the first write was applied and nobody has heard of it yet."""

    def __init__(self, inner: BaseAdapter, then: Callable[[], None]) -> None:
        super().__init__()
        self.inner, self.then = inner, then
        self.done = False

    def send(self, request: PreparedRequest, *args: Any, **more: Any) -> Response:  # type: ignore[override]
        answer = self.inner.send(request, *args, **more)
        writes_something = (
            b'"POST"' in (request.body or b"") if "$batch" in str(request.url) else request.method == "POST"
        )
        if writes_something and not self.done:
            self.done = True
            self.then()
        return answer

    def close(self) -> None:
        self.inner.close()


def counted(report: Report, verb: str) -> int:
    return sum(counts[side][verb] for counts in report.entities.values() for side in ("outlook", "oro"))


def in_step(world: World) -> None:
    for entity in Entity:
        for name in STAY:
            Hands(world, entity).make_in_oro(name, 0, 0)
    world.settle()


def test_what_was_in_step_when_the_backup_is_put_back_stays_as_it_is(world: World, file: Path) -> None:
    in_step(world)
    backup = backed_up(file)
    for entity in Entity:
        life_goes_on(Hands(world, entity))
    world.settle()
    world.clock.forward(days=3)
    before = state_of(world)
    natives = {entity: set(Hands(world, entity).outlook()) for entity in Entity}

    restored(world, file, backup)
    report = world.sync(sweep=True)
    assert (report.state, report.quarantined) == ("done", 0), report.to_json()
    assert [counted(report, verb) for verb in ("created", "deleted")] == [0, 0], report.to_json()
    assert state_of(world) == before
    world.settle()
    assert state_of(world) == before
    assert {entity: set(Hands(world, entity).outlook()) for entity in Entity} == natives, "each is the very same item"
    nothing_moves(world)
    for entity in Entity:
        assert world.store.count_links(entity) == len(natives[entity]), "all of them are pairs again"


def test_what_was_not_in_step_yet_travels_after_the_backup_was_put_back(world: World, file: Path) -> None:
    in_step(world)
    backup = backed_up(file)
    for entity in Entity:
        life_goes_on(Hands(world, entity))
    world.settle()
    for entity in Entity:
        hands = Hands(world, entity)
        ids = {row[0]: number for number, row in hands.oro().items()}
        natives = {row[0]: native for native, row in hands.outlook().items()}
        hands.make_in_outlook("Ida", 5, 5)
        hands.make_in_oro("Jon", 6, 6)
        hands.edit_in_oro(ids["Cem"], "second", 7)
        hands.edit_in_outlook(natives["Dan"], "first", 8)
        hands.delete_in_oro(ids["Eva"])
        hands.edit_in_outlook(natives["Fay"], "first", 9)

    restored(world, file, backup)
    world.settle()
    for entity in Entity:
        hands = Hands(world, entity)
        expected = [
            ("Ben", 0, 0), ("Cem", 3, 7), ("Dan", 8, 4), ("Fay", 9, 0),
            ("Gus", 1, 1), ("Hal", 2, 2), ("Ida", 5, 5), ("Jon", 6, 6),
        ]  # fmt: skip
        assert sorted(hands.oro().values()) == expected, entity
        assert sorted(hands.outlook().values()) == expected, entity
    nothing_moves(world)


def test_a_backup_from_before_the_first_sync_makes_nothing_twice(world: World, file: Path) -> None:
    for entity in Entity:
        for name in STAY:
            Hands(world, entity).make_in_oro(name, 0, 0)
    backup = backed_up(file)
    world.settle()
    before = state_of(world)
    restored(world, file, backup)
    report = world.sync()
    assert [counted(report, verb) for verb in ("created", "deleted")] == [0, 0], report.to_json()
    world.settle()
    assert state_of(world) == before


@pytest.mark.parametrize("where", ["https://graph.example", CRM], ids=["to Outlook", "to OroCRM"])
def test_a_create_that_was_on_its_way_when_the_backup_was_made_is_made_once(
    world: World, file: Path, where: str
) -> None:
    """Its intent is in the backup; what it made is found, and adopted."""
    in_step(world)
    for entity in Entity:
        Hands(world, entity).make_in_outlook("Gus", 1, 1)
        Hands(world, entity).make_in_oro("Hal", 2, 2)
    copies: list[Path] = []
    plain = world.adapters
    watched = Noticed(plain[where], lambda: copies.append(backed_up(file)))
    world.adapters = {**plain, where: watched}  # type: ignore[dict-item]
    world.sync()
    world.adapters = plain
    world.settle()
    before = state_of(world)
    restored(world, file, copies[0])
    assert world.session().store.open_intents(), "the backup was made while something was on its way"
    world.clock.forward(hours=1)
    world.settle()
    assert writes(world.sync(sweep=True)) == 0
    assert state_of(world) == before
