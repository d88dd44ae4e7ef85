"""Figures as tables in Markdown, each beside what others take for the same work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tests.bench import figures
from tests.bench.figures import BARE, ENGINE, FLOOR, OURS, PEER, Figure, Results

NONE = "-"
BUSY = 0.5  # of the time: then a simulated system is what one waits for
_SIDES = {"outlook": "Outlook", "oro": "OroCRM"}

Row = Iterable[str]


def named(side: str) -> str:
    return _SIDES[side]


def rate_of(engine: Figure) -> float:
    """Records a second of the engine's own CPU."""
    return engine.records / engine.cpu_s


def table(head: Row, rows: Iterable[Row]) -> Iterator[str]:
    columns = list(head)
    yield _line(columns)
    yield _line(["---"] * len(columns), edge="|", between="|")
    yield from map(_line, rows)


def _line(cells: Row, edge: str = "| ", between: str = " | ") -> str:
    return f"{edge}{between.join(cells)}{edge[::-1]}"


# ------------------------------------------------------------------------------------------------ what was measured


_BESIDE = ("vdirsyncer s (requests)", "we are", "bare loop s", "of it", "floor s", "of it", "remark")


def first_syncs(results: Results) -> Iterator[str]:
    found = sorted(results.of(OURS, figures.FIRST), key=_order)
    head = ("first sync", "+ ms", "s", "records/s", "requests to Outlook (parts)", "to OroCRM", *_BESIDE)
    yield from table(head, (_first_sync(results, each) for each in found))


def _first_sync(results: Results, ours: Figure) -> Row:
    rate = f"{ours.records / ours.wall_s:,.0f}"
    what = f"{ours.records:,} {_kind(ours)} to {named(ours.to)}"
    return (what, str(ours.latency_ms), _s(ours.wall_s), rate, *_requests(ours), *_beside(results, ours))


def other_work(results: Results) -> Iterator[str]:
    works = (figures.LOOK, figures.CHANGED_ORO, figures.CHANGED_OUTLOOK, figures.LOST, figures.ACCOUNTS)
    found = [each for work in works for each in sorted(results.of(OURS, work), key=_order)]
    head = ("work", "contacts", "+ ms", "s", "CPU ms", "written", "requests to Outlook (parts)", "to OroCRM", *_BESIDE)
    yield from table(head, (_other(results, each) for each in found))


def _other(results: Results, ours: Figure) -> Row:
    size = (f"{ours.records:,}", str(ours.latency_ms), _s(ours.wall_s), f"{ours.cpu_s * 1000:,.0f}", str(ours.written))
    what = f"{ours.work} (synced to OroCRM)" if ours.to == "oro" else ours.work
    return (what, *size, *_requests(ours), *_beside(results, ours))


def growth(results: Results) -> Iterator[str]:
    """Without added latency: what grows with the number of contacts, and how."""
    found = [each for each in results.of(OURS, figures.FIRST) if each.kind == "contacts" and each.latency_ms == 0]
    head = (
        "first sync of contacts",
        "CPU s",
        "ms each",
        "peak MB",
        "database MB",
        "CPU ms of a look",
        "vdirsyncer: CPU s",
    )
    rows = (_grown(results, each) for each in sorted(found, key=lambda each: (each.to, each.records), reverse=False))
    yield from table((*head, "peak MB"), rows)


def _grown(results: Results, ours: Figure) -> Row:
    look = results.find(OURS, figures.LOOK, ours.records, 0, to=ours.to)
    peer = results.beside(ours, PEER)
    each_ms = f"{ours.cpu_s / ours.records * 1000:.2f}"
    own = (_s(ours.cpu_s), each_ms, f"{ours.peak_mb:.0f}", f"{ours.database_mb:.1f}")
    of_peer = (_s(peer.cpu_s), f"{peer.peak_mb:.0f}") if peer else (NONE, NONE)
    return (f"{ours.records:,} to {named(ours.to)}", *own, f"{look.cpu_s * 1000:.1f}" if look else NONE, *of_peer)


def engine(results: Results) -> Iterator[str]:
    """Our process alone, what the simulated systems need in it taken off."""
    head = ("contacts", "records/s", "ms each", "CPU ms of a look", "1 % changed in OroCRM, ms", "in Outlook, ms")
    yield from table(head, (_engine(results, each) for each in results.of(ENGINE, figures.FIRST)))


def _engine(results: Results, first: Figure) -> Row:
    works = (figures.LOOK, figures.CHANGED_ORO, figures.CHANGED_OUTLOOK)
    others = [results.find(ENGINE, work, first.records, 0, to=first.to) for work in works]
    rate = f"{rate_of(first):,.0f}"
    each = f"{first.cpu_s / first.records * 1000:.2f}"
    return (
        f"{first.records:,} to {named(first.to)}",
        rate,
        each,
        *(f"{other.cpu_s * 1000:.1f}" if other else NONE for other in others),
    )


def starts(results: Results) -> Iterator[str]:
    works = (
        (OURS, figures.HELP, "`orosync --help`"),
        (OURS, figures.START, "our process, until it can work"),
        (PEER, figures.START, "vdirsyncer, until it can work"),
    )
    found = ((what, results.find(who, work, 0, 0)) for who, work, what in works)
    yield from table(("start", "s"), ((what, _s(each.wall_s)) for what, each in found if each))


TABLES: dict[str, Callable[[Results], Iterator[str]]] = {
    "first syncs": first_syncs,
    "other work": other_work,
    "growth": growth,
    "engine": engine,
    "starts": starts,
}


# ------------------------------------------------------------------------------------------------ cells


def _beside(results: Results, ours: Figure) -> Row:
    """vdirsyncer, how many times as fast we are; bare loop and floor, and our time in multiples of theirs."""
    peer, bare, least = (results.beside(ours, who) for who in (PEER, BARE, FLOOR))
    return (
        f"{_s(peer.own_s)} ({peer.requests['all']:,})" if peer else NONE,
        f"{peer.own_s / ours.wall_s:.1f} x as fast" if peer else NONE,
        *_multiple(ours, bare),
        *_multiple(ours, least),
        f"a simulated system is at work {ours.busiest:.0%} of the time" if ours.busiest > BUSY else "",
    )


def _multiple(ours: Figure, other: Figure | None) -> tuple[str, str]:
    if other is None:
        return NONE, NONE
    return _s(other.wall_s), f"{ours.wall_s / other.wall_s:.2f} x" if other.wall_s else NONE


def _requests(ours: Figure) -> tuple[str, str]:
    return f"{ours.requests.get('outlook', 0):,} ({ours.parts:,})", f"{ours.requests.get('oro', 0):,}"


def _kind(ours: Figure) -> str:
    return "contacts, tasks and events" if ours.kind == "mixed" else "contacts"


def _order(figure: Figure) -> tuple[str, int, str, int]:
    return figure.kind, figure.records, figure.to, figure.latency_ms


def _order_of_growth(figure: Figure) -> tuple[bool, int]:
    return figure.to == "oro", figure.records


def _s(seconds: float) -> str:
    """Two or three digits that mean something."""
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}"
