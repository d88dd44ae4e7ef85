"""What a run and the plan for the next one go by, in one question: the settings that were made for an account, whether
its first sync began, whether anybody promised to call, and whether a run left something open."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from orosync.store import tables
from orosync.store.settings import IN_FORCE, Levels, by_level
from orosync.store.transactions import AccountPart

_ME: sa.BindParameter[int] = sa.bindparam("account_id")
_BEGUN = sa.or_(
    sa.exists().where(tables.cursors.c.account_id == _ME, tables.cursors.c.first_done),
    sa.exists().where(tables.links.c.account_id == _ME),
)
_HERE = tables.webhooks.c.orocrm_url == sa.func.rtrim(tables.accounts.c.orocrm_url, "/")
_STANDING = IN_FORCE.add_columns(
    _BEGUN.label("begun"),
    sa.exists().where(tables.subscriptions.c.account_id == _ME).label("subscribed"),
    sa.exists().where(_HERE).label("hooked"),
    sa.exists().where(tables.intents.c.account_id == _ME).label("intends"),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """levels: settings of (system, organisation, user) as they were set; missing keys are "use the level above".
    begun: a first sync came to its end, or got as far as its first pair. subscribed, hooked: there is a subscription of
    the account, or a registration for a webhook of its OroCRM, whatever became of it. intends: there is an intent."""

    levels: Levels
    begun: bool
    subscribed: bool
    hooked: bool
    intends: bool


class AccountStanding(AccountPart):
    def standing(self) -> Standing:
        """BadInput if the account was removed."""
        rows = self._rows(_STANDING, own_scope=str(self._account_id))
        levels = by_level(self._account_id, rows)
        row = rows[0]
        return Standing(levels, bool(row.begun), bool(row.subscribed), bool(row.hooked), bool(row.intends))
