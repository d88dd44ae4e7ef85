"""Alive and ready are two questions, and the answers tell nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.web.pages_world import PagesWorld


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
    assert (answer.status_code, answer.json) == (503, {"status": "not ready"})
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
    assert (answer.status_code, answer.json) == (503, {"status": "not ready"})
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
