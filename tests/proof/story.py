"""One story: a mailbox and an OroCRM, people at both, runs in between, and what must be true whenever all is quiet.

A seed and a cast (how often what happens) make a story; the same seed makes the same story, down to each request. What
people do is in `deeds.py` and `troubles.py`, what is checked in `checks.py`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from tests.proof.breaking import Breaking, Wire
from tests.proof.model import Key, Model, Pair
from tests.proof.regimes import BASE, NORMAL
from tests.proof.tally import count
from tests.proof.values import FIELDS, NAME_OF, field_of, look, traces
from tests.sync.faults import Killed
from tests.sync.world import KINDS, World, new_vault, writes

from orosync.core.ops import Verb
from orosync.core.records import Entity, LinkState, Side
from orosync.errors import LeaseLost
from orosync.store.database import Database
from orosync.store.engine import open_engine
from orosync.sync.run import Report

CONFLICTS = {"oro_wins", "outlook_wins", "newest", "ask", "chosen"}
MERGED = {"lines_merged", "members_merged"}


@dataclass
class Story:
    """folder: for the database. name: of the story, for the log and the line that tells it again."""

    folder: Path
    name: str
    skew: Mapping[Side, timedelta] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.name)
        path = put_empty_database(self.folder / "orosync.db")
        engine = without_waiting_for_the_disk(open_engine(f"sqlite:///{path}"))
        self.world = World(Database(engine, new_vault()), system=dict(BASE), skew=self.skew)
        self.model, self.log, self.regime = Model(), list[str](), NORMAL
        self.breaking = Breaking(self._hear)
        self.breaking.watch(engine)
        self.world.adapters = {
            prefix: Wire(adapter, self.breaking)  # type: ignore[misc]
            for prefix, adapter in self.world.adapters.items()
        }
        self.runs = 0.0  # begun so far; a half more while a run is interrupted
        self.last_run = ""
        self.heals: list[Callable[[], None]] = []
        self.partners: dict[Key, Key] = {}
        self.taken_away: set[Key] = set()  # by an undo or a resync that replaces: a person asked for it
        self.refused: set[Key] = set()  # records that one side refuses to take for now
        self.answered: set[tuple[Entity, str, str]] = set()  # conflicts that people answered since the last quiet point
        self.doubled: set[str] = set()  # names that may stand on one side more than once: copies, both sides' own
        self.meetings: list[Key] = []
        self.secrets: set[str] = set()  # what stands in private items, and nowhere else
        self.leaks: set[str] = set()
        self.unstamped = False  # some item may have lost its stamp, or not got it yet
        self.chapter_runs: list[str] = []
        self.cures: list[Callable[[], None]] = []  # of what may last beyond a quiet point

    def close(self) -> None:
        self.world.database.close()

    # -------------------------------------------------------------------------------------------- the log

    def tell(self, line: str) -> None:
        self.log.append(line)

    def _hear(self, line: str, body: bytes) -> None:
        self.tell(f"    {line}")
        if self.secrets and "/crm.example/" in line:
            self.leaks |= self.secrets & traces(body.decode(errors="replace"))

    def deed(self, what: str, told: str = "") -> None:
        self.tell(f"{self.world.clock.now():%m-%d %H:%M:%S} {what} {told}".rstrip())

    # -------------------------------------------------------------------------------------------- looking

    def rows(self, side: Side, entity: Entity) -> dict[str, dict[str, Any]]:
        rows = self.world.outlook(entity) if side is Side.OUTLOOK else self.world.in_oro(entity)
        return {str(row["id"]): row for row in rows}

    def seen(self, key: Key) -> dict[str, Any]:
        """All fields of one item as it stands now."""
        side, entity, native = key
        kind = KINDS[entity]
        if side is Side.OUTLOOK:
            return look(entity, side, self.world.mailbox.item(kind, native))  # type: ignore[arg-type]
        one = {"contact": self.world.oro.contact, "task": self.world.oro.task, "event": self.world.oro.event}[kind]
        return look(entity, side, one(int(native)))

    def present(self) -> set[Key]:
        return {key for side in Side for entity in Entity for key in self.keys(side, entity)}

    def keys(self, side: Side, entity: Entity) -> list[Key]:
        """Every item of a kind, oldest first."""
        if side is Side.OUTLOOK:
            store = self.world.mailbox.store
            items = (item for place in store.of_kind(KINDS[entity]) for item in place.items.values())  # type: ignore[arg-type]
            return [(side, entity, store.id_of(item, immutable=True)) for item in items]
        state = self.world.oro.state
        tables = {Entity.CONTACT: state.contacts, Entity.TASK: state.tasks, Entity.EVENT: state.events}
        return [(side, entity, str(each.id)) for each in tables[entity]]  # type: ignore[attr-defined]

    # -------------------------------------------------------------------------------------------- people's hands

    def create(self, side: Side, entity: Entity, values: Mapping[str, Any], **native: Any) -> Key:
        typed = {**self._change(side, entity, values), **native}
        if entity is Entity.CONTACT:
            typed |= {"surname": "Lovelace"} if side is Side.OUTLOOK else {"lastName": "Lovelace"}
        if side is Side.OUTLOOK:
            made = self.world.mailbox.user_create(KINDS[entity], typed)  # type: ignore[arg-type]
        else:
            made = str(self.world.office.create(KINDS[entity], typed))
        key = (side, entity, made)
        self.model.created(self.world.clock.now(), key, values, self.runs)
        return key

    def edit(self, key: Key, values: Mapping[str, Any], **native: Any) -> None:
        side, entity, made = key
        self.world.clock.forward(seconds=1)
        before = self.seen(key)
        self.model.edited(self.world.clock.now(), key, values, before, self.runs)
        typed = {**self._change(side, entity, values), **native}
        if side is Side.OUTLOOK:
            self.world.mailbox.user_update(KINDS[entity], made, typed)  # type: ignore[arg-type]
        else:
            self.world.office.edit(KINDS[entity], int(made), typed)

    def delete(self, key: Key) -> None:
        side, entity, made = key
        self.model.deleted(key)
        if side is Side.OUTLOOK:
            self.world.mailbox.user_delete(KINDS[entity], made)  # type: ignore[arg-type]
        else:
            self.world.office.delete(KINDS[entity], int(made))

    def new_value(self, entity: Entity, name: str, now: Any = None) -> Any:
        return field_of(entity, name).make(self.model.next_number(), now)

    def _change(self, side: Side, entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
        typed: dict[str, Any] = {}
        for name, value in values.items():
            typed |= field_of(entity, name).change[side](value)
        return typed

    # -------------------------------------------------------------------------------------------- runs

    def run(self, what: str = "run", **request: Any) -> Report:
        self.runs = int(self.runs) + 1
        self.deed(what)
        try:
            report = self.world.sync(**request)
        finally:
            self.runs = int(self.runs)  # what people edit from here on, they edit after what met it in the middle
            self.chapter_runs += [str(row["run"]) for row in self.world.store.runs(1)]
            self.notice()
        self.last_run = report.run
        self._tell_plan(report)
        return report

    def broken_run(self, what: str, **request: Any) -> bool:
        """A run that `breaking` may end in the middle; whether it came to its end."""
        with suppress(Killed, LeaseLost):
            self.run(what, **request)
            return True
        self.tell("    and it is over")
        return False

    def _tell_plan(self, report: Report) -> None:
        self.tell(f"    {json.dumps(report.to_json(), sort_keys=True)}")
        by_link: dict[tuple[Entity, int], list[Any]] = {}
        for op in report.ops:
            self.tell(f"    op {json.dumps(op.to_json(), sort_keys=True)}")
            for rule in op.rule.split("+"):
                count("rule", rule)
            if op.verb is Verb.UPDATE and op.link_id:
                by_link.setdefault((op.entity, op.link_id), []).append(op)
        for ops in by_link.values():
            rules = {rule for op in ops for rule in op.rule.split("+")}
            if len(ops) > 1 or rules & (CONFLICTS | MERGED):
                count("merge", "three-way, both sides edited")
            else:
                count("merge", "three-way, one side edited")
        linked = sum(counts["linked"] for counts in report.entities.values())
        count("merge", "two-way, nothing known before", linked)

    def notice(self) -> None:
        """Every item that is there, and who belongs to whom by the links."""
        self.model.ever |= self.present()
        for entity in Entity:
            for link in self.world.store.links(entity):
                if link.outlook_id and link.oro_id:
                    out, oro = (Side.OUTLOOK, entity, link.outlook_id), (Side.ORO, entity, link.oro_id)
                    self.partners[out], self.partners[oro] = oro, out

    # -------------------------------------------------------------------------------------------- coming to rest

    def heal(self) -> None:
        """All troubles end: who may see what, who is signed in, what is refused."""
        heals, self.heals = self.heals, []
        for heal in heals:
            heal()

    def cure(self) -> None:
        """Also what a record was refused for."""
        if self.cures:
            cures, self.cures = self.cures, []
            for cure in cures:
                cure()
            self.settle()

    def begin_chapter(self) -> None:
        self.answered.clear()
        self.unstamped = False
        self.chapter_runs.clear()

    def expect_nothing(self) -> None:
        """What people wrote until now has been checked; what a resync makes of it is checked by what both sides say."""
        self.model.begin_anew([])
        self.begin_chapter()

    def only_alone_are_loose(self) -> None:
        """After a resync every pair has to agree, whatever was done to it; but for meetings, which nobody touches."""
        paired = {pair.key(side) for pair in self.linked_pairs() for side in Side}
        halves = {half for key in self.meetings for half in (key, self.partners.get(key)) if half is not None}
        self.model.loose = (self.present() - paired) | (self.model.loose & halves)

    def settle(self) -> None:
        """Runs until one does nothing; each a while later, past waits and back-offs. People answer what they are asked:
        plans are approved, conflicts chosen."""
        for attempt in range(14):
            self.world.clock.forward(hours=1 if attempt < 3 else 25)
            report = self.run("run to rest")
            if report.state == "held":
                report = self.run("plan approved", approve=report.plan_hash)
            answered = self._answer_conflicts()
            open_intents = self.world.session().store.open_intents()
            if report.state == "done" and not (writes(report) or open_intents or answered):
                return
        raise AssertionError(f"it does not come to rest: {json.dumps(report.to_json())}")

    def _answer_conflicts(self) -> int:
        rows = [row for row in self.world.store.conflicts() if row.choice is None]
        for row in rows:
            side = self.rng.choice(list(Side))
            self.deed("conflict answered", f"{row.entity} {row.field} {side}")
            self.world.database.settle_conflict(self.world.account_id, row.id, side)
            self.answered.add((row.entity, row.outlook_id or "", row.field))
        return len(rows)

    def linked_pairs(self) -> list[Pair]:
        pairs = []
        for entity in Entity:
            rows = {side: self.rows(side, entity) for side in Side}
            for link in self.world.store.links(entity, LinkState.ACTIVE):
                ids = {side: str(link.id_on(side)) for side in Side}
                if all(ids[side] in rows[side] for side in Side):
                    seen = {side: look(entity, side, rows[side][ids[side]]) for side in Side}
                    pairs.append(Pair(entity, ids, seen))
        return pairs

    def name_of(self, key: Key) -> str:
        return str(self.seen(key)[NAME_OF[key[1]]])

    def traces_on_sides(self) -> set[str]:
        """What stands in fields that people see and edit."""
        return {
            found
            for side in Side
            for entity in Entity
            for row in self.rows(side, entity).values()
            for found in traces(str(look(entity, side, row)))
        }


def all_fields(story: Story, entity: Entity) -> dict[str, Any]:
    """Values for a whole new record."""
    return {each.name: story.new_value(entity, each.name) for each in FIELDS[entity]}
