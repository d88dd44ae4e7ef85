"""Accounts: one mailbox connected to one OroCRM user, with the facts each side told about itself.

Countries and regions of an OroCRM instance are large and the same for most of its accounts: they are taken out of the
facts, stored once by their digest, and put back by whoever reads an account.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from orosync.core.ledger import Account
from orosync.core.records import Json, Side
from orosync.errors import BadInput
from orosync.store import tables
from orosync.store.engine import UtcTime, to_json
from orosync.store.transactions import AccountPart, Transactions

PLACE_LISTS = ("countries", "regions")

_ROW = tables.accounts.c
_ALL = sa.select(tables.accounts).order_by(_ROW.name)
_BY_NAME = sa.select(tables.accounts).where(_ROW.name == sa.bindparam("name"))
_BY_OWNER = sa.select(tables.accounts).where(_ROW.owner == sa.bindparam("owner"))
_OF_MAILBOX = sa.select(tables.accounts).where(sa.func.lower(_ROW.mailbox) == sa.bindparam("mailbox"))
_ADDRESSES_AT = sa.select(_ROW.mailbox, _ROW.facts).where(
    _ROW.orocrm_url == sa.bindparam("url"), _ROW.id != sa.bindparam("besides")
)
_BY_ID = sa.select(tables.accounts).where(_ROW.id == sa.bindparam("account_id"))
_LEASE = tables.leases.c
_LIVE = _LEASE.expires > sa.bindparam("now", type_=UtcTime)
_AT_HAND = _BY_ID.add_columns(
    sa.exists().where(tables.runs.c.account_id == _ROW.id, tables.REQUESTED_RUN).label("wished"),
    sa.exists().where(_LEASE.account_id == _ROW.id, _LEASE.owner.is_not(None), _LIVE).label("leased"),
)
_MINE = _ROW.id == sa.bindparam("account_id_")
_ADD = sa.insert(tables.accounts).returning(_ROW.id)
_CONNECT = sa.update(tables.accounts).where(_MINE)
_REMOVE = sa.delete(tables.accounts).where(_MINE)
_SET_STATE = (
    sa.update(tables.accounts)
    .where(_MINE)
    .values(state=sa.bindparam("new_state"), state_reason=sa.bindparam("reason"), state_since=sa.bindparam("at"))
)
# A run that finds trouble, or finds it gone, must not enable what a person switched off meanwhile.
_SET_STATE_OF_ENABLED = _SET_STATE.where(_ROW.state != "disabled")
_SAVE_FACTS = (
    sa.update(tables.accounts).where(_MINE).values(facts=sa.bindparam("new_facts"), places=sa.bindparam("new_places"))
)
_PLACES = sa.select(tables.places.c.lists).where(tables.places.c.digest == sa.bindparam("digest"))
_ADD_PLACES = {
    "sqlite": sqlite.insert(tables.places).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(tables.places).on_conflict_do_nothing(),
}
_DROP_PLACES = sa.delete(tables.places).where(
    tables.places.c.digest.not_in(sa.select(_ROW.places).where(_ROW.places.is_not(None)))
)


@dataclass(frozen=True, slots=True)
class AtHand:
    """An account as its work is begun. wished: a run that a person asked for waits, or is carried out, or was when its
    worker died. leased: somebody has it."""

    account: Account
    wished: bool
    leased: bool


class Places:
    """The big lists by digest. A digest's lists never change, so they are kept in memory once read."""

    def __init__(self) -> None:
        self._read: dict[str, Json] = {}

    def save(self, connection: sa.Connection, facts: Mapping[str, Json]) -> tuple[dict[str, Json], str | None]:
        """The facts without the lists, and the digest under which the lists are stored (None: there are none)."""
        own = facts.get(Side.ORO) or {}
        lists = {name: own[name] for name in PLACE_LISTS if name in own}
        if not lists:
            return dict(facts), None
        digest = hashlib.sha256(to_json(lists).encode()).hexdigest()
        connection.execute(_ADD_PLACES[connection.dialect.name], {"digest": digest, "lists": lists})
        rest = {name: value for name, value in own.items() if name not in lists}
        return {**facts, Side.ORO.value: rest}, digest

    def join(self, connection: sa.Connection, facts: dict[str, Json], digest: str | None) -> dict[str, Json]:
        if digest is None:
            return facts
        if digest not in self._read:
            self._read[digest] = connection.execute(_PLACES, {"digest": digest}).scalar_one()
        return {**facts, Side.ORO.value: {**facts[Side.ORO], **self._read[digest]}}

    @staticmethod
    def drop_unused(connection: sa.Connection) -> int:
        return int(connection.execute(_DROP_PLACES).rowcount)


