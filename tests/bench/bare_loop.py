"""The bare loop: creates the records, remembers nothing and asks nothing. What a script of a few lines would do.

`python -m tests.bench.bare_loop '{"side": "outlook", "counts": {...}, "url": ..., "secret": ...}'` prints one line of
JSON. To Microsoft Graph in batches of twenty, one batch after the other; to OroCRM one POST after the other.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import requests
from tests.bench import records
from tests.bench.own_process import peak_mb

from orosync.sandbox.oro import wsse_header

PARTS = 20
USER = "p0"
_GRAPH = {"contact": "contacts", "event": "events"}
_ORO = {"contact": "/api/contacts", "task": "/api/tasks", "event": "/api/rest/latest/calendarevents.json"}


def to_graph(http: requests.Session, url: str, token: str, counts: Mapping[str, int], today: date) -> None:
    http.headers["Authorization"] = f"Bearer {token}"
    user = f"/users/{USER}@contoso.example"
    paths = {entity: f"{user}/{name}" for entity, name in _GRAPH.items()}
    if counts.get("task"):
        lists = _checked(http.get(f"{url}/v1.0{user}/todo/lists"))["value"]
        default = next(each["id"] for each in lists if each["wellknownListName"] == "defaultList")
        paths["task"] = f"{user}/todo/lists/{default}/tasks"
    wanted = [(entity, number) for entity, count in counts.items() for number in range(count)]
    for start in range(0, len(wanted), PARTS):
        parts = [
            {
                "id": str(place),
                "method": "POST",
                "url": paths[entity],
                "headers": {"Content-Type": "application/json"},
                "body": records.to_graph(entity, number, today),
            }
            for place, (entity, number) in enumerate(wanted[start : start + PARTS])
        ]
        answer = _checked(http.post(f"{url}/v1.0/$batch", json={"requests": parts}))
        refused = [each for each in answer["responses"] if each["status"] != 201]
        if refused:
            raise RuntimeError(f"refused: {refused[0]}")


def to_oro(http: requests.Session, url: str, api_key: str, counts: Mapping[str, int], today: date) -> None:
    for entity, count in counts.items():
        kind = "application/json" if entity == "event" else "application/vnd.api+json"
        for number in range(count):
            headers = {
                "X-WSSE": wsse_header(USER, api_key, os.urandom(16), datetime.now(UTC)),
                "Authorization": 'WSSE profile="UsernameToken"',
                "Content-Type": kind,
                "Accept": kind,
            }
            body = json.dumps(records.to_oro(entity, number, today))
            _checked(http.post(f"{url}{_ORO[entity]}", data=body, headers=headers))


def _checked(answer: requests.Response) -> Any:
    answer.raise_for_status()
    return answer.json()


def main() -> None:
    wanted = json.loads(sys.argv[1])
    create = to_graph if wanted["side"] == "outlook" else to_oro
    wall, cpu = time.perf_counter(), time.process_time()
    with requests.Session() as http:
        create(http, wanted["url"], wanted["secret"], wanted["counts"], datetime.now(UTC).date())
    took = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "peak_mb": peak_mb()}
    sys.stdout.write(json.dumps(took) + "\n")


if __name__ == "__main__":
    main()
