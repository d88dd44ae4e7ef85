"""`python -m tests.bench`: measure, print tables, write JSON and a chart. `make bench` calls it.

--extent default|full|tiny: how much. --keep: also write the page of the documents anew. --page: measure nothing, and
write that page from its stored results.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import page, vdirsyncer_peer
from tests.bench.extent import EXTENTS, Extent
from tests.bench.figures import PEER, Figure, Results
from tests.bench.measuring import everything
from tests.bench.systems import ROOT

FOLDER = ROOT / ".benchmarks"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--extent", choices=sorted(EXTENTS), default="default")
    parser.add_argument("--keep", action="store_true", help="write docs/performance.* anew")
    parser.add_argument("--page", action="store_true", help="only write the page from its stored results")
    asked = parser.parse_args()
    if asked.page:
        page.write()
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    results = Results({}, ())
    for results in measure(EXTENTS[asked.extent]()):
        page.as_files(results, FOLDER)
    if asked.keep:
        page.keep(results)
    print(*page.in_terminal(results), sep="\n")
    print(f"\nresults and chart are in {FOLDER.relative_to(ROOT)}/")


def measure(extent: Extent) -> Iterator[Results]:
    """What is known so far, after each figure: whoever breaks off keeps what there is."""
    began, machine, why = time.monotonic(), describe(), vdirsyncer_peer.install()
    missing = {PEER: why} if why else {}
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="orosync-bench-") as folder:
        for figure in everything(extent, Path(folder), with_vdirsyncer=not why):
            found.append(figure)
            seconds = time.monotonic() - began
            _tell(figure, seconds)
            yield Results(machine | {"took": f"{seconds / 60:.1f} minutes"}, tuple(found), missing)


def _tell(figure: Figure, seconds: float) -> None:
    what = f"{figure.work} {figure.to}".strip()
    size = f"{figure.records:,} {figure.kind} at +{figure.latency_ms} ms"
    print(f"{seconds:6.0f} s  {figure.who}: {what}, {size}: {figure.wall_s:.2f} s", file=sys.stderr, flush=True)


def describe() -> dict[str, str]:
    """load: how busy the machine was before anything was measured, by whatever else ran on it."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": f"{os.cpu_count()} ({cpu.group(1) if cpu else platform.machine()})",
        "memory": f"{int(memory.group(1)) / 1e6:.0f} GB" if memory else "",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        "load before": f"{os.getloadavg()[0]:.1f}",
        "vdirsyncer": vdirsyncer_peer.VERSION,
    }


if __name__ == "__main__":
    main()
