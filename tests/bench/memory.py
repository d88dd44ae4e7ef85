"""How far the memory of a run grows with the mailbox: `python -m tests.bench.memory [WORK] [TO] [COUNT...]`.

WORK: "first" (a first sync, the default), "lost" (the same once more with a new database: everything is paired again)
or "preview". TO: "outlook" (default) or "oro". One line for each count: records, peak MB, CPU and wall seconds.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.our_process import Taken, ours
from tests.bench.systems import office

_COUNTS = (1_000, 10_000, 50_000)


def main() -> None:
    work, to = [*sys.argv[1:3], "first", "outlook"][:2] if len(sys.argv) < 3 else sys.argv[1:3]
    for count in [int(each) for each in sys.argv[3:]] or _COUNTS:
        taken = measured(work, to, count)
        told = (f"{taken['peak_mb']:8.0f} MB", f"{taken['cpu_s']:7.1f} s CPU", f"{taken['wall_s']:7.1f} s")
        sys.stdout.write("  ".join((f"{work} to {to}", f"{count:7,}", *told)) + "\n")
        sys.stdout.flush()


def measured(work: str, to: str, count: int) -> Taken:
    """Our process is a fresh one, so that its peak is that of this piece of work."""
    with tempfile.TemporaryDirectory() as folder, office() as place:
        place.fill("oro" if to == "outlook" else "outlook", 0, {"contact": count})
        if work == "lost":
            with ours(place, Path(folder) / "first.sqlite3") as product:
                product.do("sync")
        with ours(place, Path(folder) / "memory.sqlite3") as product:
            return product.do("sync", mode="preview" if work == "preview" else "sync")


if __name__ == "__main__":
    main()
