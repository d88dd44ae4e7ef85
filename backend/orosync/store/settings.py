"""Settings as they were set at each level, and who changed them when. What a key means and which values it takes is
decided in `core/settings.py`; here any JSON value but null is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from orosync.errors import BadInput, SettingError
from orosync.store import tables
from orosync.store.transactions import AccountPart, Transactions, Upsert

Levels = tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]
LevelName = Literal["system", "organisation", "user"]

_ROW = tables.settings.c
_SAVE = Upsert(tables.settings)
_OF_LEVEL = sa.select(_ROW.key, _ROW.value).where(
    _ROW.level == sa.bindparam("level"), _ROW.scope == sa.bindparam("scope")
)
_ONE = (
    _ROW.level == sa.bindparam("level_"),
    _ROW.scope == sa.bindparam("scope_"),
    _ROW.key == sa.bindparam("key_"),
)
_VALUE = sa.select(_ROW.value).where(*_ONE)
_UNSET = sa.delete(tables.settings).where(*_ONE)
_CHANGE = tables.setting_changes.c
_NOTE_CHANGE = sa.insert(tables.setting_changes)
_HISTORY = (
    sa.select(tables.setting_changes)
    .where(_CHANGE.level == sa.bindparam("level"), _CHANGE.scope == sa.bindparam("scope"))
    .order_by(_CHANGE.id.desc())
    .limit(sa.bindparam("most"))
)
_ACCOUNT = sa.select(tables.accounts.c.organisation).where(tables.accounts.c.id == sa.bindparam("account_id"))


# one row at least if there is such an account
IN_FORCE = (
    sa.select(_ROW.level, _ROW.key, _ROW.value)
    .select_from(tables.accounts)
    .outerjoin(
        tables.settings,
        sa.or_(
            sa.and_(_ROW.level == "system", _ROW.scope == ""),
            sa.and_(_ROW.level == "organisation", _ROW.scope == tables.accounts.c.organisation),
            sa.and_(_ROW.level == "user", _ROW.scope == sa.bindparam("own_scope")),
        ),
    )
    .where(tables.accounts.c.id == sa.bindparam("account_id"))
)


@dataclass(frozen=True, slots=True)
class Level:
    """Whose settings: use SYSTEM, `organisation(name)` or `user(account_id)`."""

    name: LevelName
    scope: str = ""
    account_id: int | None = None


SYSTEM = Level("system")


def organisation(name: str) -> Level:
    return Level("organisation", name)


def user(account_id: int) -> Level:
    return Level("user", str(account_id), account_id)


@dataclass(frozen=True, slots=True)
class Change:
    """before or after None: not set at that level."""

    level: LevelName
    scope: str
    key: str
    before: Any
    after: Any
    changed_by: str
    at: datetime


class Settings:
    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._now = now

    def get(self, level: Level) -> dict[str, Any]:
        """What was set at this level; missing keys are "use the level above"."""
        with self._transactions.reading() as connection:
            return _of_level(connection, level)

    def set(self, level: Level, key: str, value: Any, *, by: str) -> None:
        """`by` names the person or program, for the history. SettingError for None: that is `unset`."""
        if value is None:
            raise SettingError(f"{key} needs a value.", field=key, remedy="Unset it to use the level above.")
        with self._transactions.writing() as connection:
            if level.account_id is not None:
                _organisation_of(connection, level.account_id)
            before = self._value(connection, level, key)
            if before == value and type(before) is type(value):
                return
            row = {**_key(level), "key": key, "account_id": level.account_id, "value": value}
            connection.execute(_SAVE.into(connection), row)
            self._note(connection, level, key, before=before, after=value, by=by)

    def unset(self, level: Level, key: str, *, by: str) -> bool:
        """Use the level above again. False if it was not set."""
        with self._transactions.writing() as connection:
            before = self._value(connection, level, key)
            if before is None:
                return False
            connection.execute(_UNSET, _one(level, key))
            self._note(connection, level, key, before=before, after=None, by=by)
            return True

    def history(self, level: Level, limit: int = 50) -> list[Change]:
        """Newest first."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_HISTORY, {**_key(level), "most": limit}).all()
        return [Change(row.level, row.scope, row.key, row.before, row.after, row.changed_by, row.at) for row in rows]

    @staticmethod
    def _value(connection: sa.Connection, level: Level, key: str) -> Any:
        return connection.execute(_VALUE, _one(level, key)).scalar_one_or_none()

    def _note(self, connection: sa.Connection, level: Level, key: str, *, before: Any, after: Any, by: str) -> None:
        connection.execute(
            _NOTE_CHANGE,
            {
                **_key(level),
                "key": key,
                "account_id": level.account_id,
                "before": before,
                "after": after,
                "changed_by": by,
                "at": self._now(),
            },
        )


class SettingsLevels(AccountPart):
    def settings_levels(self) -> Levels:
        """(system, organisation, user) as they were set; missing keys are "use the level above"."""
        return by_level(self._account_id, self._rows(IN_FORCE, own_scope=str(self._account_id)))


def by_level(account_id: int, rows: Sequence[sa.Row[Any]]) -> Levels:
    """rows: of `IN_FORCE`. BadInput if there were none."""
    if not rows:
        raise _gone(account_id)
    levels: dict[str, dict[str, Any]] = {"system": {}, "organisation": {}, "user": {}}
    for row in rows:
        if row.level is not None:
            levels[row.level][row.key] = row.value
    return levels["system"], levels["organisation"], levels["user"]


def _gone(account_id: int) -> BadInput:
    return BadInput(f"There is no account {account_id} (any more).", field="account")


def _organisation_of(connection: sa.Connection, account_id: int) -> str:
    name = connection.execute(_ACCOUNT, {"account_id": account_id}).scalar_one_or_none()
    if name is None:
        raise _gone(account_id)
    return str(name)


def _of_level(connection: sa.Connection, level: Level) -> dict[str, Any]:
    return {row.key: row.value for row in connection.execute(_OF_LEVEL, _key(level))}


def _key(level: Level) -> dict[str, str]:
    return {"level": level.name, "scope": level.scope}


def _one(level: Level, key: str) -> dict[str, str]:
    return {"level_": level.name, "scope_": level.scope, "key_": key}
