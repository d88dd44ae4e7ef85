"""The check of a connection: both sides are asked harmless questions, and what is wrong comes with its remedy.

Of an account that is stored, or of a connection that somebody only asks about: then nothing is stored, and a secret is
sent nowhere but to the address it was given for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from orosync.bootstrap.lease import InUse, turn_soon
from orosync.bootstrap.oro_access import client_for_person
from orosync.bootstrap.parts import oro_client, outlook_side, settings_of
from orosync.bootstrap.sign_in import Connection, SecretsPlace, oro_sign_in, put_secrets, stored_tokens
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.core.settings import effective
from orosync.errors import AccountBlocked, BadInput, OrosyncError, SignInNeeded
from orosync.oro import check as oro_check
from orosync.oro.auth import Grant, OAuth
from orosync.oro.client import OroClient
from orosync.outlook.mailbox import OutlookMailbox
from orosync.store.clock import SystemClock
from orosync.store.database import Database
from orosync.store.settings import SYSTEM, organisation
from orosync.sync.ports import Clock


@dataclass(frozen=True, slots=True)
class Finding:
    """side: who was asked. what: url, connection, certificate, clock, sign_in, api, profile, mailbox, contact, task,
    event, webhooks. message and remedy: for people. fingerprint: SHA-256 (hex) of a certificate that is not trusted;
    where `Config.allow_self_signed` says so, a person may compare and pin it (`Account.certificate`)."""

    side: Side
    ok: bool
    what: str
    message: str
    remedy: str = ""
    sign_in: bool = False  # the account's user must act
    fingerprint: str | None = None

    @property
    def blocks(self) -> bool:
        """True if nothing can be synced so; False for what is well, or only to be known (a clock that is off, an entity
        that may not be read)."""
        return not self.ok and self.what not in oro_check.HARMLESS

    def to_json(self) -> dict[str, Any]:
        """As the API tells it: {side, ok, what, message, remedy, fingerprint?}."""
        shown = {"side": self.side.value, "ok": self.ok, "what": self.what}
        shown |= {"message": self.message, "remedy": self.remedy}
        return shown | ({"fingerprint": self.fingerprint} if self.fingerprint else {})


def check_account(
    config: Config,
    database: Database,
    account: Account,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> list[Finding]:
    """What is wrong with either side, each with its remedy. Only reads. Raises nothing but SettingError."""
    time, settings = clock or database.clock, settings_of(database, account)
    entities = [entity for entity in Entity if settings.wants(entity)]
    return [
        *_check_outlook(
            database, account, lambda: outlook_side(config, database, account, settings, adapters, time), time
        ),
        *_check_oro(lambda: oro_client(config, database, account, adapters, time), account, entities, time),
    ]


def check_connection(
    config: Config,
    database: Database,
    candidate: Account,
    connection: Connection,
    *,
    outlook: Callable[[], OutlookMailbox] | None = None,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    renewed: Callable[[Connection], None] | None = None,
) -> list[Finding]:
    """As `check_account`, for what a person typed in the pane: the host must be listed and its address allowed.

    candidate: with the id of the stored account if there is one. What `connection` leaves empty is taken from there,
    if that account signs in to the same OroCRM as the same user in the same way; a stored secret goes to no other
    place. outlook: makes the mailbox to ask as well; None leaves that side out. renewed: gets the connection to save
    in place of `connection`, if tokens had to be renewed, because the given ones are void then.
    """
    time = clock or database.clock
    entities = _wanted(database, candidate)
    secrets = _GivenSecrets(_stored_beneath(database, candidate))
    put_secrets(secrets, candidate, connection)
    if connection.oro_tokens is None and not connection.oro and secrets.beneath is not None:
        place: SecretsPlace = secrets.beneath  # the stored sign-in is used, so what is renewed belongs there
    else:
        place = secrets
    found = [] if outlook is None else _check_outlook(database, candidate, outlook, time)
    found += _check_oro(
        lambda: client_for_person(
            config,
            candidate.orocrm_url,
            candidate.certificate,
            oro_sign_in(config, candidate, place, time),
            adapters,
        ),
        candidate,
        entities,
        time,
    )
    if connection.oro_tokens is not None and renewed is not None:
        newest = stored_tokens(secrets)
        if newest is not None and newest != connection.oro_tokens:
            renewed(replace(connection, oro_tokens=newest))
    return found


def check_oro_page(
    config: Config,
    orocrm_url: str,
    certificate: str | None,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> list[Finding]:
    """Whether a person may be sent to that OroCRM's own sign-in page: it answers, is listed, and has OAuth.

    Nothing is signed in. Raises nothing.
    """
    time = clock or SystemClock()
    nobody = OAuth(Grant("refresh_token", config.oro_oauth_client_id), now=time.now)
    try:
        client = client_for_person(config, orocrm_url, certificate, nobody, adapters)
    except OrosyncError as error:
        return [_not_asked(error)]
    return [_of_oro(each) for each in oro_check.check_unsigned(client, wsse=False, now=time.now)]


class _GivenSecrets:
    """Secrets of a connection that is not stored, over the stored ones of an account, which stay as they are."""

    def __init__(self, beneath: SecretsPlace | None) -> None:
        self.beneath = beneath
        self._given: dict[str, str | None] = {}

    def get(self, name: str) -> str | None:
        if name in self._given or self.beneath is None:
            return self._given.get(name)
        return self.beneath.get(name)

    def set(self, name: str, text: str) -> None:
        self._given[name] = text

    def forget(self, name: str) -> None:
        self._given[name] = None


def _stored_beneath(database: Database, candidate: Account) -> SecretsPlace | None:
    if not candidate.id or _sign_in_of(database.accounts.get(candidate.id)) != _sign_in_of(candidate):
        return None
    return database.secrets(candidate.id)


def _sign_in_of(account: Account) -> tuple[str, str, str]:
    return account.orocrm_url.rstrip("/"), account.orocrm_user, account.oro_auth


def _wanted(database: Database, candidate: Account) -> list[Entity]:
    """The entities to be synced: of an account that is not there yet, by the levels above it."""
    if candidate.id:
        settings = settings_of(database, candidate)
    else:
        levels = database.settings
        settings = effective(levels.get(SYSTEM), levels.get(organisation(candidate.organisation)), {})
    return [entity for entity in Entity if settings.wants(entity)]


def _check_outlook(
    database: Database, account: Account, side: Callable[[], OutlookMailbox], clock: Clock
) -> list[Finding]:
    try:
        with turn_soon(database, account.mailbox, clock):
            facts = side().discover()
    except InUse as error:  # by a run, so it answers; asking beside it would be one request too many
        return [Finding(Side.OUTLOOK, True, "mailbox", error.message)]
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
    client: Callable[[], OroClient], account: Account, entities: Collection[Entity], clock: Clock
) -> list[Finding]:
    try:
        ready = client()
    except OrosyncError as error:
        return [_not_asked(error)]
    found = oro_check.check(ready, entities, wsse=account.oro_auth == "wsse", now=clock.now)
    return [_of_oro(each) for each in found]


def _not_asked(error: OrosyncError) -> Finding:
    """Without a request: the address is none of ours, or there is no secret."""
    not_ours = isinstance(error, AccountBlocked) or (isinstance(error, BadInput) and error.field == "orocrm_url")
    what = "url" if not_ours else "sign_in"
    signed_out = isinstance(error, SignInNeeded)
    return Finding(Side.ORO, False, what, error.message, error.remedy, sign_in=signed_out)


def _of_oro(found: oro_check.Finding) -> Finding:
    signed_out = not found.ok and found.what == "sign_in"
    return Finding(
        Side.ORO, found.ok, found.what, found.message, found.remedy, signed_out, fingerprint=found.fingerprint
    )
