"""A simulated Graph and simulated OroCRM instances with many people in them, as one process on loopback.

`python served_systems.py '{"accounts": 60, "instances": 2}'` prints one line of JSON when it listens: addresses, and
how each person signs in. Person n has contacts `g<n>` in OroCRM and `t<n>` in the mailbox, and sees nobody else's.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.held_answers import HeldAnswers
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import serve


def main() -> None:
    wanted = json.loads(sys.argv[1])
    graph, instances = GraphSandbox(seed=1), [OroSandbox(seed=n) for n in range(wanted["instances"])]
    graph.settings.request_log_limit = 1_000_000
    graph.settings.latency_s = wanted.get("latency_s", 0.0)
    people = []
    for number in range(wanted["accounts"]):
        where = number % len(instances)
        people.append({**_person(graph, instances[where], number, wanted["contacts"]), "instance": where})
    held = [HeldAnswers(create_oro_app(oro)) for oro in instances]
    with serve(HeldAnswers(create_graph_app(graph))) as mail:
        crms = [serve(app) for app in held]
        told = {"graph": mail.url, "oro": [each.url for each in crms], "people": people}
        sys.stdout.write(json.dumps(told | {"token": graph.issue_app_token(expires_in=24 * 3600)}) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


def _person(graph: GraphSandbox, oro: OroSandbox, number: int, contacts: int) -> dict[str, Any]:
    upn, user = f"p{number}@contoso.example", f"p{number}"
    mailbox = graph.add_mailbox(upn, display_name=f"Person {number}")
    own = dict.fromkeys(("contact", "task", "event"), "own") | {"user": {"view": "system"}}
    known = oro.add_user(user, email=upn, permissions=own, first_name="Person", last_name=str(number))
    for each in range(contacts):
        oro.back_office_as(user).create("contact", {"firstName": f"G{each}", "lastName": f"g{number}"})
        mailbox.user_create("contact", {"givenName": f"T{each}", "surname": f"t{number}"})
    return {"upn": upn, "user": user, "api_key": known.api_key}


if __name__ == "__main__":
    main()
