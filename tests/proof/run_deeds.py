"""Runs between people's deeds: plain ones, previews, undo and resync, and runs that end in the middle, into which
somebody edits, or which another worker overtakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.proof.breaking import POINTS
from tests.proof.deeds import Deed, any_entity, new_values, somebodys, there
from tests.proof.model import Key
from tests.proof.story import Story
from tests.proof.tally import count
from tests.proof.values import FIELDS, field_of

from orosync.core.records import Entity, Side
from orosync.sync.session import RunRequest


def run(story: Story) -> None:
    story.run()


def run_with_sweep(story: Story) -> None:
    story.run("run with a sweep", sweep=True)


def preview_and_run(story: Story) -> None:
    """A preview writes nothing, and the run after it does exactly what was shown (I25)."""
    before = len(story.breaking.writes)
    shown = story.run("preview", mode="preview")
    assert story.breaking.writes[before:] == [], "a preview wrote"
    done = story.run("run as shown")
    if (shown.state, done.state) == ("done", "done") and shown.plan_hash:
        assert done.plan_hash == shown.plan_hash, "the run did something else than was shown"
    count("invariant", "I25 a preview writes nothing, and is what is done then")


def broken_off(point: str) -> Callable[[Story], None]:
    """People have just edited both halves of a few records of one kind; the run about them ends in the middle."""

    def do(story: Story) -> None:
        entity = any_entity(story)
        of_kind = [pair for pair in there(story) if pair.entity is entity]
        for pair in story.rng.sample(of_kind, k=min(len(of_kind), 1)):
            names = story.rng.sample([each.name for each in FIELDS[entity]], 2)
            for side, name in zip(Side, names, strict=True):
                story.edit(pair.key(side), new_values(story, pair.key(side), [name]))
        story.breaking.arm(story.rng.randint(1, 2), point)
        request = {} if story.rng.random() < 0.2 else {"entities": frozenset({entity})}
        story.broken_run(f"run that ends: {point}", **request)
        if story.breaking.disarm():
            count("crash point", point)
            story.unstamped = True

    return do


def somebody_edits_meanwhile(story: Story) -> None:
    """Between our reading and our write (I13). OroCRM knows no precondition: there, a field that we are about to write
    is not edited in just that moment, since nobody could tell afterwards."""

    def act() -> None:
        story.runs += 0.5
        story.deed("edit between reading and writing")
        touched = {(each.key, each.field) for each in story.model.edits}
        for pair in story.rng.sample(there(story), k=min(len(there(story)), 12)):
            names = [each.name for each in FIELDS[pair.entity]]
            name = story.rng.choice(names)
            story.edit(pair.key(Side.OUTLOOK), new_values(story, pair.key(Side.OUTLOOK), [name]))
            free = [each for each in names if (pair.key(Side.OUTLOOK), each) not in touched and each != name]
            if free:
                key = pair.key(Side.ORO)
                story.edit(key, new_values(story, key, [story.rng.choice(free)]))

    story.breaking.arm(story.rng.randint(1, 5), interrupt=act)
    story.run("run that somebody edits into")
    story.breaking.disarm()


def overtaken(story: Story) -> None:
    """Another worker takes the account over while the first waits for an answer (I22)."""

    def act() -> None:
        story.deed("another worker takes over")
        story.world.sync()

    story.breaking.arm(story.rng.randint(1, 4), interrupt=act, late=True)
    finished = story.broken_run("run that is overtaken")
    if story.breaking.disarm():
        assert not finished, "a worker that had lost its lease went on"
        story.unstamped = True
        count("invariant", "I22 who was overtaken commits nothing more")


def undo(story: Story) -> None:
    """The last run is taken back, then checked by what its oplog says (I21)."""
    run = story.last_run
    before = story.present()
    story.deed("run taken back", run)
    report = story.world.undo(run)
    story.notice()
    vanished = before - story.present()
    story.taken_away |= vanished
    refused = {entry.op_id for entry, _why in report.left}
    for entry in story.world.store.oplog(run):
        ids = {Side.OUTLOOK: entry.outlook_id, Side.ORO: entry.oro_id}
        story.model.loose |= {(side, entry.entity, native) for side, native in ids.items() if native}
        if entry.op_id in refused:
            continue
        target = (entry.side, entry.entity, str(ids[entry.side]))
        if entry.verb == "create":
            assert target in vanished, "an undone create is still there"
        elif entry.verb == "update" and target in story.present():
            _check_put_back(story, entry.before or {}, target)
    count("invariant", "I21 undo puts back what still stood")
    story.last_run = ""


_TOLD_AS = {"first_name": "name", "start": "time"}


def _check_put_back(story: Story, before: Mapping[str, Any], target: Key) -> None:
    now = story.seen(target)
    for name, value in before.items():
        told = _TOLD_AS.get(name, name)
        if told in now and field_of(target[1], told).unique and field_of(target[1], told).exact:
            assert now[told] == (value.rstrip("Z") if value else None), f"{name} was not put back"


def resync(story: Story) -> None:
    story.run("resync", mode="resync")


def replace_all(story: Story) -> None:
    """Oro's own way of a resync: the linked Outlook items go, and come anew."""
    before = story.present()
    story.run("resync that replaces", mode="resync", replace=True)
    story.run("run")
    vanished = before - story.present()
    story.taken_away |= vanished
    for key in vanished:
        story.model.forget(key)
    story.model.loose |= vanished | {story.partners[key] for key in vanished if key in story.partners}


def wait(story: Story) -> None:
    story.world.clock.forward(minutes=story.rng.choice([1, 7, 61, 600]))


def told_twice(story: Story) -> None:
    """The feed says again what it said before (I15)."""
    session = story.world.session(RunRequest())
    keys = [somebodys(story) for _ in range(6)]
    for side in Side:
        for entity in Entity:
            session.store.note_seen(side, entity, [key[2] for key in keys if key[:2] == (side, entity)])
    story.world.graph.settings.replay_items = 3


def _may_undo(story: Story) -> bool:
    """After a run, and not into the troubles of a system: taking back tells of them as its error."""
    return bool(story.last_run) and not story.breaking.point and not story.heals


def _settles_all(story: Story) -> bool:
    return story.regime.way == "both" and not story.regime.restricted


RUNS: Mapping[str, Deed] = {
    "run": Deed(run),
    "run with a sweep": Deed(run_with_sweep),
    "preview, then run": Deed(preview_and_run),
    **{f"run that ends: {point}": Deed(broken_off(point)) for point in POINTS},
    "run that somebody edits into": Deed(somebody_edits_meanwhile),
    "run that is overtaken": Deed(overtaken),
    "undo": Deed(undo, _may_undo),
    "resync": Deed(resync, _settles_all),
    "resync that replaces": Deed(replace_all, _settles_all),
    "wait": Deed(wait),
    "told twice": Deed(told_twice),
}