class Accounts:
    """All of them, for the command line, the web and whoever starts runs."""

    def __init__(self, transactions: Transactions, places: Places) -> None:
        self._transactions = transactions
        self._places = places

    def add(self, account: Account) -> int:
        """`account.id` is ignored; returns the new id. BadInput if the name is taken, or the owner has an account; the
        transaction it happened in must then be given up."""
        with self._transactions.writing() as connection:
            if connection.execute(_BY_NAME, {"name": account.name}).first() is not None:
                raise _taken(account)
            facts, digest = self._places.save(connection, account.facts)
            row = {
                **_connection_values(account),
                "name": account.name,
                "state": account.state,
                "state_reason": account.state_reason,
                "state_since": account.state_since,
                "facts": facts,
                "places": digest,
                "owner": account.owner,
            }
            try:
                return int(connection.execute(_ADD, row).scalar_one())
            except sa.exc.IntegrityError:  # somebody else's was added since we looked, or the owner has one
                raise _taken(account) from None

    def named(self, name: str) -> Account:
        """BadInput if there is none."""
        with self._transactions.reading() as connection:
            row = connection.execute(_BY_NAME, {"name": name}).first()
            if row is None:
                raise BadInput(
                    f"There is no account named {name!r}.", field="name", remedy="See `orosync accounts list`."
                )
            return _to_account(connection, row, self._places)

    def owned_by(self, owner: str) -> Account | None:
        """The account that this person ("tenant:object id") connected."""
        with self._transactions.reading() as connection:
            row = connection.execute(_BY_OWNER, {"owner": owner}).first()
            return None if row is None else _to_account(connection, row, self._places)

    def of_mailbox(self, mailbox: str) -> list[Account]:
        """Upper and lower case do not count."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_OF_MAILBOX, {"mailbox": mailbox.lower()}).all()
            return [_to_account(connection, row, self._places) for row in rows]

    def addresses_at(self, orocrm_url: str, *, besides: int) -> set[str]:
        """Of the mailboxes of other accounts at this OroCRM: as they were typed, and as the mailboxes name them."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_ADDRESSES_AT, {"url": orocrm_url, "besides": besides}).all()
        named = {str((row.facts.get(Side.OUTLOOK.value) or {}).get("address") or "") for row in rows}
        return ({row.mailbox for row in rows} | named) - {""}

    def get(self, account_id: int) -> Account:
        """BadInput if there is none (any more)."""
        with self._transactions.reading() as connection:
            return read(connection, account_id, self._places)

    def at_hand(self, account_id: int, now: datetime) -> AtHand:
        """BadInput if there is no such account (any more)."""
        with self._transactions.reading() as connection:
            row = connection.execute(_AT_HAND, {"account_id": account_id, "now": now}).first()
            if row is None:
                raise _gone(account_id)
            return AtHand(_to_account(connection, row, self._places), bool(row.wished), bool(row.leased))

    def all(self) -> list[Account]:
        """By name."""
        with self._transactions.reading() as connection:
            rows: Sequence[sa.Row[Any]] = connection.execute(_ALL).all()
            return [_to_account(connection, row, self._places) for row in rows]

    def reconnect(self, account: Account) -> None:
        """Save mailbox, OroCRM's address and user, ways to sign in, certificate and organisation of `account.id`. Its
        name, state and facts stay."""
        with self._transactions.writing() as connection:
            values = {**_connection_values(account), "account_id_": account.id}
            _must_meet(connection.execute(_CONNECT, values), account.id)

    def enable(self, account_id: int, at: datetime) -> None:
        self._set_state(account_id, "active", "", at)

    def disable(self, account_id: int, reason: str, at: datetime) -> None:
        """Runs leave it alone until it is enabled."""
        self._set_state(account_id, "disabled", reason, at)

    def suspend(self, account_id: int, reason: str, at: datetime) -> None:
        """Somebody must act first. Ignored if a person disabled it."""
        values = {"account_id_": account_id, "new_state": "suspended", "reason": reason, "at": at}
        with self._transactions.writing() as connection:
            connection.execute(_SET_STATE_OF_ENABLED, values)

    def remove(self, account_id: int) -> None:
        """With every row of its own, secrets and history included. Whoever holds its lease loses it."""
        with self._transactions.writing() as connection:
            _must_meet(connection.execute(_REMOVE, {"account_id_": account_id}), account_id)

    def _set_state(self, account_id: int, state: str, reason: str, at: datetime) -> None:
        values = {"account_id_": account_id, "new_state": state, "reason": reason, "at": at}
        with self._transactions.writing() as connection:
            _must_meet(connection.execute(_SET_STATE, values), account_id)


