"""Who is connected with whom: facts of both sides, named containers, and which entities a run is about.

Facts are kept for a day, so that an idle run asks for nothing but changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from orosync.core.records import Entity, Json, Side
from orosync.errors import AccountBlocked
from orosync.sync.both_sides import Talk, talk_with
from orosync.sync.session import Session, context_of

_FACTS_LAST = timedelta(hours=24)


def prepare(session: Session) -> None:
    """Facts of both sides, kept for a day; the endpoints must be those the account was made for (R22, I16)."""
    account = session.store.account()
    facts = dict(account.facts)
    both = talk_with(session, {side: _facts_of(session, side, facts.get(side.value)) for side in session.sides})
    facts |= {side.value: found for side, found in both.items()}
    if not session.request.preview and _missing_containers(facts):
        facts[Side.OUTLOOK.value] = {**facts[Side.OUTLOOK.value], **session.sides[Side.OUTLOOK].make_containers()}
    if facts != dict(account.facts):
        session.store.save_facts(facts)
    session.context = context_of(facts, account.orocrm_url, session.settings)
    session.endpoint = "/".join(
        (str(facts["outlook"].get("mailbox_id")), account.orocrm_url, str(facts["oro"].get("user_id")))
    )
    session.since = str(facts["outlook"].get("since", ""))
    missing = _missing_containers(facts) if session.request.preview else set()
    wanted = session.request.entities or frozenset(Entity)
    session.entities = tuple(
        each for each in Entity if each in wanted and session.settings.wants(each) and each not in missing
    )
    for entity in session.entities:
        session.of(entity)


def _facts_of(session: Session, side: Side, known: Json | None) -> Talk[Json, Json]:
    """Those that are kept, or new ones. Raises AccountBlocked if they are somebody else's."""
    port, now = session.sides[side], session.clock.now()
    chosen = {entity.value: session.settings.container_name(entity) for entity in Entity}
    if known is None or known.get("chosen") != chosen or _is_due(session, known, now):
        answer = yield port.discover
        since = now.isoformat() if known is None else known.get("since", "")
        found = {**answer, "discovered_at": now.isoformat(), "since": since, "chosen": chosen}
        _same_endpoint(side, known, found)
        known = found
    port.use(known)
    return known


def _is_due(session: Session, known: Json, now: datetime) -> bool:
    """Daily; and at once where a folder could not be told while it was empty (the default contacts folder), and now
    holds something of ours: without it, a contact moved to another folder would pass for one that is still here."""
    unknown = [Entity(name) for name, native in known.get("containers", {}).items() if native == ""]
    old = now - datetime.fromisoformat(known["discovered_at"]) >= _FACTS_LAST
    return old or any(session.store.count_links(entity) for entity in unknown)


def _same_endpoint(side: Side, known: Json | None, found: Json) -> None:
    key = "mailbox_id" if side is Side.OUTLOOK else "user_id"
    if known is not None and known.get(key) != found.get(key):
        raise AccountBlocked(
            f"This is another {'mailbox' if side is Side.OUTLOOK else 'OroCRM user'} than the account was made for.",
            remedy="Nothing was touched. Remove the account and add it again if this is meant.",
        )


def _missing_containers(facts: Mapping[str, Json]) -> set[Entity]:
    """A preview creates nothing, so a folder that does not exist yet has nothing to show."""
    containers = facts["outlook"].get("containers", {})
    return {Entity(name) for name, native in containers.items() if native is None}
