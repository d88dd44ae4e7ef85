"""Microsoft Graph calls us when a mailbox changes: subscriptions of an account are made, renewed and ended.

A hint and nothing more: every mailbox is polled all the same, so whatever goes wrong here is noted once, tried again
with growing pauses, and never fails a run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog

from orosync.bootstrap.lease import turn_soon
from orosync.bootstrap.parts import graph_client, settings_of
from orosync.config import Config
from orosync.config_values import LOOPBACK
from orosync.core.ledger import Account
from orosync.core.push import Subscription, failed, granted, lost, next_step, refused
from orosync.core.records import Entity, Side
from orosync.core.settings import Settings
from orosync.errors import AccountBlocked, OrosyncError, SignInNeeded, Throttled
from orosync.outlook.allowance import Allowance
from orosync.outlook.client import GraphClient
from orosync.outlook.mailbox import DEFAULT
from orosync.outlook.subscriptions import Refused, Subscriptions, resources
from orosync.store.database import Database
from orosync.sync.ports import Clock

HOOK = "/api/v1/hooks/graph"
LIFECYCLE = HOOK + "/lifecycle"
_PATIENCE_S = 1.0  # for a mailbox that a run has: what is not ended then ends by itself
_TIMEOUTS = (3.0, 5.0)  # of requests that a person waits for

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Keeper:
    database: Database
    account: Account
    at_graph: Subscriptions
    clock: Clock
    chance: Callable[[], float]

    def tend(self, each: Subscription) -> bool:
        """Whatever is due for it. True if it was made anew, so that something may have changed unseen. Raises what ends
        all requests to the mailbox for now: Throttled, SignInNeeded, AccountBlocked."""
        step = next_step(each, self.clock.now())
        if step in {"keep", "wait"}:
            return False
        try:
            if step == "renew" and each.id is not None:
                renewed = self.at_graph.renew(each.id, each.entity)
                if renewed is not None:
                    self._save(granted(each, renewed.id, renewed.expires, self.clock.now()))
                    return False
                each = lost(each)
            made = self.at_graph.create(each.resource, each.entity)
        except Refused as error:
            _log.info("push is not offered", **self._about(each), why=error.message)
            self._save(refused(each, self.clock.now()))
        except OrosyncError as error:
            self._note_failure(each, error)
            if isinstance(error, Throttled | SignInNeeded | AccountBlocked):
                raise
        else:
            self._save(granted(each, made.id, made.expires, self.clock.now(), made.digest))
            return True
        return False

    def end(self, each: Subscription) -> None:
        """It is not wanted any more. Best effort: one that stays ends by itself, and is refused meanwhile."""
        self.database.subscriptions.drop(each)
        if each.id is not None:
            self.at_graph.delete(each.id)

    def _note_failure(self, each: Subscription, error: OrosyncError) -> None:
        retry_after_s = error.retry_after_s if isinstance(error, Throttled) else None
        if each.attempts == 0:
            _log.warning("a subscription could not be kept", **self._about(each), why=str(error))
        self._save(failed(each, self.clock.now(), retry_after_s, self.chance()))

    def _save(self, each: Subscription) -> None:
        self.database.subscriptions.save(each)

    def _about(self, each: Subscription) -> dict[str, str]:
        return {"account": self.account.name, "entity": each.entity.value}


def push_url(config: Config) -> str:
    """Where the other systems reach us; "" if they cannot, or are not to."""
    parts = urlsplit(config.public_url)
    safe = parts.scheme == "https" or (config.allow_insecure_loopback and parts.hostname in LOOPBACK)
    return config.public_url.rstrip("/") if config.push and safe else ""


def keep_graph_push(
    config: Config,
    database: Database,
    account: Account,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    allowance: Allowance | None = None,
    chance: Callable[[], float] = random.random,
    subscribed: bool = True,
) -> None:
    """After a run, while the account's lease and its turn at the mailbox last: make what is missing, renew what ages,
    end what is not wanted. Mostly nothing is to be done, and then nothing is asked. Raises nothing of Graph's, and what
    database and settings raise. subscribed: False if there is nothing to end."""
    if not subscribed and not push_url(config):
        return
    time = clock or database.clock
    account = database.accounts.get(account.id)  # the run may have found other folders
    rows = {each.resource: each for each in database.subscriptions.of_account(account.id, Side.OUTLOOK)}
    wanted = _wanted(account, settings_of(database, account)) if push_url(config) else {}
    due = [each for each in rows.values() if each.resource not in wanted]
    tended = [
        rows.get(resource) or Subscription(account.id, Side.OUTLOOK, resource, entity)
        for resource, entity in wanted.items()
    ]
    if not due and all(next_step(each, time.now()) in {"keep", "wait"} for each in tended):
        return
    made = False
    try:
        with graph_client(config, database, account, adapters, allowance) as client:
            keeper = _keeper(config, database, account, client, time, chance)
            for each in due:
                _quietly(keeper.end, each)
            for each in tended:
                made |= keeper.tend(each)
    except OrosyncError:
        pass  # noted already, or said by the next run in its own words
    if made:  # what happened between the run's look and the subscription was told to nobody
        database.due_work.call([account.id], frozenset({Side.OUTLOOK}))


def end_graph_push(
    config: Config,
    database: Database,
    account: Account,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> None:
    """The account is removed or switched off. Best effort, and soon over, because a person waits for it; raises
    nothing of Graph's."""
    rows = database.subscriptions.of_account(account.id, Side.OUTLOOK)
    for each in rows:
        database.subscriptions.drop(each)
    if not any(each.id for each in rows):
        return
    time = clock or database.clock
    try:
        with (
            turn_soon(database, account.mailbox, time, _PATIENCE_S) as allowance,
            graph_client(config, database, account, adapters, allowance, timeouts=_TIMEOUTS) as client,
        ):
            at_graph = _keeper(config, database, account, client, time, random.random).at_graph
            for each in rows:
                if each.id is not None:
                    at_graph.delete(each.id)
    except OrosyncError as error:
        _log.info("subscriptions are left to end by themselves", account=account.name, why=str(error))


def _quietly(end: Callable[[Subscription], None], each: Subscription) -> None:
    try:
        end(each)
    except OrosyncError as error:
        _log.info("a subscription is left to end by itself", entity=each.entity.value, why=str(error))


def _keeper(
    config: Config,
    database: Database,
    account: Account,
    client: GraphClient,
    clock: Clock,
    chance: Callable[[], float],
) -> _Keeper:
    def is_ours(id: str) -> bool:
        found = database.subscriptions.with_ids(Side.OUTLOOK, [id]).get(id)
        return found is not None and found.account_id != account.id  # of its own one nobody has the secret any more

    url = push_url(config) or config.public_url
    at_graph = Subscriptions(client, hook=url + HOOK, lifecycle=url + LIFECYCLE, now=clock.now, is_ours=is_ours)
    return _Keeper(database, account, at_graph, clock, chance)


def _wanted(account: Account, settings: Settings) -> dict[str, Entity]:
    """By resource. Nothing for an account that is not kept in step by itself."""
    if account.state == "disabled" or not settings.enable_sync:
        return {}
    facts = account.facts.get(Side.OUTLOOK.value, {})
    user = "me" if account.graph_auth == "user" else account.mailbox
    chosen = [entity for entity in Entity if settings.container_name(entity) != DEFAULT]
    entities = [entity for entity in Entity if settings.wants(entity)]
    forbidden = facts.get("forbidden", [])
    return resources(
        user, facts.get("containers", {}), chosen, [entity for entity in entities if str(entity) not in forbidden]
    )
