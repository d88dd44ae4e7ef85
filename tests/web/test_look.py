"""The pane's look over HTTP: who sees which, who may change it, and what a change tells."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.web.pages_world import GUEST, PagesWorld, signed_in

from orosync.bootstrap import level_of
from orosync.core.look import MOST_LOGO_BYTES, SECTIONS


def logo_of(size: int) -> str:
    data = b"\x89PNG\r\n\x1a\n".ljust(size, b"\0")
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


LOGO = logo_of(20)
PLAIN = {"name": "", "logo": None, "accent": None, "welcome": "", "sections": list(SECTIONS), "html": ""}
ACME = {
    "name": "Acme CRM",
    "logo": LOGO,
    "accent": "#0b5f62",
    "welcome": "Welcome, all of you.",
    "sections": ["crm", "status", "settings"],
    "html": '<p class="look-note">Call <b>7</b></p>',
    "css": ".look .look-note { color: red; }",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PagesWorld]:
    made = PagesWorld(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def client(world: PagesWorld) -> FlaskClient:
    return world.client()


def put(client: FlaskClient, look: Any, person: str = "boss", query: str = "") -> Any:
    return client.put(f"/api/v1/admin/look{query}", json=look, headers=signed_in(person))


def get(client: FlaskClient, path: str, person: str) -> Any:
    return client.get(f"/api/v1{path}", headers=signed_in(person))


def test_nobody_has_set_a_look(client: FlaskClient) -> None:
    assert get(client, "/look", "anna").json == PLAIN
    assert get(client, "/admin/look", "boss").json == PLAIN | {"css": "", "set_at": "default", "removed": []}
    assert client.get("/addin/look.css").text == ""


def test_a_look_is_kept_and_shown_to_everybody(client: FlaskClient) -> None:
    answer = put(client, ACME)
    assert answer.status_code == 200
    assert answer.json == ACME | {"set_at": "system", "removed": []}
    seen = {name: value for name, value in ACME.items() if name != "css"}
    assert get(client, "/look", "anna").json == get(client, "/look", "guest").json == seen
    assert get(client, "/me", "anna").json["look"] == seen


def test_the_style_sheet_is_a_file_that_browsers_ask_for_again(client: FlaskClient) -> None:
    put(client, ACME)
    answer = client.get("/addin/look.css?v=7")
    assert answer.content_type == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "--look-accent: #0b5f62; --look-on-accent: #ffffff;" in answer.text
    assert answer.text.endswith(".look .look-note { color: red; }\n")
    again = client.get("/addin/look.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    put(client, ACME | {"css": ""})
    assert client.get("/addin/look.css", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200


def test_a_change_tells_what_was_taken_away(client: FlaskClient) -> None:
    answer = put(client, {"html": "<p onclick=x>a<script>b</script></p>", "css": "p { position: fixed; color: red }"})
    assert answer.json["html"] == "<p>a</p>"
    assert answer.json["css"] == ".look p { color: red; }"
    assert answer.json["removed"] == [
        'HTML: The attribute "onclick" of <p> was removed.',
        "HTML: <script> is not allowed; it was removed with all that is in it.",
        "CSS: The property position is not allowed.",
    ]


def test_a_preview_cleans_and_stores_nothing(client: FlaskClient) -> None:
    answer = put(client, ACME | {"html": "<i>x</i><img>"}, query="?preview=true")
    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["html"], answer.json["set_at"]) == ("Acme CRM", "<i>x</i>", "default")
    assert answer.json["removed"] == ["HTML: <img> is not allowed; what is in it was kept."]
    assert get(client, "/look", "anna").json == PLAIN


@pytest.mark.parametrize(
    ("look", "field"),
    [
        ({"accent": "red"}, "accent"),
        ({"logo": "https://x/y.png"}, "logo"),
        ({"logo": LOGO.replace("png", "webp")}, "logo"),
        ({"sections": ["crm", "crm"]}, "sections"),
        ({"sections": []}, "sections"),
        ({"sections": ["secrets"]}, "sections.0"),
        ({"name": "x" * 51}, "name"),
        ({"name": 7}, "name"),
        ({"html": "<a href=tel:1>x</a>" * 400}, "html"),
        ({"title": "x"}, "title"),
        ({"css": None}, "css"),
    ],
)
@pytest.mark.parametrize("query", ["", "?preview=true"])
def test_what_cannot_be_used_is_refused_by_name_and_nothing_is_stored(
    client: FlaskClient, look: dict[str, Any], field: str, query: str
) -> None:
    answer = put(client, look, query=query)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json["field"] == field
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert get(client, "/look", "anna").json == PLAIN


def test_a_reset_goes_back_to_the_level_above(client: FlaskClient) -> None:
    put(client, ACME)
    put(client, {"name": "Guests' own"}, "guest-boss")
    answer = client.delete("/api/v1/admin/look", headers=signed_in("guest-boss"))
    assert (answer.status_code, answer.json["name"], answer.json["set_at"]) == (200, "Acme CRM", "system")
    for _ in range(2):
        answer = client.delete("/api/v1/admin/look", headers=signed_in("boss"))
        assert (answer.status_code, answer.json["set_at"]) == (200, "default")
    assert get(client, "/look", "anna").json == PLAIN


def test_an_administrator_of_a_guest_tenant_decides_for_that_tenant_alone(client: FlaskClient) -> None:
    put(client, ACME)
    answer = put(client, {"name": "Guests' own", "css": "p { color: blue }"}, "guest-boss")
    assert (answer.json["name"], answer.json["set_at"]) == ("Guests' own", "organisation")
    assert get(client, "/look", "guest").json["name"] == "Guests' own"
    assert get(client, "/look", "anna").json["name"] == get(client, "/admin/look", "boss").json["name"] == "Acme CRM"
    assert get(client, "/me", "guest").json["organisation"] == GUEST
    assert not get(client, "/me", "anna").json["organisation"]
    assert client.get(f"/addin/look.css?organisation={GUEST}").text.endswith(".look p { color: blue; }\n")
    assert "blue" not in client.get("/addin/look.css?organisation=").text
    assert client.get("/addin/look.css?organisation=unknown").text == client.get("/addin/look.css").text


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_only_administrators_see_and_change_it(client: FlaskClient, method: str) -> None:
    body = {"json": {}} if method == "put" else {}
    call = getattr(client, method)
    assert call("/api/v1/admin/look", **body, headers=signed_in("anna")).status_code == 403
    assert call("/api/v1/admin/look", **body).status_code == 401
    assert client.get("/api/v1/look").status_code == 401


def test_what_the_command_line_stored_is_cleaned_when_it_is_shown(world: PagesWorld, client: FlaskClient) -> None:
    wild = {"html": "<script>x</script><b>y</b>", "css": "@import url(x); p { top: 0; color: red }", "accent": "}x{"}
    world.database.settings.set(level_of(None), "addin_look", wild, by="test")
    assert get(client, "/look", "anna").json == PLAIN | {"html": "<b>y</b>"}
    css = client.get("/addin/look.css").text
    assert ".look p { color: red; }" in css
    assert "@import" not in css
    assert "}x{" not in css


def test_a_change_is_in_the_history_of_settings(world: PagesWorld, client: FlaskClient) -> None:
    put(client, {"name": "Acme"})
    (change,) = world.database.settings.history(level_of(None))
    assert (change.key, change.before, change.after["name"]) == ("addin_look", None, "Acme")
    assert change.changed_by.endswith(":boss")


def test_the_largest_look_fits_into_one_request(client: FlaskClient) -> None:
    logo = logo_of(MOST_LOGO_BYTES)
    rules = "p{color:red} " * 600
    assert put(client, {"logo": logo, "html": "ж" * 8000, "welcome": "ж" * 600, "css": rules}).status_code == 200
