"""What a run sets aside: shelves with labels, in order, gone with the run, and trouble in plain words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from orosync.core.records import Entity, Half, Item, Side, Snapshot
from orosync.errors import TryLater
from orosync.store.scratch import Scratch, ScratchSpace


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    with ScratchSpace().scratch() as scratch:
        yield scratch


def test_values_come_back_by_label_and_then_as_they_were_kept(scratch: Scratch) -> None:
    scratch.keep("shelf", [("b", 1), ("a", 2), ("b", 3), ("a", 4), ("c", 5)])
    scratch.keep("another", [("a", 0)])
    assert list(scratch.slices("shelf", 2)) == [[("a", 2), ("a", 4)], [("b", 1), ("b", 3)], [("c", 5)]]
    assert list(scratch.slices("nothing is on it", 2)) == []


def test_a_shelf_may_be_walked_along_while_another_is_filled(scratch: Scratch) -> None:
    scratch.keep("from", [("", number) for number in range(7)])
    for some in scratch.slices("from", 2):
        scratch.keep("to", [(label, value * 2) for label, value in some])
    assert [value for some in scratch.slices("to", 100) for _, value in some] == [0, 2, 4, 6, 8, 10, 12]


def test_values_are_found_by_their_labels_however_many(scratch: Scratch) -> None:
    scratch.keep("shelf", ((str(number), number) for number in range(2_000)))
    scratch.keep("shelf", [("7", "again")])
    found = scratch.find("shelf", (str(number) for number in range(0, 4_000, 2)))
    assert found == {str(number): [number] for number in range(0, 2_000, 2)}
    assert scratch.find("shelf", ["7", "7", "none"]) == {"7": [7, "again"]}


def test_a_shelf_is_cleared_by_itself(scratch: Scratch) -> None:
    scratch.keep("shelf", [("a", 1)])
    scratch.keep("another", [("a", 2)])
    scratch.clear("shelf")
    assert scratch.find("shelf", ["a"]) == {}
    assert scratch.find("another", ["a"]) == {"a": [2]}


def test_a_shelf_is_cleared_up_to_where_one_is(scratch: Scratch) -> None:
    scratch.keep("shelf", [(label, label) for label in "abcde"])
    walked = []
    for some in scratch.slices("shelf", 2):
        walked += [label for label, _ in some]
        scratch.clear("shelf", some[-1][0])
    assert walked == list("abcde")
    assert list(scratch.slices("shelf", 2)) == []


def test_records_come_back_as_they_were(scratch: Scratch) -> None:
    item = Item("1", "v", {"name": "Ada \ud800", "emails": ["a@example.com"]})
    half = Half.of(Snapshot(Side.ORO, Entity.CONTACT, "1", "v", {"first_name": "Ada", "emails": None}, item))
    scratch.keep("shelf", [("1", half)])
    assert scratch.find("shelf", ["1"]) == {"1": [half]}


def test_what_is_set_aside_outgrows_memory_into_a_file_that_has_no_name(scratch: Scratch) -> None:
    before = set(_open_files())
    for number in range(20):
        scratch.keep("shelf", [(str(number), bytes(1_000_000))])
    (file,) = set(_open_files()) - before
    assert file.name.endswith("(deleted)")
    scratch.close()
    assert file not in _open_files()


def _open_files() -> Iterator[Path]:
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            yield each.readlink()


def test_no_room_is_a_trouble_that_passes(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def executemany(self, *_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    scratch.close()
    monkeypatch.setattr(scratch, "_connection", Full())
    with pytest.raises(TryLater, match="no room"):
        scratch.keep("shelf", [("a", 1)])
    monkeypatch.setattr(scratch, "_connection", sqlite3.connect(":memory:"))
