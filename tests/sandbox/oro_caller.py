"""A client of the simulated OroCRM for its own tests: signs in with the API key, speaks both APIs."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from orosync.sandbox.oro import OroSandbox, create_oro_app, wsse_header

JSON_API = "application/vnd.api+json"
LEGACY = "/api/rest/latest"


class OroCaller:
    """An instance with the people of the recordings, a clock that stands still until `wait`, and a client."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
        self.oro = OroSandbox(clock=lambda: self.moment)
        self.users = self.oro.seed_recorded_users()
        self.client = create_oro_app(self.oro).test_client()

    def wait(self, seconds: float = 1) -> None:
        self.moment += timedelta(seconds=seconds)

    def key(self, user: str = "admin") -> dict[str, str]:
        signed = wsse_header(user, self.users[user].api_key, os.urandom(16), self.moment)
        return {"X-WSSE": signed}

    def __call__(
        self, method: str, path: str, body: Any = None, *, user: str = "admin", headers: dict[str, str] | None = None
    ) -> Any:
        media = "application/json" if LEGACY in path else JSON_API
        sent = {"Accept": media, "Content-Type": media} | self.key(user) | (headers or {})
        return self.client.open(path, method=method, headers=sent, data=None if body is None else json.dumps(body))

    def ids(self, path: str, **options: Any) -> list[str]:
        answer = self("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json["data"]]


def contact(attributes: dict[str, Any], number: int | None = None, **relations: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"type": "contacts", "attributes": attributes}
    if number is not None:
        data["id"] = str(number)
    if relations:
        data["relationships"] = {name: {"data": value} for name, value in relations.items()}
    return {"data": data}
