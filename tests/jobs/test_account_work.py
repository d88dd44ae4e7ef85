"""What is done for one message: what people asked for, then what is due; under the lease, once, and with an end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from tests.jobs.background_world import Background

from orosync import bootstrap
from orosync.bootstrap.counting import begin_counting
from orosync.core.records import Side
from orosync.errors import RunCancelled, TryLater
from orosync.jobs import account_work
from orosync.store import tables
from orosync.store.runs import INTERRUPTED

World = Callable[..., Background]


def lease_elsewhere(world: Background, name: str = "anna", minutes: int = 10) -> Any:
    lease = world.database.leases.take(
        world.ids[name], "elsewhere:1:other", world.clock.now(), timedelta(minutes=minutes)
    )
    assert lease is not None
    return lease


def new_contact(world: Background, name: str) -> None:
    world.oro.back_office_as(world.oro.user("admin")).create("contact", {"firstName": name, "lastName": "Lovelace"})


def contacts_of(world: Background, name: str = "anna") -> list[str]:
    return sorted(str(each["givenName"]) for each in world.mailbox(name).items("contact"))


# ---------------------------------------------------------------------------------------------------- asked for


def test_a_run_that_was_asked_for_is_carried_out_once_however_often_it_is_told(background: World) -> None:
    world = background()
    world.ask("a", "preview")
    for _ in range(3):
        world.work.carry_out(world.ids["anna"])
    assert world.state_of("a") == "done"
    assert len(world.database.account_store(world.ids["anna"]).runs()) == 1


def test_a_preview_of_somebody_who_never_synced_starts_nothing_by_itself(background: World) -> None:
    world = background()
    new_contact(world, "Ada")
    world.ask("a", "preview")
    world.work.carry_out(world.ids["anna"])
    assert world.database.due_work.get(world.ids["anna"]).due_at is None
    assert world.seconds(600) == 0
    assert contacts_of(world) == []


def test_who_asks_while_another_run_has_the_account_is_served_when_it_is_over(background: World) -> None:
    world = background()
    lease = lease_elsewhere(world)
    world.ask("a", "preview")
    world.work.carry_out(world.ids["anna"])
    assert world.state_of("a") == "waiting"
    world.database.leases.release(lease)
    world.seconds(3)
    assert world.state_of("a") == "done"


def test_a_run_that_could_not_begin_and_was_cancelled_meanwhile_is_over(background: World) -> None:
    world = background()
    lease_elsewhere(world)
    world.ask("a", "preview")
    runs = world.database.requested_runs
    claim = runs.claim

    def claim_and_cancel(account_id: int, run: str) -> bool:
        claimed = claim(account_id, run)
        runs.cancel(account_id, run)
        return claimed

    runs.claim = claim_and_cancel  # type: ignore[method-assign]
    world.work.carry_out(world.ids["anna"])
    assert world.state_of("a") == "cancelled"


def test_a_message_that_got_lost_is_sent_again(background: World) -> None:
    world = background()
    world.ask("a", "preview")  # and nobody is told
    assert world.seconds(29) == 0
    assert world.seconds(2) == 1
    assert world.state_of("a") == "done"


def test_a_run_whose_worker_died_is_over_and_the_account_goes_on(background: World) -> None:
    world = background()
    world.first_sync()
    world.ask("a")
    assert world.database.requested_runs.claim(world.ids["anna"], "a")
    world.clock.forward(minutes=5)
    new_contact(world, "Ada")
    world.work.carry_out(world.ids["anna"])
    assert world.state_of("a") == "failed"
    assert contacts_of(world) == ["Ada"]


def test_a_disabled_account_is_not_synced(background: World) -> None:
    world = background()
    world.first_sync()
    world.database.accounts.disable(world.ids["anna"], "on leave", world.clock.now())
    world.ask("a")
    world.work.carry_out(world.ids["anna"])
    assert world.state_of("a") == "failed"
    assert world.seconds(1000) == 0


def test_without_a_secret_the_account_is_suspended_and_says_so(background: World) -> None:
    world = background()
    world.database.secrets(world.ids["anna"]).forget("oro")
    world.ask("a")
    world.work.carry_out(world.ids["anna"])
    assert world.state_of("a") == "suspended"
    assert world.account().state == "suspended"
    assert "secret" in world.account().state_reason


def test_whatever_breaks_ends_the_run_and_not_the_worker(background: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = background()
    world.first_sync()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("orosync.bootstrap.run_once", broken)
    world.ask("a")
    world.work.carry_out(world.ids["anna"])
    found = world.database.account_store(world.ids["anna"]).run("a")
    assert found is not None
    assert found["state"] == "failed"
    assert "a mistake of ours" not in str(found["summary"])
    world.clock.forward(minutes=2)
    world.work.carry_out(world.ids["anna"])
    work = world.database.due_work.get(world.ids["anna"])
    assert work.trouble == "failing"
    assert work.due_at is not None
    assert work.due_at > world.clock.now()


def test_a_database_that_is_away_is_told_to_whoever_carried_the_message(
    background: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = background()

    def away(*_: object) -> None:
        raise TryLater("The database could not take part just now.")

    monkeypatch.setattr(world.database.due_work, "begin", away)
    with pytest.raises(TryLater):
        world.work.carry_out(world.ids["anna"])


def test_a_message_about_an_account_that_was_removed_is_nothing(background: World) -> None:
    world = background()
    world.database.accounts.remove(world.ids["anna"])
    world.work.carry_out(world.ids["anna"])


def test_a_wish_that_was_turned_away_is_not_lost_when_the_run_in_its_way_was_nobody_s_of_the_background(
    background: World,
) -> None:
    """Started by hand, for an account that is not kept in step by itself."""
    world = background()
    world.first_sync()
    world.database.settings.set(bootstrap.level_of(world.account()), "enable_sync", False, by="anna")

    def ask(*_: object) -> None:
        stop()
        world.ask("a")
        world.work.carry_out(world.ids["anna"])
        assert world.state_of("a") == "waiting"

    stop = world.graph.after_request(ask)
    world.first_sync()  # once more, as from the command line
    assert world.state_of("a") == "waiting"
    world.seconds(5)
    assert world.state_of("a") == "done"
    assert world.database.due_work.get(world.ids["anna"]).due_at is None


def test_a_wish_is_not_lost_when_the_run_in_its_way_ends_while_it_is_given_back(
    background: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That run has planned what is next, and looked for wishes, before this one waits again."""
    world = background()
    world.first_sync()
    world.database.settings.set(bootstrap.level_of(world.account()), "enable_sync", False, by="anna")
    lease = lease_elsewhere(world)
    runs = world.database.requested_runs
    give_back = runs.give_back

    def ended_meanwhile(account_id: int, run: str) -> None:
        bootstrap.plan_next(world.database, world.account(), None, world.clock.now(), world.clock.now(), 0.5)
        world.database.leases.release(lease)
        assert runs.next_waiting(account_id) is None
        give_back(account_id, run)

    monkeypatch.setattr(runs, "give_back", ended_meanwhile)
    world.ask("a")
    world.work.carry_out(world.ids["anna"])
    assert world.state_of("a") == "waiting"
    world.seconds(5)
    assert world.state_of("a") == "done"


