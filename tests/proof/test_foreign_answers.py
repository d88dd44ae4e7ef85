"""Whatever another system answers, whatever it was asked: only errors of our own tree come out of it, nothing of a
record is in their words, and once it answers properly again everything goes on as if nothing had been.

One answer of a run is spoilt (`foreign.py`); the seed says which and how, and is printed when it fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from tests.proof.effort import rounds
from tests.proof.foreign import Spoiler, SpoilingAdapter
from tests.proof.tally import count, owe
from tests.sync.actors import Hands
from tests.sync.world import CRM, UPN, WORLDS, World, new_vault
from werkzeug.wrappers import Request, Response

from orosync.core.beside_mail import NewRecord
from orosync.core.records import Entity
from orosync.errors import OrosyncError, TryLater
from orosync.oro import beside_mail, capabilities, quick_create, webhooks
from orosync.oro.auth import Grant, OAuth, Wsse
from orosync.oro.check import check
from orosync.oro.client import OroClient
from orosync.outlook.auth import StaticToken
from orosync.outlook.client import GraphClient
from orosync.outlook.subscriptions import Subscriptions
from orosync.sandbox.transport import WsgiAdapter
from orosync.store.database import Database
from orosync.store.engine import open_engine

SECRETS = ("Ada", "Ben", "Lovelace", "note 1", "job 1", "@example.com")  # of the records of this story
LONGEST_S = 60.0  # far more than any answer may cost, on the slowest machine
RUNS, QUESTIONS, LONG_PART = 12, 60, 0.05


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[[], World]]:
    opened: list[Database] = []

    def new() -> World:
        while opened:
            opened.pop().close()
        path = put_empty_database(tmp_path / "orosync.db")
        for beside in tmp_path.glob("orosync.db-*"):
            beside.unlink()
        opened.append(Database(without_waiting_for_the_disk(open_engine(f"sqlite:///{path}")), new_vault()))
        WORLDS.clear()
        return World(opened[-1])

    yield new
    for each in opened:
        each.close()


def fill(world: World, *, first_sync: bool) -> None:
    """Something to be created on each side, and, if they are in step already, to be updated."""
    for entity in Entity:
        Hands(world, entity).make_in_oro("Ada", 1, 1)
        Hands(world, entity).make_in_outlook("Ben", 2, 2)
    if first_sync:
        return
    world.settle()
    for entity in Entity:
        hands = Hands(world, entity)
        hands.edit_in_oro(min(hands.oro()), "first", 3)
        hands.edit_in_outlook(min(hands.outlook()), "second", 4)
        hands.make_in_oro("Cem", 0, 3)


def spoil(world: World, spoiler: Spoiler) -> Callable[[], None]:
    """Returns how to make it good again."""
    genuine = world.adapters
    world.adapters = {prefix: SpoilingAdapter(each, spoiler) for prefix, each in genuine.items()}  # type: ignore[misc]

    def mend() -> None:
        world.adapters = genuine

    return mend


def nothing_is_told(words: str) -> None:
    assert not [secret for secret in SECRETS if secret in words], words


def test_one_answer_without_sense_ends_a_run_in_order_and_the_next_ones_go_on(worlds: Callable[[], World]) -> None:
    owe("fuzzed", "answers within a run", RUNS // 2)
    for seed in rounds(RUNS, LONG_PART):
        random, world = Random(seed), worlds()
        fill(world, first_sync=random.random() < 0.4)
        spoiler = Spoiler(seed, at=random.randrange(16))
        mend = spoil(world, spoiler)
        began = time.monotonic()
        try:
            report = world.sync(sweep=random.random() < 0.3)
            nothing_is_told(" ".join(report.problems))
        except TryLater as error:
            nothing_is_told(str(error))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {spoiler}") from error
        assert time.monotonic() - began < LONGEST_S, f"seed {seed}: {spoiler}"
        mend()
        for _ in range(4):
            world.clock.forward(hours=26)  # beyond each pause and back-off
            report = world.sync(sweep=True)
        assert report.state == "done", f"seed {seed}: {spoiler}: {report.problems}"
        assert not world.session().store.open_intents(), f"seed {seed}: {spoiler}"
        count("fuzzed", "answers within a run", len(spoiler.spoilt))


NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
Question = Callable[[World], Any]


def crm(world: World, *, oauth: bool = False) -> OroClient:
    if oauth:
        number, secret = world.oro.add_oauth_client(["client_credentials"], "admin")
        grant = Grant("client_credentials", number, secret)
        return OroClient(CRM, OAuth(grant, now=world.clock), adapters=world.adapters, pause=lambda _s: None)
    sign_in = Wsse("admin", world.oro.user("admin").api_key, now=world.clock)
    return OroClient(CRM, sign_in, adapters=world.adapters, pause=lambda _s: None)


def graph(world: World) -> GraphClient:
    return GraphClient("https://graph.example/v1.0", StaticToken(world.token), adapters=world.adapters)


def subscriptions(world: World) -> Subscriptions:
    base = "https://sync.example.com/hooks/graph"
    return Subscriptions(graph(world), hook=base, lifecycle=f"{base}/lifecycle", now=world.clock)


def beside(world: World) -> Any:
    found = beside_mail.people(crm(world), ["ada@example.com", UPN])
    calendar = capabilities.own_calendar(crm(world))
    return [beside_mail.related(crm(world), "contact", "1", calendar, NOW), found]


def new_contact(world: World) -> Any:
    new = NewRecord("contact", "Ada Lovelace", email="ada@example.com")
    return quick_create.create(crm(world), new, user="1", zone="UTC", now=NOW)


def _our_hooks(environ: Any, start_response: Any) -> Any:
    """Says yes to every handshake of Graph."""
    request = Request(environ)
    return Response(request.args.get("validationToken", ""), 200, mimetype="text/plain")(environ, start_response)


QUESTIONS_ASKED: dict[str, Question] = {
    "what there is in OroCRM": lambda world: capabilities.discover(crm(world), tuple(Entity)),
    "a token of OroCRM": lambda world: crm(world, oauth=True).get("contacts"),
    "the set-up check": lambda world: check(crm(world), now=world.clock),
    "OroCRM's webhooks": lambda world: (webhooks.offered(crm(world)), webhooks.standing(crm(world), ["1"])),
    "the CRM beside a mail": beside,
    "a new record in OroCRM": new_contact,
    "a subscription of Graph": lambda world: subscriptions(world).create("me/contacts", Entity.CONTACT),
}


@pytest.mark.parametrize("name", QUESTIONS_ASKED)
def test_a_question_beside_the_runs_gets_an_answer_or_an_error_of_ours(name: str, worlds: Callable[[], World]) -> None:
    owe("fuzzed", name, QUESTIONS // 6)
    world = worlds()
    fill(world, first_sync=True)
    world.graph.notifications.adapters["https://sync.example.com"] = WsgiAdapter(_our_hooks)
    for seed in rounds(QUESTIONS, LONG_PART / 5):
        spoiler = Spoiler(seed, at=Random(f"{name}/{seed}").randrange(4), every=seed % 5 == 0)
        mend = spoil(world, spoiler)
        try:
            QUESTIONS_ASKED[name](world)
        except OrosyncError as error:
            nothing_is_told(str(error))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {spoiler}") from error
        mend()
        count("fuzzed", name, len(spoiler.spoilt))
