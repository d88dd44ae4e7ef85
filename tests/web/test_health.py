"""Alive and ready are two questions; the answers tell which part is missing, and nothing about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from cryptography.fernet import Fernet
from tests.web.pages_world import PagesWorld

from orosync.bootstrap.readiness import Readiness
from orosync.core.ledger import Account
from orosync.store.database import Database
from orosync.store.vault import Vault
from orosync.web.parts import attach, attached


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PagesWorld]:
    made = PagesWorld(tmp_path)
    yield made
    made.database.close()


def test_a_process_with_its_database_is_alive_and_ready(world: PagesWorld) -> None:
    client = world.client()
    for path, status in (("/healthz", "alive"), ("/readyz", "ready")):
        answer = client.get(path)
        assert (answer.status_code, answer.json) == (200, {"status": status})
        assert answer.headers["Cache-Control"] == "no-store"


def test_with_another_schema_it_is_alive_and_not_ready(world: PagesWorld) -> None:
    client = world.client()
    with world.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'r9999'"))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "not ready", "problems": ["schema"]})
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200


def test_without_its_database_it_is_not_ready_and_does_not_tell_why(world: PagesWorld) -> None:
    client = world.client()
    world.database.close()
    file = Path(world.database.engine.url.database or "")
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    file.mkdir()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "not ready", "problems": ["database"]})
    assert str(file) not in answer.text
    assert client.get("/healthz").status_code == 200


def test_a_database_that_comes_back_is_ready_again(world: PagesWorld) -> None:
    client = world.client()
    with world.database.engine.begin() as connection:
        (schema,) = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars()
        connection.execute(sa.text("DELETE FROM alembic_version"))
    assert client.get("/readyz").status_code == 503
    with world.database.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO alembic_version VALUES (:schema)"), {"schema": schema})
    assert client.get("/readyz").status_code == 200


class Queue:
    """Of somebody's broker."""

    def __init__(self) -> None:
        self.there, self.asked = True, 0

    def answers(self) -> bool:
        self.asked += 1
        return self.there


def test_when_nobody_works_people_can_still_look_and_whoever_watches_is_told(world: PagesWorld) -> None:
    database, queue = world.database, Queue()
    readiness = Readiness(database, queue)

    def missing() -> list[str]:
        return [each.part for each in readiness.lacks()]

    assert missing() == ["worker", "dispatcher"]
    assert not any(each.own for each in readiness.lacks())
    database.workers.sign("here:1:a", 0)
    assert missing() == ["worker"]
    database.workers.sign("here:2:b", 4)
    assert missing() == []
    assert [each.part for each in Readiness(database, Queue(), dispatching=False).lacks()] == []
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=30)):
        assert missing() == ["worker", "dispatcher"]


def test_a_queue_that_is_away_is_told_and_not_asked_for_each_question(world: PagesWorld) -> None:
    world.database.workers.sign("here:1:a", 0)
    world.database.workers.sign("here:2:b", 4)
    queue = Queue()
    queue.there = False
    app = world.app()
    attach(app, replace(attached(app), known_readiness=Readiness(world.database, queue)))
    for _ in range(5):
        answer = app.test_client().get("/readyz")
        assert (answer.status_code, answer.json) == (200, {"status": "degraded", "problems": ["queue"]})
    assert queue.asked == 1


def test_a_key_that_does_not_open_what_is_stored_is_found(world: PagesWorld) -> None:
    account = Account("anna", "anna@example.com", "https://crm.example.com", "anna", "wsse", "token")
    number = world.database.accounts.add(account)
    world.database.secrets(number).set("oro", "an API key")
    assert Readiness(world.database).lacks() == []
    other = Database(world.database.engine, Vault([Fernet.generate_key().decode()]))
    (lack,) = Readiness(other).lacks()
    assert (lack.part, lack.own) == ("keys", True)
    assert "API key" not in lack.message
