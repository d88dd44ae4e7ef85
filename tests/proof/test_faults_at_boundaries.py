"""Whatever goes wrong wherever: in the end all is as if nothing had (T4; I3, I4, I5, I7, I20).

Each story is lived once without a fault, and its boundaries are met in order: every request to either side, every part
of a batch, every commit. At a boundary the story is split into branches, one for each fault; each goes on with the
fault until it comes to rest, and its end has to be the same as the story's own.

`OROSYNC_FAULT="40,58 delivered twice" pytest tests/proof/test_faults_at_boundaries.py -k "any_boundary and edits"`
tries only the faults whose names begin so, at these boundaries of the story; at all of them if no number is told.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.log_watch import LogWatch
from tests.proof.boundaries import Boundary, Fault, Wire
from tests.proof.effort import minutes, one_in, rounds
from tests.proof.end_state import end_state, values_lost, what_differs, without_doubles, without_stamps
from tests.proof.fault_stories import STORIES, Story
from tests.proof.forked import Branches, engine_in_memory
from tests.proof.tally import count, owe
from tests.proof.wire_faults import CRASHES, FAULTS, faults_at, faults_of_parts
from tests.sync.world import World, new_vault

from orosync.store.database import Database

DOUBLED = {"delivered twice, the first answer", "delivered twice, the second answer"}
REFUSED = "403 for a while"
APPLIED = ("killed after it was applied, before the answer", "answer lost")
EVERY = {"links of the page lost": 2, "a colleague's reply": 2, "killed before the request": 9}  # few fit
ONE_IN, ONE_COMMIT_IN = 48, 14
WHOLE_MINUTES = 6  # of one core: every fault at every boundary of one story


@dataclass(frozen=True)
class Second:
    """Another fault, so many boundaries after the first; often while what the first one left is being mended."""

    after: int
    seed: str

    def meet(self, lived: Lived) -> Callable[[Boundary], Fault | None]:
        at = lived.story.wire.met + self.after

        def meet(boundary: Boundary) -> Fault | None:
            if boundary.number != at:
                return None
            fault = Random(self.seed).choice([each for each in faults_at(boundary) if each.name not in DOUBLED])
            lived.tried[fault.name] = str(boundary)
            return fault

        return meet


@dataclass(frozen=True)
class Trial:
    """What a branch goes through."""

    fault: Fault
    second: Second | None = None


Choose = Callable[[Boundary], Iterable[Trial]]


@dataclass
class Lived:
    """A story, and what is done at its boundaries."""

    story: Story
    branches: Branches = field(default_factory=Branches)
    expected: dict[str, Any] | None = None
    tried: dict[str, str] = field(default_factory=dict)  # fault -> where
    second: Second | None = None

    def to_its_end(self) -> dict[str, Any]:
        story = self.story
        story.wire.watched = True
        story.act()
        story.wire.watched = self.second is not None
        story.come_to_rest()
        story.wire.watched = False
        return self.judged()

    def judged(self) -> dict[str, Any]:
        world, state = self.story.world, end_state(self.story.world)
        assert world.mailbox.outbox == [], "somebody was mailed by Outlook"
        assert world.oro.mails == [], "somebody was mailed by OroCRM"
        assert world.oro.orphan_events() == []
        assert self.story.open_intents() == []
        assert values_lost(world, self.story.entered) == []
        if self.expected is not None:
            expected = self.expected
            if DOUBLED & self.tried.keys():
                state = without_doubles(world, state, expected)
            if REFUSED in self.tried:
                state, expected = without_stamps(state), without_stamps(expected)
            differences = what_differs(state, expected)
            assert not differences, "\n".join([*differences, f"after {self.tried}"])
        return state


def begun(name: str, folder: Path) -> Story:
    database = Database(engine_in_memory(folder), new_vault())
    world = World(database, system=dict(STORIES[name].settings))
    story = STORIES[name](world, Wire(world))
    story.begin()
    return story


def explore(name: str, folder: Path, choose: Choose, log_watch: LogWatch) -> Lived:
    """The story, with every chosen fault at every boundary."""
    lived = Lived(begun(name, folder))
    branches, wire = lived.branches, lived.story.wire
    if not branches.split(f"{name}: without any fault"):  # the end that is expected is lived first
        assert not branches.failed, branches.failed[0]
        (lived.expected,) = branches.told
        wire.meet = lambda boundary: _met(lived, boundary, choose)

    def live() -> Any:
        state = lived.to_its_end()
        leaks = log_watch.leaks() if branches.is_branch else []
        assert not leaks, f"logged what must not be logged: {leaks[:3]}"
        return state

    branches.live(live)
    return lived


def _met(lived: Lived, boundary: Boundary, choose: Choose) -> Fault | None:
    branches, wire = lived.branches, lived.story.wire
    for trial in choose(boundary):
        fault, second = trial.fault, trial.second
        pair = f", and another {second.after} boundaries later ({second.seed})" if second else ""
        if branches.split(f"{fault.name} at {boundary}{pair}"):
            lived.tried, lived.second = {fault.name: str(boundary)}, second
            wire.meet = second.meet(lived) if second else lambda _later: None
            return fault
        count("fault", f"{fault.name}{', then another' if second else ''}")
        if fault.is_crash and second is None:
            count("crash point", fault.name)
    return None


def judge(lived: Lived) -> int:
    """All branches came to the same end. Returns how many there were."""
    branches = lived.branches
    lives = len(branches.told) + len(branches.failed)
    if branches.failed:
        several = f"{len(branches.failed)} of {lives} came to another end"
        pytest.fail(f"{several}:\n" + "\n".join(branches.failed[:40]), pytrace=False)
    return lives


# ------------------------------------------------------------------------------------------------ one fault


def some_faults(boundary: Boundary) -> Iterator[Trial]:
    """What leaves a write done and unknown, at two of three writes, by turns; of all others, each at a few
    boundaries in turn. In the long form both at every write, and from an hour on every fault at every boundary."""
    apart, writes = ONE_COMMIT_IN if boundary.is_commit else ONE_IN, APPLIED[boundary.number % 3 :][:1]
    if minutes():
        apart, writes = one_in(WHOLE_MINUTES, part=0.1), APPLIED
    for number, fault in enumerate([*faults_at(boundary), *faults_of_parts(boundary)]):
        always = (boundary.writes and fault.name in writes) or boundary.number % EVERY.get(fault.name, 10**9) == 0
        if always or (5 * number + boundary.number) % apart == 0:
            yield Trial(fault)


def told_faults(told: str) -> Choose:
    """As the head of this file says."""
    said = re.fullmatch(r"([0-9,]*) ?(.*)", told)
    assert said is not None
    numbers = {int(each) for each in said[1].split(",") if each}

    def choose(boundary: Boundary) -> Iterator[Trial]:
        if not numbers or boundary.number in numbers:
            every = [*faults_at(boundary), *faults_of_parts(boundary)]
            yield from (Trial(fault) for fault in every if fault.name.startswith(said[2]))

    return choose


@pytest.mark.parametrize("name", STORIES)
def test_a_fault_at_any_boundary_changes_nothing_in_the_end(name: str, tmp_path: Path, log_watch: LogWatch) -> None:
    if told := os.environ.get("OROSYNC_FAULT"):
        assert judge(explore(name, tmp_path, told_faults(told), log_watch)) > 1, "no such fault there"
        return
    assert judge(explore(name, tmp_path, some_faults, log_watch)) >= 15
    for each in CRASHES:
        owe("crash point", each.name, 1)
    for each in FAULTS if name == "edits" else ():  # by all stories together
        owe("fault", each.name, 1)


# ------------------------------------------------------------------------------------------------ pairs of faults


@pytest.mark.parametrize("name", STORIES)
def test_nor_do_two_faults_one_after_the_other(name: str, tmp_path: Path, log_watch: LogWatch) -> None:
    lives = 0
    for number in rounds(short=1, part=0.05):
        chance = Random(f"{name}/{number}")

        def pairs(boundary: Boundary, number: int = number, chance: Random = chance) -> Iterator[Trial]:
            for _ in range(chance.random() < 1 / 6):
                first = chance.choice([each for each in faults_at(boundary) if each.name not in DOUBLED])
                yield Trial(first, Second(chance.randint(1, 40), f"{name}/{number}/{boundary.number}"))

        folder = tmp_path / str(number)
        folder.mkdir()
        lives += judge(explore(name, folder, pairs, log_watch))
    assert lives >= 5  # by all rounds: chance may leave one with few
