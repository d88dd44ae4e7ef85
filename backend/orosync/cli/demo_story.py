"""The story that `orosync demo` tells: first preview, first sync, nothing to do, a busy day, and why it went so.

Every chapter checks its promises against the simulated systems themselves, not against what the engine says of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import click

from orosync import bootstrap
from orosync.bootstrap import Database
from orosync.cli.printing import heading
from orosync.cli.reports import print_counts, print_ops
from orosync.config import Config
from orosync.core.explain import Known, explain
from orosync.core.ops import Verb
from orosync.core.records import Entity, Side
from orosync.sandbox.graph import GraphSandbox
from orosync.sandbox.oro import OroSandbox
from orosync.sandbox.seed import SeededPeople
from orosync.sync.known import known_of
from orosync.sync.run import Report
from orosync.sync.session import RunRequest

_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass
class Stage:
    """Both systems, the engine between them, and the promises that were not kept."""

    config: Config
    database: Database
    graph: GraphSandbox
    oro: OroSandbox
    people: SeededPeople
    url: str = ""  # of the application
    broken: list[str] = field(default_factory=list)

    def promise(self, what: str, *, kept: bool) -> None:
        mark = click.style("ok", fg="green") if kept else click.style("NOT KEPT", fg="red")
        click.echo(f"  {mark}  {what}")
        if not kept:
            self.broken.append(what)

    def sync(self, request: RunRequest) -> Report:
        return bootstrap.run_once(self.config, self.database, "demo", request)

    def items(self, kind: Any) -> list[dict[str, Any]]:
        return self.graph.mailbox(self.people.upn).items(kind)

    def partner(self, entity: Entity, oro_id: int) -> str:
        """Id of the Outlook item that is linked with a record of OroCRM; "" if there is none."""
        store = self.database.account_store(self.database.accounts.named("demo").id)
        link = store.links_by_id(Side.ORO, entity, [str(oro_id)]).get(str(oro_id))
        return (link.outlook_id or "") if link else ""


def tell(stage: Stage) -> list[str]:
    """The whole story; returns the promises that were not kept."""
    approved = _preview(stage)
    _first_sync(stage, approved)
    _nothing_to_do(stage, "A second sync")
    changes = _busy_day(stage)
    _second_sync(stage, changes)
    _nothing_to_do(stage, "One more sync")
    stage.promise("not one meeting mail was sent", kept=not stage.graph.mailbox(stage.people.upn).outbox)
    return stage.broken


# ------------------------------------------------------------------------------------------------ the first day


def _preview(stage: Stage) -> str:
    click.echo("")
    heading("1. The preview: what a first sync would do. Nothing is written")
    report = stage.sync(RunRequest(mode="preview", sweep=True))
    print_counts(report.entities)
    print_ops(report.ops)
    matched = [op for op in report.ops if op.verb is Verb.LINK]
    click.echo("\nThe same record on both sides, found by its match key:")
    for op in matched[:3]:
        click.echo(f"  {op.title}: {op.reason}")
    stage.promise("the preview wrote nothing", kept=_writes(stage) == 0)
    return report.plan_hash


def _first_sync(stage: Stage, approved: str) -> None:
    before = {entity: (len(stage.items(entity.value)), _in_oro(stage, entity)) for entity in Entity}
    click.echo("")
    heading(f"2. The first sync, approved as plan {approved}")
    report = stage.sync(RunRequest(approve=approved, sweep=True))
    print_counts(report.entities)
    stage.promise("the run was carried out", kept=report.state == "done" and not report.problems)
    for entity in Entity:
        expected = stage.people.expected[entity.value]
        outlook, oro = before[entity]
        stage.promise(
            f"{entity}s: {expected.only_in_oro} of OroCRM's are new in Outlook",
            kept=len(stage.items(entity.value)) - outlook == expected.only_in_oro,
        )
        stage.promise(
            f"{entity}s: {expected.only_in_outlook} of Outlook's are new in OroCRM",
            kept=_in_oro(stage, entity) - oro == expected.only_in_outlook,
        )
        stage.promise(
            f"{entity}s: {expected.pairs} stood on both sides and were linked",
            kept=report.entities[entity]["linked"] == expected.pairs,
        )
    titles = {str(event["title"]) for event in stage.oro.events()}
    stage.promise("private appointments stayed private", kept=not titles & {"Zahnarzt", "Salary review"})


def _nothing_to_do(stage: Stage, name: str) -> None:
    click.echo("")
    heading(f"{name}: nothing has changed")
    before = _writes(stage)
    report = stage.sync(RunRequest(sweep=True))
    sent = ", ".join(f"{side} {count}" for side, count in report.requests.items())
    click.echo(f"Run {report.run[:8]}: {report.state}, requests: {sent}")
    stage.promise("nothing was written on either side", kept=report.state == "done" and _writes(stage) == before)


def _in_oro(stage: Stage, entity: Entity) -> int:
    """Anna's: everything but the event in Bob's own calendar."""
    if entity is Entity.EVENT:
        return len(stage.oro.events(stage.oro.calendar_of(stage.people.oro_user)))
    return len(stage.oro.contacts() if entity is Entity.CONTACT else stage.oro.tasks())


def _writes(stage: Stage) -> int:
    """Requests that can change something, as both systems counted them. A batch counts by its parts."""
    graph = sum(each.method in _WRITES and each.path != "/$batch" for each in stage.graph.request_log)
    return graph + sum(count for method, count in stage.oro.counts.items() if method in _WRITES)


# ------------------------------------------------------------------------------------------------ a busy day


@dataclass(frozen=True)
class Change:
    """Something a person did, what shall come of it, and whether it did."""

    told: str
    promise: str
    kept: Callable[[], bool]
    entity: Entity
    oro_id: int


def _busy_day(stage: Stage) -> list[Change]:
    click.echo("")
    heading("3. A busy day: people work on both sides")
    alone, both = stage.people.ids["contact"]["oro_oro"], stage.people.ids["contact"]["oro_both"]
    changes = [
        _both_edit(stage, alone[0]),
        _conflict(stage, both[0]),
        _deleted_in_oro(stage, alone[1]),
        _deleted_in_outlook(stage, alone[2]),
        _task_closed(stage),
        _event_moved(stage),
    ]
    for change in changes:
        click.echo(f"  - {change.told}")
    return changes


def _contact(stage: Stage, oro_id: int) -> Mapping[str, Any]:
    return stage.oro.contact(oro_id)


def _outlook(stage: Stage, entity: Any, outlook_id: str) -> Mapping[str, Any]:
    return next((item for item in stage.items(entity) if item["id"] == outlook_id), {})


def _both_edit(stage: Stage, oro_id: int) -> Change:
    item_id = stage.partner(Entity.CONTACT, oro_id)
    before = _contact(stage, oro_id)
    name = f"{before['firstName']} {before['lastName']}"
    stage.oro.back_office_as(stage.people.oro_user).edit("contact", oro_id, {"jobTitle": "Head of everything"})
    item = _outlook(stage, "contact", item_id)
    entries = [dict(each) for each in item["emailAddresses"]]
    entries[0]["address"] = f"new.{entries[0]['address']}"
    stage.graph.mailbox(stage.people.upn).user_update("contact", item_id, {"emailAddresses": entries})
    wanted = {entries[0]["address"].lower(), *(each.lower() for each in before["emails"][1:])}

    def kept() -> bool:
        now = _contact(stage, oro_id)
        emails = {each.lower() for each in now["emails"]} == wanted
        untouched = (now["phones"], now["description"]) == (before["phones"], before["description"])
        return emails and untouched and _outlook(stage, "contact", item_id).get("jobTitle") == "Head of everything"

    return Change(
        f"{name}: a new job title in OroCRM, and another first e-mail in Outlook",
        f"{name}: both arrived; OroCRM's {len(wanted)} e-mails, its phones and the notes' HTML are kept",
        kept,
        Entity.CONTACT,
        oro_id,
    )


def _conflict(stage: Stage, oro_id: int) -> Change:
    item_id, before = stage.partner(Entity.CONTACT, oro_id), _contact(stage, oro_id)
    name = f"{before['firstName']} {before['lastName']}"
    stage.oro.back_office_as(stage.people.oro_user).edit("contact", oro_id, {"jobTitle": "Chief in OroCRM"})
    stage.graph.mailbox(stage.people.upn).user_update("contact", item_id, {"jobTitle": "Chief in Outlook"})

    def kept() -> bool:
        store = stage.database.account_store(stage.database.accounts.named("demo").id)
        logged = any(
            row.oro_id == str(oro_id) and "Chief in Outlook" in row.outlook.values()
            for row in store.conflicts(open_only=False)
        )
        values = (_contact(stage, oro_id)["jobTitle"], _outlook(stage, "contact", item_id).get("jobTitle"))
        return logged and values == ("Chief in OroCRM", "Chief in OroCRM")

    return Change(
        f"{name}: two different job titles, one on each side",
        f"{name}: a conflict; OroCRM's value won, and Outlook's is kept in the log",
        kept,
        Entity.CONTACT,
        oro_id,
    )


def _deleted_in_oro(stage: Stage, oro_id: int) -> Change:
    item_id, before = stage.partner(Entity.CONTACT, oro_id), _contact(stage, oro_id)
    name = f"{before['firstName']} {before['lastName']}"
    stage.oro.back_office_as(stage.people.oro_user).delete("contact", oro_id)

    def kept() -> bool:
        bin_ = [item["id"] for item in stage.graph.mailbox(stage.people.upn).deleted_items]
        return not _outlook(stage, "contact", item_id) and item_id in bin_

    return Change(
        f"{name}: deleted in OroCRM",
        f"{name}: gone from Outlook as well, into Deleted Items",
        kept,
        Entity.CONTACT,
        oro_id,
    )


def _deleted_in_outlook(stage: Stage, oro_id: int) -> Change:
    item_id, before = stage.partner(Entity.CONTACT, oro_id), _contact(stage, oro_id)
    name = f"{before['firstName']} {before['lastName']}"
    stage.graph.mailbox(stage.people.upn).user_delete("contact", item_id)

    def kept() -> bool:
        now = stage.partner(Entity.CONTACT, oro_id)
        return now not in {"", item_id} and bool(_outlook(stage, "contact", now)) and bool(_contact(stage, oro_id))

    return Change(
        f"{name}: deleted in Outlook",
        f"{name}: stays in OroCRM and is made again in Outlook (setting on_delete_in_outlook)",
        kept,
        Entity.CONTACT,
        oro_id,
    )


def _task_closed(stage: Stage) -> Change:
    number = next(
        (each for each in stage.people.ids["task"]["oro_oro"] if stage.oro.task(each)["status"] != "closed"),
        stage.people.ids["task"]["oro_oro"][0],
    )
    subject = stage.oro.task(number)["subject"]
    item_id = stage.partner(Entity.TASK, number)
    stage.graph.mailbox(stage.people.upn).user_update("task", item_id, {"status": "completed"})
    return Change(
        f"{subject}: ticked off in Outlook",
        f"{subject}: closed in OroCRM, by a transition of its workflow",
        lambda: stage.oro.task(number)["status"] == "closed",
        Entity.TASK,
        number,
    )


def _event_moved(stage: Stage) -> Change:
    number = stage.people.ids["event"]["oro_oro"][0]
    title, item_id = stage.oro.event(number)["title"], stage.partner(Entity.EVENT, number)
    start = stage.graph.clock().replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=12)
    moments = [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in (start, start + timedelta(hours=2))]
    values = {"start": moments[0], "end": moments[1], "allDay": False}
    stage.oro.back_office_as(stage.people.oro_user).edit("event", number, values)

    def kept() -> bool:
        found = _outlook(stage, "event", item_id)
        return str(found.get("start", {}).get("dateTime", ""))[:19] == moments[0][:19]

    return Change(
        f"{title}: moved to another day in OroCRM",
        f"{title}: moved in Outlook's calendar as well",
        kept,
        Entity.EVENT,
        number,
    )


def _second_sync(stage: Stage, changes: list[Change]) -> None:
    click.echo("")
    heading("4. The next sync, and what came of it")
    report = stage.sync(RunRequest(sweep=True))
    print_counts(report.entities)
    stage.promise("the run was carried out", kept=report.state == "done" and not report.problems)
    store = stage.database.account_store(stage.database.accounts.named("demo").id)
    for change in changes:
        stage.promise(change.promise, kept=change.kept())
        known = known_of(store, change.entity, str(change.oro_id))
        for line in explain(_of_run(known, report.run)) if known else ():
            click.echo(click.style(f"        {line}", dim=True))


def _of_run(known: Known, run: str) -> Known:
    """What this run had to do with it; what was before is history by now."""
    conflicts = [row for row in known.conflicts if row.run == run]
    return replace(known, conflicts=conflicts, oplog=[entry for entry in known.oplog if entry.run == run])
