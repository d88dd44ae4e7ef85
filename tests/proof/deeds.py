"""What people do with records, and the runs in between. Each deed says whether it is possible now, and is then certain
to happen: targets are drawn from what is there, never tried and thrown away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.proof.breaking import POINTS
from tests.proof.model import Key, Pair
from tests.proof.story import Story, all_fields
from tests.proof.tally import count
from tests.proof.values import FIELDS, field_of
from tests.sync.world import KINDS

from orosync.core.mapping.lens import STAMP_PROPERTY
from orosync.core.records import Entity, Side
from orosync.sync.session import RunRequest


@dataclass(frozen=True)
class Deed:
    do: Callable[[Story], None]
    possible: Callable[[Story], bool] = lambda _story: True


def _entity(story: Story) -> Entity:
    return story.rng.choice(list(Entity))


def _side(story: Story) -> Side:
    return story.rng.choice(list(Side))


def somebodys(story: Story) -> Key:
    """An item on one side, whichever."""
    side = _side(story)
    keys = [key for entity in Entity for key in story.keys(side, entity)]
    return story.rng.choice(keys) if keys else story.create(side, _entity(story), {})


def there(story: Story) -> list[Pair]:
    """Pairs of the last quiet point, both halves of which still exist."""
    present = story.present()
    return [pair for pair in story.model.pairs if all(pair.key(side) in present for side in Side)]


def _new_values(story: Story, key: Key, names: list[str]) -> dict[str, Any]:
    now = story.seen(key)
    return {name: story.new_value(key[1], name, now[name]) for name in names}


def _some(story: Story, entity: Entity, most: int) -> list[str]:
    names = [each.name for each in FIELDS[entity]]
    return story.rng.sample(names, story.rng.randint(1, min(most, len(names))))


# ------------------------------------------------------------------------------------------------ records


def create(story: Story) -> None:
    side, entity = _side(story), _entity(story)
    story.create(side, entity, all_fields(story, entity))


def create_on_both(story: Story) -> None:
    """The same record, made by hand on both sides: to be found by its match key."""
    entity = _entity(story)
    values = all_fields(story, entity)
    keyed = {
        name: values[name] for name in ("name", "birthday", "subject", "priority", "title", "time") if name in values
    }
    own = {each.name: story.new_value(entity, each.name) for each in FIELDS[entity] if each.name not in keyed}
    out = story.create(Side.OUTLOOK, entity, values)
    oro = story.create(Side.ORO, entity, {**keyed, **(own if story.rng.random() < 0.7 else {})})
    story.model.vague |= {out, oro}
    story.doubled.add(story.name_of(out))


def edit(story: Story) -> None:
    key = somebodys(story)
    story.edit(key, _new_values(story, key, _some(story, key[1], 1)))


def edit_several(story: Story) -> None:
    key = somebodys(story)
    story.edit(key, _new_values(story, key, _some(story, key[1], 4)))


def edit_both(story: Story) -> None:
    """Different fields of many pairs on both sides: each is a three-way merge, and none a conflict."""
    for pair in story.rng.sample(there(story), k=min(len(there(story)), 12)):
        names = [each.name for each in FIELDS[pair.entity]]
        story.rng.shuffle(names)
        for side, name in zip(Side, names, strict=False):
            story.edit(pair.key(side), _new_values(story, pair.key(side), [name]))


def edit_the_same(story: Story) -> None:
    """The same field on both sides, in any order."""
    for pair in story.rng.sample(there(story), k=min(len(there(story)), 4)):
        name = story.rng.choice([each.name for each in FIELDS[pair.entity]])
        for side in story.rng.sample(list(Side), 2):
            story.edit(pair.key(side), _new_values(story, pair.key(side), [name]))


def agree(story: Story) -> None:
    """Both people type in the same."""
    pair = story.rng.choice(there(story))
    fields = [each for each in FIELDS[pair.entity] if each.unique and each.exact]
    name = story.rng.choice(fields).name
    value = story.new_value(pair.entity, name)
    for side in Side:
        story.edit(pair.key(side), {name: value})


def clear(story: Story) -> None:
    """A field is emptied."""
    pair = story.rng.choice([each for each in there(story) if each.entity is Entity.CONTACT])
    side = _side(story)
    value = {"job_title": None} if story.rng.random() < 0.5 else {"fax": None}
    key = pair.key(side)
    story.edit(key, value)


def delete(story: Story) -> None:
    story.delete(somebodys(story))


def untouched(story: Story) -> list[Pair]:
    """Pairs that nobody has edited since all was quiet."""
    edited = story.model.edited_keys()
    return [pair for pair in there(story) if not {pair.key(side) for side in Side} & edited]


def delete_untouched(story: Story) -> None:
    """On one side, what nobody has edited: the deletion counts."""
    story.delete(story.rng.choice(untouched(story)).key(_side(story)))


def delete_on_both(story: Story) -> None:
    pair = story.rng.choice(there(story))
    for side in Side:
        story.delete(pair.key(side))


def edit_and_delete(story: Story) -> None:
    """Deleted by one person while another one edits it."""
    pair, side = story.rng.choice(there(story)), _side(story)
    key = pair.key(side)
    story.edit(key, _new_values(story, key, _some(story, key[1], 1)))
    story.delete(pair.key(side.other))


def copy(story: Story) -> None:
    """Outlook copies an item with its stamp."""
    pair = story.rng.choice(there(story))
    made = story.world.mailbox.user_copy(KINDS[pair.entity], pair.ids[Side.OUTLOOK])  # type: ignore[arg-type]
    copied = (Side.OUTLOOK, pair.entity, made)
    story.model.ever.add(copied)
    story.doubled.add(story.name_of(copied))
    story.model.loose |= {copied, pair.key(Side.OUTLOOK), pair.key(Side.ORO)}


def move(story: Story) -> None:
    """Into another folder, list or calendar, and back before it is quiet: a task has another id then."""
    pair = story.rng.choice(there(story))
    box, kind = story.world.mailbox, KINDS[pair.entity]
    if "Elsewhere" not in box.containers(kind).values():  # type: ignore[arg-type]
        {Entity.CONTACT: box.add_contact_folder, Entity.TASK: box.add_todo_list, Entity.EVENT: box.add_calendar}[
            pair.entity
        ]("Elsewhere")
    story.doubled.add(story.name_of(pair.key(Side.OUTLOOK)))
    home = next(iter(box.containers(kind)))  # type: ignore[arg-type]
    moved = [pair.ids[Side.OUTLOOK]]
    story.model.loose |= {pair.key(side) for side in Side}

    def go(container: str) -> None:
        native = box.user_move(kind, moved[-1], container)  # type: ignore[arg-type]
        old, new = ((Side.OUTLOOK, pair.entity, each) for each in (moved[-1], native))
        if native != moved[-1]:
            story.model.moved(old, new)
        story.model.loose.add(new)
        moved.append(native)

    def back() -> None:
        if (Side.OUTLOOK, pair.entity, moved[-1]) in story.present():
            go(home)

    go("Elsewhere")
    story.heals.append(back)


def lose_the_stamp(story: Story) -> None:
    pair = story.rng.choice(there(story))
    gone = {"linkedResources": []} if pair.entity is Entity.TASK else {"extended": {STAMP_PROPERTY: None}}
    story.world.mailbox.user_update(KINDS[pair.entity], pair.ids[Side.OUTLOOK], gone)  # type: ignore[arg-type]
    story.unstamped = True


def make_private(story: Story) -> None:
    """An event; what is then written into it is nobody's business but the owner's, until it is public again."""
    pair = story.rng.choice([each for each in there(story) if each.entity is Entity.EVENT])
    key = pair.key(Side.OUTLOOK)
    story.edit(key, {}, sensitivity="private")
    values = _new_values(story, key, ["title", "description"])
    story.edit(key, values)
    found = {each for name in values for each in story.model.owed.get((key, name), set())}
    story.secrets |= found

    def public() -> None:
        story.secrets -= found
        if key in story.present():
            story.edit(key, {}, sensitivity="normal")

    story.heals.append(public)


def create_private(story: Story) -> None:
    """An event that is private from its first moment on."""
    key = story.create(Side.OUTLOOK, Entity.EVENT, all_fields(story, Entity.EVENT), sensitivity="private")
    found = {each for name in ("title", "description") for each in story.model.owed.get((key, name), set())}
    story.secrets |= found

    def public() -> None:
        story.secrets -= found
        if key in story.present():
            story.edit(key, {}, sensitivity="normal")

    story.heals.append(public)


def far_away(story: Story) -> None:
    """An event outside the window of days."""
    values = {name: story.new_value(Entity.EVENT, name) for name in ("title", "description")}
    if (side := _side(story)) is Side.OUTLOOK:
        times = {name: {"dateTime": "2055-05-05T10:00:00", "timeZone": "UTC"} for name in ("start", "end")}
        key = story.create(side, Entity.EVENT, values, **times)
    else:
        times = {"start": "2055-05-05T10:00:00Z", "end": "2055-05-05T10:00:00Z"}  # type: ignore[dict-item]
        key = story.create(side, Entity.EVENT, values, **times)
    story.model.loose.add(key)


def meeting(story: Story) -> None:
    """With attendees: whatever happens to it, nobody is mailed because of sync."""
    guests = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]
    key = story.create(Side.OUTLOOK, Entity.EVENT, all_fields(story, Entity.EVENT), attendees=guests)
    story.meetings.append(key)
    story.model.loose.add(key)


def edit_a_meeting(story: Story) -> None:
    """OroCRM's half of it is edited, or deleted."""
    halves = _meetings_in_oro(story)
    key = story.rng.choice(halves)
    story.model.loose.add(key)
    if story.rng.random() < 0.3:
        story.delete(key)
    else:
        story.edit(key, _new_values(story, key, ["title"]))


