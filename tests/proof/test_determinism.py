"""One seed, one story, down to each request, in every process, whatever its hashes; and no clock decides (T6, I14)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.proof.effort import rounds
from tests.proof.retold import log_of
from tests.proof.story import Story
from tests.proof.tally import count
from tests.proof.telling import CASTS, tell
from tests.proof.values import look

from orosync.core.records import Entity, Side

REPOSITORY = Path(__file__).resolve().parents[2]
AHEAD = {Side.OUTLOOK: timedelta(minutes=7), Side.ORO: -timedelta(minutes=11)}


@pytest.mark.processes
@pytest.mark.parametrize("cast", ["rivals", "troubles"])
def test_a_story_is_the_same_in_every_process(cast: str, tmp_path: Path) -> None:
    for number in rounds(1, part=0.02):
        name, folders = f"{cast}:{1000 + number}", [tmp_path / f"{number}-{each}" for each in ("here", "there")]
        for folder in folders:
            folder.mkdir()
        here = log_of(name, folders[0])
        there = _told_elsewhere(name, folders[1], hash_seed=str(number + 1))
        wrong = [(a, b) for a, b in zip(here, there, strict=False) if a != b]
        assert not wrong, f"{name} is told in two ways:\n{wrong[0][0][:600]}\n{wrong[0][1][:600]}"
        assert len(here) == len(there)
        count("seed", "told twice")


def _told_elsewhere(name: str, folder: Path, hash_seed: str) -> list[str]:
    command = [sys.executable, "-m", "tests.proof.retold", name, str(folder)]
    told = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    return told.stdout.split("\n")


def test_clocks_that_are_off_change_no_outcome(tmp_path: Path) -> None:
    """By minutes, one side ahead of us and the other behind; under all settings but `newest`, which asks the clocks."""
    for number in rounds(1, part=0.02):
        name = f"settings:{1 + 14 * number}"  # deletions, a narrow guard and people who are asked; never `newest`
        ends = []
        for each, skew in {"right": {}, "wrong": AHEAD}.items():
            folder = tmp_path / f"{number}-{each}"
            folder.mkdir()
            ends.append(_end_of(name, folder, skew))
        assert ends[0] == ends[1], name
        count("invariant", "I14 clocks that are off change no outcome")


def _end_of(name: str, folder: Path, skew: Mapping[Side, timedelta]) -> list[Any]:
    story = Story(folder, name, skew)
    try:
        tell(story, CASTS[name.partition(":")[0]])
        return [
            sorted(str(look(entity, side, row)) for row in story.rows(side, entity).values())
            for side in Side
            for entity in Entity
        ]
    finally:
        story.close()
