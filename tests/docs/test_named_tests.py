"""What the documents say is held by a test is held by one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
NAMED = re.compile(r"`(tests/[\w./-]+\.py)(?:::(\w+))?`")
PAGES = [REPOSITORY / "README.md", REPOSITORY / "SECURITY.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_document_names_exists(page: Path) -> None:
    missing = []
    for file, name in NAMED.findall(page.read_text()):
        path = REPOSITORY / file
        if not path.is_file() or (name and not re.search(rf"^ *def {name}\(", path.read_text(), re.MULTILINE)):
            missing.append(f"{file}::{name}")
    assert not missing


def test_the_promises_name_their_tests() -> None:
    page = (REPOSITORY / "docs" / "guarantees.md").read_text()
    assert len(NAMED.findall(page)) > 40
