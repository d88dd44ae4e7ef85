"""The whole application over two simulated systems, with people who pick themselves as in the demonstration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from werkzeug.test import TestResponse

from orosync import bootstrap
from orosync.bootstrap.demonstration import SimulatedMailboxes
from orosync.bootstrap.product_files import product_file
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.jobs.account_work import AccountWork
from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import WsgiAdapter
from orosync.web.app import create_app
from orosync.web.parts import Parts
from orosync.web.sign_in.local import LocalPerson, LocalSignIn

CRM = "https://crm.example.com"
KEY = "Zm9yIHRoZSB0ZXN0cyBhbG9uZSwgdGhpcnR5LXR3byE="
ANNA, BORIS, CLARA = (
    LocalPerson("anna", "Anna Becker", "anna@contoso.example", is_admin=True),
    LocalPerson("boris", "Boris Ivanov", "boris@contoso.example"),
    LocalPerson("clara", "Clara Meier", "clara@contoso.example"),
)


class AtOnce:
    """Requested runs are carried out where they were asked for, unless a test wants to see them wait."""

    def __init__(self, work: AccountWork) -> None:
        self.account_work, self.waits, self.messages = work, False, list[int]()

    def put(self, account_id: int, *, urgent: bool = False) -> None:
        self.messages.append(account_id)
        if not self.waits:
            self.work()

    def work(self) -> None:
        while self.messages:
            self.account_work.carry_out(self.messages.pop(0))


@dataclass
class Application:
    """`boris` has a user of his own in OroCRM; `clara` is connected with nothing."""

    folder: Path
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph, self.oro = GraphSandbox(seed=1), OroSandbox(seed=1)
        self.users = self.oro.seed_recorded_users()
        self.boxes = {
            each.id: self.graph.add_mailbox(each.address, display_name=each.name) for each in (ANNA, BORIS, CLARA)
        }
        self.boris = self.oro.add_user("boris", email="boris@example.com")
        self.adapters = {
            "https://graph.example": WsgiAdapter(create_graph_app(self.graph)),
            CRM: WsgiAdapter(create_oro_app(self.oro)),
        }
        values: dict[str, Any] = {
            "data_dir": self.folder,
            "database_url": f"sqlite:///{self.folder / 'web.sqlite3'}",
            "secret_keys": (KEY,),
            "graph_url": "https://graph.example/v1.0",
            "oro_hosts": ("crm.example.com",),
        }
        self.config = Config(**(values | dict(self.more)))
        put_empty_database(self.folder / "web.sqlite3")
        self.database = bootstrap.open_database(self.config)
        without_waiting_for_the_disk(self.database.engine)
        self.sign_in = LocalSignIn((ANNA, BORIS, CLARA))
        self.queue = AtOnce(AccountWork(self.config, self.database, adapters=self.adapters))
        self.parts = Parts(
            config=self.config,
            database=self.database,
            clock=bootstrap.SystemClock(),
            queue=self.queue,
            authenticator=self.sign_in,
            mailbox_access=SimulatedMailboxes(self.graph),
            adapters=self.adapters,
            demo=True,
        )
        self.flask: Flask = create_app(self.parts, pane=product_file("addin"), rate_limit="100000 per minute")

    def person(self, id: str = "boris") -> Person:
        with self.flask.test_request_context(environ_base={"REMOTE_ADDR": "127.0.0.1"}):
            token = self.sign_in.token_for(id)
        return Person(self, id, self.flask.test_client(), token)

    def account(self, id: str = "boris") -> Account:
        found = self.database.accounts.owned_by(f"local:{id}")
        assert found is not None
        return found


@dataclass
class Person:
    """Somebody with a pane: requests carry the person's token."""

    world: Application
    id: str
    client: FlaskClient
    token: str

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        return body_of(self.ask("GET", path, **more), 200)

    def post(self, path: str, body: Any = None, status: int = 202, **more: Any) -> Any:
        return body_of(self.ask("POST", path, json=body if body is not None else {}, **more), status)

    def refused(self, method: str, path: str, status: int, **more: Any) -> dict[str, Any]:
        """The problem of an answer that had to be one."""
        response = self.ask(method, path, **more)
        assert response.status_code == status, response.text
        assert response.mimetype == "application/problem+json"
        problem: dict[str, Any] = response.get_json()
        assert problem["status"] == status
        assert problem["detail"]
        assert problem["request_id"] == response.headers["X-Request-Id"]
        return problem

    def connection(self, **more: Any) -> dict[str, Any]:
        """As it would be typed in the pane."""
        typed = {"orocrm_url": CRM, "orocrm_user": "boris", "secret": self.world.boris.api_key}
        return typed | more

    def connect(self) -> Person:
        body_of(self.ask("PUT", "/connection", json=self.connection()), 201)
        return self

    def run_of(self, path: str, body: Any = None) -> Any:
        """Asks for a run, and gives it as it is afterwards."""
        asked = self.post(path, body)
        return self.get(f"/syncs/{asked['run']}")

    def sync(self, **body: Any) -> Any:
        return self.run_of("/syncs", body)

    def first_sync(self) -> Any:
        """Previewed and approved, as the pane does it."""
        preview = self.sync(preview=True)
        return self.sync(approve=preview["plan_hash"]) if preview["plan_hash"] else self.sync()


def body_of(response: TestResponse, status: int) -> Any:
    assert response.status_code == status, response.text
    return response.get_json()
