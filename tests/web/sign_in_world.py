"""What the suites of signing in stand on: a configuration for the test's own identity provider, and an application with
nothing in it but the routes that are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import trustme
from cryptography.fernet import Fernet
from flask import Blueprint, Flask, Response, jsonify
from tests.web.identity_provider import API, SECRET, TENANT, IdentityProvider, SigningKey

from orosync.config import Config
from orosync.errors import OrosyncError
from orosync.web.parts import Parts, attach
from orosync.web.problems import as_problem, body_of

REPOSITORY = Path(__file__).resolve().parents[2]


@cache
def certificate_authority() -> trustme.CA:
    return trustme.CA()


@cache
def first_key() -> SigningKey:
    """Making one takes a while."""
    return SigningKey("key-1")


@cache
def second_key() -> SigningKey:
    return SigningKey("key-2")


def config_for(provider: IdentityProvider, folder: Path, **other: Any) -> Config:
    usual: dict[str, Any] = {
        "data_dir": folder,
        "database_url": f"sqlite:///{folder / 'test.sqlite3'}",
        "secret_keys": (Fernet.generate_key().decode(),),
        "public_url": "https://sync.example.com",
        "tenant_id": TENANT,
        "client_id": API,
        "client_secret": SECRET,
        "authority": provider.base,
    }
    return Config(**(usual | other))


@dataclass
class SetClock:
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.at

    def pass_by(self, time: timedelta) -> None:
        self.at += time


class Nothing:
    """Stands where a part is that these suites must not use."""

    graph_auth = "user"

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"{name} was used")


def parts_of(config: Config, **given: Any) -> Parts:
    usual: dict[str, Any] = {
        "config": config,
        "database": Nothing(),
        "clock": SetClock(),
        "queue": Nothing(),
        "authenticator": Nothing(),
        "mailbox_access": Nothing(),
    }
    return Parts(**(usual | given))


def application(parts: Parts, blueprint: Blueprint, change: Callable[[Flask], None] | None = None) -> Flask:
    app = Flask("sign_in")
    app.register_blueprint(blueprint)
    attach(app, parts)
    app.extensions["orosync.pane"] = REPOSITORY / "addin"

    @app.errorhandler(OrosyncError)
    def tell(error: OrosyncError) -> tuple[Response, int]:
        problem = as_problem(error)
        return jsonify(body_of(problem, "request")), int(problem.status)

    if change is not None:
        change(app)
    return app
