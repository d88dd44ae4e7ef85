"""The pane's modules that need no page, tried by Node's own test runner; skipped where there is no Node that can."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parent / "unit"
OLDEST = (20, 19)  # loads ES modules from .js files without a package.json


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node on this machine")
    version = subprocess.run([found, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if tuple(int(part) for part in version.lstrip("v").split(".")[:2]) < OLDEST:
        pytest.skip(f"Node {version} is older than {OLDEST[0]}.{OLDEST[1]}")
    return found


@pytest.mark.parametrize("file", sorted(UNIT.glob("*.test.mjs")), ids=lambda path: path.name.split(".")[0])
def test_the_modules_of_the_pane_hold_what_their_tests_say(file: Path) -> None:
    done = subprocess.run(
        [node(), "--test", "--test-force-exit", str(file)], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout
    assert "# pass 0" not in done.stdout
