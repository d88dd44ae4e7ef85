"""Whether a plan may be carried out, or which of its ops are held until a person approves exactly them (R20, R21).

Budgets are rolling: what was done in the last 24 hours counts. Safe ops of a held plan go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orosync.core.ledger import Tally
from orosync.core.ops import Op, Verb, said_by
from orosync.core.settings import GuardLimits


@dataclass(frozen=True, slots=True)
class Standing:
    """What the guard must know of an entity besides the plan. links: live ones.
    settings_changed: the fingerprint differs from that of the last plan that was carried out."""

    links: int
    done: Tally = field(default_factory=Tally)
    first_sync: bool = False
    settings_changed: bool = False


@dataclass(slots=True)
class Sums:
    """What the ops of one entity's plan come to. They are counted one by one, since a plan may be larger than memory.
    links: pairs about to be made. writes: creates, updates and deletes."""

    deletes: int = 0
    overwrites: int = 0
    creates: int = 0
    mails: int = 0
    writes: int = 0
    links: int = 0

    def add(self, op: Op) -> None:
        self.deletes += _deletes(op)
        self.overwrites += _overwrites(op)
        self.creates += _creates(op)
        self.mails += op.mails
        self.writes += _any_write(op)
        self.links += op.verb is Verb.LINK


@dataclass(frozen=True, slots=True)
class Verdict:
    """limits: in words, each limit that the plan would pass. kinds: of the ops that wait because of them. agreed: what
    ops say that go on nevertheless."""

    limits: tuple[str, ...] = ()
    kinds: tuple[_Kind, ...] = ()
    agreed: frozenset[str] = frozenset()

    def holds(self, op: Op) -> bool:
        """Whether this op of the plan that was judged has to wait."""
        return any(kind(op) for kind in self.kinds) and not is_agreed(op, self.agreed)


def sums_of(ops: Iterable[Op], agreed: frozenset[str] = frozenset()) -> Sums:
    """agreed: what ops say (`said_by`) that a person agreed to lately, in a plan that was not carried out to its end:
    exactly those count for nothing."""
    sums = Sums()
    for op in ops:
        if not is_agreed(op, agreed):
            sums.add(op)
    return sums


def is_agreed(op: Op, agreed: frozenset[str]) -> bool:
    return bool(agreed) and said_by(op) in agreed


def judge(sums: Sums, standing: Standing, limits: GuardLimits, agreed: frozenset[str] = frozenset()) -> Verdict:
    """One entity's plan against its budgets. sums: of its ops without those that are `agreed`."""
    reasons = _exceeded(sums, standing, limits)
    return Verdict(tuple(reasons.values()), tuple(reasons), agreed)


def is_approved(approved: str | None, *, whole: str, held: str) -> bool:
    """Whether a person approved exactly this plan, or exactly what of it is held. whole, held: their hashes."""
    return approved in {whole, held}


def _exceeded(plan: Sums, standing: Standing, limits: GuardLimits) -> dict[_Kind, str]:
    done, base = standing.done, standing.links + plan.links
    reasons: dict[_Kind, str] = {}
    allowed = max(limits.deletes_at_least, base * limits.deletes_percent // 100)
    if plan.deletes and plan.deletes + done.deletes > allowed:
        share = f"{limits.deletes_percent} % of {base}"
        reasons[_deletes] = _limit("deletes", plan.deletes, done.deletes, allowed, share)
    allowed = max(limits.deletes_at_least, base * limits.overwrites_percent // 100)
    if plan.overwrites and plan.overwrites + done.overwrites > allowed:
        share = f"{limits.overwrites_percent} % of {base}"
        reasons[_overwrites] = _limit("overwrites", plan.overwrites, done.overwrites, allowed, share)
    if plan.creates and plan.creates + done.creates > limits.creates:
        why = "outside an approved first sync"
        reasons[_creates] = _limit("creates", plan.creates, done.creates, limits.creates, why)
    allowed = limits.mails_first_sync if standing.first_sync else limits.mails
    if plan.mails and plan.mails + done.mails > allowed:
        reasons[_mails] = _limit("mails to attendees", plan.mails, done.mails, allowed, "meetings")
    many = max(limits.deletes_at_least, base * limits.deletes_percent // 100)
    if standing.settings_changed and plan.writes > many:
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
