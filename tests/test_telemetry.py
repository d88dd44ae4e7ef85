"""Logs: what a line holds, and what never gets into one."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from orosync.core.records import Entity
from orosync.errors import RecordRefused, Throttled
from orosync.telemetry import bound, configure


class Lines(io.StringIO):
    """A stream to log into, and what was logged."""

    def read_all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.read_all()[-1]


class Terminal(Lines):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("orosync")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    structlog.reset_defaults()


@pytest.fixture
def lines() -> Lines:
    stream = Lines()
    configure("info", stream=stream)
    return stream


@pytest.fixture
def log() -> Any:
    return structlog.get_logger("orosync.sync.run")


def test_a_line_is_one_json_object_with_time_level_and_origin(lines: Lines, log: Any) -> None:
    log.info("run finished", created=3, side="oro", took_s=1.5, preview=False, cursor=None)
    line = lines.last
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is not None
    assert line == {
        "event": "run finished",
        "level": "info",
        "logger": "orosync.sync.run",
        "created": 3,
        "side": "oro",
        "took_s": 1.5,
        "preview": False,
        "cursor": None,
    }


def test_account_and_run_are_in_every_line_of_the_block_also_of_other_libraries(lines: Lines, log: Any) -> None:
    with bound(account="anna", run="r-1"):
        log.info("inside")
        logging.getLogger("urllib3.connectionpool").warning("Retrying")
    log.info("outside")
    inside, foreign, outside = lines.read_all()
    assert (inside["account"], inside["run"]) == ("anna", "r-1")
    assert (foreign["account"], foreign["logger"], foreign["event"]) == ("anna", "urllib3.connectionpool", "Retrying")
    assert "account" not in outside


def test_the_level_is_for_our_own_messages_and_others_are_heard_from_warning_on(log: Any) -> None:
    stream = Lines()
    configure("debug", stream=stream)
    log.debug("ours")
    logging.getLogger("sqlalchemy.engine.Engine").info("SELECT ...")
    logging.getLogger("huey").warning("%s is late", "a task")
    assert [line["event"] for line in stream.read_all()] == ["ours", "a task is late"]
    configure("error", stream=stream)
    log.warning("not loud enough")
    assert len(stream.read_all()) == 2


def test_configuring_again_replaces_the_former_stream(lines: Lines, log: Any) -> None:
    second = Lines()
    configure("info", stream=second)
    log.info("hello")
    assert lines.getvalue() == ""
    assert len(second.read_all()) == 1


@pytest.mark.parametrize(
    "name",
    ["authorization", "Authorization", "token", "accessToken", "refresh_token", "key", "api_key", "API_KEY", "apikey",
     "secret", "client-secret", "secret_keys", "password", "wsse", "x-wsse", "X-WSSE", "set_cookie", "match_key"],
)  # fmt: skip
def test_what_is_named_like_a_secret_is_masked(lines: Lines, log: Any, name: str) -> None:
    log.info("request", **{name: "hunter2"})
    assert lines.last[name] == "***"


@pytest.mark.parametrize("name", ["keyboard", "monkey", "tokenizer", "account", "entity"])
def test_what_only_sounds_like_a_secret_is_not(lines: Lines, log: Any, name: str) -> None:
    log.info("request", **{name: "value"})
    assert lines.last[name] == "value"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2",
        "authorization bearer hunter2, next",
        'X-WSSE: UsernameToken Username="admin", PasswordDigest="hunter2", Nonce="hunter2", Created="2026"',
        "Basic YWRtaW46aHVudGVyMg==",
        "POST /token grant_type=password&password=hunter2&x=1",
        '{"access_token": "hunter2"}',
        "client_secret=hunter2",
        "postgresql://sync:hunter2@db/orosync",
        "eyJhbGciOiJub25lIn0.aHVudGVyMg.c2ln",
    ],
)
def test_a_secret_inside_a_text_is_masked(lines: Lines, log: Any, text: str) -> None:
    log.info("request", detail=text)
    logging.getLogger("msal").warning(text)
    assert "***" in lines.read_all()[0]["detail"]
    for leaked in ("hunter2", "aHVudGVyMg"):
        assert leaked not in lines.getvalue()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"first_name": "Ada"}, "<dict of 1>"),
        (["ada@example.com"], "<list of 1>"),
        (("Ada",), "<tuple of 1>"),
        (b"Ada", "<bytes of 3>"),
        ("Ada " * 60, "<str of 240>"),
        (object(), "<object>"),
        (Entity.CONTACT, "contact"),
        (Path("data/file"), str(Path("data/file"))),
        (datetime(2026, 3, 29, tzinfo=UTC), "2026-03-29 00:00:00+00:00"),
    ],
)
def test_what_could_be_the_content_of_a_record_is_replaced_by_its_type(
    lines: Lines, log: Any, value: object, shown: str
) -> None:
    log.info("planned", what=value)
    assert lines.last["what"] == shown
    assert "Ada" not in lines.getvalue()


def test_a_long_message_is_cut(lines: Lines) -> None:
    logging.getLogger("huey").warning("x" * 10_000)
    assert len(lines.last["event"]) == 500


CONTENT = "Ada Lovelace"  # not in the line that fails: a traceback shows our own lines


def refuse() -> None:
    """Fails as a mapping does: a library quotes the content, and our error gives only the fact."""
    try:
        datetime.fromisoformat(CONTENT)
    except ValueError as error:
        raise RecordRefused("contact 7: birthday is no date", code="date") from error


def test_a_traceback_tells_where_and_what_but_only_our_own_errors_speak(lines: Lines, log: Any) -> None:
    try:
        refuse()
    except RecordRefused:
        log.exception("record failed")
    text = lines.last["exception"]
    assert text.index("ValueError: (message left out)") < text.index(
        "orosync.errors.RecordRefused: contact 7: birthday"
    )
    assert "in refuse" in text
    assert "Invalid isoformat" not in lines.getvalue()


def test_an_error_that_was_passed_along_is_described_as_well(lines: Lines, log: Any) -> None:
    log.error("side failed", exc_info=Throttled("OroCRM asks for a pause"))
    log.info("nothing happened", exc_info=True)  # noqa: LOG014 - as a careless caller may
    failed, calm = lines.read_all()
    assert failed["exception"] == "orosync.errors.Throttled: OroCRM asks for a pause"
    assert "exception" not in calm


def test_the_error_of_another_library_is_described_in_the_same_way(lines: Lines) -> None:
    try:
        int("Ada")
    except ValueError:
        logging.getLogger("huey").exception("Unhandled exception in task")
    assert lines.last["exception"].endswith("ValueError: (message left out)")
    assert lines.last["level"] == "error"
    assert len(lines.getvalue().splitlines()) == 1


def test_an_error_suppressed_on_purpose_is_left_out(lines: Lines, log: Any) -> None:
    try:
        try:
            int("Ada")
        except ValueError:
            raise Throttled("pause") from None
    except Throttled:
        log.exception("failed")
    assert "ValueError" not in lines.last["exception"]


def test_on_a_terminal_lines_are_for_people_unless_json_is_asked_for(log: Any) -> None:
    terminal = Terminal()
    configure("info", stream=terminal)
    try:
        refuse()
    except RecordRefused:
        log.exception("record failed", side="oro")
    assert "record failed" in terminal.getvalue()
    assert "contact 7: birthday is no date" in terminal.getvalue()
    with pytest.raises(json.JSONDecodeError):
        terminal.read_all()
    asked = Terminal()
    configure("info", json=True, stream=asked)
    log.info("hello")
    assert asked.last["event"] == "hello"
