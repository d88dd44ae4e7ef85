"""The pane's files on their way: short for who can unpack them, unsent for who has them already."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.web.application import Person

ADDIN = Path(__file__).resolve().parents[2] / "addin"
PACKED = {"Accept-Encoding": "br, gzip"}
TEXTS = ("js/main.js", "css/taskpane.css", "locales/uk.json", "taskpane.html", "assets/icon.svg")


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_packed_for_who_can_unpack_it(boris: Person, name: str) -> None:
    response = boris.client.get(f"/addin/{name}", headers=PACKED, buffered=True)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.content_length == len(response.data)
    assert gzip.decompress(response.data) == (ADDIN / name).read_bytes()


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_sent_as_it_is_to_everybody_else(boris: Person, name: str) -> None:
    response = boris.client.get(f"/addin/{name}", buffered=True)
    assert "Content-Encoding" not in response.headers
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.data == (ADDIN / name).read_bytes()


def test_a_picture_is_not_packed_again(boris: Person) -> None:
    response = boris.client.get("/addin/assets/icon-32.png", headers=PACKED, buffered=True)
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("headers", [{}, PACKED])
def test_who_has_a_file_already_is_not_sent_it_again(boris: Person, headers: dict[str, str]) -> None:
    first = boris.client.get("/addin/js/main.js", headers=headers, buffered=True)
    again = boris.client.get(
        "/addin/js/main.js", headers={**headers, "If-None-Match": first.headers["ETag"]}, buffered=True
    )
    assert (again.status_code, again.data) == (304, b"")


def test_the_first_screen_takes_less_than_120_kilobytes_to_fetch(boris: Person) -> None:
    """msal apart, which only Outlook's own sign-in needs. Modules of the first screen: what the page preloads, and the
    status with what it imports."""
    page = (ADDIN / "taskpane.html").read_text("utf-8")
    names = {line.split('"')[3] for line in page.splitlines() if "modulepreload" in line}
    names |= {"css/tokens.css", "css/taskpane.css", "locales/uk.json", "taskpane.html"}
    names |= {f"js/{name}.js" for name in ("views/status", "runs", "values", "look-html")}
    sizes = {
        name: boris.client.get(f"/addin/{name}", headers=PACKED, buffered=True).content_length or 0 for name in names
    }
    assert len(sizes) > 18
    assert min(sizes.values()) > 100
    assert sum(sizes.values()) < 120_000
