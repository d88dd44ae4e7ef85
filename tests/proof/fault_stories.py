"""Three seeded stories of one account, each long enough to meet all that a run does, short enough to be lived often.

`prepare` is what was before, `act` what is lived under faults: by a person and a program that try again. `entered` are
values people typed; each has to be somewhere in the end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from tests.proof.boundaries import Wire
from tests.proof.wire_faults import add_colleague
from tests.sync.actors import NOTES, Hands
from tests.sync.faults import Killed
from tests.sync.world import World, writes

from orosync.core.ledger import Intent
from orosync.core.records import Entity
from orosync.errors import OrosyncError
from orosync.sync.run import Report
from orosync.sync.take_back import UndoReport

T = TypeVar("T")
TRIES = 12
A_DAY = 2  # runs
BEN = {"emailAddress": {"address": "ben@example.com", "name": "Ben"}, "type": "required"}
HOME = {"street": "Analytical Way 3", "city": "London", "postalCode": "W1"}


@dataclass
class Story(ABC):
    world: World
    wire: Wire
    entered: list[str] = field(default_factory=list)

    settings: ClassVar[dict[str, Any]] = NOTES

    def begin(self) -> None:
        add_colleague(self.world)
        self.prepare()

    @abstractmethod
    def prepare(self) -> None: ...

    @abstractmethod
    def act(self) -> None: ...

    # -------------------------------------------------------------------------------------------- the program

    def run(self, **request: Any) -> Report | None:
        """None if the process or the database gave up; somebody starts it anew."""
        return self._try(lambda: self.world.sync(**request))

    def undo(self, run: str) -> UndoReport | None:
        return self._try(lambda: self.world.undo(run))

    def _try(self, what: Callable[[], T]) -> T | None:
        try:
            return what()
        except (Killed, OrosyncError):
            return None
        finally:
            self.wire.restart()

    def come_to_rest(self) -> None:
        """Runs until one writes nothing and leaves nothing open; each hours later, past all waits and back-offs."""
        report: Report | None = None
        calm = 0
        for _ in range(TRIES):
            self.world.clock.forward(hours=13)
            report = self.run(sweep=True)
            quiet = report is not None and report.state == "done" and not writes(report) and not self.open_intents()
            calm = calm + 1 if quiet else 0
            if calm == A_DAY:  # what could not be seen for a while is met again when all is read, once a day
                return
        raise AssertionError(f"no rest: {report.to_json() if report else 'no run came to its end'}")

    def open_intents(self) -> list[Intent]:
        """Looked at from outside: no fault can meet this."""
        watched, self.wire.watched = self.wire.watched, False
        intents = self.world.session().store.open_intents()
        self.wire.watched = watched
        return intents

    # -------------------------------------------------------------------------------------------- people

    def hands(self, entity: Entity) -> Hands:
        return Hands(self.world, entity)

    def enter(self, value: int) -> int:
        """A number that goes into the field `second`, and is looked for in the end."""
        self.entered.append(f"note {value}")
        return value

    def in_step(self, *names: str) -> None:
        for entity in Entity:
            for name in names:
                self.hands(entity).make_in_oro(name, 0, 0)
        self.world.settle()

    def number(self, entity: Entity, name: str) -> int:
        return next(number for number, row in self.hands(entity).oro().items() if row[0] == name)

    def native(self, entity: Entity, name: str) -> str:
        return next(native for native, row in self.hands(entity).outlook().items() if row[0] == name)


class FirstSync(Story):
    """Everything is new: creates on both sides, stamps, a pair to be merged, a closed task, a contact at home."""

    def prepare(self) -> None:
        for entity in Entity:
            hands = self.hands(entity)
            hands.make_in_oro("Ada", 1, self.enter(11))
            hands.make_in_outlook("Ben", 2, self.enter(22))
            hands.make_in_oro("Cem", 0, self.enter(33))
            hands.make_in_outlook("Cem", 0, 44)
        box = self.world.mailbox
        box.user_create("contact", {"givenName": "Dan", "surname": "Lovelace", "homeAddress": HOME})
        box.user_create("task", {"title": "Dan", "status": "completed"})

    def act(self) -> None:
        self.run()
        self.run(sweep=True)


class Edits(Story):
    """In step; then edits on both sides, of the same field and of others, deletions on both, an address, a meeting."""

    def prepare(self) -> None:
        box = self.world.mailbox
        times = {
            name: {"dateTime": f"2026-12-02T{hour}:00:00", "timeZone": "UTC"}
            for name, hour in (("start", "09"), ("end", "10"))
        }
        meeting = box.user_create("event", {"subject": "Meeting", "attendees": [BEN], **times})
        box.outbox.clear()
        self.in_step("Ada", "Ben", "Cem", "Dan", "Eve")
        for base, entity in zip((100, 200, 300), Entity, strict=True):
            hands = self.hands(entity)
            hands.edit_in_oro(self.number(entity, "Ada"), "first", 3)
            hands.edit_in_outlook(self.native(entity, "Ada"), "second", self.enter(base + 4))
            hands.edit_in_outlook(self.native(entity, "Ben"), "second", self.enter(base + 5))
            hands.edit_in_oro(self.number(entity, "Eve"), "second", self.enter(base + 6))
            hands.edit_in_outlook(self.native(entity, "Eve"), "second", self.enter(base + 7))
            hands.delete_in_oro(self.number(entity, "Cem"))
            hands.delete_in_outlook(self.native(entity, "Dan"))
        box.user_update("contact", self.native(Entity.CONTACT, "Ben"), {"homeAddress": HOME, "businessAddress": HOME})
        box.user_update("task", self.native(Entity.TASK, "Ben"), {"status": "completed"})
        box.user_update("event", meeting, {"subject": "Meeting moved"})
        box.outbox.clear()

    def act(self) -> None:
        self.run(sweep=True)
        self.run()


class HeldAndUndone(Story):
    """Deletions and an edit of several records: held, approved by a person, carried out, and taken back."""

    settings: ClassVar[dict[str, Any]] = {**NOTES, "guard.deletes_at_least": 1, "guard.deletes_percent": 1}

    def prepare(self) -> None:
        self.in_step("Ada", "Ben", "Cem", "Dan")
        for entity in (Entity.CONTACT, Entity.TASK):
            for name in ("Ada", "Ben"):
                self.hands(entity).delete_in_oro(self.number(entity, name))
        for base, entity in zip((100, 200, 300), Entity, strict=True):
            self.hands(entity).edit_in_oro(self.number(entity, "Cem"), "second", self.enter(base + 1))
            self.hands(entity).make_in_outlook("Fay", 0, self.enter(base + 2))

    def act(self) -> None:
        self._until(self._approved)
        for run in reversed(self._runs_that_wrote()):
            self._until(lambda run=run: self._is_undone(run))
        self.run()

    def _approved(self) -> bool:
        """A person looks at what is held, and says yes to exactly that."""
        report = self.run(sweep=True)
        if report is not None and report.state == "held":
            report = self.run(sweep=True, approve=report.plan_hash)
        left = [link for entity in Entity for link in self.world.store.links(entity)]
        settled = not self.open_intents() and not self.world.store.quarantined()
        return report is not None and report.state == "done" and bool(left) and settled and self._none_is_left()

    def _none_is_left(self) -> bool:
        names = {row[0] for entity in (Entity.CONTACT, Entity.TASK) for row in self.hands(entity).outlook().values()}
        return not names & {"Ada", "Ben"}

    def _runs_that_wrote(self) -> list[str]:
        runs = [str(row["run"]) for row in self.world.store.runs(200)]
        return [run for run in reversed(runs) if run not in self.before and self.world.store.oplog(run)]

    def _is_undone(self, run: str) -> bool:
        report = self.undo(run)
        open_still = ("it cannot be read at the moment", "what became of the last write to it is not known yet")
        return report is not None and not report.failed and not any(why in open_still for _, why in report.left)

    def _until(self, done: Callable[[], bool]) -> None:
        for _ in range(TRIES):
            if done():
                return
            self.world.clock.forward(hours=1)
        raise AssertionError("it did not come about")

    @property
    def before(self) -> set[str]:
        """Runs of the time before."""
        return self._before

    def begin(self) -> None:
        super().begin()
        self._before = {str(row["run"]) for row in self.world.store.runs(200)}


class OneWay(Story):
    """Outlook's records go to OroCRM, where none is matched by its key: only recovery keeps a create from doubling."""

    settings: ClassVar[dict[str, Any]] = {**NOTES, "sync_direction": "outlook_to_oro"}

    def prepare(self) -> None:
        self.in_step("Ada")
        self.hands(Entity.TASK).make_in_outlook("Ben", 0, self.enter(12))
        self.hands(Entity.CONTACT).make_in_outlook("Ben", 0, self.enter(13))
        box = self.world.mailbox
        box.user_create("contact", {"givenName": "Dan", "surname": "Lovelace", "homeAddress": HOME})
        box.user_create("task", {"title": "Dan", "status": "completed"})

    def act(self) -> None:
        self.run()
        self.run(sweep=True)


STORIES: dict[str, type[Story]] = {
    "first sync": FirstSync,
    "edits": Edits,
    "held, approved and undone": HeldAndUndone,
    "one way": OneWay,
}
