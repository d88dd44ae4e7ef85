"""`python -m orosync.sandbox graph|oro`: one simulated system as a process of its own, on loopback, until it is ended.

Prints one line of JSON when it listens: its address, and how to sign in. Both kinds, started with the same numbers and
the same seed, hold the two halves of the same seed data.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from typing import Any
from zoneinfo import ZoneInfo

from orosync.sandbox import seed as seeding
from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.held_answers import HeldAnswers
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import serve


def main() -> None:
    wanted = _arguments()
    made = seeding.SeededPeople(seeding.MAILBOX, seeding.USER, seeding.api_key_of(wanted.seed), "")
    app, told = (_graph if wanted.system == "graph" else _oro)(wanted, made)
    with serve(HeldAnswers(app), wanted.port) as server:
        sys.stdout.write(json.dumps({"url": server.url, **told}) + "\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m orosync.sandbox")
    parser.add_argument("system", choices=("graph", "oro"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    for name in ("contacts", "tasks", "events"):
        parser.add_argument(f"--{name}", type=int, default=0)
    return parser.parse_args()


def _graph(wanted: argparse.Namespace, made: seeding.SeededPeople) -> tuple[Any, dict[str, str]]:
    graph = GraphSandbox(seed=wanted.seed)
    mailbox = seeding.add_mailbox(graph)
    graph.notifications.start()
    _fill(wanted, made, seeding.Halves(mailbox, None, graph.clock().astimezone(ZoneInfo(seeding.ZONE)).date()))
    token = graph.issue_token(seeding.MAILBOX, expires_in=24 * 3600)
    return create_graph_app(graph), {"graph_url": "/v1.0", "upn": seeding.MAILBOX, "token": token}


def _oro(wanted: argparse.Namespace, made: seeding.SeededPeople) -> tuple[Any, dict[str, str]]:
    oro = OroSandbox(seed=wanted.seed)
    office = seeding.add_user(oro, wanted.seed)
    _fill(wanted, made, seeding.Halves(None, office, oro.clock().astimezone(ZoneInfo(seeding.ZONE)).date()))
    return create_oro_app(oro), {"user": seeding.USER, "api_key": made.api_key}


def _fill(wanted: argparse.Namespace, made: seeding.SeededPeople, halves: seeding.Halves) -> None:
    seeding.fill(halves, made, contacts=wanted.contacts, tasks=wanted.tasks, events=wanted.events, seed=wanted.seed)


if __name__ == "__main__":
    main()
