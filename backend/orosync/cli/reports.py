"""A run's report for people: what was done, what would be done, and by which rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from orosync.cli.printing import heading, print_table
from orosync.core.ops import Op, Verb
from orosync.core.records import Entity, Json, Side
from orosync.sync.run import Report

_SIDES = {Side.OUTLOOK: "Outlook", Side.ORO: "OroCRM"}
_FEW = 3  # titles shown of each group
_WORDS = {
    Verb.CREATE: "create in {}",
    Verb.UPDATE: "change in {}",
    Verb.DELETE: "delete in {}",
    Verb.LINK: "link",
    Verb.SUSPEND: "suspend",
    Verb.RESUME: "resume",
    Verb.BURY: "forget the pair",
    Verb.LEAVE: "leave alone in {}",
}


def report_as_json(report: Report, *, with_ops: bool) -> Json:
    """As design.md section 5 has it; a plan that was not carried out comes with its ops."""
    ops = {"ops": [op.to_json() for op in report.ops if op.verb not in {Verb.SETTLE, Verb.STAMP}]} if with_ops else {}
    return {**report.to_json(), **ops}


def print_report(report: Report, *, preview: bool, command: str = "sync {name}") -> None:
    """command: what carries the plan out, with the account's {name}."""
    print_counts(report.entities)
    sent = ", ".join(f"{_SIDES[side]} {count}" for side, count in report.requests.items())
    click.echo(f"\nRun {report.run}: {report.state}, {report.seconds:.1f} s, requests: {sent}.")
    for problem in report.problems:
        click.echo(f"Problem: {problem}", err=True)
    if preview or report.state == "held":
        print_ops(report.ops)
    if report.state == "held":
        what = "would be held" if preview else "is held"
        click.echo(f"\nThe plan {what} by the guard:")
        for limit in report.limits:
            click.echo(f"  {limit}")
    if (preview or report.state == "held") and any(op.writes for op in report.ops):
        again = command.format(name=report.account)
        click.echo(f"\nTo carry out exactly this plan: orosync {again} --approve {report.plan_hash}")


def print_counts(entities: Mapping[Entity, Json]) -> None:
    """One line per entity and side, and what concerns both."""
    rows: list[tuple[object, ...]] = []
    for entity, counts in entities.items():
        for side in Side:
            done = counts[side.value]
            rows.append((f"{entity}s", _SIDES[side], done["created"], done["updated"], done["deleted"]))
    print_table(("entity", "side", "created", "changed", "deleted"), rows, empty="Nothing is to be synced.")
    names = ("linked", "conflicts", "quarantined", "held", "waiting", "unchanged")
    if entities:
        click.echo("")
        print_table(("entity", *names), ((f"{e}s", *(counts[n] for n in names)) for e, counts in entities.items()))


@dataclass
class _Group:
    """Ops that are alike. titles: the first few."""

    count: int = 0
    titles: list[str] = field(default_factory=list)

    def add(self, op: Op) -> None:
        self.count += 1
        if op.title and len(self.titles) < _FEW:
            self.titles.append(op.title)

    def __str__(self) -> str:
        more = self.count - _FEW
        return ", ".join(self.titles) + (f" and {more} more" if more > 0 and self.titles else "")


def print_ops(ops: Iterable[Op | Mapping[str, Any]]) -> None:
    """Grouped by what is done, by which rule and why, with the first few titles."""
    groups: dict[tuple[Entity, Verb, Side, str, str], _Group] = defaultdict(_Group)
    mails = 0
    for each in ops:
        op = each if isinstance(each, Op) else Op.from_json(each)
        mails += op.mails
        if op.verb in _WORDS:
            groups[op.entity, op.verb, op.side, op.rule, op.reason].add(op)
    if not groups:
        click.echo("\nNothing to do: both sides agree.")
        return
    click.echo("")
    heading("The plan")
    rows = []
    for (entity, verb, side, rule, reason), group in groups.items():
        what = _WORDS[verb].format(_SIDES[side])
        rows.append((group.count, f"{entity}s" if group.count > 1 else entity, what, rule, reason, str(group)))
    print_table(("", "what", "op", "rule", "because", "for example"), rows)
    if mails:
        click.echo(f"It would send {mails} mail(s) to attendees.")
