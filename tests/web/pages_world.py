"""The whole application over an empty database, with people who sign in by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from orosync import bootstrap
from orosync.bootstrap.product_files import product_file
from orosync.config import Config
from orosync.web.app import create_app
from orosync.web.parts import Parts
from orosync.web.principal import Principal
from orosync.web.problems import NotSignedIn

HOME, GUEST = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
PEOPLE = {
    "anna": Principal(HOME, "anna", "Anna", "anna@example.com"),
    "boss": Principal(HOME, "boss", "Boss", "boss@example.com", is_admin=True),
    "guest": Principal(GUEST, "guest", "Guest", "guest@example.org", is_home=False),
    "guest-boss": Principal(GUEST, "guest-boss", "Guest", "boss@example.org", is_admin=True, is_home=False),
}


class ByName:
    """The token is the person's name."""

    def authenticate(self, token: str) -> Principal:
        if token not in PEOPLE:
            raise NotSignedIn("Nobody has this token.")
        return PEOPLE[token]


class Unused:
    graph_auth = "user"

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"{name} was used")


class PagesWorld:
    def __init__(self, folder: Path) -> None:
        self.config = Config(
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'pages.sqlite3'}",
            secret_keys=(Fernet.generate_key().decode(),),
        )
        self.database = bootstrap.open_database(self.config)

    def app(self, *, demo: bool = False, **config: Any) -> Flask:
        nothing: Any = Unused()
        parts = Parts(
            config=replace(self.config, **config),
            database=self.database,
            clock=bootstrap.SystemClock(),
            queue=nothing,
            authenticator=ByName(),
            mailbox_access=nothing,
            demo=demo,
        )
        return create_app(parts, pane=product_file("addin"))

    def client(self, *, at: str = "https://sync.example.com", demo: bool = False, **config: Any) -> FlaskClient:
        """at: the address that browsers ask."""
        app = self.app(demo=demo, **config)

        class ClientThere(FlaskClient):
            def open(self, *args: Any, **kwargs: Any) -> Any:
                return super().open(*args, **({"base_url": at} | kwargs))

        app.test_client_class = ClientThere
        return app.test_client()


def signed_in(person: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {person}"}
