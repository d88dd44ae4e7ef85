"""What is done to a cluster, and what is asked of it afterwards, whatever its size."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass

from tests.jobs.brokers import wait_until
from tests.jobs.cluster import Cluster


@dataclass
class Killed:
    """accounts: that the killed ones had at that moment. first_s, all_s: until the first of those, and each, was taken
    up by another one."""

    accounts: set[int]
    first_s: float
    all_s: float


def kill_in_mid_run(running: Cluster, *, person: int, how_many: int) -> Killed:
    """Everybody is due; when OroCRM has made a contact of this person and has not answered yet, the worker that asked
    is killed, and others with it."""
    running.systems.hold_create(person)
    running.make_due()
    running.systems.wait_for_held(person, 300)
    victims = [running.whose(person)]
    victims += [name for name in running.worker_names() if name not in victims][: how_many - 1]
    for name in victims:
        running.processes[name].send_signal(signal.SIGKILL)
    before = time.monotonic()
    dead = [running.processes[name] for name in victims]
    accounts = {each for process in dead for each in running.held_by(process)}
    epochs = running.epochs()
    for name in victims:
        running.processes.pop(name).wait(timeout=30)
    running.systems.let_go(person)
    assert running.ids[person] in accounts
    first_s = 0.0

    def taken_up() -> bool:
        nonlocal first_s, accounts
        held = {each for process in dead for each in running.held_by(process)}
        now = running.epochs()
        again = {each for each in accounts if now[each] > epochs[each]}
        # some had ended in time: all that was missing is the end of the lease, or it was on its way to the database
        accounts = again | (accounts & held) - running.finished()
        first_s = first_s or (time.monotonic() - before if again else 0.0)
        return again == accounts

    wait_until(taken_up, f"{len(accounts)} accounts of the killed are taken up again", 120)
    assert running.ids[person] in accounts
    return Killed(accounts, first_s, time.monotonic() - before)


def settle(running: Cluster, seconds: float) -> float:
    """Until everybody had their run; returns how long it took."""
    return wait_until(lambda: running.done() == len(running.ids), "everybody had their run", seconds, every_s=0.2)


def settle_what_waits(running: Cluster) -> None:
    """A create that was cut off on its way to Outlook may stay invisible for 20 s (R25): its record waits for the next
    look, which by itself would come with the interval."""

    def nothing_waits() -> bool:
        if running.done() < len(running.ids):
            return False
        waiting = running.open_intents()
        running.make_due(running.ids.index(each) for each in waiting)
        return not waiting

    wait_until(nothing_waits, "no write is open any more", 90, every_s=1)


def everything_is_there_once(running: Cluster, every: int = 1) -> None:
    """What each person had on one side is on both, and nothing twice. every: as in `cluster`."""
    in_oro, wrong = running.systems.in_oro(), []
    for number, person in enumerate(running.systems.told["people"]):
        mailbox, crm = running.systems.in_mailbox(person["upn"]), in_oro.get(str(number), [])
        own = {f"G0 g{number}", f"T0 t{number}"} if number % every == 0 else set()
        if len(mailbox) != len(set(mailbox)) or crm != mailbox or not own <= set(mailbox):
            wrong.append(f"person {number}: {mailbox} in Outlook, {crm} in OroCRM")
    assert not wrong, "\n".join(wrong)
