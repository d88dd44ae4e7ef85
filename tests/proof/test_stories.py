"""Stories of two stores, told by seed: whatever people and troubles do, the invariants hold whenever all is quiet (T3).

A story that fails names itself; `OROSYNC_PROVE_SEED="rivals:17" pytest tests/proof/test_stories.py` tells it again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.proof.breaking import POINTS
from tests.proof.effort import minutes, rounds
from tests.proof.story import Story
from tests.proof.tally import count, owe
from tests.proof.telling import CASTS, tell

PAST = Path(__file__).with_name("past_seeds.txt")
ASKED_FOR = os.environ.get("OROSYNC_PROVE_SEED", "")
SHORT = {"settings": 3, "broken-off": 3, "troubles": 3, "rivals": 3}  # stories in the short form
# Those that stories of this length always meet; all others are proved by the planner's own tables.
RULES = (
    *("changed_in_oro", "changed_in_outlook", "chosen", "deleted_before", "deleted_in_oro", "edit_beats_delete"),
    *("filled", "first_values", "gone_on_both", "lines_merged", "match_key", "members_merged", "newest"),
    *("only_in_oro", "only_in_outlook", "oro_is_master", "oro_record_changed", "oro_wins", "outlook_is_master"),
    *("outlook_wins", "outside_window", "replace", "restored", "several_match", "stamp", "unchanged"),
)


def past() -> list[str]:
    """Names of stories that failed once, without the word why."""
    return [line.split()[0] for line in PAST.read_text().splitlines() if line.strip() and not line.startswith("#")]


def told(name: str, folder: Path) -> None:
    """One story from beginning to end."""
    place = folder / name.replace(":", "-")
    place.mkdir()
    story = Story(place, name)
    try:
        tell(story, CASTS[name.partition(":")[0]])
    except BaseException as error:
        again = f'OROSYNC_PROVE_SEED="{name}" .venv/bin/pytest -p no:randomly tests/proof/test_stories.py'
        error.add_note(
            f"to see it again: {again}\nthe end of the story:\n" + "\n".join(line[:160] for line in story.log[-30:])
        )
        raise
    finally:
        story.close()
    count("seed", name.partition(":")[0])


def names(cast: str) -> Iterator[str]:
    if ASKED_FOR:
        yield from [ASKED_FOR] * ASKED_FOR.startswith(f"{cast}:")
    else:
        yield from (f"{cast}:{number}" for number in rounds(SHORT[cast], part=0.15))


@pytest.mark.skipif(bool(ASKED_FOR), reason="one story was asked for")
def test_stories_that_failed_once_end_well(tmp_path: Path) -> None:
    for name in past():
        if int(name.partition(":")[2]) >= SHORT[name.partition(":")[0]]:  # the others are told anyway
            told(name, tmp_path)


@pytest.mark.parametrize("cast", CASTS)
def test_whatever_happens_the_invariants_hold_when_all_is_quiet(cast: str, tmp_path: Path) -> None:
    for name in names(cast):
        told(name, tmp_path)
    if not ASKED_FOR:
        _owe(cast)


def _owe(cast: str) -> None:
    owe("merge", "three-way, both sides edited", 500 if minutes() else 150)
    for rule in RULES if cast == "settings" else ():
        owe("rule", rule, 1)  # of all casts together
    if cast == "broken-off":
        for point in POINTS:
            owe("crash point", point, 200 if minutes() else 40)
