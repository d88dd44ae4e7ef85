"""The cases of a journal that is too large for memory, slice by slice: the same ones, with the same contents, that
`resolve.py` makes of a small one.

Nothing is decided on half of the truth, so this is the order: everything without link is read, of both sides; Outlook
items that only moved are found, before the removal of their old ids could pass for a deletion; what is linked; what
belongs together; what is alone. Meanwhile items and snapshots wait in the scratch, and memory holds one slice of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any

from orosync.core.exchange import Reading
from orosync.core.ledger import JournalRow
from orosync.core.pairing import Candidate, Groups, pair_records, ties
from orosync.core.records import GONE, Entity, Link, Side, Snapshot
from orosync.sync.halves import FORBIDDEN, Canary, as_half, note_unread, readings
from orosync.sync.ports import Scratch
from orosync.sync.resolve import (
    Key,
    Resolved,
    Rows,
    Work,
    candidate_of,
    due_again,
    fresh_item,
    is_made_by_busy,
    is_unread,
    known_matches,
    links_of,
    matches_by_key,
    read_halves,
    rows_by_key,
    seqs_of,
    set_aside_busy,
    spares_of,
    take_alone,
    take_left,
    take_linked,
    take_pairs,
)
from orosync.sync.session import Session

SLICE = 500  # records; requests carry 20 or 100 of them, so none of these goes out half empty


class Slices:
    """One entity's journal. Records without link have numbers, in the order they were met; of each of them memory holds
    no more than whether it is settled (paired, or moved) or a spare."""

    def __init__(self, session: Session, entity: Entity, scratch: Scratch) -> None:
        self.session, self.entity, self.scratch = session, entity, scratch
        self.resolved = Resolved()  # void and forget fill up; work is handed over slice by slice
        self._settled, self._spare = bytearray(), bytearray()
        self._candidates = dict.fromkeys(Side, 0)
        self._forbidden: list[tuple[Key, tuple[int, ...]]] = []

    def work(self) -> Iterator[list[Work]]:
        """At its end `resolved.void` and `resolved.forget` are complete."""
        self._read_lists()
        self._survey()
        self._follow_moved()
        self._settle_forbidden()
        for _ in chain(self._linked(), self._pairs(), self._left()):
            self._go_on(Side.ORO)
            work, self.resolved.work = self.resolved.work, []
            yield work

    def _go_on(self, side: Side) -> None:
        """Whoever watches sees that it goes on, and may end it between two slices."""
        self.session.progress(f"reading {self.entity}s in {side.value}", len(self._settled), 0)

    # -------------------------------------------------------------------------------------------- read at once

    def _read_lists(self) -> None:
        """A list that costs less than reading by id is read once, and not once for each slice."""
        session = self.session
        rows = session.store.pending_by_side(self.entity, session.journaled_before)
        links = session.store.count_links(self.entity)
        for side, port in session.sides.items():
            (_, unread), (reported, _) = rows[side], rows[side.other]
            for page in port.listed(self.entity, unread + min(links, reported)):  # these, and partners of those
                self._go_on(side)
                self.scratch.keep(_listed(side), page.items())

    def _at_hand(self, side: Side, ids: Iterable[str]) -> dict[str, Reading]:
        return {native: found[-1] for native, found in self.scratch.find(_listed(side), ids).items()}

    # -------------------------------------------------------------------------------------------- without link

    def _survey(self) -> None:
        """All rows; those without link are read. What is noted meanwhile waits for the next pass or run."""
        due = {(row.side, row.id): row for row in due_again(self.session, self.entity)}
        until, after = self.session.store.last_seq(), 0
        while page := self.session.store.pending_after(self.entity, after, SLICE):
            after = page[-1].seq
            self._go_on(page[-1].side)
            some = [row for row in page if row.seq <= until]
            for row in some:
                due.pop((row.side, row.id), None)
            self._take(some)
        for again in _some_at_once(due.values(), SLICE):
            self._take(again)

    def _take(self, some: Sequence[JournalRow]) -> None:
        session, entity, rows = self.session, self.entity, rows_by_key(some)
        links = links_of(session, entity, rows)
        set_aside_busy(session, entity, rows, links)
        linked = {
            (side, native): link for link in links.values() for side in Side if (native := link.id_on(side)) is not None
        }
        reported = [
            (str(linked[key].oro_id), replace(row, item=fresh_item(session, row)))
            for key in rows
            if key in linked
            for row in rows[key]
        ]
        self.scratch.keep("linked", reported)
        self._read_alone({key: rows[key] for key in rows if key not in linked})

    def _read_alone(self, rows: Rows) -> None:
        session, entity = self.session, self.entity
        halves = read_halves(session, entity, rows, (), self._at_hand)
        note_unread(session, entity, [key for key in rows if is_unread(halves[key])])
        found: list[Snapshot] = []
        for key in rows:
            if halves[key] is FORBIDDEN:
                self._forbidden.append((key, seqs_of(rows, [key])))
                continue
            snapshot = take_alone(key, rows, halves, self.resolved)
            if snapshot is not None and is_made_by_busy(session, snapshot):
                session.of(entity).waiting += 1
            elif snapshot is not None:
                found.append(snapshot)
        self._keep_alone(found, rows)

    def _keep_alone(self, found: Sequence[Snapshot], rows: Rows) -> None:
        fields = self.session.settings.match_keys[self.entity]
        numbered = list(enumerate(found, start=self._new_numbers(len(found))))
        light = {each.id: [replace(row, item=None) for row in rows[each.side, each.id]] for each in found}
        self.scratch.keep("alone", ((_label(number), (light[each.id], each)) for number, each in numbered))
        stamped = [(str(each.stamp), (each.id, number)) for number, each in numbered if _is_stamped(each)]
        self.scratch.keep("stamped", stamped)
        for side in Side:
            of_side = [
                (each.id, (number, candidate_of(each, fields))) for number, each in numbered if each.side is side
            ]
            self.scratch.keep(_candidates(side), of_side)
            self._candidates[side] += len(of_side)

    def _new_numbers(self, count: int) -> int:
        """The first one of so many."""
        first = len(self._settled)
        self._settled.extend(bytes(count))
        self._spare.extend(bytes(count))
        return first

    def _settle_forbidden(self) -> None:
        """What is out of our sight waits while other things of that side could not be read; else it is forgotten."""
        for (side, native), seqs in self._forbidden:
            if (side, self.entity) not in self.session.unread:
                self.resolved.void.extend(seqs)
                self.resolved.forget[side].append(native)

    def _follow_moved(self) -> None:
        """As in `resolve.py`: an item whose stamp names a linked record, the former item of which is gone."""
        session, entity, seen = self.session, self.entity, set[str]()
        for some in self.scratch.slices("stamped", SLICE):
            links = session.store.links_by_id(Side.ORO, entity, {stamp for stamp, _ in some} - seen)
            seen |= links.keys()
            originals = [str(link.outlook_id) for link in links.values()]
            canary = Canary(session, Side.OUTLOOK)
            found = readings(session, entity, Side.OUTLOOK, dict.fromkeys(originals), self._at_hand)
            gone = {
                native
                for native, reading in found.items()
                if as_half(session, entity, Side.OUTLOOK, reading, canary) is GONE
            }
            for oro_id in [oro_id for oro_id, link in links.items() if link.outlook_id in gone]:
                native, number = max(self.scratch.find("stamped", [oro_id])[oro_id])
                self._settled[number] = True
                ((rows, _),) = self.scratch.find("alone", [_label(number)])[_label(number)]
                self.scratch.keep("linked", ((oro_id, row) for row in rows))
                self.scratch.keep("moved", [(oro_id, native)])

    # -------------------------------------------------------------------------------------------- linked

    def _linked(self) -> Iterator[None]:
        for some in _some_at_once(_groups(self.scratch.slices("linked", SLICE)), SLICE):
            reported = dict(some)
            links = self.session.store.links_by_id(Side.ORO, self.entity, reported)
            rows = rows_by_key(row for each in reported.values() for row in each)
            for oro_id, (native,) in self.scratch.find("moved", reported).items():
                self._drop_former(links[oro_id], rows)
                links[oro_id] = replace(links[oro_id], outlook_id=native)
            halves = read_halves(self.session, self.entity, rows, links.values(), self._at_hand)
            for link in links.values():
                take_linked(self.entity, link, halves, rows, self.resolved)
            yield

    def _drop_former(self, link: Link, rows: dict[Key, list[JournalRow]]) -> None:
        """The id that a moved item had is nobody's now."""
        former = (Side.OUTLOOK, str(link.outlook_id))
        if former in rows:
            self.resolved.void.extend(seqs_of(rows, [former]))
            self.resolved.forget[Side.OUTLOOK].append(former[1])
            del rows[former]

    # -------------------------------------------------------------------------------------------- pairs

    def _pairs(self) -> Iterator[None]:
        """Groups of candidates that have nothing to do with each other are paired by themselves."""
        session, entity = self.session, self.entity
        for side in Side:
            self.scratch.clear(_listed(side))
        met = len(self._settled)
        for side in Side:
            for news in self._free(side.other):
                self._keep_known(side, known_matches(session, entity, side, [each for _, each in news]))
        if all(self._candidates.values()):
            self._keep_groups()
        by_key = matches_by_key(session, entity)
        for group in _in_wholes(_groups(self.scratch.slices("groups", SLICE)), SLICE):
            free: dict[Side, list[Candidate]] = {side: [] for side in Side}
            numbers: dict[Key, int] = {}
            for side, number, each in group:
                free[side].append(each)
                numbers[side, each.id] = number
            pairing = pair_records(free[Side.OUTLOOK], free[Side.ORO], by_key=by_key)
            alone, rows = self._kept_alone(number for number in numbers.values() if number < met)
            for key in take_pairs(session, entity, pairing, alone, rows, self.resolved):
                self._settled[numbers[key]] = True
            for key in spares_of(pairing):
                self._spare[numbers[key]] = True
            yield
        for shelf in ("groups", *map(_candidates, Side)):
            self.scratch.clear(shelf)

    def _free(self, side: Side) -> Iterator[list[tuple[int, Candidate]]]:
        for some in self.scratch.slices(_candidates(side), SLICE):
            yield [(number, each) for _, (number, each) in some if not self._settled[number]]

    def _keep_known(self, side: Side, known: Iterable[Candidate]) -> None:
        found = {each.id: each for each in known}
        met = self.scratch.find(_candidates(side), found)
        fresh = [each for each in found.values() if each.id not in met]
        numbered = enumerate(fresh, start=self._new_numbers(len(fresh)))
        self.scratch.keep(_candidates(side), ((each.id, (number, each)) for number, each in numbered))
        self._candidates[side] += len(fresh)

    def _keep_groups(self) -> None:
        """Those that have candidates of both sides."""
        groups = Groups(len(self._settled))
        for side in Side:
            for some in self._free(side):
                self.scratch.keep("ties", ((tie, number) for number, each in some for tie in ties(side, each)))
        before: tuple[str, int] | None = None
        for tie, number in chain.from_iterable(self.scratch.slices("ties", SLICE * 10)):
            if before is not None and before[0] == tie:
                groups.join(before[1], number)
            before = (tie, number)
        self.scratch.clear("ties")
        holds = {side: bytearray(len(self._settled)) for side in Side}
        for side in Side:
            for number, _ in chain.from_iterable(self._free(side)):
                holds[side][groups.of(number)] = True
        for side in Side:
            for some in self._free(side):
                numbered = [(groups.of(number), number, each) for number, each in some]
                shared = [row for row in numbered if holds[Side.OUTLOOK][row[0]] and holds[Side.ORO][row[0]]]
                self.scratch.keep("groups", ((_label(group), (side, number, each)) for group, number, each in shared))

    def _kept_alone(self, numbers: Iterable[int]) -> tuple[dict[Key, Snapshot], dict[Key, list[JournalRow]]]:
        kept = self.scratch.find("alone", map(_label, numbers))
        return _by_key(entry for (entry,) in kept.values())

    # -------------------------------------------------------------------------------------------- alone

    def _left(self) -> Iterator[None]:
        for some in self.scratch.slices("alone", SLICE):
            free = [(int(label), entry) for label, entry in some if not self._settled[int(label)]]
            alone, rows = _by_key(entry for _, entry in free)
            spares = {(each.side, each.id) for number, (_, each) in free if self._spare[number]}
            take_left(self.session, self.entity, alone, spares, rows, self.resolved)
            self.scratch.clear("alone", some[-1][0])
            yield


