"""What a command ends with: the exit codes of design.md section 5, and how an error is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orosync.errors import BadInput, OrosyncError, PlanHeld, SignInNeeded

if TYPE_CHECKING:  # the engine need not be loaded to print help
    from orosync.sync.run import Report

DONE, FAILED, USAGE, HELD, SIGN_IN, QUARANTINED = range(6)


def exit_code_of(error: OrosyncError) -> int:
    if isinstance(error, BadInput):
        return USAGE
    if isinstance(error, PlanHeld):
        return HELD
    if isinstance(error, SignInNeeded):
        return SIGN_IN
    return FAILED


def exit_code_of_run(report: Report, *, in_quarantine: int) -> int:
    """in_quarantine: records that rest there now, whichever run put them there."""
    if report.state == "done":
        return QUARANTINED if in_quarantine else DONE
    if report.sign_in_needed:
        return SIGN_IN
    return HELD if report.state == "held" else FAILED


def lines_of(error: OrosyncError) -> Iterator[str]:
    """What is wrong, with the field it is about, and on the same line what to do."""
    about = error.field if isinstance(error, BadInput) else ""
    prefix = f"Error ({about}): " if about and about not in error.message else "Error: "
    yield prefix + str(error)
