"""Explaining a record in plain words, without its content."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.core.engine_world import NOW, ORO, OUTLOOK
from tests.core.test_undo import UPDATED

from orosync.core.explain import Known, explain
from orosync.core.ledger import Conflict, OplogEntry, Quarantined, Unlinked
from orosync.core.records import Entity, Link, LinkState

LINK = Link(1, Entity.CONTACT, "o-1", "7")
PAIR = "OroCRM's contact 7 and Outlook's item o-1"
QUARANTINED = Quarantined(
    OUTLOOK, Entity.CONTACT, "o-1", "v1", "refused", "emails: not valid.", 2, NOW, NOW + timedelta(minutes=10)
)
CONFLICT = Conflict(Entity.CONTACT, "o-1", "7", "job_title", "a", "b", "c", "ask", None, NOW, "r1", id=4)


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (Known(), "Nothing is known of this id: no feed has reported it yet."),
        (Known(links=[LINK]), f"It is synchronised: {PAIR} are one record."),
        (
            Known(links=[replace(LINK, frozen_fields=("fax", "name"))]),
            f"It is synchronised: {PAIR} are one record. Frozen because it kept changing back and forth: fax, name.",
        ),
        (
            Known(links=[replace(LINK, state=LinkState.SUSPENDED)]),
            f"It is one pair ({PAIR}), but out of scope now: nothing is written or deleted until it is back.",
        ),
        (
            Known(links=[replace(LINK, state=LinkState.TOMBSTONE)]),
            f"It was one pair ({PAIR}) until it was deleted; it is remembered so that it does not come back.",
        ),
        (
            Known(unlinked=[Unlinked(ORO, Entity.TASK, "7", "v1")]),
            "It stands alone in OroCRM: no partner was found yet.",
        ),
        (
            Known(unlinked=[Unlinked(OUTLOOK, Entity.TASK, "o-1", "v1", why="it is private in Outlook")]),
            "It stands alone in Outlook: it is private in Outlook.",
        ),
        (
            Known(quarantined=[QUARANTINED]),
            (
                "It could not be written 2 time(s) since 2026-11-23 09:00:00 UTC: emails: not valid. "
                "The next try is at 2026-11-23 09:10:00 UTC, or at once when it is changed."
            ),
        ),
        (
            Known(conflicts=[CONFLICT]),
            "job_title was changed differently on both sides and waits for a choice (conflict 4).",
        ),
        (
            Known(conflicts=[replace(CONFLICT, choice="oro", rule="oro_wins")]),
            "job_title was changed on both sides at 2026-11-23 09:00:00 UTC: OroCRM's value was taken (oro_wins).",
        ),
        (Known(pending=True), "A change of it is noted and waits for the next run."),
        (
            Known(oplog=[UPDATED]),
            (
                "2026-11-23 09:00:00 UTC: changed in Outlook (job_title) because job_title: changed in oro "
                "[rule changed_in_oro, run r1]."
            ),
        ),
        (
            Known(oplog=[replace(UPDATED, verb="delete", side=ORO, after=None, undone_by="r2")]),
            (
                "2026-11-23 09:00:00 UTC: deleted in OroCRM because job_title: changed in oro "
                "[rule changed_in_oro, run r1]. Taken back by run r2."
            ),
        ),
    ],
)
def test_each_fact_is_one_sentence(known: Known, sentence: str) -> None:
    assert explain(known) == [sentence]


def test_the_most_telling_facts_come_first_and_no_value_is_told() -> None:
    told: list[OplogEntry] = [replace(UPDATED, verb="create"), UPDATED]
    lines = explain(
        Known([LINK], [Unlinked(ORO, Entity.TASK, "7", "v1")], [QUARANTINED], [CONFLICT], told, pending=True)
    )
    assert [line.split(":")[0].split()[0] for line in lines[:5]] == ["It", "It", "It", "job_title", "A"]
    assert len(lines) == 7
    assert not any("Countess" in line or "Poet" in line for line in lines)
