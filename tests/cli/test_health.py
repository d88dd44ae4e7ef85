"""`orosync health`: what a container's health check asks."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_httpserver import HTTPServer

from orosync import bootstrap
from orosync.cli import program
from orosync.config import load_config


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OROSYNC_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody listens there


def health(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["health", *arguments], prog_name="orosync")


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (302, 1)])
def test_a_page_is_well_if_it_answers_200(httpserver: HTTPServer, status: int, code: int) -> None:
    httpserver.expect_request("/readyz").respond_with_data("", status=status, headers={"Location": "/elsewhere"})
    assert health(httpserver.url_for("/readyz")).exit_code == code


def test_a_page_that_does_not_answer_is_not_well() -> None:
    refused = health("http://127.0.0.1:9/healthz")
    assert (refused.exit_code, "no answer" in refused.output) == (1, True)


def test_a_worker_is_well_as_long_as_it_says_that_it_lives() -> None:
    assert health().exit_code == 1
    now = datetime.now(UTC)

    class Past:
        def now(self) -> datetime:
            return now - timedelta(minutes=5)

    for clock, host, code in (
        (None, "elsewhere", 1),
        (Past(), socket.gethostname(), 1),
        (None, socket.gethostname(), 0),
    ):
        database = bootstrap.open_database(load_config(), clock)
        database.workers.sign(f"{host}:1:x", 4)
        database.close()
        assert health().exit_code == code, host
