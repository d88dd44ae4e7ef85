"""Faults that somebody could build into the engine, each with the check that has to notice.

They are what the engine's promises hang on: a check that lets one of them pass would prove nothing.
"""

from __future__ import annotations

from typing import NamedTuple


class Edit(NamedTuple):
    """file: below `orosync`. old: what stands there exactly once, to be replaced by `new`."""

    file: str
    old: str
    new: str


class Planted(NamedTuple):
    """caught_by: pytest's names of tests, any of which must fail. at_boundaries: which faults are tried where that is
    among them, at every boundary (which ones its short form meets depends on how many boundaries there are)."""

    fault: str
    edits: tuple[Edit, ...]
    caught_by: tuple[str, ...]
    at_boundaries: str = "killed after it was applied"


_FIRST_SYNC = (
    "tests/proof/test_faults_at_boundaries.py::test_a_fault_at_any_boundary_changes_nothing_in_the_end[first sync]"
)
_JOURNAL = "        store.journal(side, entity, news, feed.cursor.generation)\n"
_MISSING = "        if page.last and page.full:\n            _note_missing(session, side, feed, entity)\n"
_SAVED = "                store.save_cursor(side, entity, feed.cursor)\n"

PLANTED = (
    Planted(
        "a position is stored before what it stands for is in the journal",
        (
            Edit(
                "sync/collect.py",
                "        with session.store.transaction():  # one for the pages of one answer\n",
                "        if True:\n",
            ),
            Edit("sync/collect.py", "    with store.transaction():\n        known =", "    if True:\n        known ="),
            Edit("sync/collect.py", _JOURNAL + _MISSING, ""),
            Edit(
                "sync/collect.py",
                f"{_SAVED}    if not page.last:",
                f"{_SAVED}{_JOURNAL}{_MISSING}    if not page.last:",
            ),
        ),
        (_FIRST_SYNC,),
        "killed after the commit",
    ),
    Planted(
        "the echo of our own write is told by the item having been seen, not by its content",
        (
            Edit(
                "core/changes.py",
                "return any(_differs(self.entity, field.name, shadow, self.current[side]) for field in unit)",
                "return any(field.name in shadow for field in unit)",
            ),
        ),
        ("tests/sync/test_directions.py::test_a_change_in_outlook_updates_oro",),
    ),
    Planted(
        "absence is taken for deletion",
        (
            Edit(
                "sync/halves.py",
                "        if reading.forbidden:\n            return FORBIDDEN\n"
                "        return GONE if canary.sings() else UNREADABLE\n",
                "        return GONE\n",
            ),
        ),
        (
            "tests/sync/test_scope.py::test_records_that_are_taken_out_of_sight_and_given_back_are_as_if_nothing_had_been",
        ),
    ),
    Planted(
        "what lies in another folder is taken for deleted",
        (
            Edit(
                "sync/halves.py",
                "        if reading.elsewhere:\n            return OUT_OF_SCOPE\n",
                "        if reading.elsewhere:\n            return GONE\n",
            ),
        ),
        ("tests/sync/test_contacts.py::test_a_contact_moved_to_another_folder_is_out_of_scope_and_comes_back",),
    ),
    Planted(
        "the stamp is written after the create",
        (
            Edit(
                "sync/apply.py",
                "        return with_stamp(patch, op.entity, str(op.oro_id), session.context, op.title)\n",
                "        return patch\n",
            ),
        ),
        (_FIRST_SYNC,),
    ),
    Planted(
        "the guard counts each run by itself",
        (
            Edit(
                "sync/plans.py",
                "done=session.store.tally(entity, since),",
                "done=session.store.tally(entity, session.clock.now()),",
            ),
        ),
        ("tests/sync/test_guard.py::test_deletions_that_trickle_in_are_counted_together_over_a_day",),
    ),
    Planted(
        "an approval is good for any plan",
        (Edit("core/guard.py", "return approved in {whole, held}", "return approved is not None"),),
        ("tests/sync/test_guard.py::test_an_approval_of_another_plan_does_not_count",),
    ),
    Planted(
        "a create whose answer was lost is taken for not made",
        (
            Edit(
                "core/recovery.py",
                "    if hits:\n        return Adopt(hits[0], spares=len(hits) - 1)\n",
                "    if len(hits) > 1:\n        return Adopt(hits[0], spares=len(hits) - 1)\n",
            ),
        ),
        ("tests/core/test_recovery.py", _FIRST_SYNC),
    ),
    Planted(
        "a create that nobody can see yet is sent again at once",
        (
            Edit(
                "core/recovery.py",
                "return SendAgain() if now - sent_at >= VISIBILITY[op.side] else Wait()",
                "return SendAgain()",
            ),
        ),
        ("tests/core/test_recovery.py",),
    ),
    Planted(
        "a write of unknown outcome is given up",
        (
            Edit(
                "sync/apply.py",
                "    if isinstance(result, OutcomeUnknown):\n        session.busy",
                "    if isinstance(result, OutcomeUnknown):\n        keeper.abandon(write.op_id)\n        session.busy",
            ),
        ),
        (_FIRST_SYNC,),
        "answer lost",
    ),
    Planted(
        "the loser of a conflict is not remembered",
        (
            Edit(
                "sync/confirm.py", "            self._log_conflicts(planned, asked_only=False)\n", "            pass\n"
            ),
        ),
        ("tests/sync/test_directions.py::test_the_same_field_changed_on_both_sides",),
    ),
    Planted(
        "the shadow is what was sent, not what came back",
        (
            Edit(
                "sync/confirm.py",
                "            agreed = {name: snapshot.record[name] for name in names} if snapshot else {}\n",
                "            sent = planned.latest.get(side.other) or snapshot\n"
                "            agreed = {name: sent.record[name] for name in names} if snapshot and sent else {}\n",
            ),
        ),
        ("tests/sync/test_contacts.py::test_a_fourth_email_stays_in_oro_when_the_job_title_is_edited_in_outlook",),
    ),
    Planted(
        "an edit that lands just before our write is taken for agreed",
        (
            Edit(
                "sync/confirm.py",
                "        if not others:\n            return after\n",
                "        if True:\n            return after\n",
            ),
        ),
        ("tests/sync/test_bad_moments.py::test_another_field_edited_in_oro_just_before_our_write_still_travels",),
    ),
    Planted(
        "mails to attendees are not counted",
        (Edit("core/guard.py", "        self.mails += op.mails\n", ""),),
        ("tests/sync/test_events.py::test_more_mails_than_the_guard_allows_are_held_before_the_first_one_leaves",),
    ),
    Planted(
        "a meeting with attendees is deleted like any event",
        (
            Edit(
                "core/plan.py",
                "    if protected_meeting(outlook, policy):\n        return _bury(",
                "    if False:\n        return _bury(",
            ),
        ),
        ("tests/core/test_plan.py",),
    ),
    Planted(
        "private items travel",
        (
            Edit("core/scope.py", "    return outlook.private and (chosen ==", "    return False and (chosen =="),
            Edit("core/mapping/events.py", "hidden = private and not context.include_private", "hidden = False"),
        ),
        ("tests/sync/test_events.py::test_nothing_of_a_private_event_is_sent_logged_or_kept",),
    ),
    Planted(
        "a deletion beats an edit",
        (
            Edit(
                "core/plan.py",
                "    if changed_units(case.entity, outlook.record, link.shadows.get(Side.OUTLOOK, {})):\n",
                "    if False:\n",
            ),
        ),
        ("tests/sync/test_directions.py::test_deleted_in_oro_but_edited_in_outlook_keeps_the_edit",),
    ),
    Planted(
        "a worker whose lease has passed on may still commit",
        (Edit("store/transactions.py", "        leases.hold(connection, lease)\n", ""),),
        ("tests/store/test_leases.py",),
    ),
    Planted(
        "one record that is refused ends the run",
        (
            Edit(
                "sync/apply.py",
                "    elif isinstance(result, RecordRefused):\n        keeper.quarantine(planned, op, result)\n",
                "",
            ),
        ),
        ("tests/sync/test_troubles.py::test_a_record_that_oro_refuses_waits_in_quarantine_and_the_others_are_synced",),
    ),
    Planted(
        "values that go back and forth are never stopped",
        (
            Edit(
                "sync/plans.py",
                "    return freeze(decision, units, policy) if units else decision\n",
                "    return decision\n",
            ),
        ),
        ("tests/sync/test_oscillation.py::test_a_value_that_goes_back_and_forth_is_frozen_until_a_person_chooses",),
    ),
    Planted(
        "what was changed since is taken back with the rest",
        (
            Edit("core/undo.py", "    if not _stands(after, now) or (", "    if ("),
            Edit("sync/take_back.py", "(item is None or not _stands(session, op, item))", "(item is None)"),
        ),
        ("tests/sync/test_undo.py::test_what_was_changed_since_is_left_and_reported",),
    ),
    Planted(
        "a field travels against its direction",
        (
            Edit(
                "core/settings.py",
                "            ways = ways & _WAYS[self.field_direction[entity][each.name]]\n",
                "            ways = ways & _WAYS[Direction.BOTH]\n",
            ),
        ),
        ("tests/sync/test_scope.py::test_a_field_travels_only_where_the_administrator_lets_it",),
    ),
)
