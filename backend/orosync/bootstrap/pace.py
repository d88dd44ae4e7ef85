"""How often an account's sides are asked: by its settings, once it had a first sync, and less where a side calls."""

from __future__ import annotations

from orosync.bootstrap.parts import settings_of
from orosync.core.due import Pace
from orosync.core.ledger import Account
from orosync.core.records import Side
from orosync.store.database import Database


def pace_of(database: Database, account: Account) -> Pace:
    """Raises SettingError for a stored value that is not valid any more."""
    settings = settings_of(database, account)
    begun = database.account_store(account.id).has_begun()
    interval_s = {
        Side.OUTLOOK: float(settings.outlook_sync_interval),
        Side.ORO: float(settings.crm_sync_interval),
    }
    return Pace(interval_s, enabled=settings.enable_sync and begun and account.state != "disabled")
