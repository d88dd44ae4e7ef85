"""Many accounts at one tenant and one OroCRM for a month: people edit now and then, some requests go wrong, and every
day somebody looks at what it has cost."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter
from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from tests.proof.regimes import BASE
from tests.proof.tally import count
from tests.proof.values import FIELDS, FIRST, field_of, look
from tests.sync.world import KINDS, World, new_vault, writes

from orosync.core.records import Entity, LinkState, Side
from orosync.store.database import Database
from orosync.store.engine import open_engine

HISTORY = timedelta(days=2)
OWN: Mapping[str, str | Mapping[str, str]] = {
    **dict.fromkeys(("contact", "task"), "own"),
    "event": "system",  # those of the own calendar, that is
    "user": {"view": "system"},
}
TABLES = ("journal", "oplog", "runs", "intents", "conflicts", "plans")


class Faulty(BaseAdapter):
    """One request in a hundred goes wrong, by the seed: lost on its way, or its answer is, or a pause is asked for."""

    def __init__(self, inner: BaseAdapter, rng: random.Random) -> None:
        super().__init__()
        self._inner, self._rng, self.share = inner, rng, 0.0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if self._rng.random() >= self.share:
            return self._inner.send(request, *args, **kwargs)
        how = self._rng.choice(["lost", "answer lost", "pause"])
        count("fault", f"soak: {how}")
        if how == "pause":
            return _pause(request)
        if how == "answer lost":
            self._inner.send(request, *args, **kwargs)
        raise requests.exceptions.ReadTimeout(request=request)

    def close(self) -> None:
        self._inner.close()


def _pause(request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code, response.request, response.url = 429, request, str(request.url)
    response.headers.update({"Retry-After": "30", "Content-Type": "application/json"})
    response._content = b'{"error": {"code": "TooManyRequests", "message": "wait"}}'
    return response


@dataclass(frozen=True)
class Look:
    """What one evening shows: rows by table, blocks of memory, requests of an idle run by account."""

    rows: dict[str, int]
    blocks: int
    idle: list[dict[Side, int]]


class Soak:
    """accounts: each with a mailbox and an OroCRM user of its own who sees own records. records: of each account."""

    def __init__(self, folder: Path, seed: int, accounts: int, records: int) -> None:
        self.rng = random.Random(seed)
        self.numbers = FIRST
        path = put_empty_database(folder / "orosync.db")
        self.database = Database(without_waiting_for_the_disk(open_engine(f"sqlite:///{path}")), new_vault())
        self.worlds: list[World] = []
        self.faulty: list[Faulty] = []
        for number in range(accounts):
            self._add_account(number)
        for world in self.worlds:
            for _ in range(records):
                self._make(world, self.rng.choice(list(Side)), self.rng.choice(list(Entity)))

    def _add_account(self, number: int) -> None:
        beside = self.worlds[0] if self.worlds else None
        user = "admin"
        if beside is not None:
            user = f"seller{number}"
            beside.oro.add_user(user, email=f"{user}@example.com", permissions=OWN)
        scope = {"oro_scope": "owned"}
        world = World(self.database, dict(BASE), scope, oro_user=user, upn=f"seller{number}@example.com", beside=beside)
        broken = {prefix: Faulty(adapter, self.rng) for prefix, adapter in world.adapters.items()}
        world.adapters = broken  # type: ignore[assignment]
        self.faulty += broken.values()
        self.worlds.append(world)

    def close(self) -> None:
        self.database.close()

    # -------------------------------------------------------------------------------------------- people

    def _values(self, entity: Entity, side: Side, names: list[str]) -> dict[str, Any]:
        typed: dict[str, Any] = {}
        for name in names:
            self.numbers += 1
            field = field_of(entity, name)
            typed |= field.change[side](
                field.make(FIRST + self.numbers % 20_000 if name == "time" else self.numbers, None)
            )
        return typed

    def _make(self, world: World, side: Side, entity: Entity) -> None:
        typed = self._values(entity, side, [each.name for each in FIELDS[entity]])
        if side is Side.OUTLOOK:
            world.mailbox.user_create(KINDS[entity], typed)  # type: ignore[arg-type]
        else:
            world.office.create(KINDS[entity], typed)

    def _edit(self, world: World) -> None:
        entity = self.rng.choice(list(Entity))
        links = list(world.store.links(entity, LinkState.ACTIVE))
        if not links:
            return
        link, side = self.rng.choice(links), self.rng.choice(list(Side))
        typed = self._values(entity, side, [self.rng.choice(FIELDS[entity]).name])
        if side is Side.OUTLOOK:
            world.mailbox.user_update(KINDS[entity], str(link.outlook_id), typed)  # type: ignore[arg-type]
        else:
            world.office.edit(KINDS[entity], int(str(link.oro_id)), typed)
        count("deed", "soak: edit")

    # -------------------------------------------------------------------------------------------- days

    def day(self, runs: int, edits: int) -> None:
        """`edits` of each account over the day, `runs` runs of each, and the housekeeping of the night."""
        clock = self.worlds[0].clock
        for _ in range(runs):
            clock.forward(hours=24 / runs)
            for world in self.worlds:
                for _ in range(self.rng.randint(0, 2 * edits // runs)):
                    self._edit(world)
                world.sync()
        self.database.retention.drop_old(clock.now(), HISTORY)
        for world in self.worlds[:1]:
            world.graph.clear_log()
            world.oro.forget_requests()
            world.oro.state.waiting_audits.clear()
            world.mailbox.store.bin.clear()

    def faults(self, share: float) -> None:
        for each in self.faulty:
            each.share = share

    def settle(self) -> None:
        """Every account comes to rest. Raises AssertionError otherwise."""
        for world in self.worlds:
            for _ in range(8):
                world.clock.forward(hours=7)
                report = world.sync()
                if report.state == "done" and not writes(report) and not world.session().store.open_intents():
                    break
            else:
                raise AssertionError(f"it does not come to rest: {report.to_json()}")

    def look(self) -> Look:
        with self.database.engine.connect() as connection:
            rows = {
                table: int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608
                for table in TABLES
            }
        for world in self.worlds:
            world.sync()  # the first of a day asks more: for facts, and for the whole of OroCRM's lists
        idle = [dict(world.sync().requests) for world in self.worlds]
        gc.collect()
        return Look(rows, sys.getallocatedblocks(), idle)

    def differences(self) -> list[str]:
        """Pairs whose halves do not say the same, and records without a partner."""
        wrong = []
        for world in self.worlds:
            for entity in Entity:
                out = {str(row["id"]): row for row in world.outlook(entity)}  # of this mailbox alone
                oro = {str(row["id"]): row for row in world.in_oro(entity)}
                links = list(world.store.links(entity, LinkState.ACTIVE))
                if len(out) != len(links):
                    wrong.append(f"{world.upn}: {len(out)} {entity}s in Outlook, {len(links)} links")
                for link in links:
                    pair = (
                        look(entity, Side.OUTLOOK, out[str(link.outlook_id)]),
                        look(entity, Side.ORO, oro[str(link.oro_id)]),
                    )
                    wrong += [
                        f"{link.oro_id} {name}"
                        for name in pair[0]
                        if pair[0][name] != _held(entity, name)(pair[1][name])
                    ]
        return wrong


def _held(entity: Entity, name: str) -> Callable[[Any], Any]:
    return field_of(entity, name).held
