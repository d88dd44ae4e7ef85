"""What the reference model expects at a quiet point: where each edit, record and deletion of people has to have led.

By the truth table of the directions and the conflict rule alone; where two edits met a run in between, or a database
was lost, it is one of those that people wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.proof.model import Edit, Key, Pair
from tests.proof.story import Story
from tests.proof.values import FIELDS, Field

from orosync.core.records import Side

OUT, ORO = Side.OUTLOOK, Side.ORO


def wrong_fields(story: Story) -> Iterator[str]:
    model, present = story.model, story.present()
    for pair in story.model.pairs:
        keys = {side: pair.key(side) for side in Side}
        if {*keys.values()} & (model.loose | model.removed | model.vague | story.refused):
            continue
        if not {*keys.values()} <= present or story.partners.get(keys[OUT]) != keys[ORO]:
            continue  # `wrong_presence` has a word to say there
        now = {side: story.seen(keys[side]) for side in Side}
        last = {side: model.last_values(keys[side]) for side in Side}
        for each in FIELDS[pair.entity]:
            if _unit_was_answered(story, pair, each):
                continue
            why = _wrong(story, pair, each, now, last)
            if why:
                yield f"{pair.entity} {pair.ids[ORO]} {each.name}: {why}"


def _unit_was_answered(story: Story, pair: Pair, field: Field) -> bool:
    return (pair.entity, pair.ids[OUT], field.name) in story.answered


def _wrong(
    story: Story,
    pair: Pair,
    field: Field,
    now: dict[Side, dict[str, Any]],
    last: dict[Side, dict[str, Edit]],
) -> str:
    out, oro = last[OUT].get(field.name), last[ORO].get(field.name)
    here = {side: now[side][field.name] for side in Side}
    before = {side: pair.seen[side][field.name] for side in Side}
    if story.regime.way == "both":
        allowed = _both_ways(story, field, out, oro, before)
        return "" if allowed is None or all(value in allowed for value in here.values()) else f"{here}, not {allowed}"
    source = OUT if story.regime.way == "to_oro" else ORO
    typed = last[source].get(field.name)
    told = typed.value if typed else before[source]
    if here[source] != told:
        return f"{source} was written: {here[source]!r}, not {told!r}"
    if source is OUT and field.exact:
        return "" if here[ORO] == told else f"OroCRM has {here[ORO]!r}, not Outlook's {told!r}"
    if source is ORO and not last[ORO] and field.exact:
        kept = out.value if out else before[OUT]
        return "" if here[OUT] == kept else f"Outlook has {here[OUT]!r}, not its own {kept!r}"
    if source is ORO and field.exact and typed and (out is None or out.runs == typed.runs):
        if out is not None and told == before[ORO] and here[OUT] == out.value:
            return ""  # who types what stood there before has changed nothing
        return "" if here[OUT] == told else f"Outlook has {here[OUT]!r}, not OroCRM's {told!r}"
    return ""


def _both_ways(
    story: Story, field: Field, out: Edit | None, oro: Edit | None, before: dict[Side, Any]
) -> list[Any] | None:
    """The values that may stand on both sides now; None: any, if only they agree."""
    if before[OUT] != before[ORO]:
        return None  # OroCRM holds more than Outlook can
    if out is None and oro is None:
        return list(before.values())
    if out is None or oro is None:
        only = out or oro
        return [only.value] if only else None
    if not field.exact:
        return None
    winner = story.regime.winner
    if winner is not None and field.unique and out.runs == oro.runs and not _several(story, field, out, oro):
        return [(oro if winner is ORO else out).value]
    return [out.value, oro.value]


def _several(story: Story, field: Field, *edits: Edit) -> bool:
    """Edits of this field in the chapter at different times of running."""
    keys = {each.key for each in edits}
    return len({each.runs for each in story.model.edits if each.key in keys and each.field == field.name}) > 1


# ------------------------------------------------------------------------------------------------ presence


def wrong_presence(story: Story) -> Iterator[str]:
    yield from _wrong_new(story)
    if story.model.vague:
        return
    for pair in story.model.pairs:
        yield from _wrong_deleted(story, pair)


def _wrong_new(story: Story) -> Iterator[str]:
    """What a person made is on the other side as well, once, and says the same."""
    model, present = story.model, story.present()
    for key in model.made:
        side = key[0]
        if key in model.removed | model.loose | model.vague | story.taken_away | story.refused or key not in present:
            continue
        if story.regime.way == ("to_oro" if side is ORO else "to_outlook"):
            continue
        partner = story.partners.get(key)
        if partner in model.removed | model.loose | story.taken_away:
            continue
        if partner is None or partner not in present:
            yield f"{key} has no partner on the other side"
            continue
        yield from _wrong_copy(story, key, partner)


def _wrong_copy(story: Story, key: Key, partner: Key) -> Iterator[str]:
    """A new record that was edited on one side alone is the same on both."""
    if partner in story.model.edited_keys() or story.regime.way != "both":
        return
    mine, other = story.seen(key), story.seen(partner)
    for each in FIELDS[key[1]]:
        typed = story.model.last_values(key).get(each.name)
        if typed is not None and not (mine[each.name] == other[each.name] == typed.value):
            yield f"{key} {each.name}: {mine[each.name]!r} and {other[each.name]!r}, not {typed.value!r}"


def _wrong_deleted(story: Story, pair: Pair) -> Iterator[str]:
    """Of a pair that one person deleted and nobody edited."""
    model, present = story.model, story.present()
    keys = {side: pair.key(side) for side in Side}
    if {*keys.values()} & (model.loose | story.refused | model.edited_keys() | story.taken_away):
        return
    gone = [side for side in Side if keys[side] in model.removed]
    if not gone:
        yield from (f"{key} is gone, and nobody deleted anything" for key in keys.values() if key not in present)
        return
    if len(gone) == 2:
        return
    side = gone[0]
    regime = story.regime
    policy = regime.deleted_in_outlook if side is OUT else regime.deleted_in_oro
    stays = policy != "propagate"
    if (keys[side.other] in present) is not stays:
        yield f"{keys[side.other]} {'is gone' if stays else 'is still there'}: deleted in {side}, {policy}"
    elif policy == "restore" and regime.way != "to_oro":
        partner = story.partners.get(keys[side.other])
        if partner not in present and partner not in model.removed:
            yield f"{keys[side.other]} was not created again"
