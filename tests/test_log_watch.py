"""The watch over all logs finds what is planted, and hears both ways in which our modules log."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from tests.log_watch import LogWatch

from orosync.sandbox.graph import GraphSandbox
from orosync.sandbox.oro import OroSandbox


@pytest.fixture
def systems() -> tuple[GraphSandbox, OroSandbox]:
    graph, oro = GraphSandbox(seed=1), OroSandbox(seed=1)
    box = graph.add_mailbox("boris@contoso.example", display_name="Boris Ivanov")
    box.user_create(
        "contact", {"givenName": "Adalbert", "surname": "Quux", "emailAddresses": [{"address": "q@q.example"}]}
    )
    box.user_create("task", {"title": "Buy the moon"})
    boris = oro.add_user("boris", email="boris@example.com")
    oro.back_office_as(boris).create("contact", {"firstName": "Zenobia", "lastName": "Lovelace"})
    return graph, oro


PLANTED = ["Adalbert", "q@q.example", "Buy the moon", "Zenobia", "Lovelace"]


@pytest.mark.parametrize("text", PLANTED)
@pytest.mark.parametrize("way", ["an event", "a value", "the standard library"])
def test_what_is_planted_is_found(
    log_watch: LogWatch, systems: tuple[GraphSandbox, OroSandbox], text: str, way: str
) -> None:
    if way == "an event":
        structlog.get_logger("orosync.sync.run").debug(f"wrote {text} to OroCRM")
    elif way == "a value":
        structlog.get_logger("orosync.jobs.cluster").warning("wrote", what=text)
    else:
        logging.getLogger("orosync.outlook.client").info("wrote %s", text)
    (leak,) = log_watch.leaks()
    assert repr(text) in leak


def test_keys_and_tokens_are_found_inside_of_longer_words(
    log_watch: LogWatch, systems: tuple[GraphSandbox, OroSandbox]
) -> None:
    graph, oro = systems
    token = graph.issue_token("boris@contoso.example")
    for secret in (oro.user("boris").api_key, token):
        structlog.get_logger("orosync.web.app").info(f"sent x{secret[:150]}x")
    assert len(log_watch.leaks()) >= 1


def test_an_accounts_own_name_and_ordinary_lines_are_no_leak(
    log_watch: LogWatch, systems: tuple[GraphSandbox, OroSandbox]
) -> None:
    structlog.get_logger("orosync.bootstrap.telling").info("run finished", account="Lovelace", run="1", created=3)
    assert [json.loads(line)["account"] for line in log_watch.lines.said] == ["Lovelace"], "it was heard"
    assert log_watch.leaks() == []


def test_what_one_test_looked_at_is_not_held_against_the_next(log_watch: LogWatch) -> None:
    assert log_watch.lines.said == []
