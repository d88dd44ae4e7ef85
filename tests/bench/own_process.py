"""What this process has needed so far. As a program it runs another one inside itself, so that the peak of memory is
that of this process alone: what `wait4` tells of a child may be its parent's.

`python own_process.py REPORT MODULE ARGUMENTS...`: as `python -m MODULE ARGUMENTS...`, and REPORT is a new file with
{"wall_s", "cpu_s", "peak_mb", "exit"}. Uses nothing but the standard library: it runs in other environments.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
import time
from pathlib import Path


def peak_mb() -> float:
    """The most memory that was resident at a time since the process began its program (Linux)."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found.group(1)) / 1024 if found else 0.0


def main() -> None:
    report, module, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    began, code = time.perf_counter(), 0
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    times = os.times()
    told = {"wall_s": time.perf_counter() - began, "cpu_s": times.user + times.system, "peak_mb": peak_mb()}
    Path(report).write_text(json.dumps(told | {"exit": code}))


if __name__ == "__main__":
    main()
