"""A simulated Graph and simulated OroCRM instances with many people in them, as one process on loopback.

`python served_systems.py '{"accounts": 60, "instances": 2, "every": 1}'` prints one line of JSON when it listens:
addresses, and how each person signs in. Person n has a contact `g<n>` in OroCRM and one `t<n>` in the mailbox, if n is
a multiple of `every`, and sees nobody else's.
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
    people = []
    for number in range(wanted["accounts"]):
        where = number % len(instances)
        has_contacts = number % wanted["every"] == 0
        people.append({**_person(graph, instances[where], number, has_contacts=has_contacts), "instance": where})
    held = [HeldAnswers(create_oro_app(oro)) for oro in instances]
    with serve(HeldAnswers(create_graph_app(graph))) as mail:
        crms = [serve(app) for app in held]
        told = {"graph": mail.url, "oro": [each.url for each in crms], "people": people}
        sys.stdout.write(json.dumps(told | {"token": graph.issue_app_token(expires_in=24 * 3600)}) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


def _person(graph: GraphSandbox, oro: OroSandbox, number: int, *, has_contacts: bool) -> dict[str, Any]:
    upn, user = f"p{number}@contoso.example", f"p{number}"
    mailbox = graph.add_mailbox(upn, display_name=f"Person {number}")
    own = dict.fromkeys(("contact", "task", "event"), "own") | {"user": {"view": "system"}}
    known = oro.add_user(user, email=upn, permissions=own, first_name="Person", last_name=str(number))
    if has_contacts:
        oro.back_office_as(user).create("contact", {"firstName": "G0", "lastName": f"g{number}"})
        mailbox.user_create("contact", {"givenName": "T0", "surname": f"t{number}"})
    return {"upn": upn, "user": user, "api_key": known.api_key}


if __name__ == "__main__":
    main()
