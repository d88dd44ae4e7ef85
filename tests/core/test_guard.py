"""The guard: every budget at its edge, what is held and what goes on, and what an approval is bound to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orosync.core.guard import Standing, Verdict, judge, with_approval
from orosync.core.ledger import Tally
from orosync.core.ops import Op, Verb, plan_hash, said_by
from orosync.core.records import Entity, Side
from orosync.core.settings import GuardLimits

LIMITS = GuardLimits(
    deletes_at_least=3, deletes_percent=10, overwrites_percent=20, creates=5, mails_first_sync=0, mails=4
)
NEVER_ASKED = Standing(links=100)


def ops(verb: Verb, count: int, **facts: Any) -> list[Op]:
    return [
        Op(verb, Entity.CONTACT, Side.OUTLOOK, "rule", "reason", outlook_id=f"{verb}{number}", **facts)
        for number in range(count)
    ]


# (what, most that passes, standing, why it is held)
EDGES = [
    (Verb.DELETE, {}, 10, Standing(100), "deletes, more than 10 (10 % of 100)"),
    (Verb.DELETE, {}, 3, Standing(10), "deletes, more than 3 (10 % of 10)"),
    (Verb.DELETE, {}, 4, Standing(100, Tally(deletes=6)), "deletes (and 6 in the last 24 hours), more than 10"),
    (Verb.UPDATE, {"overwrites": True}, 20, Standing(100), "overwrites, more than 20 (20 % of 100)"),
    (Verb.UPDATE, {"overwrites": True}, 5, Standing(100, Tally(overwrites=15)), "overwrites (and 15 in the last"),
    (Verb.CREATE, {}, 5, Standing(100), "creates, more than 5 (outside an approved first sync)"),
    (Verb.CREATE, {}, 1, Standing(100, Tally(creates=4)), "creates (and 4 in the last 24 hours), more than 5"),
    (Verb.UPDATE, {"mails": 1}, 4, Standing(100), "mails to attendees, more than 4 (meetings)"),
    (Verb.UPDATE, {"mails": 1}, 0, Standing(100, first_sync=True), "mails to attendees, more than 0 (meetings)"),
    (Verb.UPDATE, {"mails": 2}, 1, Standing(100, Tally(mails=1)), "mails to attendees (and 1 in the last 24 hours)"),
    (Verb.UPDATE, {}, 10, Standing(100, settings_changed=True), "settings changed since the last run"),
]


@pytest.mark.parametrize(("verb", "facts", "most", "standing", "why"), EDGES)
def test_a_budget_passes_to_its_edge_and_holds_beyond_it(
    verb: Verb, facts: dict[str, Any], most: int, standing: Standing, why: str
) -> None:
    inside = judge(ops(verb, most, **facts), standing, LIMITS)
    assert (len(inside.passed), inside.held, inside.limits) == (most, (), ())
    beyond = judge(ops(verb, most + 1, **facts), standing, LIMITS)
    assert (beyond.passed, len(beyond.held)) == ((), most + 1)
    (limit,) = beyond.limits
    assert why in limit


@pytest.mark.parametrize(
    ("verb", "facts"),
    [(Verb.UPDATE, {}), (Verb.STAMP, {}), (Verb.LINK, {}), (Verb.SETTLE, {}), (Verb.LEAVE, {}), (Verb.BURY, {})],
)
def test_what_destroys_nothing_has_no_budget(verb: Verb, facts: dict[str, Any]) -> None:
    assert judge(ops(verb, 1000, **facts), NEVER_ASKED, LIMITS).held == ()


def test_a_budget_that_is_used_up_holds_nothing_else() -> None:
    spent = Standing(100, Tally(deletes=99, overwrites=99, creates=99, mails=99))
    assert judge(ops(Verb.UPDATE, 3), spent, LIMITS).held == ()


def test_safe_ops_of_a_held_plan_go_on() -> None:
    safe, deletes = ops(Verb.UPDATE, 2), ops(Verb.DELETE, 50)
    verdict = judge([*safe, *deletes], NEVER_ASKED, LIMITS)
    assert verdict.passed == tuple(safe)
    assert verdict.held == tuple(deletes)


def test_links_about_to_be_made_count_as_links() -> None:
    plan = [*ops(Verb.LINK, 100), *ops(Verb.UPDATE, 20, overwrites=True)]
    assert judge(plan, Standing(0), LIMITS).held == ()


def test_every_limit_that_would_be_passed_is_named() -> None:
    plan = [
        *ops(Verb.DELETE, 50, mails=1),
        *ops(Verb.UPDATE, 50, overwrites=True),
        *ops(Verb.CREATE, 50),
        *ops(Verb.STAMP, 5),
    ]
    verdict = judge(plan, replace(NEVER_ASKED, settings_changed=True), LIMITS)
    assert len(verdict.limits) == 5
    assert {op.verb for op in verdict.passed} == {Verb.STAMP}


def test_an_approval_lets_exactly_the_shown_plan_pass_or_exactly_what_is_held_of_it() -> None:
    verdicts = [
        judge([*ops(Verb.UPDATE, 1), *ops(Verb.DELETE, 50)], NEVER_ASKED, LIMITS),
        judge(ops(Verb.CREATE, 50), NEVER_ASKED, LIMITS),
    ]
    whole = plan_hash(op for each in verdicts for op in (*each.passed, *each.held))
    held = plan_hash(op for each in verdicts for op in each.held)
    for approved in (whole, held):
        passed = with_approval(verdicts, approved)
        assert [(len(each.passed), each.held, each.limits) for each in passed] == [(51, (), ()), (50, (), ())]
    for refused in (None, "", plan_hash(verdicts[0].held), plan_hash(verdicts[0].passed)):
        assert with_approval(verdicts, refused) == tuple(verdicts)


def test_an_approval_of_a_plan_that_is_not_held_changes_nothing() -> None:
    verdicts = [judge(ops(Verb.UPDATE, 1), NEVER_ASKED, LIMITS)]
    assert with_approval(verdicts, plan_hash(ops(Verb.UPDATE, 1))) == tuple(verdicts)


def test_what_a_person_agreed_to_in_a_plan_that_was_broken_off_passes_and_counts_for_nothing() -> None:
    agreed, others = ops(Verb.DELETE, 50), ops(Verb.CREATE, 6)
    known = frozenset(map(said_by, agreed))
    assert judge(agreed, NEVER_ASKED, LIMITS).held == tuple(agreed)
    verdict = judge([*others, *agreed], NEVER_ASKED, LIMITS, known)
    assert verdict.passed == tuple(agreed)
    assert verdict.held == tuple(others)
    changed = [replace(op, values={"job_title": "another"}) for op in agreed]
    assert judge(changed, NEVER_ASKED, LIMITS, known).held == tuple(changed)


def test_an_approval_is_void_when_the_plan_changed() -> None:
    approved = plan_hash(ops(Verb.DELETE, 50))
    (verdict,) = with_approval([judge(ops(Verb.DELETE, 51), NEVER_ASKED, LIMITS)], approved)
    assert len(verdict.held) == 51


_OPS = st.builds(
    Op,
    verb=st.sampled_from(Verb),
    entity=st.just(Entity.EVENT),
    side=st.sampled_from(Side),
    rule=st.just("rule"),
    reason=st.just("reason"),
    mails=st.integers(0, 3),
    overwrites=st.booleans(),
)


@given(
    plan=st.lists(_OPS, max_size=40),
    standing=st.builds(
        Standing, links=st.integers(0, 60), done=st.builds(Tally, *[st.integers(0, 12)] * 4), first_sync=st.booleans()
    ),
)
def test_nothing_is_lost_between_passed_and_held_and_no_budget_is_ever_exceeded(
    plan: list[Op], standing: Standing
) -> None:
    """I6 and I20: whatever the mix."""
    verdict = judge(plan, standing, LIMITS)
    assert sorted(map(id, (*verdict.passed, *verdict.held))) == sorted(map(id, plan))
    assert bool(verdict.held) is bool(verdict.limits)
    base = standing.links + sum(op.verb is Verb.LINK for op in plan)
    deletes = sum(op.verb is Verb.DELETE for op in verdict.passed)
    assert not deletes or deletes + standing.done.deletes <= max(3, base // 10)
    creates = sum(op.verb is Verb.CREATE for op in verdict.passed)
    assert not creates or creates + standing.done.creates <= 5
    mails = sum(op.mails for op in verdict.passed)
    assert not mails or mails + standing.done.mails <= (0 if standing.first_sync else 4)


def test_a_verdict_says_by_itself_that_all_passed() -> None:
    assert judge([], NEVER_ASKED, LIMITS) == Verdict(())
