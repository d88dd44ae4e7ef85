"""The same work, done by others: a bare loop, and vdirsyncer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench import figures
from tests.bench.extent import EACH_OF_MANY, Chain, Extent, counts_of
from tests.bench.figures import BARE, PEER, Figure
from tests.bench.systems import ROOT, System, card_servers, office
from tests.bench.vdirsyncer_peer import Step, Vdirsyncer


def bare_loop(chain: Chain) -> Iterator[Figure]:
    with office() as place:
        place.latency(chain.latency_ms)
        system, secret = (place.graph, place.token) if chain.to == "outlook" else (place.oro, place.api_keys[0])
        wanted = {"side": chain.to, "counts": counts_of(chain), "url": system.url, "secret": secret}
        before = system.counts()
        command = [sys.executable, "-m", "tests.bench.bare_loop", json.dumps(wanted)]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        spent = system.counts() - before
        yield Figure(
            BARE,
            figures.FIRST,
            chain.records,
            chain.latency_ms,
            to=chain.to,
            kind=chain.kind,
            requests={chain.to: spent.requests},
            parts=spent.parts,
            systems_cpu_s={chain.to: spent.cpu_s},
            written=chain.records,
            **json.loads(done.stdout),
        )


def vdirsyncer(count: int, latency_ms: int) -> Iterator[Figure]:
    """Between two CardDAV servers: as many contacts, the same latency. Side a is the one that people fill."""
    with card_servers() as (a, b), tempfile.TemporaryDirectory() as folder:
        a.do("fill", person=0, entity="contact", count=count)
        peer = Vdirsyncer(Path(folder), a, b)
        start = _quickest_start(peer)
        if latency_ms == 0 and count <= 1000:
            yield Figure(PEER, figures.START, 0, 0, start.wall_s, cpu_s=start.cpu_s, peak_mb=start.peak_mb)
        for system in (a, b):
            system.do("latency", seconds=latency_ms / 1000)

        def step(work: str) -> Figure:
            return _sync(peer, (a, b), work, count, latency_ms, start.wall_s)

        yield step(figures.FIRST)
        yield step(figures.LOOK)
        sides = ((a, figures.CHANGED_ORO), (b, figures.CHANGED_OUTLOOK))
        for times, (system, work) in enumerate(sides, start=1):
            system.do("change", person=0, entity="contact", count=max(1, count // 100), times=times)
            yield step(work)
        peer.lose_state()
        yield step(figures.LOST)


def many_folders(extent: Extent) -> Iterator[Figure]:
    """As many pairs of folders as there are accounts in the look at many."""
    with card_servers() as (a, b), tempfile.TemporaryDirectory() as folder:
        for person in range(extent.people):
            a.do("fill", person=person, entity="contact", count=EACH_OF_MANY)
        peer = Vdirsyncer(Path(folder), a, b, extent.people)
        start_s = _quickest_start(peer).wall_s
        peer.sync()
        for latency_ms in extent.latencies_ms:
            for system in (a, b):
                system.do("latency", seconds=latency_ms / 1000)
            yield _sync(peer, (a, b), figures.ACCOUNTS, extent.people * EACH_OF_MANY, latency_ms, start_s)


def _quickest_start(peer: Vdirsyncer) -> Step:
    return min((peer.start() for _ in range(3)), key=lambda step: step.wall_s)


def _sync(
    peer: Vdirsyncer, systems: tuple[System, System], work: str, count: int, latency_ms: int, start_s: float
) -> Figure:
    before = [each.counts() for each in systems]
    step = peer.sync()
    spent = [each.counts() - earlier for each, earlier in zip(systems, before, strict=True)]
    return Figure(
        PEER,
        work,
        count,
        latency_ms,
        step.wall_s,
        cpu_s=step.cpu_s,
        peak_mb=step.peak_mb,
        start_s=start_s,
        requests={"all": sum(each.requests for each in spent)},
        systems_cpu_s={name: each.cpu_s for name, each in zip("ab", spent, strict=True)},
    )