class AccountRow(AccountPart):
    """The account itself, as a run sees it. `_places` is set by `AccountStore`."""

    _places: Places
    _begun_with: Account | None = None

    def begin_with(self, account: Account) -> None:
        """As it was read under this lease a moment ago: it goes for the account until this store writes it. Facts are
        its own to write; a state that people set meanwhile is heeded by what is written then."""
        self._begun_with = account

    def account(self) -> Account:
        """BadInput if it was removed."""
        if self._begun_with is not None:
            return self._begun_with
        with self._transactions.reading() as connection:
            return read(connection, self._account_id, self._places)

    def save_facts(self, facts: Mapping[str, Json]) -> None:
        self._begun_with = None
        with self._writing() as connection:
            rest, digest = self._places.save(connection, facts)
            values = {"account_id_": self._account_id, "new_facts": rest, "new_places": digest}
            connection.execute(_SAVE_FACTS, values)

    def set_state(self, state: str, reason: str, at: datetime) -> None:
        """Ignored if the account was disabled by a person."""
        self._begun_with = None
        self._write(
            _SET_STATE_OF_ENABLED,
            {"account_id_": self._account_id, "new_state": state, "reason": reason, "at": at},
        )


def read(connection: sa.Connection, account_id: int, places: Places) -> Account:
    row = connection.execute(_BY_ID, {"account_id": account_id}).first()
    if row is None:
        raise _gone(account_id)
    return _to_account(connection, row, places)


def _connection_values(account: Account) -> dict[str, Any]:
    return {
        "mailbox": account.mailbox,
        "orocrm_url": account.orocrm_url,
        "orocrm_user": account.orocrm_user,
        "oro_auth": account.oro_auth,
        "graph_auth": account.graph_auth,
        "organisation": account.organisation,
        "certificate": account.certificate,
    }


def _must_meet(result: sa.CursorResult[Any], account_id: int) -> None:
    if not result.rowcount:
        raise _gone(account_id)


def _taken(account: Account) -> BadInput:
    return BadInput(
        f"There is an account named {account.name!r}, or of the same person, already.",
        field="name",
        remedy="Choose another name, or remove that account first.",
    )


def _gone(account_id: int) -> BadInput:
    return BadInput(f"There is no account {account_id} (any more).", field="account")


def _to_account(connection: sa.Connection, row: sa.Row[Any], places: Places) -> Account:
    return Account(
        name=row.name,
        mailbox=row.mailbox,
        orocrm_url=row.orocrm_url,
        orocrm_user=row.orocrm_user,
        oro_auth=row.oro_auth,
        graph_auth=row.graph_auth,
        state=row.state,
        state_reason=row.state_reason,
        state_since=row.state_since,
        facts=places.join(connection, row.facts, row.places),
        certificate=row.certificate,
        organisation=row.organisation,
        owner=row.owner,
        id=row.id,
    )
