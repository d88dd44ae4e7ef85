from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.application import Application, Person


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Application]:
    application = Application(tmp_path)
    yield application
    application.database.close()


@pytest.fixture
def boris(world: Application) -> Person:
    """A sales person who is signed in, and not connected."""
    return world.person("boris")


@pytest.fixture
def connected(boris: Person) -> Person:
    return boris.connect()