def _meetings_in_oro(story: Story) -> list[Key]:
    present = story.present()
    return [half for key in story.meetings if (half := story.partners.get(key)) in present and half is not None]


# ------------------------------------------------------------------------------------------------ runs


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
        entity = _entity(story)
        of_kind = [pair for pair in there(story) if pair.entity is entity]
        for pair in story.rng.sample(of_kind, k=min(len(of_kind), 1)):
            names = story.rng.sample([each.name for each in FIELDS[entity]], 2)
            for side, name in zip(Side, names, strict=True):
                story.edit(pair.key(side), _new_values(story, pair.key(side), [name]))
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
            story.edit(pair.key(Side.OUTLOOK), _new_values(story, pair.key(Side.OUTLOOK), [name]))
            free = [each for each in names if (pair.key(Side.OUTLOOK), each) not in touched and each != name]
            if free:
                key = pair.key(Side.ORO)
                story.edit(key, _new_values(story, key, [story.rng.choice(free)]))

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


def _has_pairs(story: Story) -> bool:
    return bool(there(story))


def _has(entity: Entity) -> Callable[[Story], bool]:
    return lambda story: any(pair.entity is entity for pair in there(story))


def _lately_ran(story: Story) -> bool:
    return bool(story.last_run) and not story.breaking.point


