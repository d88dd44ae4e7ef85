"""How long the proofs look: the short form within `make test`, the long one by `make prove`."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator


def minutes() -> float | None:
    """Of the long form; None in the short one. `make prove PROVE_MINUTES=20` sets the variable."""
    told = os.environ.get("OROSYNC_PROVE_MINUTES")
    return float(told) if told else None


def rounds(short: int, part: float) -> Iterator[int]:
    """Numbers of rounds: `short` of them; in the long form as many more as begin within `part` of its time.

    part: of the whole time on one core. All parts of all tests together stay below what two cores have (1.7), and a
    single one below a quarter, so that the last test of a run does not go on alone.
    """
    long = minutes()
    until = time.monotonic() + (long * 60 * part if long else 0.0)
    number = 0
    while number < short or time.monotonic() < until:
        yield number
        number += 1


def one_in(whole_minutes: float, part: float) -> int:
    """Of what would take so many minutes of one core, one in how many fits into `part` of the long form's time."""
    return max(1, math.ceil(whole_minutes / (part * (minutes() or math.inf))))


def examples(short: int, a_minute: int) -> int:
    """How many examples hypothesis tries: `short` of them; in the long form `a_minute` for each of its minutes."""
    long = minutes()
    return max(short, int(a_minute * long)) if long else short