def _listed(side: Side) -> str:
    return f"list of {side}"


def _candidates(side: Side) -> str:
    return f"candidates of {side}"


def _label(number: int) -> str:
    return f"{number:09d}"


def _is_stamped(each: Snapshot) -> bool:
    return each.side is Side.OUTLOOK and bool(each.stamp)


def _by_key(
    entries: Iterable[tuple[list[JournalRow], Snapshot]],
) -> tuple[dict[Key, Snapshot], dict[Key, list[JournalRow]]]:
    alone, rows = {}, {}
    for journaled, snapshot in entries:
        alone[snapshot.side, snapshot.id] = snapshot
        rows[snapshot.side, snapshot.id] = journaled
    return alone, rows


def _groups(slices: Iterable[list[tuple[str, Any]]]) -> Iterator[tuple[str, list[Any]]]:
    """Values with the same label, of slices that are in the order of labels."""
    for label, members in groupby(chain.from_iterable(slices), key=itemgetter(0)):
        yield label, [value for _, value in members]


def _in_wholes(groups: Iterable[tuple[str, list[Any]]], size: int) -> Iterator[list[Any]]:
    """Whole groups, so many together that they have at least `size` members."""
    some: list[Any] = []
    for _, members in groups:
        some.extend(members)
        if len(some) >= size:
            yield some
            some = []
    if some:
        yield some


def _some_at_once(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(values)
    while some := list(islice(iterator, size)):
        yield some
