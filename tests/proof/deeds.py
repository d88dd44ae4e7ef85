"""What people do with records. Each deed says whether it is possible now, and is then certain
to happen: targets are drawn from what is there, never tried and thrown away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.proof.model import Key, Pair
from tests.proof.story import Story, all_fields
from tests.proof.values import FIELDS
from tests.sync.world import KINDS

from orosync.core.mapping.lens import STAMP_PROPERTY
from orosync.core.records import Entity, Side


@dataclass(frozen=True)
class Deed:
    do: Callable[[Story], None]
    possible: Callable[[Story], bool] = lambda _story: True


def any_entity(story: Story) -> Entity:
    return story.rng.choice(list(Entity))


def _side(story: Story) -> Side:
    return story.rng.choice(list(Side))


def somebodys(story: Story) -> Key:
    """An item on one side, whichever."""
    side = _side(story)
    keys = [key for entity in Entity for key in story.keys(side, entity)]
    return story.rng.choice(keys) if keys else story.create(side, any_entity(story), {})


def there(story: Story) -> list[Pair]:
    """Pairs of the last quiet point, both halves of which still exist."""
    present = story.present()
    return [pair for pair in story.model.pairs if all(pair.key(side) in present for side in Side)]


def new_values(story: Story, key: Key, names: list[str]) -> dict[str, Any]:
    now = story.seen(key)
    return {name: story.new_value(key[1], name, now[name]) for name in names}


def _some(story: Story, entity: Entity, most: int) -> list[str]:
    names = [each.name for each in FIELDS[entity]]
    return story.rng.sample(names, story.rng.randint(1, min(most, len(names))))


# ------------------------------------------------------------------------------------------------ records


def create(story: Story) -> None:
    side, entity = _side(story), any_entity(story)
    story.create(side, entity, all_fields(story, entity))


def create_on_both(story: Story) -> None:
    """The same record, made by hand on both sides: to be found by its match key."""
    entity = any_entity(story)
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
    story.edit(key, new_values(story, key, _some(story, key[1], 1)))


def edit_several(story: Story) -> None:
    key = somebodys(story)
    story.edit(key, new_values(story, key, _some(story, key[1], 4)))


def edit_both(story: Story) -> None:
    """Different fields of many pairs on both sides: each is a three-way merge, and none a conflict."""
    for pair in story.rng.sample(there(story), k=min(len(there(story)), 12)):
        names = [each.name for each in FIELDS[pair.entity]]
        story.rng.shuffle(names)
        for side, name in zip(Side, names, strict=False):
            story.edit(pair.key(side), new_values(story, pair.key(side), [name]))


def edit_the_same(story: Story) -> None:
    """The same field on both sides, in any order."""
    for pair in story.rng.sample(there(story), k=min(len(there(story)), 4)):
        name = story.rng.choice([each.name for each in FIELDS[pair.entity]])
        for side in story.rng.sample(list(Side), 2):
            story.edit(pair.key(side), new_values(story, pair.key(side), [name]))


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
    story.edit(key, new_values(story, key, _some(story, key[1], 1)))
    story.delete(pair.key(side.other))


def copy(story: Story) -> None:
    """Outlook copies an item with its stamp."""
    pair = story.rng.choice(there(story))
    made = story.world.mailbox.user_copy(KINDS[pair.entity], pair.ids[Side.OUTLOOK])  # type: ignore[arg-type]
    copied = (Side.OUTLOOK, pair.entity, made)
    story.model.ever.add(copied)
    story.doubled.add(story.name_of(copied))
    if pair.key(Side.OUTLOOK) in story.meetings:  # its attendees are copied along
        story.meetings.append(copied)
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
    values = new_values(story, key, ["title", "description"])
    story.edit(key, values)
    found = {each for name in values for each in story.model.owed.get((key, name), set())}
    _hide(story, key, found)


def _hide(story: Story, key: Key, found: set[str]) -> None:
    """Nobody but its owner may see these values until the event is public again."""
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
    _hide(story, key, found)


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
        story.edit(key, new_values(story, key, ["title"]))


def _meetings_in_oro(story: Story) -> list[Key]:
    present = story.present()
    return [half for key in story.meetings if (half := story.partners.get(key)) in present and half is not None]


def _has_pairs(story: Story) -> bool:
    return bool(there(story))


def _has(entity: Entity) -> Callable[[Story], bool]:
    return lambda story: any(pair.entity is entity for pair in there(story))


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
}
