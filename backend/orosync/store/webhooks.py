"""Our registrations for OroCRM's webhooks: one for each instance and topic, whoever's account made it.

A token is in the address that OroCRM calls. It is sealed with the operator's key, so that one of a registration that we
have forgotten is still known for ours; of one in use a digest is kept. Written without any account's lease: a call from
outside must never wait for a run.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from orosync.core.records import Entity, Side
from orosync.errors import ConfigurationError
from orosync.store import tables
from orosync.store.transactions import Transactions, Upsert
from orosync.store.vault import Vault

IN_THE_MAKING = timedelta(minutes=10)  # then whoever was making it is taken for dead
HEARD_AGAIN = timedelta(minutes=10)  # how long a message is known for one that came already
_HEARD_EVERY = timedelta(minutes=5)  # a busy instance need not write at every call that it calls
_PURPOSE = "orocrm webhook"

_ROW = tables.webhooks.c
_ONE = _ROW.digest == sa.bindparam("digest_")
_OF_INSTANCE = sa.select(tables.webhooks).where(_ROW.orocrm_url == sa.bindparam("url_")).order_by(_ROW.topic)
_BY_DIGEST = sa.select(tables.webhooks).where(_ONE)
_ADD: dict[str, Any] = {
    "sqlite": sqlite.insert(tables.webhooks).on_conflict_do_nothing().returning(_ROW.digest),
    "postgresql": postgresql.insert(tables.webhooks).on_conflict_do_nothing().returning(_ROW.digest),
}
_DROP = sa.delete(tables.webhooks).where(_ONE)
_DROP_STALE = sa.delete(tables.webhooks).where(
    _ROW.orocrm_url == sa.bindparam("url_"),
    _ROW.topic == sa.bindparam("topic_"),
    _ROW.remote_id.is_(None),
    _ROW.made_at < sa.bindparam("before_"),
)
_MADE = sa.update(tables.webhooks).where(_ONE).values(remote_id=sa.bindparam("remote_id_"))
_LOOKED_AT = sa.update(tables.webhooks).where(_ONE).values(verified_at=sa.bindparam("at_"), enabled=sa.bindparam("on_"))
_CALLED = sa.update(tables.webhooks).where(_ONE).values(heard_at=sa.bindparam("at_"))
_ALL_SEALED = sa.select(_ROW.digest, _ROW.secret)
_RESEAL = sa.update(tables.webhooks).where(_ONE).values(secret=sa.bindparam("secret_"))

_MESSAGE = tables.heard_messages.c
_FORGET_MESSAGES = sa.delete(tables.heard_messages).where(_MESSAGE.expires <= sa.bindparam("now_"))
_HAS_HEARD = sa.select(_MESSAGE.digest).where(
    _MESSAGE.digest == sa.bindparam("digest_"), _MESSAGE.expires > sa.bindparam("now_")
)
_HEAR: dict[str, Any] = {
    "sqlite": sqlite.insert(tables.heard_messages).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(tables.heard_messages).on_conflict_do_nothing(),
}

_REST = Upsert(tables.webhook_rests)
_RESTS_UNTIL = sa.select(tables.webhook_rests.c.until).where(
    tables.webhook_rests.c.account_id == sa.bindparam("account_id_")
)

_ACCOUNT = tables.accounts.c
# as accounts were given it, with or without a slash at its end
_HERE = sa.func.rtrim(_ACCOUNT.orocrm_url, "/") == sa.bindparam("url_")
_ACCOUNTS = sa.select(_ACCOUNT.id).where(_HERE).order_by(_ACCOUNT.id)
_ANY_ACCOUNT = sa.select(_ACCOUNT.id).where(_HERE).limit(1)
_LINKED = sa.exists().where(
    tables.links.c.account_id == _ACCOUNT.id,
    tables.links.c.entity == sa.bindparam("entity_"),
    tables.links.c.oro_id == sa.bindparam("record_"),
    tables.LIVE_LINK,
)
_ALONE = sa.exists().where(
    tables.unlinked.c.account_id == _ACCOUNT.id,
    tables.unlinked.c.side == Side.ORO.value,
    tables.unlinked.c.entity == sa.bindparam("entity_"),
    tables.unlinked.c.record_id == sa.bindparam("record_"),
)
_HOLDING = _ACCOUNTS.where(sa.or_(_LINKED, _ALONE))


@dataclass(frozen=True, slots=True)
class Webhook:
    """remote_id: OroCRM's, None while it is being made. verified_at: when it was last seen there. heard_at: when it
    last called, give or take some minutes. enabled: an administrator of OroCRM may switch it off."""

    digest: str
    orocrm_url: str
    topic: str
    remote_id: str | None
    made_at: datetime
    verified_at: datetime
    heard_at: datetime | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class InTheMaking:
    """What is to be registered. secret: OroCRM signs with it."""

    digest: str
    token: str
    secret: str


def instance_of(orocrm_url: str) -> str:
    """The address under which an instance goes here."""
    return orocrm_url.rstrip("/")


class Webhooks:
    def __init__(self, transactions: Transactions, vault: Callable[[], Vault], now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._vault = vault
        self.now = now

    # registrations

    def of_instance(self, orocrm_url: str) -> list[Webhook]:
        """By topic; those in the making as well."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_OF_INSTANCE, {"url_": instance_of(orocrm_url)})
            return [_to_webhook(row) for row in rows]

    def begin(self, orocrm_url: str, topic: str) -> InTheMaking | None:
        """To be followed by `made` or `drop`. None: there is one, or somebody is making one."""
        vault, now = self._vault(), self.now()
        token, secret = vault.encrypt(_PURPOSE), secrets.token_urlsafe(32)
        values = {
            "digest": _digest(token),
            "orocrm_url": instance_of(orocrm_url),
            "topic": topic,
            "remote_id": None,
            "secret": vault.encrypt_json([_PURPOSE, _digest(token), secret]),
            "made_at": now,
            "verified_at": now,
            "heard_at": None,
            "enabled": True,
        }
        stale = {"url_": values["orocrm_url"], "topic_": topic, "before_": now - IN_THE_MAKING}
        with self._transactions.writing() as connection:
            connection.execute(_DROP_STALE, stale)
            new = connection.execute(_ADD[connection.dialect.name], values).scalar_one_or_none()
        return None if new is None else InTheMaking(_digest(token), token, secret)

    def made(self, digest: str, remote_id: str) -> None:
        self._write(_MADE, {"digest_": digest, "remote_id_": remote_id})

    def verified(self, digest: str, *, enabled: bool) -> None:
        """It is still there."""
        self._write(_LOOKED_AT, {"digest_": digest, "at_": self.now(), "on_": enabled})

    def drop(self, digest: str) -> None:
        self._write(_DROP, {"digest_": digest})

    def rest(self, account_id: int, until: datetime) -> None:
        """This account does not ask OroCRM about webhooks before then."""
        with self._transactions.writing() as connection:
            connection.execute(_REST.into(connection), {"account_id": account_id, "until": until})

    def rests_until(self, account_id: int) -> datetime | None:
        with self._transactions.reading() as connection:
            found: datetime | None = connection.execute(_RESTS_UNTIL, {"account_id_": account_id}).scalar_one_or_none()
        return found

    # calls

    def called(self, token: str) -> tuple[Webhook, str] | None:
        """The registration behind an address, and its secret. None as well if it does not open any more."""
        with self._transactions.reading() as connection:
            row = connection.execute(_BY_DIGEST, {"digest_": _digest(token)}).first()
        if row is None:
            return None
        try:
            purpose, digest, secret = self._vault().decrypt_json(row.secret)
        except ConfigurationError:
            return None
        return (_to_webhook(row), str(secret)) if (purpose, digest) == (_PURPOSE, row.digest) else None

    def was_ours(self, token: str) -> bool:
        """One that we once gave to an OroCRM, and have no use for any more."""
        try:
            return self._vault().decrypt(token) == _PURPOSE
        except ConfigurationError:
            return False

    def has_heard(self, webhook: Webhook, message_id: str) -> bool:
        """This very message came a short while ago."""
        values = {"digest_": _message(webhook, message_id), "now_": self.now()}
        with self._transactions.reading() as connection:
            return connection.execute(_HAS_HEARD, values).first() is not None

    def hear(self, webhook: Webhook, message_id: str) -> None:
        now = self.now()
        known = {"digest": _message(webhook, message_id), "expires": now + HEARD_AGAIN}
        with self._transactions.writing() as connection:
            connection.execute(_FORGET_MESSAGES, {"now_": now})
            connection.execute(_HEAR[connection.dialect.name], known)
            if webhook.heard_at is None or now - webhook.heard_at >= _HEARD_EVERY:
                connection.execute(_CALLED, {"digest_": webhook.digest, "at_": now})

    def accounts(self, orocrm_url: str, *, but: int = 0) -> list[int]:
        """Ids of the accounts of an instance, switched off or not; `but` is left out."""
        with self._transactions.reading() as connection:
            found = connection.execute(_ACCOUNTS, {"url_": instance_of(orocrm_url)}).scalars()
            return [each for each in found if each != but]

    def has_accounts(self, orocrm_url: str) -> bool:
        with self._transactions.reading() as connection:
            return connection.execute(_ANY_ACCOUNT, {"url_": instance_of(orocrm_url)}).first() is not None

    def holding(self, orocrm_url: str, entity: Entity, record_id: str) -> list[int]:
        """Of those, the ones that know this record, linked or alone."""
        values = {"url_": instance_of(orocrm_url), "entity_": entity.value, "record_": record_id}
        with self._transactions.reading() as connection:
            return list(connection.execute(_HOLDING, values).scalars())

    def _write(self, statement: sa.Executable, values: Mapping[str, Any]) -> None:
        with self._transactions.writing() as connection:
            connection.execute(statement, values)


def reseal(connection: sa.Connection, vault: Vault) -> int:
    """Secrets that have another key than the operator's newest get that; returns how many. What does not open any more
    is dropped, and registered anew in time. Addresses stay as they are: they are known by their digest."""
    count = 0
    for row in connection.execute(_ALL_SEALED).all():
        if vault.is_newest(row.secret):
            continue
        try:
            sealed = vault.encrypt(vault.decrypt(row.secret))
        except ConfigurationError:
            connection.execute(_DROP, {"digest_": row.digest})
        else:
            connection.execute(_RESEAL, {"digest_": row.digest, "secret_": sealed})
            count += 1
    return count


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _message(webhook: Webhook, message_id: str) -> str:
    return _digest(f"{webhook.digest} {message_id}")


def _to_webhook(row: sa.Row[Any]) -> Webhook:
    return Webhook(**{name: value for name, value in row._asdict().items() if name != "secret"})
