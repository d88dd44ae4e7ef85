"""The queue of many machines: Celery over RabbitMQ or Redis.

It carries account ids, nothing else, and calls the same work as the queue of one machine. A message is acknowledged
when its work is done; what a broker loses, doubles or delays is put right by due work and leases in the database.
"""

from __future__ import annotations

import warnings
from typing import Any

import structlog
from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import worker_shutting_down
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from orosync.errors import ConfigurationError, TryLater
from orosync.jobs.account_work import REQUESTED_BUDGET
from orosync.jobs.local import Work

_log = structlog.get_logger(__name__)

TASK = "orosync.account"
URGENT, DUE = "orosync.urgent", "orosync.due"
_SEND_WITHIN_S = 3
# Redis: when an unacknowledged message is given to another worker. Longer than any run; what a killed worker had is
# handed out again by the dispatcher, long before.
_VISIBILITY_S = int(REQUESTED_BUDGET.total_seconds()) + 300


def celery_app(broker_url: str, *, sending: bool = False) -> Celery:
    """sending: only puts messages in, and must not wait long for a broker that does not answer."""
    app = Celery("orosync", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_queues=[_queue(URGENT), _queue(DUE)],
        task_default_queue=DUE,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_enable_prefetch_count_reduction=False,  # messages are nothing but hints; more of them do no harm
        worker_enable_remote_control=False,  # nobody steers workers through the broker
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,  # the lease keeps others away; work goes on
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a broker that is away comes back
        broker_connection_timeout=_SEND_WITHIN_S,
        broker_transport_options=_transport_options(broker_url, sending=sending),
        broker_heartbeat=10,
        enable_utc=True,
    )
    return app


def _queue(name: str) -> Queue:
    """Each with an exchange of its own: Celery would bind both to that of the default queue."""
    return Queue(name, Exchange(name), routing_key=name, durable=True)


def _transport_options(broker_url: str, *, sending: bool) -> dict[str, Any]:
    if broker_url.startswith(("redis:", "rediss:")):
        return {
            "visibility_timeout": _VISIBILITY_S,
            "queue_order_strategy": "priority",  # as the queues are named: what people wait for first
            "socket_timeout": _SEND_WITHIN_S if sending else 10,
            "socket_connect_timeout": _SEND_WITHIN_S,
            "retry_on_timeout": not sending,
        }
    patience = {"read_timeout": _SEND_WITHIN_S, "write_timeout": _SEND_WITHIN_S} if sending else {}
    return {"confirm_publish": True, **patience}


def must_answer(broker_url: str) -> None:
    """Raises ConfigurationError while the broker does not. Once it has, a worker outlives its absence."""
    app = celery_app(broker_url, sending=True)
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_SEND_WITHIN_S)
    except (OperationalError, OSError) as error:
        cause = type(error.__cause__ or error).__name__  # without the driver's words: they may quote the password
        remedy = "Check address, user, password and virtual host, and that the broker runs."
        raise ConfigurationError([f"OROSYNC_BROKER_URL: the broker cannot be reached ({cause}). {remedy}"]) from None
    finally:
        app.close()


class ClusterQueue:
    """The sending side."""

    def __init__(self, broker_url: str) -> None:
        self._app = celery_app(broker_url, sending=True)

    def answers(self) -> bool:
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=_SEND_WITHIN_S)
        except (OperationalError, OSError):
            return False
        return True

    def put(self, account_id: int, *, urgent: bool = False) -> None:
        """Raises TryLater if the broker does not take it within a few seconds."""
        try:
            self._app.send_task(
                TASK,
                args=[account_id],
                queue=URGENT if urgent else DUE,
                retry=True,
                retry_policy={"max_retries": 1, "interval_start": 0.1},
                timeout=_SEND_WITHIN_S,
                confirm_timeout=_SEND_WITHIN_S,
            )
        except (OperationalError, OSError) as error:
            remedy = "Check OROSYNC_BROKER_URL and the broker."
            raise TryLater(f"The broker cannot be reached ({type(error).__name__}).", remedy=remedy) from error

    def close(self) -> None:
        self._app.close()


def work_off(broker_url: str, work: Work, threads: int, name: str) -> None:
    """Until the process is told to end; then runs end at their next step, and are waited for."""
    warnings.simplefilter("ignore", CPendingDeprecationWarning)  # one each time, for a setting that is meant so
    app = celery_app(broker_url)

    @app.task(name=TASK)
    def account(account_id: int) -> None:
        try:
            work.carry_out(account_id)
        except Exception:  # noqa: BLE001  # it stays due, and is handed out again
            _log.exception("an account could not be worked on now", account_id=account_id)

    def stop(**_: Any) -> None:
        work.stopping.set()

    worker_shutting_down.connect(stop, weak=False)
    try:
        worker = app.Worker(
            pool="threads",
            concurrency=threads,
            hostname=name,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,  # of Celery's own events; our signs of life are in the database
            quiet=True,
            queues=[URGENT, DUE],
            loglevel="WARNING",
        )
        worker.start()
    finally:
        worker_shutting_down.disconnect(stop)
