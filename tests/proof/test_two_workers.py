"""Two real processes for one account. One is frozen (SIGSTOP) in the middle of a request, longer than its lease;
another one takes the account over and finishes; then the first wakes up. By the epoch it can commit nothing any more,
and what it still sends does no harm (I22)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.houses import COUNTS, House, ended, started
from tests.cli.test_killed_processes import CREATES, may_travel, names_in_oro, names_in_outlook
from tests.jobs.brokers import wait_until
from tests.proof.effort import minutes
from tests.proof.tally import count, owe

pytestmark = [
    pytest.mark.processes,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no process can be frozen on Windows"),
]
AT_ONCE = 4  # writes to OroCRM that are under way together
TAKEN_OVER_S = 60  # eight of them are the lease


@pytest.fixture
def house(tmp_path: Any) -> Any:
    graph, oro = started("graph", *COUNTS), started("oro", *COUNTS)
    try:
        yield House(graph, oro, tmp_path / "data")
    finally:
        ended(graph)
        ended(oro)


class Frozen:
    """`orosync sync`, stopped by the kernel while a system keeps its request or the answer to it."""

    def __init__(self, house: House, side: str, wish: dict[str, Any], still: Callable[[], bool] = lambda: True) -> None:
        """still: nothing else of it is on its way any more; a request that is cannot be called back."""
        self.house, self.system = house, house.oro if side == "oro" else house.graph
        self.system.send("POST", "hold", wish)
        self.process = house.start("sync", "anna")
        try:
            assert self.system.get("hold?wait=60"), f"no request met {wish}"
            wait_until(still, "what was sent beside it is answered")
        except BaseException:
            self.end()
            raise
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> tuple[int, str]:
        """Lets its request go, and it goes on; returns how it ended and what it said."""
        self.system.send("DELETE", "hold")
        self.process.send_signal(signal.SIGCONT)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out + err

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def another_one_takes_over(house: House) -> None:
    refused = house.run("sync", "anna")
    assert refused.code == 1
    assert "is working on account anna" in refused.err
    seen: list[Any] = []

    def done() -> bool:
        seen.append(house.run("sync", "anna", "--json"))
        return bool(seen[-1].code == 0)

    wait_until(done, "the lease is over, and the account taken", TAKEN_OVER_S, every_s=0.5)


def until_nothing_waits(house: House) -> None:
    """A create that another one may have sent is waited for: 20 s in Outlook (R25)."""

    def quiet() -> bool:
        ran = house.run("sync", "anna", "--json")
        assert ran.code == 0, ran.out + ran.err
        entities = ran.json["entities"].values()
        return not any(sum(each[side].values()) for each in entities for side in ("outlook", "oro")) and not any(
            each["waiting"] for each in entities
        )

    wait_until(quiet, "a run that has nothing to do", TAKEN_OVER_S, every_s=1)


def epochs(house: House) -> int:
    import sqlite3

    with sqlite3.connect(house.folder / "orosync.sqlite3") as database:
        return int(database.execute("select max(epoch) from leases").fetchone()[0])


@pytest.mark.parametrize(("side", "entity", "wish"), CREATES if minutes() else CREATES[3:4])
def test_who_slept_through_its_lease_commits_nothing_and_nothing_is_made_twice(
    house: House, side: str, entity: str, wish: dict[str, Any]
) -> None:
    owe("invariant", "I22 fencing", 1)
    house.add()
    before_oro, before_outlook = names_in_oro(house, entity), names_in_outlook(house, entity)
    to_come = may_travel(house, entity, before_outlook) - before_oro if side == "oro" else Counter()
    at_once = min(AT_ONCE, to_come.total())
    frozen = Frozen(house, side, wish, lambda: (names_in_oro(house, entity) - before_oro).total() >= at_once)
    try:
        another_one_takes_over(house)
        epoch = epochs(house)
        code, said = frozen.wake()
    finally:
        frozen.end()
    assert (code, "took account" in said, "Traceback" in said) == (1, True, False), said
    assert epochs(house) == epoch, "it took nothing back"
    until_nothing_waits(house)
    assert names_in_oro(house, entity) == before_oro | may_travel(house, entity, before_outlook)
    assert names_in_outlook(house, entity) - before_outlook == before_oro - before_outlook
    assert house.graph.get(f"mailboxes/{house.graph.told['upn']}/outbox")["value"] == []
    count("invariant", "I22 fencing")


LATE = [
    pytest.param("outlook", "event", {"path": r"/\$batch$", "body": r'"transactionId"\s*:'}, id="create in Outlook"),
    pytest.param("oro", "event", {"method": "POST", "path": r"/api/rest/.*/calendarevents"}, id="create in OroCRM"),
]


@pytest.mark.parametrize(("side", "entity", "wish"), LATE if minutes() else LATE[1:])
def test_a_create_that_arrives_after_the_other_one_made_it_is_the_same_create(
    house: House, side: str, entity: str, wish: dict[str, Any]
) -> None:
    """Its request was on its way all the while. An event has an id of the op in it, which is taken once."""
    house.add()
    before_oro, before_outlook = names_in_oro(house, entity), names_in_outlook(house, entity)
    frozen = Frozen(house, side, {**wish, "early": True})
    try:
        another_one_takes_over(house)
        until_nothing_waits(house)
        frozen.wake()
    finally:
        frozen.end()
    until_nothing_waits(house)
    assert names_in_oro(house, entity) == before_oro | may_travel(house, entity, before_outlook)
    assert names_in_outlook(house, entity) - before_outlook == before_oro - before_outlook


def test_a_change_that_arrives_late_does_not_undo_what_a_person_wrote_meanwhile(house: House) -> None:
    """Outlook refuses it by its precondition."""
    house.add()
    assert house.run("sync", "anna").code == 0
    record = house.oro.get("contacts")[0]
    name = str(record["lastName"])
    item = next(each for each in house.mailbox("contact") if each["surname"] == name)
    house.oro.send("PATCH", f"contacts/{record['id']}", {"jobTitle": "From OroCRM"})
    frozen = Frozen(house, "outlook", {"path": r"/\$batch$", "body": r"From OroCRM", "early": True})
    try:
        where = f"mailboxes/{house.graph.told['upn']}/contact/{item['id']}"
        house.graph.send("PATCH", where, {"jobTitle": "By hand", "nickName": "By hand too"})
        assert house.run("settings", "set", "conflict_resolution=outlook_wins").code == 0
        another_one_takes_over(house)
        frozen.wake()
    finally:
        frozen.end()
    until_nothing_waits(house)
    (now,) = [each for each in house.mailbox("contact") if each["surname"] == name]
    assert (now["jobTitle"], now.get("nickName")) == ("By hand", "By hand too")
    assert [each["jobTitle"] for each in house.oro.get("contacts") if each["lastName"] == name] == ["By hand"]


def test_of_many_that_want_an_account_at_once_one_works_and_the_others_say_so(house: House) -> None:
    house.add()
    crowd: list[subprocess.Popen[str]] = [house.start("sync", "anna") for _ in range(4)]
    said = [(each.communicate(timeout=120), each.returncode) for each in crowd]
    assert [code for _, code in said].count(0) >= 1
    for (out, err), code in said:
        assert code == 0 or "is working on account anna" in err or "is being synchronised" in err, out + err
        assert "Traceback" not in err
    until_nothing_waits(house)
    assert max(names_in_oro(house, "contact").values()) == 1
    assert len(names_in_outlook(house, "contact")) >= len(names_in_oro(house, "contact"))
