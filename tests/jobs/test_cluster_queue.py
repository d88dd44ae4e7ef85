"""What goes into the brokers of a cluster, and what is said while one is away. Real servers, each test with its own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kombu import Connection
from tests.empty_database import put_empty_database
from tests.jobs.brokers import broker, needs_broker
from tests.jobs.cutting import Proxy
from tests.store.conftest import account_named

from orosync.bootstrap import Database, SystemClock
from orosync.errors import ConfigurationError, TryLater
from orosync.jobs import cluster
from orosync.jobs.account_work import REQUESTED_BUDGET
from orosync.jobs.dispatcher import Dispatcher
from orosync.store.engine import open_engine

pytestmark = [pytest.mark.processes, pytest.mark.slow]


@pytest.fixture(params=["rabbitmq", "redis"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, Proxy]]:
    needs_broker(request.param)
    with broker(request.param, f"orosync-queue-{os.getpid()}") as made:
        yield made


def messages(url: str, name: str) -> list[list[int]]:
    """The arguments of every message that waits in a queue, and takes them out."""
    with Connection(url) as connection, connection.SimpleQueue(name) as queue:
        found = []
        while True:
            try:
                message = queue.get(timeout=0.3)
            except queue.Empty:
                return found
            message.ack()
            found.append(message.payload[0])


def test_wishes_and_what_is_due_wait_in_queues_of_their_own(served: tuple[str, Proxy]) -> None:
    url, _ = served
    queue = cluster.ClusterQueue(url)
    queue.put(7)
    queue.put(8, urgent=True)
    queue.put(9)
    queue.close()
    assert messages(url, cluster.URGENT) == [[8]]
    assert messages(url, cluster.DUE) == [[7], [9]]


def test_a_broker_that_is_away_is_said_soon_and_taken_up_again_when_it_is_back(served: tuple[str, Proxy]) -> None:
    url, proxy = served
    queue = cluster.ClusterQueue(url)
    queue.put(1)
    proxy.cut()
    began = time.monotonic()
    with pytest.raises(TryLater, match="The broker cannot be reached") as raised:
        queue.put(2)
    assert time.monotonic() - began < 15
    assert "guest" not in str(raised.value)
    with pytest.raises(TryLater):
        queue.put(3)
    proxy.mend()
    queue.put(4)
    queue.close()
    assert messages(url, cluster.DUE) == [[1], [4]]


def test_a_broker_that_was_away_from_the_start_is_said_as_soon(served: tuple[str, Proxy]) -> None:
    url, proxy = served
    proxy.cut()
    queue = cluster.ClusterQueue(url)
    told: list[BaseException] = []

    def put() -> None:
        try:
            queue.put(1)
        except TryLater as error:
            told.append(error)

    thread = threading.Thread(target=put, daemon=True)  # which a mistake would keep waiting for good
    thread.start()
    thread.join(20)
    assert len(told) == 1
    proxy.mend()
    queue.put(2)
    queue.close()
    assert messages(url, cluster.DUE) == [[2]]


def test_a_broker_is_asked_before_work_begins(served: tuple[str, Proxy]) -> None:
    url, proxy = served
    cluster.must_answer(url)
    proxy.cut()
    with pytest.raises(ConfigurationError, match="OROSYNC_BROKER_URL: the broker cannot be reached") as raised:
        cluster.must_answer(url)
    assert "guest" not in str(raised.value)


def test_nobody_else_has_a_message_back_before_the_longest_run_is_over() -> None:
    options = cluster.celery_app("redis://127.0.0.1:1/0").conf.broker_transport_options
    assert options["visibility_timeout"] > REQUESTED_BUDGET.total_seconds()
    assert REQUESTED_BUDGET.total_seconds() < 30 * 60, "RabbitMQ closes the channel of a message it waits for longer"


def test_messages_are_acknowledged_late_and_no_more_are_taken_than_are_worked_on() -> None:
    conf = cluster.celery_app("amqp://127.0.0.1:1//").conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]
    assert not conf.worker_enable_remote_control
    assert not conf.worker_cancel_long_running_tasks_on_connection_loss


class BrokenQueue:
    """Fails in a way that nobody foresaw."""

    def put(self, account_id: int, *, urgent: bool = False) -> None:
        raise TypeError("a mistake of ours")


def test_what_could_not_be_handed_out_for_whatever_reason_is_due_as_before(tmp_path: Path) -> None:
    database = Database(open_engine(f"sqlite:///{put_empty_database(tmp_path / 'queue.db')}"))
    account_id = database.accounts.add(account_named("anna"))
    database.due_work.change(account_id, lambda work: replace(work, due_at=datetime(2026, 1, 1, tzinfo=UTC)))
    database.workers.sign("worker", 1)
    dispatcher = Dispatcher(database, BrokenQueue(), SystemClock(), timedelta(days=90))
    for _ in range(2):
        with pytest.raises(TypeError):
            dispatcher.round()
    assert database.due_work.in_hand() == 0
    database.close()
