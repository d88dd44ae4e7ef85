"""The guard: every budget at its edge, what is held and what goes on, and what an approval is bound to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orosync.core.guard import Standing, Sums, Verdict, is_approved, judge, sums_of
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


@dataclass(frozen=True)
class Judged:
    """What a verdict makes of the ops of a plan."""

    passed: tuple[Op, ...]
    held: tuple[Op, ...]
    limits: tuple[str, ...]


def judged(plan: Sequence[Op], standing: Standing, agreed: frozenset[str] = frozenset()) -> Judged:
    verdict = judge(sums_of(plan, agreed), standing, LIMITS, agreed)
    held = [verdict.holds(op) for op in plan]
    waiting = tuple(op for op, waits in zip(plan, held, strict=True) if waits)
    return Judged(tuple(op for op, waits in zip(plan, held, strict=True) if not waits), waiting, verdict.limits)


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
    inside = judged(ops(verb, most, **facts), standing)
    assert (len(inside.passed), inside.held, inside.limits) == (most, (), ())
    beyond = judged(ops(verb, most + 1, **facts), standing)
    assert (beyond.passed, len(beyond.held)) == ((), most + 1)
    (limit,) = beyond.limits
    assert why in limit


@pytest.mark.parametrize(
    ("verb", "facts"),
    [(Verb.UPDATE, {}), (Verb.STAMP, {}), (Verb.LINK, {}), (Verb.SETTLE, {}), (Verb.LEAVE, {}), (Verb.BURY, {})],
)
def test_what_destroys_nothing_has_no_budget(verb: Verb, facts: dict[str, Any]) -> None:
    assert judged(ops(verb, 1000, **facts), NEVER_ASKED).held == ()


def test_a_budget_that_is_used_up_holds_nothing_else() -> None:
    spent = Standing(100, Tally(deletes=99, overwrites=99, creates=99, mails=99))
    assert judged(ops(Verb.UPDATE, 3), spent).held == ()


def test_safe_ops_of_a_held_plan_go_on() -> None:
    safe, deletes = ops(Verb.UPDATE, 2), ops(Verb.DELETE, 50)
    verdict = judged([*safe, *deletes], NEVER_ASKED)
    assert verdict.passed == tuple(safe)
    assert verdict.held == tuple(deletes)


def test_links_about_to_be_made_count_as_links() -> None:
    plan = [*ops(Verb.LINK, 100), *ops(Verb.UPDATE, 20, overwrites=True)]
    assert judged(plan, Standing(0)).held == ()


def test_every_limit_that_would_be_passed_is_named() -> None:
    plan = [
        *ops(Verb.DELETE, 50, mails=1),
        *ops(Verb.UPDATE, 50, overwrites=True),
        *ops(Verb.CREATE, 50),
        *ops(Verb.STAMP, 5),
    ]
    verdict = judged(plan, replace(NEVER_ASKED, settings_changed=True))
    assert len(verdict.limits) == 5
    assert {op.verb for op in verdict.passed} == {Verb.STAMP}


def test_an_approval_is_of_exactly_the_shown_plan_or_of_exactly_what_is_held_of_it() -> None:
    plan = [*ops(Verb.UPDATE, 1), *ops(Verb.DELETE, 50)]
    verdict = judged(plan, NEVER_ASKED)
    whole, held = plan_hash(plan), plan_hash(verdict.held)
    for approved in (whole, held):
        assert is_approved(approved, whole=whole, held=held)
    for refused in (None, "", plan_hash(verdict.passed), plan_hash(verdict.held[:-1])):
        assert not is_approved(refused, whole=whole, held=held)


def test_what_a_person_agreed_to_in_a_plan_that_was_broken_off_passes_and_counts_for_nothing() -> None:
    agreed, others = ops(Verb.DELETE, 50), ops(Verb.CREATE, 6)
    known = frozenset(map(said_by, agreed))
    assert judged(agreed, NEVER_ASKED).held == tuple(agreed)
    verdict = judged([*others, *agreed], NEVER_ASKED, known)
    assert verdict.passed == tuple(agreed)
    assert verdict.held == tuple(others)
    changed = [replace(op, values={"job_title": "another"}) for op in agreed]
    assert judged(changed, NEVER_ASKED, known).held == tuple(changed)


def test_an_approval_is_void_when_the_plan_changed() -> None:
    now = plan_hash(ops(Verb.DELETE, 51))
    assert not is_approved(plan_hash(ops(Verb.DELETE, 50)), whole=now, held=now)


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
    verdict = judged(plan, standing)
    assert sorted(map(id, (*verdict.passed, *verdict.held))) == sorted(map(id, plan))
    assert bool(verdict.held) is bool(verdict.limits)
    base = standing.links + sum(op.verb is Verb.LINK for op in plan)
    deletes = sum(op.verb is Verb.DELETE for op in verdict.passed)
    assert not deletes or deletes + standing.done.deletes <= max(3, base // 10)
    creates = sum(op.verb is Verb.CREATE for op in verdict.passed)
    assert not creates or creates + standing.done.creates <= 5
    mails = sum(op.mails for op in verdict.passed)
    assert not mails or mails + standing.done.mails <= (0 if standing.first_sync else 4)


def test_a_verdict_says_by_itself_that_all_passes() -> None:
    assert judge(sums_of([]), NEVER_ASKED, LIMITS) == Verdict()
    assert not Verdict().holds(ops(Verb.DELETE, 1)[0])


def test_what_is_counted_one_by_one_comes_to_what_all_of_it_does() -> None:
    plan = [*ops(Verb.DELETE, 2, mails=3), *ops(Verb.UPDATE, 3, overwrites=True), *ops(Verb.CREATE, 4)]
    plan += [*ops(Verb.LINK, 5), *ops(Verb.STAMP, 6)]
    assert sums_of(plan) == Sums(deletes=2, overwrites=3, creates=4, mails=6, writes=9, links=5)
