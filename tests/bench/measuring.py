"""Carries out the pieces of work, one after the other, and tells what each took: those of our product here, those of
others in `peers.py`."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench import figures, floor, peers
from tests.bench.extent import EACH_OF_MANY, Chain, Extent, counts_of
from tests.bench.figures import ENGINE, FLOOR, OURS, Figure
from tests.bench.our_process import Ours, ours
from tests.bench.product import THREADS
from tests.bench.systems import ROOT, Office, office

_HELP = [sys.executable, "-c", "from orosync.cli import main; main()", "--help"]


_SMALL = 1000


def everything(extent: Extent, folder: Path, *, with_vdirsyncer: bool) -> Iterator[Figure]:
    """What is small first, so that one sees soon where it goes. folder: for databases."""
    yield from start()
    for small in (True, False):
        yield from engine([count for count in extent.engine if (count <= _SMALL) is small], folder)
        for number, chain in enumerate(extent.chains):
            if (chain.records <= _SMALL) is small:
                yield from our_chain(chain, folder / f"chain{number}.sqlite3")
        for chain in extent.bare:
            if (chain.records <= _SMALL) is small:
                yield from peers.bare_loop(chain)
        for count, latency_ms in extent.peers if with_vdirsyncer else ():
            if (count <= _SMALL) is small:
                yield from peers.vdirsyncer(count, latency_ms)
        if small:
            yield from many_accounts(extent, folder / "many.sqlite3")
            yield from peers.many_folders(extent) if with_vdirsyncer else ()


def our_chain(chain: Chain, database: Path) -> Iterator[Figure]:
    counts = counts_of(chain)
    with office() as place:
        place.fill("oro" if chain.to == "outlook" else "outlook", 0, counts)
        place.latency(chain.latency_ms)
        with ours(place, database) as product:
            first = _ours(figures.FIRST, chain, product, place, "sync", database)
            yield from _checked(first, chain.records, floor.first_sync(chain.to, counts))
            product.do("settle")
            if chain.looks:
                # it looks twice to be warm, and ten times
                look = _ours(figures.LOOK, chain, product, place, "look", database, of=12)
                yield from _checked(look, 0, floor.look())
            if chain.changes:
                yield from _changes(chain, product, place, database)
        if chain.changes:
            lost = database.with_suffix(".lost")
            with ours(place, lost) as product:
                again = _ours(figures.LOST, chain, product, place, "sync", lost)
                yield from _checked(again, 0, floor.lost_state(counts))


def _changes(chain: Chain, product: Ours, place: Office, database: Path) -> Iterator[Figure]:
    count = max(1, chain.records // 100)
    sides = (("oro", figures.CHANGED_ORO), ("outlook", figures.CHANGED_OUTLOOK))
    for times, (side, work) in enumerate(sides, start=1):
        place.change(side, {"contact": count}, times)
        figure = _ours(work, chain, product, place, "change", database)
        yield from _checked(figure, count, floor.changed(side, count))
        product.do("settle")


def _checked(figure: Figure, written: int, least: floor.Least) -> Iterator[Figure]:
    """The figure and the floor beside it. RuntimeError if something else was done than what is measured."""
    if figure.written != written:
        raise RuntimeError(f"{figure.work}: {figure.written} records written, not {written}")
    yield figure
    yield _floor(figure, least)


def _ours(work: str, chain: Chain, product: Ours, place: Office, what: str, database: Path, *, of: int = 1) -> Figure:
    """of: how many times it is done for one time that is told."""
    before = place.counts()
    taken = product.do(what)
    spent = {side: counts - before[side] for side, counts in place.counts().items()}
    return Figure(
        OURS,
        work,
        chain.records,
        chain.latency_ms,
        to=chain.to,
        kind=chain.kind,
        requests={side: round(counts.requests / of) for side, counts in spent.items()},
        parts=round(spent["outlook"].parts / of),
        systems_cpu_s={side: counts.cpu_s / of for side, counts in spent.items()},
        database_mb=_size_mb(database),
        **taken,
    )


def _size_mb(database: Path) -> float:
    """With what SQLite has not yet written back."""
    return sum(file.stat().st_size for file in database.parent.glob(f"{database.name}*")) / 1e6


def many_accounts(extent: Extent, database: Path) -> Iterator[Figure]:
    """Accounts in step, each with a few contacts; every one is looked at once, by the threads of one worker."""
    with office(extent.people) as place:
        for person in range(extent.people):
            place.fill("oro", person, {"contact": EACH_OF_MANY})
        with ours(place, database) as product:
            product.do("first_syncs")
            for latency_ms in extent.latencies_ms:
                place.latency(latency_ms)
                product.do("look_at_all")
                chain = Chain("", extent.people * EACH_OF_MANY, latency_ms)
                look = _ours(figures.ACCOUNTS, chain, product, place, "look_at_all", database)
                yield look
                yield _floor(look, floor.look(extent.people), mailboxes=THREADS)


def start() -> Iterator[Figure]:
    """How long the command line takes to say what it can do, and a process until it is ready to work."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(_HELP, check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    yield Figure(OURS, figures.HELP, 0, 0, statistics.median(took))
    with tempfile.TemporaryDirectory() as folder, office() as place:
        with ours(place, Path(folder) / "start.sqlite3") as product:
            product.do("settle")
        with ours(place, Path(folder) / "start.sqlite3") as product:
            yield Figure(OURS, figures.START, 0, 0, product.start_s)


def engine(counts: Sequence[int], folder: Path) -> Iterator[Figure]:
    """Both systems inside our process: nothing but the engine, its database and its CPU."""
    for count in counts:
        for to in ("outlook", "oro"):
            place = folder / f"engine-{to}-{count}"
            place.mkdir()
            command = [sys.executable, "-m", "tests.bench.in_process", str(place), to, str(count)]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
            for line in done.stdout.splitlines():
                told = json.loads(line)
                del told["state"]
                yield Figure(ENGINE, told.pop("work"), count, 0, to=to, **told)


def _floor(ours: Figure, least: floor.Least, *, mailboxes: int = 1) -> Figure:
    """Of the same work."""
    seconds = least.seconds(ours.latency_ms, mailboxes=mailboxes)
    requests = {"outlook": least.outlook, "oro": least.oro}
    work = (ours.work, ours.records, ours.latency_ms)
    return Figure(FLOOR, *work, seconds, to=ours.to, kind=ours.kind, requests=requests)
