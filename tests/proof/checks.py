"""What must be true at a quiet point: each invariant of the engine is one function. They look at the two systems, at
what people did, and at the archive; never at plans."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from tests.proof.expectations import wrong_fields, wrong_presence
from tests.proof.model import Key
from tests.proof.story import Story
from tests.proof.tally import count
from tests.proof.values import FIELDS, NAME_OF, look, traces
from tests.sync.world import writes

from orosync.core.records import Entity, LinkState, Side

Check = Callable[[Story], Iterator[str]]  # yields what is wrong
CHECKS: dict[str, Check] = {}
NO_LOSS = "I4 nothing that a person wrote is lost"


def check(name: str) -> Callable[[Check], Check]:
    def add(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return add


def check_all(story: Story) -> None:
    """Raises AssertionError that names the invariant and every breach of it."""
    for name in CHECKS:
        check_one(story, name)


def check_one(story: Story, name: str) -> None:
    wrong = list(CHECKS[name](story))
    assert not wrong, f"{name} ({story.regime.name}):\n  " + "\n  ".join(wrong[:8])
    count("invariant", name)


# ------------------------------------------------------------------------------------------------ values


@check("I1 convergence: both halves of a pair say the same")
def _agree(story: Story) -> Iterator[str]:
    if story.regime.way != "both" or story.regime.restricted:
        return
    for pair in story.linked_pairs():
        if _skipped(story, pair.key(Side.OUTLOOK), pair.key(Side.ORO)):
            continue
        for each in FIELDS[pair.entity]:
            out, oro = pair.seen[Side.OUTLOOK][each.name], pair.seen[Side.ORO][each.name]
            if out != each.held(oro):
                yield f"{pair.entity} {pair.ids[Side.ORO]} {each.name}: Outlook {out!r}, OroCRM {oro!r}"


@check("I1, I10, I13, I17 what people wrote is where the settings say")
def _as_expected(story: Story) -> Iterator[str]:
    if not story.regime.restricted:
        yield from wrong_fields(story)


@check("I1, I5 what people made or deleted is or is not there")
def _as_many(story: Story) -> Iterator[str]:
    if not story.regime.restricted:
        yield from wrong_presence(story)


@check(NO_LOSS)
def _no_loss(story: Story) -> Iterator[str]:
    found = story.traces_on_sides() | _archive(story)
    for (key, name), wanted in story.model.owed.items():
        if missing := wanted - found:
            yield f"{key} {name}: {sorted(missing)} is nowhere"


def _archive(story: Story) -> set[str]:
    """Shadows, oplog, conflicts and held plans, as text."""
    database = story.world.database.engine
    found: set[str] = set()
    with database.connect() as connection:
        for table in ("links", "oplog", "conflicts", "plans"):
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}"):  # noqa: S608 - names of ours
                found |= traces(" ".join(map(str, row)))
    return found


# ------------------------------------------------------------------------------------------------ presence


@check("I3 nothing is created twice")
def _created_once(story: Story) -> Iterator[str]:
    for side in Side:
        for entity in Entity:
            rows = story.rows(side, entity)
            names = Counter(look(entity, side, row)[NAME_OF[entity]] for row in rows.values())
            yield from (
                f"{side} has {times} {entity}s named {name}"
                for name, times in names.items()
                if times > 1 and traces(str(name)) and name not in story.doubled
            )


@check("I5 nothing is deleted but what a person deleted on the other side")
def _deleted_by_people(story: Story) -> Iterator[str]:
    for key in story.model.ever - story.present():
        if key in story.model.removed_ever | story.taken_away:
            continue
        partner = story.partners.get(key)
        if partner not in story.model.removed_ever | story.taken_away:
            yield f"{key} is gone, and nobody deleted {partner}"


@check("I6 deletions within a day stay in the budget, or were approved")
def _within_budget(story: Story) -> Iterator[str]:
    least = story.world.system["guard.deletes_at_least"]
    for entity in Entity:
        entries = [each for each in _oplog(story) if each["entity"] == entity and each["verb"] == "delete"]
        mine = [each for each in entries if not each["approved"] and each["rule"] != "undo"]
        links = len(list(story.world.store.links(entity)))
        for first in mine:
            within = [each for each in mine if first["at"] <= each["at"] < first["at"] + timedelta(hours=24)]
            if len(within) > max(least, 5 * links // 100):
                yield f"{len(within)} {entity}s were deleted within a day from {first['at']}"


@check("I8, I9 a record is written as often as people edited it, and never for its echo")
def _no_echo(story: Story) -> Iterator[str]:
    edits = Counter(each.key for each in story.model.edits)
    written = Counter[Key]()
    for entry in _oplog(story):
        if entry["verb"] == "update" and entry["rule"] != "undo":
            ids = {Side.OUTLOOK: entry["outlook_id"], Side.ORO: entry["oro_id"]}
            side = Side(entry["side"])
            written[side, Entity(entry["entity"]), str(ids[side])] += 1
    for key, times in written.items():
        partner = story.partners.get(key)
        allowed = edits[key] + (edits[partner] if partner else 0)
        if _skipped(story, key, partner) or {key, partner} & story.model.vague:
            continue
        if times > allowed:
            yield f"{key} was written {times} times for {allowed} edits"


def _oplog(story: Story) -> list[dict[str, Any]]:
    """Of this chapter."""
    return [row for run in story.chapter_runs for row in _of_run(story, run)]


def _of_run(story: Story, run: str) -> Iterator[dict[str, Any]]:
    for entry in story.world.store.oplog(run):
        yield {name: getattr(entry, name) for name in ("entity", "verb", "rule", "side", "at", "approved")} | {
            "outlook_id": entry.outlook_id,
            "oro_id": entry.oro_id,
        }


# ------------------------------------------------------------------------------------------------ the rest


@check("I11 what is private is in no request to OroCRM")
def _kept_private(story: Story) -> Iterator[str]:
    yield from sorted(story.leaks)


@check("a question that was answered is closed")
def _no_old_questions(story: Story) -> Iterator[str]:
    """An answer about a record that OroCRM refuses waits until OroCRM takes it."""
    for row in story.world.store.conflicts():
        if row.choice is not None and (Side.ORO, row.entity, row.oro_id) in story.refused:
            continue
        yield f"{row.entity} {row.field} of {row.oro_id}: {row.choice}"


@check("I16 a record has one partner")
def _one_partner(story: Story) -> Iterator[str]:
    for entity in Entity:
        links = [link for link in story.world.store.links(entity) if link.state is not LinkState.TOMBSTONE]
        for side in Side:
            ids = Counter(link.id_on(side) for link in links)
            yield from (f"{side} {entity} {native} has {times} links" for native, times in ids.items() if times > 1)


@check("I20 nobody is mailed because of sync")
def _no_mail(story: Story) -> Iterator[str]:
    yield from (str(mail) for mail in [*story.world.mailbox.outbox, *story.world.oro.mails])


@check("I2, I7 a further run, and one that reads everything, write nothing")
def _idempotent(story: Story) -> Iterator[str]:
    for sweep in (False, True):
        before = len(story.breaking.writes)
        report = story.run("run that has nothing to do", sweep=sweep)
        if written := story.breaking.writes[before:]:
            if not story.refused:
                yield f"sweep {sweep}: {written[:3]} {json.dumps(report.to_json())}"
        elif not story.refused and (report.state != "done" or writes(report)):
            yield f"sweep {sweep}: {json.dumps(report.to_json())}"


def _skipped(story: Story, *keys: Key | None) -> bool:
    return bool({*keys} & (story.model.loose | story.refused))
