"""The demonstration keeps its promises, and says so when it does not."""

from __future__ import annotations

import socket

import pytest
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
    assert "because" in result.stdout


def test_a_promise_that_is_not_kept_is_named() -> None:
    with command._stage(0, (10, 5, 5), 7) as stage:
        stage.people.expected["contact"].pairs += 1
        assert tell(stage) == ["contacts: 3 stood on both sides and were linked"]


def test_a_taken_port_is_named_with_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(program, ["demo", "--once", "--port", str(port)])
    assert result.exit_code == 2
    assert f"Port {port} is taken" in result.stderr
