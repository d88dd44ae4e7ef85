"""What the proofs covered, counted over all processes of a test run, printed at its end, and asserted.

A story counts what happened in it (`count`) and says how much of it there has to be (`owe`). What all stories of a run
owe together must have been counted together, or the run fails: a proof that never met a merge proves nothing of merges.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

_COUNTED: Counter[tuple[str, str]] = Counter()
_OWED: Counter[tuple[str, str]] = Counter()


def count(kind: str, what: str, times: int = 1) -> None:
    """kind: a heading, such as "merge", "crash point", "fault", "rule", "seed"; what: one line under it."""
    _COUNTED[kind, what] += times


def owe(kind: str, what: str, times: int) -> None:
    """This story's part of what has to be counted; the parts of all stories that ran are added up."""
    _OWED[kind, what] += times


def _take_in(told: list[tuple[str, str, int, int]]) -> None:
    for kind, what, counted, owed in told:
        _COUNTED[kind, what] += counted
        _OWED[kind, what] += owed


def _short() -> list[str]:
    return [
        f"{kind}: {what}: {_COUNTED[kind, what]}, but {owed} are owed"
        for (kind, what), owed in sorted(_OWED.items())
        if _COUNTED[kind, what] < owed
    ]


def pytest_testnodedown(node: Any, error: object) -> None:  # of pytest-xdist, in the process that started the others
    del error
    _take_in(getattr(node, "workeroutput", {}).get("tally", []))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        keys = sorted({*_COUNTED, *_OWED})
        output["tally"] = [(kind, what, _COUNTED[kind, what], _OWED[kind, what]) for kind, what in keys]
    elif _short() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _COUNTED and not _OWED:
        return
    terminalreporter.section("what the proofs covered")
    for kind in sorted({kind for kind, _ in _COUNTED}):
        lines = sorted((what, times) for (of, what), times in _COUNTED.items() if of == kind)
        terminalreporter.write_line(f"{kind}: {sum(times for _, times in lines):,} in all")
        for what, times in lines:
            terminalreporter.write_line(f"    {times:>9,}  {what}")
    for line in _short():
        terminalreporter.write_line(f"NOT ENOUGH {line}", red=True)
