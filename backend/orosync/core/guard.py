"""Whether a plan may be carried out, or which of its ops are held until a person approves exactly them (R20, R21).

Budgets are rolling: what was done in the last 24 hours counts. Safe ops of a held plan go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from orosync.core.ledger import Tally
from orosync.core.ops import Op, Verb, plan_hash, said_by
from orosync.core.settings import GuardLimits


@dataclass(frozen=True, slots=True)
class Standing:
    """What the guard must know of an entity besides the plan. links: live ones.
    settings_changed: the fingerprint differs from that of the last plan that was carried out."""

    links: int
    done: Tally = field(default_factory=Tally)
    first_sync: bool = False
    settings_changed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """limits: in words, each limit that the plan would pass. held: the ops that wait; passed: the ops that go on."""

    passed: tuple[Op, ...]
    held: tuple[Op, ...] = ()
    limits: tuple[str, ...] = ()


def judge(
    ops: Iterable[Op], standing: Standing, limits: GuardLimits, approved: frozenset[str] = frozenset()
) -> Verdict:
    """One entity's plan against its budgets. approved: what ops say (`said_by`) that a person agreed to lately, in a
    plan that was not carried out to its end: exactly those go on, and count for nothing."""
    everything = tuple(ops)
    agreed = tuple(op for op in everything if approved and said_by(op) in approved)
    known = set(map(id, agreed))
    plan = tuple(op for op in everything if id(op) not in known)
    reasons = _exceeded(plan, standing, limits)
    held = tuple(op for op in plan if any(kind(op) for kind in reasons))
    waiting = set(map(id, held))
    return Verdict(tuple(op for op in everything if id(op) not in waiting), held, tuple(reasons.values()))


def with_approval(verdicts: Sequence[Verdict], approved: str | None) -> tuple[Verdict, ...]:
    """All pass if a person approved exactly this plan, or exactly what of it is held; else nothing changes."""
    plan = [op for verdict in verdicts for op in (*verdict.passed, *verdict.held)]
    held = [op for verdict in verdicts for op in verdict.held]
    if not held or approved not in {plan_hash(plan), plan_hash(held)}:
        return tuple(verdicts)
    return tuple(Verdict((*verdict.passed, *verdict.held)) for verdict in verdicts)


def _exceeded(plan: tuple[Op, ...], standing: Standing, limits: GuardLimits) -> dict[_Kind, str]:
    done, base = standing.done, standing.links + sum(op.verb is Verb.LINK for op in plan)
    reasons: dict[_Kind, str] = {}
    deletes = sum(map(_deletes, plan))
    allowed = max(limits.deletes_at_least, base * limits.deletes_percent // 100)
    if deletes and deletes + done.deletes > allowed:
        reasons[_deletes] = _limit("deletes", deletes, done.deletes, allowed, f"{limits.deletes_percent} % of {base}")
    overwrites = sum(map(_overwrites, plan))
    allowed = max(limits.deletes_at_least, base * limits.overwrites_percent // 100)
    if overwrites and overwrites + done.overwrites > allowed:
        share = f"{limits.overwrites_percent} % of {base}"
        reasons[_overwrites] = _limit("overwrites", overwrites, done.overwrites, allowed, share)
    creates = sum(map(_creates, plan))
    if creates and creates + done.creates > limits.creates:
        reasons[_creates] = _limit("creates", creates, done.creates, limits.creates, "outside an approved first sync")
    mails = sum(op.mails for op in plan)
    allowed = limits.mails_first_sync if standing.first_sync else limits.mails
    if mails and mails + done.mails > allowed:
        reasons[_mails] = _limit("mails to attendees", mails, done.mails, allowed, "meetings")
    if standing.settings_changed and sum(op.writes and op.verb is not Verb.STAMP for op in plan) > max(
        limits.deletes_at_least, base * limits.deletes_percent // 100
    ):
        reasons[_any_write] = "settings changed since the last run, and this plan moves many records"
    return reasons


def _limit(what: str, planned: int, done: int, allowed: int, basis: str) -> str:
    before = f" (and {done} in the last 24 hours)" if done else ""
    return f"{planned} {what}{before}, more than {allowed} ({basis})"


class _Kind:
    """A test of one op, usable as a key."""

    def __init__(self, verbs: frozenset[Verb], *, overwriting: bool = False, mailing: bool = False) -> None:
        self.verbs, self.overwriting, self.mailing = verbs, overwriting, mailing

    def __call__(self, op: Op) -> bool:
        if self.mailing:
            return op.mails > 0
        return op.verb in self.verbs and (op.overwrites or not self.overwriting)


_deletes = _Kind(frozenset({Verb.DELETE}))
_overwrites = _Kind(frozenset({Verb.UPDATE}), overwriting=True)
_creates = _Kind(frozenset({Verb.CREATE}))
_mails = _Kind(frozenset(), mailing=True)
_any_write = _Kind(frozenset({Verb.CREATE, Verb.UPDATE, Verb.DELETE}))
