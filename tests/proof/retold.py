"""Tells one story in a process of its own and prints its log: `python -m tests.proof.retold rivals:17 FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.proof.story import Story
from tests.proof.telling import CASTS, tell


def log_of(name: str, folder: Path) -> list[str]:
    """Deeds, requests with the digest of their bodies, plans and counts, in their order."""
    story = Story(folder, name)
    try:
        tell(story, CASTS[name.partition(":")[0]])
    finally:
        story.close()
    return story.log


if __name__ == "__main__":
    sys.stdout.write("\n".join(log_of(sys.argv[1], Path(sys.argv[2]))))
