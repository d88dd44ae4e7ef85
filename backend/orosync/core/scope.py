"""Which records are for us, and how far they may be touched: privacy, window, selection, meetings, directions.

Every refusal comes with the rule and the reason that a person is shown. Nothing here looks at changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from orosync.core.fields import CATALOGUE, Direction, units_of
from orosync.core.mapping import lens_of
from orosync.core.mapping.lens import Context
from orosync.core.records import Case, Entity, Presence, Record, Side, Snapshot
from orosync.core.settings import Settings, SyncDirection

WRITABLE: Mapping[Direction, frozenset[Side]] = {
    Direction.BOTH: frozenset(Side),
    Direction.TO_OUTLOOK: frozenset({Side.OUTLOOK}),
    Direction.TO_ORO: frozenset({Side.ORO}),
    Direction.OFF: frozenset(),
}
SPARE = ("several_match", "others match the same record; this one is left alone")
_PRIVATE = ("private", "it is private in Outlook")
OUTSIDE = ("outside_window", "the event lies outside the window of days that is synced")
NAMES = {Side.OUTLOOK: "Outlook", Side.ORO: "OroCRM"}


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings and the facts of this run. window: first and last day of events, "YYYY-MM-DD".

    first_sync: this entity was never synced to the end. reconcile: a resync. colleagues: lower-case addresses of the
    other mailboxes that are connected to the same OroCRM. choices: answers to asked conflicts by (outlook id, unit).
    """

    settings: Settings
    context: Context
    first_sync: bool = False
    reconcile: bool = False
    window: tuple[str, str] = ("0000-01-01", "9999-12-31")
    colleagues: AbstractSet[str] = frozenset()
    choices: Mapping[tuple[str, str], Side] = field(default_factory=dict)
    skew_band_s: int = 120

    def may_create(self, side: Side) -> bool:
        only = {SyncDirection.ORO_TO_OUTLOOK: Side.OUTLOOK, SyncDirection.OUTLOOK_TO_ORO: Side.ORO}
        return only.get(self.settings.sync_direction, side) is side


def why_hidden(case: Case, policy: Policy) -> str:
    """Why a linked record is out of scope now, or "" (R15: nothing is deleted for it)."""
    if Presence.OUT_OF_SCOPE in (case.outlook.presence, case.oro.presence):
        where = "Outlook" if case.outlook.presence is Presence.OUT_OF_SCOPE else "OroCRM"
        return f"it is no longer visible to this account in {where}"
    if case.outlook.snapshot is not None and is_private(case.outlook.snapshot, policy):
        return "it is private in Outlook"
    if case.oro.snapshot is not None and not oro_in_scope(case.oro.snapshot, policy):
        return "its owner in OroCRM is somebody else"
    return ""


def why_left_alone(case: Case, alone: Snapshot, policy: Policy) -> tuple[str, str] | None:
    """(rule, reason) or None: it may be created on the other side. Order: privacy first."""
    why = _why_outlook_left_alone(alone, policy) if alone.side is Side.OUTLOOK else _why_oro_left_alone(alone, policy)
    if why is not None:
        return why
    if alone.entity is Entity.EVENT and not in_window(alone.record, policy.window):
        return OUTSIDE
    if case.spare:
        return SPARE
    if case.tombstone:
        return ("deleted_before", "its partner was deleted once; it is not created again")
    if not policy.may_create(alone.side.other):
        return ("direction", f"{NAMES[alone.side]}'s records are not created on the other side in this direction")
    allowed = _allowed(alone, policy)
    if _is_empty(allowed) or _is_empty(_representable(alone, allowed, policy)):
        return ("nothing_to_send", "it has nothing that the other side could hold")
    return None


def why_not_paired(outlook: Snapshot, oro: Snapshot, policy: Policy) -> tuple[str, str] | None:
    """(rule, reason) why two records that match are not linked, or None."""
    if is_private(outlook, policy):
        return _PRIVATE
    return _why_oro_left_alone(oro, policy)


