"""OroCRM calls us when something changes there: its webhooks are registered, looked after and taken back.

One registration for each instance and topic serves all accounts of that instance, whoever's user may make it. It is a
hint and nothing more: every account is polled all the same, so whatever goes wrong here is noted and let be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from orosync.bootstrap.graph_push import push_url
from orosync.bootstrap.parts import oro_client
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.core.records import Entity
from orosync.core.webhooks import TOPICS
from orosync.errors import OrosyncError
from orosync.oro import webhooks as at_oro
from orosync.oro.client import OroClient
from orosync.oro.webhooks import WebhooksForbidden
from orosync.store.database import Database
from orosync.store.webhooks import Webhook
from orosync.sync.ports import Clock

HOOKS = "/api/v1/hooks/oro"
VERIFY_EVERY = timedelta(hours=6)
REST = timedelta(days=1)  # of an account whose OroCRM, or whose user's role, has no webhooks for it
TRY_AGAIN = timedelta(minutes=10)
HEARD_WITHIN = timedelta(days=1)  # an OroCRM that never gets through to us is polled as if it did not call

_log = structlog.get_logger(__name__)


def keep_oro_push(
    config: Config,
    database: Database,
    account: Account,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> None:
    """After a run: nothing is asked of OroCRM unless it is time to. Raises nothing of OroCRM's."""
    time = clock or database.clock
    now = time.now()
    if not push_url(config) or not _is_due(database.webhooks.of_instance(account.orocrm_url), now):
        return
    rests_until = database.webhooks.rests_until(account.id)
    if rests_until is not None and rests_until > now:
        return
    try:
        client = oro_client(config, database, account, adapters, time)
        rest = TRY_AGAIN if _look_after(config, database, account, client) else REST
    except WebhooksForbidden:
        rest = REST
    except OrosyncError as error:
        _log.info("OroCRM's webhooks could not be looked after", account=account.name, error=type(error).__name__)
        rest = TRY_AGAIN
    database.webhooks.rest(account.id, now + rest)


def leave_oro_push(
    config: Config,
    database: Database,
    account: Account,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> None:
    """Before an account is removed: with the last one of its instance the registrations go. One that cannot be taken
    back now goes by itself, since its next call is answered with 410. Raises nothing of OroCRM's."""
    hooks = database.webhooks.of_instance(account.orocrm_url)
    if not hooks or database.webhooks.accounts(account.orocrm_url, but=account.id):
        return
    try:
        client = oro_client(config, database, account, adapters, clock or database.clock)
        for hook in hooks:
            if hook.remote_id is not None:
                at_oro.delete(client, hook.remote_id)
    except OrosyncError as error:
        _log.info("OroCRM's webhooks could not be taken back", account=account.name, error=type(error).__name__)
    for hook in hooks:
        database.webhooks.drop(hook.digest)


def oro_calls(database: Database, account: Account, wanted: Collection[Entity]) -> bool:
    """OroCRM says by itself when a record of these entities changes, and has lately been heard to."""
    hooks = [each for each in database.webhooks.of_instance(account.orocrm_url) if each.remote_id and each.enabled]
    heard = max((each.heard_at for each in hooks if each.heard_at is not None), default=None)
    if heard is None or database.webhooks.now() - heard > HEARD_WITHIN:
        return False
    have = {each.topic for each in hooks}
    return bool(wanted) and all(name in have for name, topic in TOPICS.items() if topic.entity in wanted)


def _is_due(hooks: Sequence[Webhook], now: datetime) -> bool:
    return not hooks or min(each.verified_at for each in hooks) + VERIFY_EVERY <= now


def _look_after(config: Config, database: Database, account: Account, client: OroClient) -> bool:
    """False if this OroCRM has no topic for us."""
    offered = at_oro.offered(client) or frozenset()
    _verify(database, account, client)
    for topic in sorted(offered):
        making = database.webhooks.begin(account.orocrm_url, topic)
        if making is None:
            continue  # it is there, or somebody else is making it
        try:
            url = f"{push_url(config)}{HOOKS}/{making.token}"
            database.webhooks.made(making.digest, at_oro.register(client, topic, url, making.secret))
        except OrosyncError:
            database.webhooks.drop(making.digest)
            raise
    return bool(offered)


def _verify(database: Database, account: Account, client: OroClient) -> None:
    """What is no longer there is forgotten, and made again if it is still offered."""
    hooks = [each for each in database.webhooks.of_instance(account.orocrm_url) if each.remote_id is not None]
    found = at_oro.standing(client, [each.remote_id for each in hooks if each.remote_id is not None])
    for hook in hooks:
        if hook.remote_id in found:
            database.webhooks.verified(hook.digest, enabled=found[hook.remote_id])
        else:
            database.webhooks.drop(hook.digest)
