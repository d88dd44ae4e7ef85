"""A broker for one test, real and its own, that can be cut off."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.jobs.cutting import Proxy


@contextlib.contextmanager
def broker(kind: str, name: str) -> Iterator[tuple[str, Proxy]]:
    """Its URL, by way of a proxy. RabbitMQ: a virtual host of its own; Redis: a server of its own, since its databases
    are numbered, and the number may be somebody's."""
    with _rabbitmq(name) if kind == "rabbitmq" else _redis() as (port, form), Proxy(("127.0.0.1", port)) as proxy:
        yield form.format(port=proxy.port), proxy


@contextlib.contextmanager
def _rabbitmq(name: str) -> Iterator[tuple[int, str]]:
    subprocess.run(["rabbitmqctl", "-q", "add_vhost", name], check=True, timeout=60, capture_output=True)
    try:
        allow = ["rabbitmqctl", "-q", "set_permissions", "-p", name, "guest", ".*", ".*", ".*"]
        subprocess.run(allow, check=True, timeout=60, capture_output=True)
        yield 5672, f"amqp://guest:guest@127.0.0.1:{{port}}/{name}"
    finally:
        subprocess.run(["rabbitmqctl", "-q", "delete_vhost", name], check=True, timeout=60, capture_output=True)


@contextlib.contextmanager
def _redis() -> Iterator[tuple[int, str]]:
    import redis

    with Proxy(("127.0.0.1", 1)) as free:
        port = free.port
    switches = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]
    server = subprocess.Popen(["redis-server", *switches], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            wait_until(lambda: _answers(client), "Redis listens", 20)
        yield port, "redis://127.0.0.1:{port}/0"
    finally:
        server.kill()
        server.wait()


def _answers(client: Any) -> bool:
    import redis

    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def needs_broker(kind: str) -> None:
    """Skips, or fails in the gate, where there is no such server."""
    command = "rabbitmqctl" if kind == "rabbitmq" else "redis-server"
    if shutil.which(command) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {command} on this machine")


def wait_until(holds: Callable[[], Any], what: str, seconds: float = 30, *, every_s: float = 0.05) -> float:
    """Returns how long it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(every_s)
    return time.monotonic() - began
