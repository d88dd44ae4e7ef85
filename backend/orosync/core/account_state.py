"""How an account is doing, in one word that a person understands, with reason, remedy, since when and until when.

Pure: what is known of the account is an argument, the time as well. The word follows from a few signs alone, so that
thousands of accounts can be counted by them (`store/account_states.py`) under the same rule as one is shown.
How far records are is another matter: `sync/standing.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from orosync.core.due import DueWork, Trouble
from orosync.core.records import Json

StateName = Literal["not_started", "off", "waiting", "running", "held", "throttled", "failing", "suspended", "disabled"]
STATES: tuple[StateName, ...] = get_args(StateName)


@dataclass(frozen=True, slots=True)
class Signs:
    """account: "active", "suspended" or "disabled". begun: a first sync came to something. enabled: `enable_sync`.
    running: somebody works on it. held: its last run left a plan that waits for a person. paused: its mailbox wants to
    be left alone. trouble: of the runs that it has by itself."""

    account: str = "active"
    begun: bool = True
    enabled: bool = True
    running: bool = False
    held: bool = False
    paused: bool = False
    trouble: Trouble = ""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The signs with the times and words behind them; times None where there is nothing to tell."""

    signs: Signs
    work: DueWork
    account_reason: str = ""
    account_since: datetime | None = None
    running_since: datetime | None = None
    held_since: datetime | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountState:
    """since: None where nobody knows. until: of a pause, or the next look that is planned; None while nothing is."""

    name: StateName
    reason: str = ""
    remedy: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def to_json(self) -> Json:
        """{"state", "reason", "remedy", "since", "until"}; times as "YYYY-MM-DDTHH:MM:SSZ"."""
        times = {"since": told(self.since), "until": told(self.until)}
        return {"state": self.name, "reason": self.reason, "remedy": self.remedy, **times}


def told(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


_REASONS: dict[StateName, str] = {
    "not_started": "No first sync was carried out yet.",
    "off": "Syncing by itself is switched off.",
    "held": "A plan goes beyond a safety limit and waits for an approval.",
    "throttled": "The mailbox asked for a pause.",
    "failing": "The last run did not succeed.",
    "suspended": "Somebody has to act first.",
    "disabled": "It is switched off.",
}
_REMEDIES: dict[StateName, str] = {
    "not_started": "Look at the preview and begin the first sync.",
    "off": "Sync on demand, or switch enable_sync on.",
    "held": "Look at the plan, then approve it.",
    "throttled": "Nothing needs to be done: it goes on by itself.",
    "failing": "It is tried again by itself. If it stays, check the connection.",
    "suspended": "Sign in again, or do what the reason says; it then goes on by itself.",
    "disabled": "An administrator can switch it on again.",
}


def state_name(signs: Signs) -> StateName:
    """The first that holds: what a person or administrator has to know before anything else comes first."""
    if signs.account == "disabled":
        return "disabled"
    if signs.account == "suspended":
        return "suspended"
    if signs.running:
        return "running"
    if signs.held:
        return "held"
    if signs.begun and not signs.enabled:
        return "off"
    if signs.paused or signs.trouble == "throttled":
        return "throttled"
    if signs.trouble:
        return "failing"
    return "waiting" if signs.begun else "not_started"


def account_state(facts: AccountFacts, now: datetime) -> AccountState:
    name = state_name(facts.signs)
    return AccountState(
        name, _reason(name, facts), _REMEDIES.get(name, ""), _since(name, facts), _until(name, facts, now)
    )


def next_run_at(facts: AccountFacts, now: datetime) -> datetime | None:
    """When it is looked at next by itself; not before now, and not before its mailbox wants to be asked again."""
    due_at = facts.work.due_at
    if due_at is None or facts.signs.account == "disabled" or not (facts.signs.enabled and facts.signs.begun):
        return None
    return max(due_at, now, facts.paused_until or now)


def _reason(name: StateName, facts: AccountFacts) -> str:
    said = ""
    if name in {"suspended", "disabled"}:
        said = facts.account_reason
    elif name in {"throttled", "failing"}:
        said = facts.work.reason
    return said or _REASONS.get(name, "")


def _since(name: StateName, facts: AccountFacts) -> datetime | None:
    if name in {"suspended", "disabled"}:
        return facts.account_since
    if name in {"throttled", "failing"}:
        return facts.work.since
    if name == "waiting":  # in step, as far as anybody looked
        return min(facts.work.read_at.values(), default=None)
    return {"running": facts.running_since, "held": facts.held_since}.get(name)


def _until(name: StateName, facts: AccountFacts, now: datetime) -> datetime | None:
    if name in {"waiting", "throttled", "failing", "suspended"}:
        planned = next_run_at(facts, now)
        return planned if planned is not None or name != "throttled" else facts.paused_until
    return None
