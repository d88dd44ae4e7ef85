"""A side's promise to call when something changes, and what is to be done about it: make it, renew it, let it rest.

Pure: times and random numbers are arguments. Rule R3 of the engine's specification; a lost promise costs latency and
nothing else, because every side is polled all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from orosync.core.records import Entity, Side
from orosync.core.schedule import retry_at

REFUSED = timedelta(days=1)  # what a cloud, a tenant or a role does not offer is asked for again on another day
RENEW_BELOW = 1 / 3  # of its life
FIRST_RETRY_S = 60.0  # after a failure: nobody waits for it, so it need not be soon

# renew: it lives, and the other system asked for a renewal. missing: there is none (any more). refused: as missing, and
# it was not a mishap.
State = Literal["active", "renew", "missing", "refused"]
Step = Literal["keep", "make", "renew", "wait"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One for each account, side and resource. id: the other system's, None while there is none. digest: SHA-256, in
    hex, of the secret that the other system sends along. secret: what has to be known again, encrypted. since: when it
    was made or last renewed. attempts: failures in a row; nothing is tried before next_try."""

    account_id: int
    side: Side
    resource: str
    entity: Entity
    id: str | None = None
    digest: str = ""
    secret: str | None = None
    state: State = "missing"
    since: datetime | None = None
    expires: datetime | None = None
    attempts: int = 0
    next_try: datetime | None = None


def is_alive(subscription: Subscription, now: datetime) -> bool:
    """The other side calls. Without an expiry it does until it says otherwise."""
    if subscription.id is None or subscription.state in {"missing", "refused"}:
        return False
    return subscription.expires is None or subscription.expires > now


def calls_by_itself(subscriptions: Iterable[Subscription], wanted: Collection[Entity], now: datetime) -> bool:
    """There is somebody to call for every entity that is wanted, so a poll now and then is enough."""
    living = {each.entity for each in subscriptions if is_alive(each, now)}
    return bool(wanted) and living >= set(wanted)


def next_step(subscription: Subscription, now: datetime) -> Step:
    if subscription.next_try is not None and now < subscription.next_try:
        return "wait"
    if not is_alive(subscription, now):
        return "make"
    return "renew" if subscription.state == "renew" or _is_ageing(subscription, now) else "keep"


def _is_ageing(subscription: Subscription, now: datetime) -> bool:
    if subscription.expires is None or subscription.since is None:
        return False
    return subscription.expires - now < (subscription.expires - subscription.since) * RENEW_BELOW


def granted(
    subscription: Subscription, id: str, expires: datetime | None, now: datetime, digest: str = ""
) -> Subscription:
    """Made, or renewed. digest: of a new secret."""
    return replace(
        subscription,
        id=id,
        digest=digest or subscription.digest,
        state="active",
        since=now,
        expires=expires,
        attempts=0,
        next_try=None,
    )


def refused(subscription: Subscription, now: datetime) -> Subscription:
    """It is not to be had, and that is no mishap."""
    return replace(subscription, id=None, digest="", state="refused", expires=None, attempts=0, next_try=now + REFUSED)


def lost(subscription: Subscription) -> Subscription:
    """The other system dropped it: to be made anew at once."""
    return replace(subscription, id=None, digest="", state="missing", expires=None, attempts=0, next_try=None)


def failed(
    subscription: Subscription, now: datetime, retry_after_s: float | None, random_fraction: float
) -> Subscription:
    """It could not be made or renewed just now. What lives goes on living meanwhile."""
    attempts = subscription.attempts + 1
    next_try = retry_at(now, max(retry_after_s or 0.0, FIRST_RETRY_S), attempts, random_fraction)
    return replace(subscription, attempts=attempts, next_try=next_try)
