"""How much is measured: what fits into a quarter of an hour, and everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.records import mixed

LATENCIES_MS = (0, 20, 50)
PEOPLE = 200  # accounts of the look at many
EACH_OF_MANY = 20  # contacts of each of them


@dataclass(frozen=True)
class Chain:
    """A first sync into one side, and what follows it: looks and, if `changes`, changed records and a lost state."""

    to: str
    records: int
    latency_ms: int
    kind: str = "contacts"
    looks: bool = False
    changes: bool = False


@dataclass(frozen=True)
class Extent:
    """chains: of our product. peers: (records, latency) of vdirsyncer. bare: first syncs that the bare loop does as
    well. engine: how many records, with both systems in one process. people: accounts of the look at many."""

    chains: tuple[Chain, ...]
    peers: tuple[tuple[int, int], ...]
    bare: tuple[Chain, ...]
    engine: tuple[int, ...]
    people: int
    latencies_ms: tuple[int, ...]


def counts_of(chain: Chain) -> dict[str, int]:
    """How many of each entity."""
    return mixed(chain.records) if chain.kind == "mixed" else {"contact": chain.records}


def default() -> Extent:
    chains = (*_thousand(), *_more())
    peers = (*((1000, ms) for ms in LATENCIES_MS), (5000, 0))
    return Extent(chains, peers, _short(_bare(chains, 5000)), (1000, 5000), PEOPLE, LATENCIES_MS)


def full() -> Extent:
    """As `default`, and what takes long: writes one by one into OroCRM, thousands of them, at high latency."""
    chains = (*_thousand(), *_more(), *_long())
    peers = tuple((records, ms) for records in (1000, 5000) for ms in LATENCIES_MS)
    return Extent(
        chains, (*peers, (10_000, 0), (50_000, 0)), _bare(chains, 50_000), (1000, 5000, 50_000), PEOPLE, LATENCIES_MS
    )


def tiny() -> Extent:
    """Whether everything still works; the figures say nothing."""
    chains = (Chain("outlook", 100, 0, looks=True, changes=True), Chain("oro", 20, 20, "mixed"))
    return Extent(chains, ((100, 0),), _bare(chains, 100), (100,), 2, (0,))


EXTENTS = {"default": default, "full": full, "tiny": tiny}


def _thousand() -> Iterator[Chain]:
    for ms in LATENCIES_MS:
        yield Chain("outlook", 1000, ms, looks=True, changes=True)
        yield Chain("oro", 1000, ms)
    for to in ("outlook", "oro"):
        for ms in (0, 50):
            yield Chain(to, 1000, ms, "mixed")


def _more() -> Iterator[Chain]:
    yield Chain("outlook", 5000, 0, looks=True, changes=True)
    yield Chain("oro", 5000, 0, looks=True)
    yield Chain("outlook", 5000, 50)
    yield Chain("outlook", 10_000, 0, looks=True)
    yield Chain("outlook", 50_000, 0, looks=True)


def _long() -> Iterator[Chain]:
    yield Chain("outlook", 5000, 20)
    for ms in (20, 50):
        yield Chain("oro", 5000, ms)
        yield Chain("outlook", 50_000, ms)
    for records in (10_000, 50_000):
        yield Chain("oro", records, 0, looks=True)


def _bare(chains: tuple[Chain, ...], most: int) -> tuple[Chain, ...]:
    return tuple(each for each in chains if each.records <= most)


def _short(chains: tuple[Chain, ...]) -> tuple[Chain, ...]:
    """Without what takes a minute and says little more."""
    return tuple(each for each in chains if not each.latency_ms or (each.kind, each.records) == ("contacts", 1000))
