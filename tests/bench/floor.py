"""The least that the protocols allow: requests that cannot be left out, times the latency, divided by how many may be
under way. Both sides may be asked at the same time, so the slower one decides. No program is measured here.

How many may be under way: Microsoft Graph runs up to four parts of a batch at a time and refuses more for a mailbox, so
one batch (graph-api.md 7); to OroCRM, which has no limit of its own, four are taken for polite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

PARTS = 20  # of a batch
GRAPH_PAGE, ORO_PAGE = 500, 500  # rows of a page that both hand out readily
GRAPH_AT_ONCE, ORO_AT_ONCE = 1, 4


@dataclass(frozen=True)
class Least:
    """Requests to each side that no program can do without."""

    outlook: int
    oro: int

    def seconds(self, latency_ms: int, *, mailboxes: int = 1) -> float:
        """mailboxes: how many may be asked at the same time. OroCRM is one, whoever asks."""
        outlook = ceil(self.outlook / (GRAPH_AT_ONCE * mailboxes))
        return max(outlook, ceil(self.oro / ORO_AT_ONCE)) * latency_ms / 1000


def look(accounts: int = 1) -> Least:
    """Nothing changed: one batch for all entities, and one list of OroCRM for each of the three."""
    return Least(accounts, 3 * accounts)


def first_sync(to: str, counts: Mapping[str, int]) -> Least:
    """One side is full, the other empty. What is made in Outlook bears its stamp; what was there before gets one."""
    count = sum(counts.values())
    if to == "outlook":
        return Least(1 + ceil(count / PARTS), _pages(counts, ORO_PAGE))
    return Least(_pages(counts, GRAPH_PAGE) + ceil(count / PARTS), look().oro + count)


def changed(at: str, count: int) -> Least:
    """So many were changed on side `at`. OroCRM's lists bring what is in a record along; Graph's feed does not bring
    everything, so what changed there is read in batches. Then the other side is written."""
    return Least(1 + ceil(count / PARTS), look().oro + (count if at == "outlook" else 0))


def lost_state(counts: Mapping[str, int]) -> Least:
    """Both sides are read whole, and nothing is written."""
    return Least(_pages(counts, GRAPH_PAGE), _pages(counts, ORO_PAGE))


def _pages(counts: Mapping[str, int], size: int) -> int:
    """Of all three entities; an empty list is a page, too."""
    return sum(max(1, ceil(counts.get(entity, 0) / size)) for entity in ("contact", "task", "event"))
