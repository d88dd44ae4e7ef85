"""The checks themselves are checked: with each of these faults built into the engine, one of them fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.proof.effort import minutes
from tests.proof.planted import PLANTED, Planted
from tests.proof.tally import count, owe

import orosync

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PACKAGE = Path(orosync.__file__).parent


def run_checks(
    package_folder: Path, names: tuple[str, ...], at_boundaries: str = "killed after it was applied"
) -> subprocess.CompletedProcess[str]:
    """Until the first one fails, with the package of that folder in place of ours."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_", "OROSYNC_PROVE"))}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", *names]
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**own, "PYTHONPATH": str(package_folder), "PYTHONDONTWRITEBYTECODE": "1", "OROSYNC_FAULT": at_boundaries},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def planted_in(folder: Path, fault: Planted) -> Path:
    shutil.copytree(PACKAGE, folder / "orosync")
    for edit in fault.edits:
        file = folder / "orosync" / edit.file
        text = file.read_text()
        assert text.count(edit.old) == 1, f"{edit.file} has changed: plant this fault anew ({edit.old!r})"
        file.write_text(text.replace(edit.old, edit.new))
    return folder


# each is a run of pytest of its own: in the short form, some of those that are found out within seconds
SOME = [fault for fault in PLANTED if not fault.caught_by[0].startswith("tests/proof")][::6]


@pytest.mark.slow
@pytest.mark.parametrize("fault", PLANTED if minutes() else SOME, ids=lambda fault: fault.fault)
def test_a_planted_fault_is_caught(fault: Planted, tmp_path: Path) -> None:
    owe("planted fault", fault.fault, 1)
    done = run_checks(planted_in(tmp_path, fault), fault.caught_by, fault.at_boundaries)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-3_000:] + done.stderr[-1_000:]
    count("planted fault", fault.fault)


@pytest.mark.slow
@pytest.mark.skipif(
    minutes() is None, reason="part of `make prove`: all of these checks are part of `make test` anyway"
)
def test_without_a_fault_none_of_these_checks_fails(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "orosync")
    names = tuple(sorted({name for fault in PLANTED for name in fault.caught_by}))
    done = run_checks(tmp_path, names)
    assert done.returncode == pytest.ExitCode.OK, done.stdout[-3_000:]


def test_all_of_them_can_be_planted() -> None:
    for fault in PLANTED:
        texts: dict[str, str] = {}
        for edit in fault.edits:
            text = texts.get(edit.file) or (PACKAGE / edit.file).read_text()
            assert text.count(edit.old) == 1, f"{edit.file} has changed: plant {fault.fault!r} anew"
            texts[edit.file] = text.replace(edit.old, edit.new)


def test_there_are_enough_of_them_and_they_are_of_all_parts() -> None:
    assert len(PLANTED) >= 20
    assert {edit.file.partition("/")[0] for fault in PLANTED for edit in fault.edits} == {"core", "store", "sync"}
