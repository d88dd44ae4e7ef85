"""A bare caller for the suites of the simulated Graph: a session, a mailbox, a clock that is set by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from orosync.sandbox.graph import GraphSandbox, Mailbox, create_graph_app
from orosync.sandbox.transport import WsgiAdapter

BASE = "https://graph.microsoft.com/v1.0"
UPN = "anna@contoso.example"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
STAMP = "String {1f6c1f8e-7f0a-4f0e-9a55-0a3a1c1d2b3c} Name OroCRM_id"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Caller:
    graph: GraphSandbox
    mailbox: Mailbox
    clock: Clock
    session: requests.Session

    def send(self, method: str, path: str, status: int | None = None, **options: Any) -> Any:
        """The JSON of the reply, or its error's code; with `status` the reply must have it."""
        url = path if path.startswith("https:") else f"{BASE}{path}"
        reply = self.session.request(method, url, **options)
        if status is not None:
            assert reply.status_code == status, reply.text
        body = reply.json() if reply.content else None
        return body["error"]["code"] if not reply.ok else body

    def get(self, path: str, status: int = 200, **options: Any) -> Any:
        return self.send("GET", path, status, **options)

    def post(self, path: str, body: Any, status: int = 201, **options: Any) -> Any:
        return self.send("POST", path, status, json=body, **options)

    def patch(self, path: str, body: Any, status: int = 200, **options: Any) -> Any:
        return self.send("PATCH", path, status, json=body, **options)

    def delete(self, path: str, status: int = 204, **options: Any) -> Any:
        return self.send("DELETE", path, status, **options)

    def walk(self, url: str, **options: Any) -> tuple[list[dict[str, Any]], str]:
        """All rows of a delta round and its deltaLink."""
        rows: list[dict[str, Any]] = []
        page = self.get(url, **options)
        while "@odata.deltaLink" not in page:
            rows += page["value"]
            page = self.get(page["@odata.nextLink"], headers=options.get("headers"))
        return rows + page["value"], page["@odata.deltaLink"]

    def batch(self, *parts: dict[str, Any], status: int = 200) -> Any:
        """Replies by id; parts without an id are numbered, bodies get their Content-Type."""
        requests_ = [
            {"id": str(n), **({"headers": {"Content-Type": "application/json"}} if "body" in part else {}), **part}
            for n, part in enumerate(parts)
        ]
        reply = self.send("POST", "/$batch", status, json={"requests": requests_})
        return reply if status != 200 else {row["id"]: row for row in reply["responses"]}


def new_caller() -> Caller:
    clock = Clock()
    graph = GraphSandbox(clock=clock, seed=3)
    mailbox = graph.add_mailbox(UPN, display_name="Anna Berg")
    session = requests.Session()
    session.mount("https://", WsgiAdapter(create_graph_app(graph)))
    session.headers["Authorization"] = f"Bearer {graph.issue_token(UPN)}"
    return Caller(graph, mailbox, clock, session)


def timed(start: str, end: str, zone: str = "UTC", **more: Any) -> dict[str, Any]:
    return {
        "subject": "Visit",
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        **more,
    }


def weekly(first: str, zone: str = "W. Europe Standard Time", **more: Any) -> dict[str, Any]:
    """One hour at nine on the weekday of `first` (a Monday), without an end."""
    recurrence = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
        "range": {"type": "noEnd", "startDate": first},
    }
    return timed(f"{first}T09:00:00", f"{first}T10:00:00", zone, recurrence=recurrence, **more)
