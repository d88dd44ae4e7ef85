"""Which two records belong together: by stamp, by meeting id, by match key; always the same answer for the same input.

Works on slim candidates, so that it can be asked with what is in the store as well as with what was just read. A record
is in at most one pair; what matched but was not chosen is reported as a spare and left alone (design.md 4.1).
"""

from __future__ import annotations

import hashlib
import uuid
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from orosync.core.records import Side

# An Outlook iCalUId is longer than OroCRM's 36 characters for a uid: the derived UUID stands for it.
_MEETINGS = uuid.UUID("b7b1a3f8-6f0e-5b60-8a63-1d3f5a0c9e11")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An unlinked record as pairing sees it. digest: of its whole canonical record, to prefer equal twins."""

    id: str
    match_key: str | None = None
    stamp: str | None = None
    uid: str | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """how: "stamp", "meeting_id" or "match_key". candidates: how many on either side had the same key."""

    outlook_id: str
    oro_id: str
    how: str
    candidates: int = 1


@dataclass(frozen=True, slots=True)
class Pairing:
    """spares: (side's ids) that share a stamp or match key with a pair, but were not chosen."""

    pairs: tuple[Pair, ...] = ()
    spare_outlook: frozenset[str] = frozenset()
    spare_oro: frozenset[str] = frozenset()


def oro_uid(ical_uid: str) -> str:
    """The uid (36 characters) under which a meeting of Outlook is known in OroCRM."""
    return str(uuid.uuid5(_MEETINGS, ical_uid))


def pair_records(outlook: Iterable[Candidate], oro: Iterable[Candidate], *, by_key: bool) -> Pairing:
    """Stamp before meeting id before key. by_key False: the direction creates instead (Outlook to OroCRM)."""
    work = _Work({each.id: each for each in outlook}, {each.id: each for each in oro})
    work.by_stamp()
    work.by_meeting()
    if by_key:
        work.by_key()
    work.spare_copies()
    return Pairing(tuple(work.pairs), frozenset(work.spare_outlook), frozenset(work.spare_oro))


def ties(side: Side, each: Candidate) -> Iterator[str]:
    """Short words for what it may be paired by. Two candidates that share no word, not through others either, have
    nothing to do with each other: whoever has too many for memory may ask for one such group after the other."""
    if side is Side.ORO:
        yield _tie("id", each.id)
    elif each.stamp:
        yield _tie("id", each.stamp)
    if each.uid:
        yield _tie("uid", each.uid)
        if side is Side.OUTLOOK:
            yield _tie("uid", oro_uid(each.uid))
    if each.match_key is not None:
        yield _tie("key", each.match_key)


def _tie(kind: str, word: str) -> str:
    """Two words with one digest by chance only make a group larger than it need be."""
    return hashlib.sha256(f"{kind} {word}".encode(errors="surrogatepass")).hexdigest()[:16]


class Groups:
    """Candidates by number; those that are joined, directly or through others, are of one group."""

    def __init__(self, count: int) -> None:
        self._above = array("L", range(count))

    def join(self, one: int, two: int) -> None:
        self._above[self.of(two)] = self.of(one)

    def of(self, number: int) -> int:
        """The number that stands for its group."""
        above = self._above
        while above[number] != number:
            above[number] = above[above[number]]  # shorter for whoever asks next
            number = above[number]
        return number


@dataclass
class _Work:
    """The records that are still free, and the pairs found so far."""

    outlook: dict[str, Candidate]
    oro: dict[str, Candidate]
    pairs: list[Pair] = field(default_factory=list)
    spare_outlook: set[str] = field(default_factory=set)
    spare_oro: set[str] = field(default_factory=set)
    copies: set[str] = field(default_factory=set)

    def take(self, outlook: Candidate, oro: Candidate, how: str, candidates: int = 1) -> None:
        self.pairs.append(Pair(outlook.id, oro.id, how, candidates))
        del self.outlook[outlook.id], self.oro[oro.id]

    def by_stamp(self) -> None:
        """A stamp is a hint: it counts where its record is free. Of several copies one is taken."""
        stamped: dict[str, list[Candidate]] = defaultdict(list)
        for each in self.outlook.values():
            if each.stamp in self.oro:
                stamped[str(each.stamp)].append(each)
        for oro_id in sorted(stamped):
            oro = self.oro[oro_id]
            best = min(stamped[oro_id], key=lambda each: (each.digest != oro.digest, each.id))
            self.take(best, oro, "stamp", len(stamped[oro_id]))
            self.copies |= {each.id for each in stamped[oro_id]}

    def spare_copies(self) -> None:
        """Copies that were not chosen, and are not the partner of another record either."""
        self.spare_outlook |= self.copies & self.outlook.keys()

    def by_meeting(self) -> None:
        uids = {each.uid: each for each in sorted(self.oro.values(), key=_by_id, reverse=True) if each.uid}
        for outlook in sorted(self.outlook.values(), key=_by_id):
            if outlook.uid is None:
                continue
            oro = uids.pop(outlook.uid, None) or uids.pop(oro_uid(outlook.uid), None)
            if oro is not None:
                self.take(outlook, oro, "meeting_id")

    def by_key(self) -> None:
        ours, theirs = _grouped(self.outlook.values()), _grouped(self.oro.values())
        for key in sorted(ours.keys() & theirs.keys()):
            self._pair_group(ours[key], theirs[key])

    def _pair_group(self, outlook: Sequence[Candidate], oro: Sequence[Candidate]) -> None:
        """Twins with equal content first, then in the order of ids: the same choice every time."""
        count = max(len(outlook), len(oro))
        free_outlook, free_oro = sorted(outlook, key=_by_id), sorted(oro, key=_by_id)
        for theirs in list(free_oro):
            twin = next((each for each in free_outlook if each.digest and each.digest == theirs.digest), None)
            if twin is not None:
                free_outlook.remove(twin)
                free_oro.remove(theirs)
                self.take(twin, theirs, "match_key", count)
        for ours, theirs in zip(list(free_outlook), list(free_oro), strict=False):
            free_outlook.remove(ours)
            free_oro.remove(theirs)
            self.take(ours, theirs, "match_key", count)
        self.spare_outlook |= {each.id for each in free_outlook}
        self.spare_oro |= {each.id for each in free_oro}


def _by_id(candidate: Candidate) -> tuple[int, str]:
    return (len(candidate.id), candidate.id)  # numeric ids in their order, opaque ones in a stable one


def _grouped(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = defaultdict(list)
    for each in candidates:
        if each.match_key is not None:
            groups[each.match_key].append(each)
    return groups
