"""What the pane shows beside a mail, for one account at a time: asked of OroCRM with the account's own sign-in, kept
for a minute so that clicking through mails is quick, and joined with what the store knows of each contact.

In memory alone: addresses are neither stored nor logged.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orosync.bootstrap.parts import oro_client, settings_of
from orosync.config import Config
from orosync.core.beside_mail import Group, Made, NewRecord, NotMade, Person
from orosync.core.ledger import Account
from orosync.core.records import Side
from orosync.oro import beside_mail, capabilities, quick_create
from orosync.oro.client import OroClient
from orosync.store.database import Database
from orosync.sync.ports import Clock
from orosync.sync.standing import LEAD, Standing, contact_standings

KEPT = timedelta(seconds=60)
MOST = 2_000  # answers kept at once, of all accounts together


@dataclass(frozen=True, slots=True)
class Seen:
    """by_address: who has each address. standings: by (type, id). fetched_at: of the oldest part of the answer."""

    by_address: Mapping[str, Sequence[Person]]
    standings: Mapping[tuple[str, str], Standing]
    forbidden: tuple[str, ...]
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class Around:
    groups: Sequence[Group]
    fetched_at: datetime


class BesideMail:
    """One for each application. Safe to use from many threads.

    adapters: URL prefix -> `requests` adapter, for an OroCRM inside this process.
    """

    def __init__(
        self, config: Config, database: Database, clock: Clock, adapters: Mapping[str, Any] | None = None
    ) -> None:
        self._config, self._database, self._clock, self._adapters = config, database, clock, adapters
        self._kept = _Kept(clock.now)
        self._making: dict[int, threading.Lock] = {}
        self._guard = threading.Lock()

    def people(self, account: Account, addresses: Iterable[str]) -> Seen:
        """Raises what OroCRM's client raises, and SideFailing."""
        wanted = list(dict.fromkeys(addresses))
        keys = {each: (_connection(account), "address", each.casefold()) for each in wanted}
        kept = {each: hit for each in wanted if (hit := self._kept.get(keys[each])) is not None}
        missing = [each for each in wanted if each not in kept]
        if missing:
            now = self._clock.now()
            found = beside_mail.people(self._client(account), missing)
            for each in missing:
                kept[each] = (now, (found.by_address[each], found.forbidden))
                self._kept.put(keys[each], *kept[each])
        by_address = {each: kept[each][1][0] for each in wanted}
        forbidden = sorted({type_ for _, (_, types) in kept.values() for type_ in types})
        oldest = min((at for at, _ in kept.values()), default=self._clock.now())
        everybody = [person for some in by_address.values() for person in some]
        return Seen(by_address, self._standings(account, everybody), tuple(forbidden), oldest)

    def records(self, account: Account, type_: str, record: str) -> Around:
        """What there is about one contact or lead. Raises as `people`, RecordMissing, RecordRefused."""
        key = (_connection(account), "records", type_, record)
        hit = self._kept.get(key)
        if hit is None:
            now, client = self._clock.now(), self._client(account)
            calendar = str(_facts(account).get("calendar_id") or "") or capabilities.own_calendar(client)
            hit = (now, tuple(beside_mail.related(client, type_, record, calendar, now)))
            self._kept.put(key, *hit)
        return Around(hit[1], hit[0])

    def create(self, account: Account, new: NewRecord) -> Made | NotMade:
        """Make it, unless an equal one is there. Two equal requests at once wait for each other."""
        with self._guard:
            making = self._making.setdefault(account.id, threading.Lock())
        with making:
            client = self._client(account)
            facts = _facts(account)
            made = quick_create.create(
                client,
                new,
                user=str(facts.get("user_id") or ""),
                zone=str(facts.get("zone") or "") or capabilities.zone(client),
                now=self._clock.now(),
            )
        self._kept.forget(_connection(account))
        return made

    def _client(self, account: Account) -> OroClient:
        return oro_client(self._config, self._database, account, self._adapters, self._clock)

    def _standings(self, account: Account, people: Iterable[Person]) -> dict[tuple[str, str], Standing]:
        everybody = list(people)
        owners = {person.id: person.owner for person in everybody if person.type == "contact"}
        store, settings = self._database.account_store(account.id), settings_of(self._database, account)
        contacts = contact_standings(store, settings, owners, str(_facts(account).get("user_id") or ""))
        leads = {(person.type, person.id): LEAD for person in everybody if person.type == "lead"}
        return leads | {("contact", number): standing for number, standing in contacts.items()}


def _facts(account: Account) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = account.facts.get(Side.ORO.value) or {}
    return facts


def _connection(account: Account) -> tuple[int, str, str]:
    """Whose view of which OroCRM it is: another connection must not meet the answers of the former one."""
    return account.id, account.orocrm_url, account.orocrm_user


class _Kept:
    """Answers with the moment they are of, for a minute; the oldest go first when there are too many."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[Hashable, ...], tuple[datetime, Any]] = OrderedDict()

    def get(self, key: tuple[Hashable, ...]) -> tuple[datetime, Any] | None:
        with self._lock:
            hit = self._answers.get(key)
        return hit if hit is not None and self._now() - hit[0] < KEPT else None

    def put(self, key: tuple[Hashable, ...], at: datetime, answer: Any) -> None:
        with self._lock:
            self._answers.pop(key, None)
            self._answers[key] = (at, answer)
            for each, (when, _) in list(self._answers.items()):  # the oldest stand first
                if len(self._answers) <= MOST and self._now() - when < KEPT:
                    break
                del self._answers[each]

    def forget(self, connection: tuple[int, str, str]) -> None:
        """Everything of one connection."""
        with self._lock:
            for key in [key for key in self._answers if key[0] == connection]:
                del self._answers[key]
