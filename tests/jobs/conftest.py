"""Homes of accounts that are kept in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.jobs.background_world import Background


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Callable[..., Background]]:
    """background("anna", "boris"): with these people."""
    made: list[Background] = []

    def start(*people: str) -> Background:
        made.append(Background(tmp_path, people or ("anna",)))
        return made[-1]

    yield start
    for each in made:
        each.close()
