"""No room left where the database is, at whatever commit of a run: it ends with a plain word, and when there is room
again the next run finishes what it began, and makes nothing twice (T5).

Two disks: a small one of its own (tmpfs, where mounting is allowed), and a limit to the size of any file.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.houses import COUNTS, House, ended, started
from tests.cli.test_killed_processes import may_travel, names_in_oro, names_in_outlook
from tests.proof.effort import minutes
from tests.proof.tally import count, owe

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a disk of one's own is Linux's"),
]
ENTITIES = ("contact", "task", "event")
KIB = 1024


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    graph, oro = started("graph", *COUNTS), started("oro", *COUNTS)
    (tmp_path / "data").mkdir()
    try:
        yield House(graph, oro, tmp_path / "data")
    finally:
        ended(graph)
        ended(oro)


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A file system of this many bytes at `folder`; skips where nobody may mount one."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "orosync-test", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def leave_room(folder: Path, room: int) -> Path:
    """Fills the disk but for `room` bytes; returns the file that does."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(b"\0" * 4 * KIB):
                pass
        file.truncate(max(0, file.tell() - room))
    return ballast


def finished(process: subprocess.Popen[str]) -> bool:
    """Whether a run came to its end; if not, it said so plainly."""
    _, said = process.communicate(timeout=120)
    assert "Traceback" not in said, said
    if process.returncode == 1:
        assert "The database could not take part just now" in said, said
        assert "disk" in said
    elif process.returncode:  # there was not even room for the log of the first transaction
        assert "the database cannot be opened" in said, said
        assert "the disk's room" in said
    return process.returncode == 0


def everything_is_done_once(house: House, story: Callable[[], None]) -> None:
    """What the story leaves to be done is done by the next runs."""
    before = {entity: (names_in_oro(house, entity), names_in_outlook(house, entity)) for entity in ENTITIES}
    story()
    for _ in range(2):
        again = house.run("sync", "anna", "--json")
        assert again.code == 0, again.out + again.err
    assert sum(sum(each[side].values()) for each in again.json["entities"].values() for side in ("outlook", "oro")) == 0
    for entity, (in_oro, in_outlook) in before.items():
        assert names_in_oro(house, entity) == in_oro | may_travel(house, entity, in_outlook)
        assert names_in_outlook(house, entity) - in_outlook == in_oro - in_outlook
    with contextlib.closing(sqlite3.connect(house.folder / "orosync.sqlite3")) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)


ROOMS = [24 * KIB, *([0, 12 * KIB, 48 * KIB, 96 * KIB, 150 * KIB, 200 * KIB, 400 * KIB] if minutes() else [])]
BEYOND = [64 * KIB, *([0, 32 * KIB, 128 * KIB, 200 * KIB, 320 * KIB] if minutes() else [])]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: f"{room // KIB} KiB")
def test_a_disk_that_is_full_stops_a_run_and_loses_nothing(house: House, room: int) -> None:
    owe("fault", "disk full", 1 if room < 96 * KIB else 0)

    def story() -> None:
        ballast = leave_room(house.folder, room)
        count("fault", "disk full", not finished(house.start("sync", "anna")))
        ballast.unlink()

    with small_disk(house.folder, 8 * 1024 * KIB):
        house.add()
        everything_is_done_once(house, story)


@pytest.mark.parametrize("beyond", BEYOND, ids=lambda beyond: f"{beyond // KIB} KiB more")
def test_a_file_that_may_not_grow_stops_a_run_and_loses_nothing(house: House, beyond: int) -> None:
    owe("fault", "file at its limit", 1 if beyond <= 64 * KIB else 0)

    def story() -> None:
        largest = max(each.stat().st_size for each in house.folder.iterdir())
        process = house.start("sync", "anna", before=lambda: limit_files_to(min(largest, 64 * KIB) + beyond))
        count("fault", "file at its limit", not finished(process))

    house.add()
    everything_is_done_once(house, story)


def limit_files_to(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
