"""Registrations for OroCRM's webhooks (7.0.2 and later): what is offered, made, still there, and taken back.

Single requests; when they are due, and for whom, is decided by the caller. Rules from orocrm-api.md 10; read in
OroCRM's source, not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable

from orosync.core.webhooks import TOPICS
from orosync.errors import OrosyncError, SideFailing
from orosync.oro import jsonapi
from orosync.oro.answers import one_of, rows_of
from orosync.oro.client import Answer, OroClient

TYPE, TOPIC_TYPE, FORMAT_TYPE = "webhooks", "webhooktopics", "webhookformats"
THIN = "thin"  # ids alone: what a record holds is read with the account's own rights
_DEFAULT_PAGE = 10  # rows a list has where nothing was asked for; the list of topics takes no parameters for sure


class WebhooksForbidden(OrosyncError):
    """This user may not see or make registrations; another one of the same OroCRM may."""


def offered(client: OroClient) -> frozenset[str] | None:
    """Names of the topics that concern us and that an administrator switched on; None: this OroCRM has no webhooks.
    Raises WebhooksForbidden, and what the client raises."""
    answer = client.get(TOPIC_TYPE)
    if answer.status == 404:
        return None
    _look_at(answer)
    rows = rows_of(answer)
    found = {str(row["id"]) for row in rows}
    if len(rows) >= _DEFAULT_PAGE:  # there may be more than were shown
        found |= {name for name in TOPICS if name not in found and client.get(f"{TOPIC_TYPE}/{name}").ok}
    return frozenset(found & set(TOPICS))


def register(client: OroClient, topic: str, url: str, secret: str) -> str:
    """Its id. Raises WebhooksForbidden, OutcomeUnknown (there may be one; its address is never answered well), and
    what the client raises."""
    relations = {"topic": jsonapi.one(TOPIC_TYPE, topic), "format": jsonapi.one(FORMAT_TYPE, THIN)}
    wanted = {"notificationUrl": url, "secret": secret, "enabled": True}
    answer = client.write("POST", TYPE, jsonapi.document(TYPE, None, wanted, relations))
    _look_at(answer)
    return str(one_of(answer)["id"])


def standing(client: OroClient, ids: Iterable[str]) -> dict[str, bool]:
    """Which of these are still there, and whether they are switched on. Raises as `register`."""
    found: dict[str, bool] = {}
    for each in ids:
        answer = client.get(f"{TYPE}/{each}")
        if answer.status == 404:
            continue
        _look_at(answer)
        found[each] = bool(jsonapi.attributes_of(one_of(answer)).get("enabled"))
    return found


def delete(client: OroClient, id: str) -> None:
    """Gone already is as good. Raises as `register`."""
    answer = client.write("DELETE", f"{TYPE}/{id}")
    if answer.status != 404:
        _look_at(answer)


def _look_at(answer: Answer) -> None:
    if answer.status == 403:
        raise WebhooksForbidden("This OroCRM user may not register webhooks.")
    if not answer.ok:
        raise SideFailing(f"OroCRM answers a request about webhooks with status {answer.status}.")
