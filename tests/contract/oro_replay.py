"""Plays recorded exchanges against the simulated OroCRM and says how the answers differ.

Times, UUIDs, tokens and generated secrets are compared by form, everything else by value; where a recording was
shortened ("... 139 in all") the rows shown are compared by shape.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orosync.sandbox.oro import OroSandbox, OroUser, create_oro_app, wsse_header

HOST = "http://127.0.0.1:8000"
START = datetime(2026, 11, 21, 8, 7, 3, tzinfo=UTC)
_VOLATILE = (
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"),
    re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
)
_SHORTENED = re.compile(r"\.\.\. (\d+) in all")
_PLACEHOLDER = re.compile(r"<.*>")


@dataclass
class World:
    """One simulated instance with a clock of its own, and what a story remembers from step to step."""

    moment: datetime = START
    notes: dict[str, Any] = field(default_factory=dict)
    oro: OroSandbox = field(init=False)
    users: dict[str, OroUser] = field(init=False)

    def __post_init__(self) -> None:
        self.oro = OroSandbox(clock=lambda: self.moment)
        self.users = self.oro.seed_recorded_users()
        for user in self.users.values():
            user.password = f"password of {user.username}"
        self.client = create_oro_app(self.oro).test_client()

    def wait(self, seconds: int = 1) -> None:
        self.moment += timedelta(seconds=seconds)

    def wsse(self, username: str, *, age: int = 5, key: str | None = None) -> str:
        known = self.users.get(username)
        secret = key or (known.api_key if known else "0" * 40)
        return wsse_header(username, secret, os.urandom(16), self.moment - timedelta(seconds=age))

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | str = b"") -> Any:
        self.wait()
        where, _, query = path.partition("?")
        return self.client.open(
            where,
            base_url=HOST,
            method=method,
            query_string=quote(query, safe="[]<>=&%:.,-+_;~/"),
            headers=dict(headers),
            data=body,
        )

    def bearer(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def token(self, **form: str) -> dict[str, Any]:
        return self.ask(
            "POST",
            "/oauth2-token",
            {"Content-Type": "application/x-www-form-urlencoded"},
            "&".join(f"{name}={quote(value, safe='')}" for name, value in form.items()),
        ).json


Send = Callable[[World, dict[str, Any]], Any]


def replay(
    world: World, recording: Mapping[str, Any], send: Send | None = None, *, any_order: bool = False
) -> tuple[Any, list[str]]:
    """Sends the recorded request, signed in as recorded; `send` changes headers and body first."""
    asked = recording["request"]
    headers = {name: value for name, value in asked.get("headers", {}).items() if name != "X-WSSE"}
    who = asked.get("as", "")
    if who.startswith("WSSE user "):
        headers["X-WSSE"] = world.wsse(who.removeprefix("WSSE user "))
    body = asked.get("body", asked.get("rawBody", ""))
    request = {"method": asked["method"], "path": asked["path"], "headers": headers, "body": body}
    answer = send(world, request) if send is not None else sent(world, request)
    return answer, differences(recording["response"], answer, any_order=any_order)


def sent(world: World, request: Mapping[str, Any]) -> Any:
    body = request["body"]
    if not isinstance(body, str):
        form = "form-urlencoded" in request["headers"].get("Content-Type", "")
        pairs = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in body.items()) if form else ""
        body = pairs if form else json.dumps(body)
    return world.ask(request["method"], request["path"], request["headers"], body)


def differences(expected: Mapping[str, Any], answer: Any, *, any_order: bool = False) -> list[str]:
    """Status, headers and body, each difference as one line."""
    found = []
    if answer.status_code != expected["status"]:
        found.append(f"status {answer.status_code}, recorded {expected['status']}: {answer.text[:300]}")
    for name, value in expected.get("headers", {}).items():
        if answer.headers.get(name) != value:
            found.append(f"header {name}: {answer.headers.get(name)!r}, recorded {value!r}")
    body = expected.get("body")
    if isinstance(body, str) and body[:1] not in ("{", "["):
        if (body == "") != (answer.data == b""):
            found.append(f"body {answer.text[:200]!r}, recorded {body[:200]!r}")
        return found
    if isinstance(body, str):
        body = json.loads(body)
    if answer.data == b"":
        return [*found, "no body"]
    got = answer.json
    if any_order:
        body, got = (sorted(rows, key=lambda row: (row["id"], row["start"])) for rows in (body, got))
    return found + compare(body, got, "", strict=True)


def compare(expected: Any, got: Any, at: str, *, strict: bool) -> list[str]:
    """`strict`: values count; otherwise only keys and types, and a recorded null fits anything."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return _compare_objects(expected, got, at, strict=strict)
    if isinstance(expected, list) and isinstance(got, list):
        return _compare_lists(expected, got, at, strict=strict)
    if not strict and (expected is None or got is None):
        return []
    if isinstance(expected, bool) or isinstance(got, bool) or not isinstance(expected, (int, str)):
        same = expected == got if strict else type(expected) is type(got)
    elif isinstance(expected, str) and isinstance(got, str):
        same = not strict or expected == got or _alike(expected, got)
    else:
        same = type(expected) is type(got) and (not strict or expected == got)
    return [] if same else [f"{at or '/'}: {got!r}, recorded {expected!r}"]


def _alike(expected: str, got: str) -> bool:
    if _PLACEHOLDER.fullmatch(expected):
        return True
    return any(form.fullmatch(expected) and form.fullmatch(got) for form in _VOLATILE)


def _compare_objects(expected: dict[str, Any], got: dict[str, Any], at: str, *, strict: bool) -> list[str]:
    if "..." in expected:
        expected = {name: value for name, value in expected.items() if name != "..."}
        missing = set(expected) - set(got)
    else:
        missing = set(expected) ^ set(got)
    found = [f"{at}/{name}: {'missing' if name in expected else 'not recorded'}" for name in sorted(missing)]
    for name in expected.keys() & got.keys():
        found += compare(expected[name], got[name], f"{at}/{name}", strict=strict)
    return found


def _compare_lists(expected: list[Any], got: list[Any], at: str, *, strict: bool) -> list[str]:
    mark = _SHORTENED.fullmatch(expected[-1]) if expected and isinstance(expected[-1], str) else None
    if mark:
        expected = expected[:-1]
        if (mark[1] == "0") != (not got):
            return [f"{at}: {len(got)} rows, recorded {mark[1]}"]
        return [
            line
            for index, row in enumerate(expected[: len(got)])
            for line in compare(row, got[index], f"{at}/{index}", strict=False)
        ]
    if len(expected) != len(got) and (strict or bool(expected) != bool(got)):
        return [f"{at}: {len(got)} rows, recorded {len(expected)}: {json.dumps(got)[:300]}"]
    return [
        line
        for index, (row, other) in enumerate(zip(expected, got, strict=False))
        for line in compare(row, other, f"{at}/{index}", strict=strict)
    ]


def loaded(folder: Path) -> dict[str, dict[str, Any]]:
    """All recordings with an exchange, by name."""
    found = {}
    for file in sorted(folder.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        if "request" in content and "response" in content:
            found[file.stem] = content
    return found


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
