"""What the product has to reach, beside what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.bench import figures
from tests.bench.figures import ENGINE, FLOOR, OURS, PEER, Figure, Results
from tests.bench.tables import named, rate_of


@dataclass(frozen=True)
class Budget:
    """kept: None if it was not measured."""

    what: str
    wanted: str
    measured: str
    kept: bool | None


def budgets(results: Results) -> Iterator[Budget]:
    yield from _engine(results)
    yield from _at_fifty(results)
    yield from _looks(results)
    yield _memory(results)
    found = results.find(OURS, figures.HELP, 0, 0)
    yield _budget("`orosync --help`", "under 0.3 s", found.wall_s if found else None, lambda s: s < 0.3, "{:.2f} s")


def _engine(results: Results) -> Iterator[Budget]:
    for to in ("outlook", "oro"):
        found = [each for each in results.of(ENGINE, figures.FIRST) if each.to == to]
        rate = min((rate_of(each) for each in found), default=None)
        what = f"records a second that the engine creates in {named(to)}, with durable intents"
        yield _budget(what, "at least 1,000", rate, _at_least(1000), "{:,.0f}")
        yield _budget(
            "the same, CPU against that of vdirsyncer", "not more", _of_peer(results, to), _at_most(1), "{:.2f} x"
        )
    for side in (figures.CHANGED_ORO, figures.CHANGED_OUTLOOK):
        changed = [each.cpu_s for each in results.of(ENGINE, side) if each.records == 5000]
        slowest = max(changed, default=None)
        yield _budget(f"{side}, of 5,000: engine", "under 0.5 s", slowest, lambda each: each < 0.5, "{:.2f} s")


def _of_peer(results: Results, to: str) -> float | None:
    """Our engine's CPU for a thousand contacts in multiples of vdirsyncer's, the start of its process taken off."""
    ours, peer = results.find(ENGINE, figures.FIRST, 1000, 0, to=to), results.find(PEER, figures.FIRST, 1000, 0)
    start = results.find(PEER, figures.START, 0, 0)
    return ours.cpu_s / (peer.cpu_s - start.cpu_s) if ours and peer and start else None


def _at_fifty(results: Results) -> Iterator[Budget]:
    for to in ("outlook", "oro"):
        ours = results.find(OURS, figures.FIRST, 1000, 50, to=to)
        peer = results.find(PEER, figures.FIRST, 1000, 50)
        floor = results.find(FLOOR, figures.FIRST, 1000, 50, to=to)
        what = f"first sync of 1,000 contacts to {named(to)} at 50 ms"
        faster = peer.own_s / ours.wall_s if ours and peer else None
        wanted = "at least 10 x vdirsyncer" if to == "outlook" else "faster than vdirsyncer"
        least = 10 if to == "outlook" else 1
        yield _budget(what, wanted, faster, _at_least(least), "{:.1f} x")
        above = ours.wall_s / floor.wall_s if ours and floor else None
        yield _budget(what, "within 1.3 x of the floor", above, _at_most(1.3), "{:.2f} x")


def _looks(results: Results) -> Iterator[Budget]:
    found = sorted(results.of(OURS, figures.LOOK), key=lambda each: each.records)
    at_rest = [each for each in found if each.latency_ms == 0]
    slowest = max((each.cpu_s * 1000 for each in at_rest), default=None)
    yield _budget("CPU of a look where nothing changed", "under 10 ms", slowest, lambda each: each < 10, "{:.1f} ms")
    grown = max(each.cpu_s for each in at_rest) / at_rest[0].cpu_s if len(at_rest) > 1 else None
    reach = f"{at_rest[0].records:,} to {at_rest[-1].records:,}" if len(at_rest) > 1 else "1,000 to 50,000"
    what = f"the same, at most, from {reach} contacts"
    yield _budget(what, "no more", grown, _at_most(1.25), "{:.2f} x")


def _memory(results: Results) -> Budget:
    found = {each.records: each.peak_mb for each in results.of(OURS, figures.FIRST) if _is_plain(each)}
    grown = found[50_000] - found[1000] if {1000, 50_000} <= set(found) else None
    what = "peak of memory, from 1,000 to 50,000 contacts"
    return _budget(what, "less than 64 MB more", grown, lambda each: each < 64, "{:.0f} MB more")


def _is_plain(figure: Figure) -> bool:
    return figure.to == "outlook" and figure.kind == "contacts" and figure.latency_ms == 0


def _at_most(most: float) -> Callable[[float], bool]:
    return lambda value: value <= most


def _at_least(least: float) -> Callable[[float], bool]:
    return lambda value: value >= least


def _budget(what: str, wanted: str, value: float | None, keeps: Callable[[float], bool], form: str) -> Budget:
    if value is None:
        return Budget(what, wanted, "not measured", None)
    return Budget(what, wanted, form.format(value), keeps(value))
