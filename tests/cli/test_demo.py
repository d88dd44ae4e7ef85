"""The demonstration keeps its promises, says so when it does not, and serves its page until it is told to stop."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests
from click.testing import CliRunner

from orosync.cli import demo as command
from orosync.cli import program
from orosync.cli.demo_story import tell

pytestmark = pytest.mark.slow


def test_the_demonstration_runs_to_its_end_and_keeps_every_promise() -> None:
    result = CliRunner().invoke(program, ["demo", "--once", "--no-browser", "--contacts", "12", "--tasks", "6"])
    assert result.exit_code == 0, result.output
    assert "NOT KEPT" not in result.stdout
    assert result.stdout.count("nothing was written on either side") == 2
    assert "ok  /demo answers" in result.stdout
    assert "because" in result.stdout


def test_a_promise_that_is_not_kept_is_named() -> None:
    with command._stage(0, (10, 5, 5), 7) as stage:
        stage.people.expected["contact"].pairs += 1
        assert tell(stage) == ["contacts: 3 stood on both sides and were linked"]


@pytest.fixture
def three_ports() -> Iterator[int]:
    """The first of three in a row that nobody has, for as long as nobody else takes them."""
    for _ in range(50):
        with ExitStack() as stack:
            try:
                first = stack.enter_context(_taken(0)).getsockname()[1]
                for more in (1, 2):
                    stack.enter_context(_taken(first + more))
            except (OSError, OverflowError):
                continue
        yield first
        return
    pytest.fail("no three ports in a row are free")


def _taken(port: int) -> socket.socket:
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(("127.0.0.1", port))
    except OSError:
        taken.close()
        raise
    return taken


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_taken_port_is_named_with_a_way_out(three_ports: int, which: int) -> None:
    with _taken(three_ports + which) as taken:
        taken.listen()
        result = CliRunner().invoke(program, ["demo", "--once", "--port", str(three_ports)])
    assert result.exit_code == 2
    assert f"Port {three_ports + which} is taken" in result.stderr


@pytest.mark.processes
def test_it_serves_its_page_until_it_is_told_to_stop(three_ports: int) -> None:
    command_line = ["demo", "--no-browser", "--contacts", "10", "--port", str(three_ports)]
    line = [sys.executable, "-u", "-c", "from orosync.cli import main; main()", *command_line]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        try:
            assert running.stdout is not None
            address = next(each.split()[1] for each in running.stdout if each.startswith("Open"))
            assert address == f"http://127.0.0.1:{three_ports}/demo"
            assert "OroCRM for Outlook" in requests.get(address, timeout=20).text
            running.send_signal(signal.SIGINT)
            rest, _ = running.communicate(timeout=20)
            assert running.returncode == 0, rest
            assert "Good-bye." in rest
            assert "Traceback" not in rest
        finally:
            running.kill()