def _why_oro_left_alone(oro: Snapshot, policy: Policy) -> tuple[str, str] | None:
    if oro_in_scope(oro, policy):
        return None
    return ("not_selected", "OroCRM's record is not among those this account syncs")


def _why_outlook_left_alone(alone: Snapshot, policy: Policy) -> tuple[str, str] | None:
    if is_private(alone, policy):
        return _PRIVATE
    settings = policy.settings
    if settings.sync_type.value == "selected" and settings.selected_category not in alone.categories:
        return ("not_selected", f"it is not in the category {settings.selected_category}")
    if not alone.organiser and alone.organiser_address in policy.colleagues:
        return ("meeting_of_a_colleague", "the meeting is synced from its organiser's mailbox")
    return None


def unit_direction(entity: Entity, unit: str, policy: Policy) -> Direction:
    """Where a unit may travel; the settings give the fields of one group one direction."""
    return policy.settings.direction_of(entity, units_of(entity)[unit][0].name)


def as_new(source: Snapshot, policy: Policy) -> Record:
    """What the other side would hold of a record created there: allowed fields only."""
    return _representable(source, _allowed(source, policy), policy)


def _representable(source: Snapshot, record: Record, policy: Policy) -> Record:
    return lens_of(source.side.other, source.entity).representable(record, policy.context)


def _allowed(source: Snapshot, policy: Policy) -> Record:
    return {
        each.name: source.record[each.name]
        if source.side.other in WRITABLE[policy.settings.direction_of(source.entity, each.name)]
        else None
        for each in CATALOGUE[source.entity]
    }


def _is_empty(record: Record) -> bool:
    return all(value is None or value is False for value in record.values())


def is_private(outlook: Snapshot, policy: Policy) -> bool:
    """Whether it is kept from OroCRM altogether. `busy_only` has a meaning for events alone: they have a time."""
    chosen = policy.settings.private_items.value
    return outlook.private and (chosen == "skip" or (chosen == "busy_only" and outlook.entity is not Entity.EVENT))


def shows_time_only(outlook: Snapshot, policy: Policy) -> bool:
    """Its title and text in OroCRM are ours, and must never reach the event itself."""
    return outlook.private and policy.settings.private_items.value == "busy_only"


def oro_in_scope(oro: Snapshot, policy: Policy) -> bool:
    settings = policy.settings
    if settings.oro_scope.value == "owned" and not oro.owned:
        return False
    return settings.sync_type.value != "selected" or oro.owned or settings.selected_category in oro.categories


def protected_meeting(outlook: Snapshot, policy: Policy) -> bool:
    """Meetings are written only for their organiser, and only if the policy says so (design.md 4, point 8)."""
    if not outlook.attendees and outlook.organiser:
        return False
    return not (outlook.organiser and policy.settings.meeting_updates.value == "organiser")


def stamp_state(outlook: Snapshot, oro: Snapshot) -> bool | None:
    """True: stamped; False: to be stamped; None: must not be, since a write to a meeting may mail its attendees."""
    if outlook.stamp == oro.id:
        return True
    return None if outlook.attendees or not outlook.organiser else False


def in_window(record: Record, window: tuple[str, str]) -> bool:
    """Open-ended series count as running on; the start is compared by its day."""
    first, last = window
    start, end = str(record["start"] or ""), str(record["end"] or record["start"] or "")
    if record["recurrence"]:
        return start[:10] <= last
    return end[:10] >= first and start[:10] <= last


def title_of(snapshot: Snapshot) -> str:
    record = snapshot.record
    if snapshot.entity is Entity.CONTACT:
        names = " ".join(str(record[name]) for name in ("first_name", "middle_name", "last_name") if record[name])
        emails = record["emails"]
        return names or (str(emails[0]) if isinstance(emails, list) and emails else "")
    return str(record["subject" if snapshot.entity is Entity.TASK else "title"] or "")
