"""A house for each test: two simulated systems as processes, and a data folder between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.houses import COUNTS, House, ended, started


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    graph, oro = started("graph", *COUNTS), started("oro", *COUNTS)
    try:
        yield House(graph, oro, tmp_path / "data")
    finally:
        ended(graph)
        ended(oro)
