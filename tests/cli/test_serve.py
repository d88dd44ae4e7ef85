"""`orosync serve` as a real process: HTTPS, health, an API that insists on Entra ID's tokens, and a clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import trustme
from requests.adapters import HTTPAdapter
from urllib3 import Retry

pytestmark = [pytest.mark.processes, pytest.mark.slow]

IDS = {
    "OROSYNC_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "OROSYNC_CLIENT_ID": "66666666-7777-8888-9999-000000000000",
    "OROSYNC_CLIENT_SECRET": "not-a-real-secret",
    "OROSYNC_PUBLIC_URL": "https://sync.example.com",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    folder: Path, *more: str, **variables: str
) -> Iterator[tuple[subprocess.Popen[str], str, requests.Session]]:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    port = free_port()
    environment = {**os.environ, "OROSYNC_DATA_DIR": str(folder / "data"), **variables}
    command = [sys.executable, "-c", "from orosync.cli import main; main()", "serve", "--bind", f"127.0.0.1:{port}"]
    command += ["--certificate", str(folder / "cert.pem"), "--key", str(folder / "key.pem"), *more]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    session = requests.Session()
    session.verify, session.trust_env = str(folder / "ca.pem"), False
    # it answers as soon as it listens: connecting is tried again for some seconds
    session.mount("https://", HTTPAdapter(max_retries=Retry(connect=9, backoff_factor=0.05)))
    try:
        yield process, f"https://localhost:{port}", session
    finally:
        process.kill()
        process.communicate()
        session.close()


def test_it_serves_the_pane_over_https_and_ends_when_asked(tmp_path: Path) -> None:
    with serving(tmp_path, **IDS) as (process, url, session):
        assert session.get(f"{url}/healthz").status_code == 200
        assert session.get(f"{url}/readyz").status_code == 200
        page = session.get(f"{url}/addin/taskpane.html")
        assert (page.status_code, "max-age" in page.headers["Strict-Transport-Security"]) == (200, True)
        config = session.get(f"{url}/addin/config.json").json()
        assert (config["sign_in"], config["client_id"], config["demo"]) == ("entra", IDS["OROSYNC_CLIENT_ID"], False)
        assert "https://sync.example.com/addin/" in session.get(f"{url}/manifest.xml").text
        refused = session.get(f"{url}/api/v1/me")
        assert (refused.status_code, refused.json()["code"]) == (401, "not_signed_in")
        assert session.get(f"{url}/auth/local").status_code == 404
        assert session.get(f"{url}/demo").status_code == 404
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
        assert process.returncode == 0, log
        assert "not-a-real-secret" not in log


def test_it_says_what_is_missing_and_does_not_start(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, _, _):
        _, log = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "OROSYNC_TENANT_ID" in log
    assert "OROSYNC_CLIENT_ID" in log
    assert "OROSYNC_PUBLIC_URL" in log
    assert "Traceback" not in log


def test_several_processes_tell_one_set_of_counters_and_leave_nothing_behind(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    token = {"OROSYNC_METRICS_TOKEN": "what-prometheus-sends"}
    with serving(tmp_path, "--workers", "2", **IDS, **token, TMPDIR=str(scratch)) as (process, url, session):
        assert session.get(f"{url}/healthz").status_code == 200
        (folder,) = scratch.glob("orosync-metrics-*")
        told = session.get(f"{url}/metrics").text
        assert 'orosync_accounts{state="waiting"} 0.0' in told
        assert "# TYPE orosync_build_info gauge" in told
        forwarded = {"X-Forwarded-For": "203.0.113.7"}
        assert session.get(f"{url}/metrics", headers=forwarded).status_code == 401
        allowed = session.get(f"{url}/metrics", headers={**forwarded, "Authorization": "Bearer what-prometheus-sends"})
        assert allowed.status_code == 200
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
        assert process.returncode == 0, log
        assert "what-prometheus-sends" not in log
    assert not folder.exists()
