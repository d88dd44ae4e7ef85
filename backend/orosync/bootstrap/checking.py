"""The check of a connection: both sides are asked harmless questions, and what is wrong comes with its remedy."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from orosync.bootstrap.parts import SystemClock, oro_client, outlook_side, settings_of
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.errors import OrosyncError, SignInNeeded
from orosync.oro import check as oro_check
from orosync.store.database import Database
from orosync.sync.ports import Clock


@dataclass(frozen=True, slots=True)
class Finding:
    """side: who was asked. message and remedy: for people."""

    side: Side
    ok: bool
    what: str
    message: str
    remedy: str = ""
    sign_in: bool = False  # the account's user must act


def check_account(
    config: Config,
    database: Database,
    account: Account,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> list[Finding]:
    """What is wrong with either side, each with its remedy. Only reads. Raises nothing but SettingError."""
    time, settings = clock or SystemClock(), settings_of(database, account)
    entities = [entity for entity in Entity if settings.wants(entity)]
    return [
        *_check_outlook(config, database, account, adapters, time),
        *_check_oro(config, database, account, entities, adapters, time),
    ]


def _check_outlook(
    config: Config, database: Database, account: Account, adapters: Mapping[str, Any] | None, clock: Clock
) -> list[Finding]:
    try:
        facts = outlook_side(config, database, account, adapters, clock).discover()
    except OrosyncError as error:
        what = "sign_in" if isinstance(error, SignInNeeded) else "mailbox"
        return [Finding(Side.OUTLOOK, False, what, error.message, error.remedy, sign_in=what == "sign_in")]
    findings = [Finding(Side.OUTLOOK, True, "mailbox", f"The mailbox of {facts['address']} answers ({facts['zone']}).")]
    for name in facts.get("forbidden", []):
        remedy = f"Ask the administrator to consent to {_PERMISSION[Entity(name)]}, or switch {name}s off."
        findings.append(Finding(Side.OUTLOOK, False, name, f"Microsoft 365 does not let us read {name}s.", remedy))
    for name, container in facts["containers"].items():
        if name not in facts.get("forbidden", []):
            text = f"{name.capitalize()}s can be read." if container is not None else "The folder will be created."
            findings.append(Finding(Side.OUTLOOK, True, name, text))
    return findings


_PERMISSION = {
    Entity.CONTACT: "Contacts.ReadWrite",
    Entity.TASK: "Tasks.ReadWrite",
    Entity.EVENT: "Calendars.ReadWrite",
}


def _check_oro(
    config: Config,
    database: Database,
    account: Account,
    entities: Collection[Entity],
    adapters: Mapping[str, Any] | None,
    clock: Clock,
) -> list[Finding]:
    try:
        client = oro_client(config, database, account, adapters, clock)
    except OrosyncError as error:
        signed_out = isinstance(error, SignInNeeded)
        return [Finding(Side.ORO, False, "sign_in", error.message, error.remedy, sign_in=signed_out)]
    found = oro_check.check(client, entities, wsse=account.oro_auth == "wsse", now=clock.now)
    return [
        Finding(Side.ORO, each.ok, each.what, each.message, each.remedy, not each.ok and each.what == "sign_in")
        for each in found
    ]
