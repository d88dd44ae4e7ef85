"""Kill -9 at the worst moment: the other system has applied a create, and we are gone before we hear of it.

The simulated system keeps its answer back (`sandbox/held_answers.py`) while the process that asked is killed; the next
run has to find what was made, on either side, for each entity, and make nothing twice.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter
from typing import Any

import pytest
from tests.cli.houses import House, System

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows"),
]

# which request is a create of this entity, in a batch to Graph or by itself to OroCRM
CREATES = [
    pytest.param("outlook", "contact", {"path": r"/\$batch$", "body": r'"givenName"\s*:'}, id="contact in Outlook"),
    pytest.param("outlook", "task", {"path": r"/\$batch$", "body": r'"linkedResources"\s*:'}, id="task in Outlook"),
    pytest.param("outlook", "event", {"path": r"/\$batch$", "body": r'"transactionId"\s*:'}, id="event in Outlook"),
    pytest.param("oro", "contact", {"method": "POST", "path": r"/api/contacts$"}, id="contact in OroCRM"),
    pytest.param("oro", "task", {"method": "POST", "path": r"/api/tasks$"}, id="task in OroCRM"),
    pytest.param("oro", "event", {"method": "POST", "path": r"/api/rest/.*/calendarevents"}, id="event in OroCRM"),
]


def names_in_oro(house: House, entity: str) -> Counter[str]:
    field = {"contact": "lastName", "task": "subject", "event": "title"}[entity]
    return Counter(str(each[field]) for each in house.oro.get(f"{entity}s"))


def names_in_outlook(house: House, entity: str) -> Counter[str]:
    field = {"contact": "surname", "task": "title", "event": "subject"}[entity]
    return Counter(str(each[field]) for each in house.mailbox(entity))


def killed_while_waiting_for(house: House, system: System, wish: dict[str, Any]) -> None:
    system.send("POST", "hold", wish)
    process = house.start("sync", "anna")
    held = system.get("hold?wait=60")
    assert held, f"no request met {wish}"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    system.send("DELETE", "hold")


@pytest.mark.parametrize(("side", "entity", "wish"), CREATES)
def test_what_was_created_before_the_kill_is_found_again_and_made_once(
    house: House, side: str, entity: str, wish: dict[str, Any]
) -> None:
    house.add()
    before_oro, before_outlook = names_in_oro(house, entity), names_in_outlook(house, entity)
    killed_while_waiting_for(house, house.oro if side == "oro" else house.graph, wish)
    now, before = names_in_outlook(house, entity), before_outlook
    if side == "oro":
        now, before = names_in_oro(house, entity), before_oro
    assert now - before, "the create was applied, and nobody heard of it"

    again = house.run("sync", "anna", "--json")
    assert again.code == 0, again.out + again.err
    expected_in_oro = before_oro | may_travel(house, entity, before_outlook)
    assert names_in_oro(house, entity) == expected_in_oro
    assert names_in_outlook(house, entity) - before_outlook == before_oro - before_outlook
    assert house.graph.get(f"mailboxes/{house.graph.told['upn']}/outbox")["value"] == []

    quiet = house.run("sync", "anna", "--json").json
    assert sum(sum(c[s].values()) for c in quiet["entities"].values() for s in ("outlook", "oro")) == 0


def may_travel(house: House, entity: str, before: Counter[str]) -> Counter[str]:
    """Each name once (a spare copy stays in Outlook), private appointments not at all."""
    hidden = {"private", "confidential"}
    private = {str(each["subject"]) for each in house.mailbox(entity) if each.get("sensitivity") in hidden}
    return Counter({name: 1 for name in before if name not in private})


NAMED = {
    "contact": ("surname", "lastName"),
    "task": ("title", "subject"),
    "event": ("subject", "title"),
}


@pytest.mark.parametrize(("side", "entity", "wish"), CREATES)
def test_it_is_found_again_even_if_somebody_renamed_the_original_meanwhile(
    house: House, side: str, entity: str, wish: dict[str, Any]
) -> None:
    """By then no match key leads from one to the other."""
    house.add()
    in_outlook, in_oro = NAMED[entity]
    before_oro, before_outlook = names_in_oro(house, entity), names_in_outlook(house, entity)
    killed_while_waiting_for(house, house.oro if side == "oro" else house.graph, wish)
    if side == "oro":
        name = min(names_in_oro(house, entity) - before_oro)
        item = next(each for each in house.mailbox(entity) if each[in_outlook] == name)
        where = f"mailboxes/{house.graph.told['upn']}/{entity}/{item['id']}"
        house.graph.send("PATCH", where, {in_outlook: "Renamed meanwhile"})
    else:
        name = min(names_in_outlook(house, entity) - before_outlook)
        record = next(each for each in house.oro.get(f"{entity}s") if each[in_oro] == name)
        house.oro.send("PATCH", f"{entity}s/{record['id']}", {in_oro: "Renamed meanwhile"})

    again = house.run("sync", "anna", "--json")
    assert again.code == 0, again.out + again.err
    for names in (names_in_oro(house, entity), names_in_outlook(house, entity)):
        assert names["Renamed meanwhile"] == 1
        assert names[name] == 0, "what the killed run made is the renamed record, not another one"
