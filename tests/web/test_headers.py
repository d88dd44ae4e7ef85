"""What browsers are told: who may frame the pane, what a page may load, what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.web.application import Application, Person

from orosync.bootstrap.product_files import product_file
from orosync.config import OUTLOOK_HOSTS
from orosync.web.app import create_app
from orosync.web.headers import pane_policy


def directives(policy: str) -> dict[str, list[str]]:
    return {part.split()[0]: part.split()[1:] for part in policy.split("; ")}


def test_the_pane_may_be_framed_by_outlook_alone(tmp_path: Path) -> None:
    policy = directives(pane_policy(OUTLOOK_HOSTS, "https://login.microsoftonline.com", demo=False))
    assert policy["frame-ancestors"] == list(OUTLOOK_HOSTS)
    assert "'self'" in directives(pane_policy(OUTLOOK_HOSTS, "https://x.example", demo=True))["frame-ancestors"]
    assert directives(pane_policy((), "https://x.example", demo=False))["frame-ancestors"] == ["'none'"]


def test_the_pane_runs_no_code_but_its_own_and_offices(world: Application, boris: Person) -> None:
    response = boris.client.get("/addin/taskpane.html?_host_Info=Outlook$Web$16.01$en-US&et=1", buffered=True)
    assert response.status_code == 200
    policy = directives(response.headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'", "https://appsforoffice.microsoft.com", "https://ajax.aspnetcdn.com"]
    assert policy["style-src"] == ["'self'"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in response.headers


@pytest.mark.parametrize("path", ["/", "/api/v1/docs", "/addin/auth-done.html"])
def test_pages_around_the_pane_have_a_policy_of_their_own(boris: Person, path: str) -> None:
    response = boris.client.get(path, buffered=True)
    assert response.status_code == 200
    policy = directives(response.headers["Content-Security-Policy"])
    assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]
    assert policy["default-src"] == ["'none'"]


def test_answers_of_the_api_are_kept_nowhere_and_read_by_nobody_else(connected: Person) -> None:
    response = connected.ask("GET", "/me", headers={"Origin": "https://evil.example"})
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Set-Cookie" not in response.headers
    preflight = connected.client.options("/api/v1/me", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in preflight.headers


def test_outlook_may_show_the_icons_on_its_own_pages_and_nobody_anything_else(boris: Person) -> None:
    icon = boris.client.get("/addin/assets/icon-32.png", buffered=True)
    assert icon.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    script = boris.client.get("/addin/js/main.js", buffered=True)
    assert script.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_strict_transport_is_asked_for_behind_https_alone(boris: Person) -> None:
    assert "Strict-Transport-Security" not in boris.client.get("/").headers
    assert "max-age" in boris.client.get("/", base_url="https://localhost").headers["Strict-Transport-Security"]


def test_a_demonstration_waits_for_no_office_and_an_installation_always_does(
    world: Application, boris: Person, tmp_path: Path
) -> None:
    office, address = "appsforoffice.microsoft.com", "/addin/taskpane.html?office=none"
    assert office not in boris.client.get(address, buffered=True).text
    assert office in boris.client.get("/addin/taskpane.html", buffered=True).text
    installed = create_app(replace(world.parts, demo=False), pane=product_file("addin")).test_client()
    assert office in installed.get(address, buffered=True).text


def test_only_files_of_the_pane_are_served(boris: Person) -> None:
    for path in ("README.md", "package.json", "../pyproject.toml", "%2e%2e/pyproject.toml", "js/", ".npmrc"):
        assert boris.client.get(f"/addin/{path}").status_code == 404, path


def test_the_configuration_of_the_pane_holds_no_secret(tmp_path: Path) -> None:
    ids = {"tenant_id": "11111111-2222-3333-4444-555555555555", "client_id": "66666666-7777-8888-9999-000000000000"}
    world = Application(tmp_path, {**ids, "client_secret": "very-secret"})
    response = world.flask.test_client().get("/addin/config.json")
    assert response.get_json()["api"] == "/api/v1"
    assert "very-secret" not in response.text
    world.database.close()