def test_while_somebody_else_talks_to_its_mailbox_an_account_is_tried_every_other_second(background: World) -> None:
    world = background()
    world.first_sync()
    world.clock.forward(minutes=3)
    world.database.mailboxes.take(world.account().mailbox, "elsewhere:1:other", timedelta(minutes=10))
    assert sum(world.second() for _ in range(20)) == 10


# ---------------------------------------------------------------------------------------------------- due


def test_an_account_that_is_due_is_worked_on_once(background: World) -> None:
    world = background()
    world.first_sync()
    new_contact(world, "Ada")
    world.clock.forward(minutes=3)
    asked = world.graph.statistics.requests
    world.work.carry_out(world.ids["anna"])
    assert contacts_of(world) == ["Ada"]
    after = world.graph.statistics.requests
    assert after > asked
    world.work.carry_out(world.ids["anna"])
    assert world.graph.statistics.requests == after


def test_two_that_meet_at_one_account_do_its_work_once(background: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one finds it taken, and when its message comes again, done."""
    world = background()
    world.first_sync()
    world.clock.forward(minutes=3)
    kept = account_work.bootstrap.kept
    before = world.graph.statistics.requests
    came: list[int] = []

    def then_comes_another(*args: Any) -> Any:
        monkeypatch.setattr("orosync.bootstrap.kept", kept)
        world.work.carry_out(world.ids["anna"])
        came.append(world.graph.statistics.requests - before)
        return kept(*args)

    monkeypatch.setattr("orosync.bootstrap.kept", then_comes_another)
    world.work.carry_out(world.ids["anna"])
    assert came == [0]
    looked = world.graph.statistics.requests
    assert looked > before
    world.work.carry_out(world.ids["anna"])
    assert world.graph.statistics.requests == looked


def test_a_call_that_comes_while_a_look_at_the_other_side_begins_is_not_forgotten(
    background: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = background()
    world.first_sync()
    world.work.carry_out(world.ids["anna"])
    world.clock.forward(seconds=60)  # Outlook is due, OroCRM is not
    known_of = account_work.bootstrap.known_of

    def called_meanwhile(*args: Any) -> Any:
        world.clock.forward(seconds=1)
        world.database.due_work.call([world.ids["anna"]], frozenset({Side.ORO}))
        world.clock.forward(seconds=1)
        return known_of(*args)

    monkeypatch.setattr("orosync.bootstrap.known_of", called_meanwhile)
    asked = len(world.oro.request_log)
    world.work.carry_out(world.ids["anna"])
    assert len(world.oro.request_log) == asked
    assert Side.ORO in world.database.due_work.get(world.ids["anna"]).called_at


def test_a_pause_of_the_mailbox_is_kept_by_whoever_comes_next(background: World) -> None:
    world = background()
    world.first_sync()
    world.clock.forward(minutes=3)
    until = world.clock.now() + timedelta(minutes=5)
    world.database.mailboxes.pause(world.account().mailbox, until)
    before = world.graph.statistics.requests
    world.work.carry_out(world.ids["anna"])
    work = world.database.due_work.get(world.ids["anna"])
    assert world.graph.statistics.requests == before
    assert work.trouble == "throttled"
    assert work.due_at is not None
    assert work.due_at >= until
    assert world.database.leases.holder(world.ids["anna"]) is None
    assert world.database.mailboxes.owner(world.account().mailbox) is None
    assert world.database.due_work.in_hand() == 0


def test_an_account_is_given_back_even_if_what_is_next_cannot_be_written(
    background: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = background()
    world.first_sync()
    world.clock.forward(minutes=3)
    before = world.database.due_work.get(world.ids["anna"])

    def away(*_: object) -> None:
        raise TryLater("the database is away")

    monkeypatch.setattr(world.database.due_work, "plan", away)
    with pytest.raises(TryLater):
        world.work.carry_out(world.ids["anna"])
    monkeypatch.undo()
    assert world.database.due_work.get(world.ids["anna"]) == before, "it stays due"
    assert world.database.leases.holder(world.ids["anna"]) is None
    assert world.database.mailboxes.owner(world.account().mailbox) is None


def test_an_account_whose_worker_was_killed_keeps_its_place_when_its_message_comes_again_at_once(
    background: World,
) -> None:
    """RabbitMQ hands out again what a dead worker had, while its lease is still alive."""
    world = background()
    world.first_sync()
    world.clock.forward(minutes=3)
    lease_elsewhere(world)
    before = world.database.due_work.get(world.ids["anna"])
    assert before.due_at is not None
    assert before.due_at <= world.clock.now()
    for _ in range(3):
        world.work.carry_out(world.ids["anna"])
    assert world.database.due_work.get(world.ids["anna"]) == before


def test_a_run_whose_worker_was_killed_does_not_run_for_ever(background: World) -> None:
    world = background()
    world.first_sync()
    lease = lease_elsewhere(world)
    world.database.account_store(world.ids["anna"], lease).start_run("killed", "sync", world.clock.now())
    world.clock.forward(minutes=11)
    world.work.carry_out(world.ids["anna"])
    assert world.state_of("killed") == "failed"
    found = world.database.account_store(world.ids["anna"]).run("killed")
    assert found is not None
    assert found["summary"]["problems"] == [INTERRUPTED]


def test_an_idle_run_leaves_no_trace_in_the_history(background: World) -> None:
    world = background()
    world.first_sync()
    store = world.database.account_store(world.ids["anna"])
    before = len(store.runs())
    world.seconds(300)
    assert len(store.runs()) == before
    assert world.database.due_work.get(world.ids["anna"]).read_at[Side.ORO] > world.clock.now() - timedelta(seconds=130)


def test_a_trouble_that_stays_is_told_once_and_its_end_too(background: World) -> None:
    world = background()
    world.first_sync()
    store = world.database.account_store(world.ids["anna"])
    world.graph.fail_next("POST", r"\$batch", 500, "UnknownError", times=10_000)
    world.clock.forward(minutes=2)
    before = len(store.runs())
    world.seconds(900)
    assert [row["state"] for row in store.runs()][: len(store.runs()) - before] == ["failed"]
    work = world.database.due_work.get(world.ids["anna"])
    assert work.trouble == "failing"
    assert work.attempts > 3
    world.graph.failures.clear()
    world.seconds(1000)
    assert store.runs()[0]["state"] == "done"
    assert len(store.runs()) == before + 2
    assert world.database.due_work.get(world.ids["anna"]).trouble == ""


def test_a_mailbox_that_asks_for_a_pause_is_left_alone_as_long_and_others_are_not(background: World) -> None:
    world = background("anna", "boris")
    world.first_sync()
    world.clock.forward(minutes=2)
    world.graph.fail_next("POST", r"\$batch", 429, "TooManyRequests", retry_after=120)  # of anna, who is due first
    world.second()
    work = world.database.due_work.get(world.ids["anna"])
    assert work.trouble == "throttled"
    assert work.due_at is not None
    assert timedelta(seconds=120) <= work.due_at - world.clock.now() <= timedelta(seconds=135)
    assert world.database.due_work.get(world.ids["boris"]).trouble == ""
    world.ask("a")
    world.work.carry_out(world.ids["anna"])
    found = world.database.account_store(world.ids["anna"]).run("a")
    assert found is not None
    assert found["state"] == "failed"
    assert "pause" in found["summary"]["problems"][0]


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have passed for who counts them: what is appended."""
    seconds: list[float] = []
    monkeypatch.setattr(account_work, "time", SimpleNamespace(monotonic=lambda: sum(seconds)))
    return seconds


def test_a_run_that_had_its_time_stops_between_two_steps_and_goes_on_later(
    background: World, passed: list[float]
) -> None:
    world = background()
    world.first_sync()
    for number in range(65):
        new_contact(world, f"Ada {number:02}")
    world.clock.forward(minutes=3)
    slow = account_work.RUN_BUDGET.total_seconds() + 1
    quick = world.graph.after_request(lambda _request, _reply: passed.append(slow))
    world.work.carry_out(world.ids["anna"])
    store = world.database.account_store(world.ids["anna"])
    assert store.runs()[0]["summary"]["unfinished"]
    assert "follows by itself" in store.runs()[0]["summary"]["problems"][0]
    assert 0 < len(contacts_of(world)) < 65
    work = world.database.due_work.get(world.ids["anna"])
    assert work.due_at is not None
    assert work.due_at <= world.clock.now()
    quick()
    world.second()
    assert len(contacts_of(world)) == len(set(contacts_of(world))) == 65


def test_a_run_that_read_for_longer_than_its_time_writes_all_the_same(background: World, passed: list[float]) -> None:
    world = background()
    world.first_sync()
    new_contact(world, "Ada")
    world.clock.forward(minutes=3)
    slow = [account_work.RUN_BUDGET.total_seconds() * 2]
    world.graph.after_request(lambda _request, _reply: passed.append(slow.pop() if slow else 0))
    world.work.carry_out(world.ids["anna"])
    assert len(contacts_of(world)) == 1


def test_the_end_of_the_process_ends_a_run_at_its_next_step(background: World) -> None:
    world = background()
    world.first_sync()
    for number in range(45):
        new_contact(world, f"Ada {number:02}")
    world.clock.forward(minutes=3)

    def stop(request: Any, _reply: Any) -> None:
        if request.method == "POST":
            world.work.stopping.set()

    world.graph.after_request(stop)
    world.work.carry_out(world.ids["anna"])
    summary = world.database.account_store(world.ids["anna"]).runs()[0]["summary"]
    assert summary["unfinished"]
    assert summary["problems"] == [INTERRUPTED]
    assert world.database.leases.holder(world.ids["anna"]) is None


def test_a_person_who_stops_a_run_is_obeyed(background: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = background()
    new_contact(world, "Ada")
    monkeypatch.setattr(account_work, "_TELL_EVERY_S", 0.0)
    runs = world.database.requested_runs
    monkeypatch.setattr(runs, "tell_progress", lambda *_: True)
    world.ask("a")
    world.work.carry_out(world.ids["anna"])
    assert world.state_of("a") == "cancelled"
    assert issubclass(account_work.OutOfTime, RunCancelled)


def test_a_suspended_account_is_tried_again_now_and_then_and_comes_back_by_itself(background: World) -> None:
    world = background()
    world.first_sync()
    world.oro.state.settings.web_api_enabled = False
    world.clock.forward(minutes=3)
    world.second()
    assert world.account().state == "suspended"
    asked = len(world.oro.request_log)
    world.seconds(300)
    assert len(world.oro.request_log) == asked
    world.oro.state.settings.web_api_enabled = True
    world.seconds(1000)
    assert world.account().state == "active"


def test_a_setting_that_is_not_valid_any_more_is_no_reason_to_try_each_second(background: World) -> None:
    world = background()
    world.first_sync()
    with world.database.engine.begin() as connection:
        row = {"level": "system", "scope": "", "key": "crm_sync_interval", "value": "never"}
        connection.execute(sa.insert(tables.settings).values(**row))
    world.clock.forward(minutes=3)
    assert 1 <= world.seconds(120) < 8
    assert "crm_sync_interval" in world.database.due_work.get(world.ids["anna"]).reason


def test_an_undo_that_a_person_stops_is_counted_as_that_with_what_it_had_taken_back(
    background: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_work, "_TELL_EVERY_S", 0.0)
    counted = begin_counting().registry.get_sample_value
    world = background()
    world.first_sync()
    for name in ("Ada", "Bea", "Cleo"):
        new_contact(world, name)
    world.ask("there")
    world.work.carry_out(world.ids["anna"])
    runs, deleted = {"mode": "undo", "state": "cancelled"}, {"side": "outlook", "entity": "contact", "verb": "delete"}
    before = counted("orosync_runs_total", runs) or 0, counted("orosync_ops_total", deleted) or 0
    world.ask("back", "undo", of="there")

    def cancel(call: Any, _reply: Any) -> None:
        if call.method == "DELETE":
            assert world.database.requested_runs.cancel(world.ids["anna"], "back")
            stop()

    stop = world.graph.after_request(cancel)
    world.work.carry_out(world.ids["anna"])
    assert world.state_of("back") == "cancelled"
    assert len(world.mailbox().items("contact")) == 2
    assert counted("orosync_runs_total", runs) == before[0] + 1
    assert counted("orosync_ops_total", deleted) == before[1] + 1