def _settles_all(story: Story) -> bool:
    return story.regime.way == "both" and not story.regime.restricted


DEEDS: Mapping[str, Deed] = {
    "create": Deed(create),
    "create on both sides": Deed(create_on_both),
    "edit": Deed(edit),
    "edit several fields": Deed(edit_several),
    "edit different fields on both sides": Deed(edit_both, _has_pairs),
    "edit the same field on both sides": Deed(edit_the_same, _has_pairs),
    "type in the same on both sides": Deed(agree, _has_pairs),
    "empty a field": Deed(clear, _has(Entity.CONTACT)),
    "delete": Deed(delete),
    "delete what nobody edited": Deed(delete_untouched, lambda story: bool(untouched(story))),
    "delete on both sides": Deed(delete_on_both, _has_pairs),
    "delete what somebody edits": Deed(edit_and_delete, _has_pairs),
    "copy an item": Deed(copy, _has_pairs),
    "move an item": Deed(move, _has_pairs),
    "lose a stamp": Deed(lose_the_stamp, _has_pairs),
    "make private": Deed(make_private, _has(Entity.EVENT)),
    "create something private": Deed(create_private),
    "event far away": Deed(far_away),
    "meeting": Deed(meeting),
    "edit a meeting in OroCRM": Deed(edit_a_meeting, lambda story: bool(_meetings_in_oro(story))),
    "run": Deed(run),
    "run with a sweep": Deed(run_with_sweep),
    "preview, then run": Deed(preview_and_run),
    **{f"run that ends: {point}": Deed(broken_off(point)) for point in POINTS},
    "run that somebody edits into": Deed(somebody_edits_meanwhile),
    "run that is overtaken": Deed(overtaken),
    "undo": Deed(undo, _lately_ran),
    "resync": Deed(resync, _settles_all),
    "resync that replaces": Deed(replace_all, _settles_all),
    "wait": Deed(wait),
    "told twice": Deed(told_twice),
}
