"""The simulated OroCRM answers recorded requests as OroCRM 5.1 did: status, headers, body."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.contract.oro_replay import World, differences, loaded, replay
from tests.contract.oro_stories import STORIES
from tests.contract.oro_stories_sign_in import REDIRECTS, walk

LATER = "the product logs no e-mails yet"
UNUSED = "the product asks for nothing of it"
LEFT_OUT: dict[str, str] = {
    **dict.fromkeys(
        (
            "activities-targets-contact",
            "contacts-activity-emails",
            "emailcontext-suggest",
            "emails-activity-targets",
            "emails-create",
            "emails-create-duplicate-message-id",
            "emails-filter-messageId",
            "emails-get",
            "emails-list",
        ),
        LATER,
    ),
    "configuration-sections": UNUSED,
}

_ROWS = r"/\d+/(id|version): "
IGNORED: dict[str, str] = {
    # what else was made about this contact before is no part of the lists of contacts
    "contacts-error-include-unknown": "/data/0/relationships/activity(Notes|Calls)/",
    "rest-old-contacts-list": "/0/accounts",
    "userprofile-get": "/data/(relationships/activityCalls/|attributes/loginCount)",
    "oauth2-authorization-code-bearer-who": "/data/attributes/loginCount",
    # shortened when recorded
    "idempotency-key-header": "/links: ",
    "if-match-header": "/links: ",
    "calendarevents-list-subordinate": r"/\d+/\w+: not recorded",
    # how long the consumer took
    **{
        f"async-operation-{name}": "/data/attributes/(elapsedTime|summary/aggregateTime)"
        for name in ("get-finished", "other-user", "not-a-list", "wrong-type", "malformed-json")
    },
    # how much was audited before
    "audits-list-calendar-event-deletions": f"{_ROWS}|/0/objectName",
    "audits-list-contacts": f"{_ROWS}|/0/objectName",
    "audits-list-deletions-contacts-since": f"{_ROWS}|/0/objectName",
    "audits-list-emails-of-contacts-updates": f"{_ROWS}|/2/",
    "audits-list-task-deletions": _ROWS,
    # 4,636 regions there, a compact table here
    "regions-list-all": "header X-Include-Total-Count",
}
"""What may differ, as patterns of difference lines, and why."""

UNORDERED = ("calendarevents-recurring-list-window-with-exceptions",)
"""Lists whose order follows from nothing that was recorded."""

FEW = 400
"""Fewer recordings than this would not be a contract."""


@pytest.fixture(scope="module")
def recordings(contracts: Path) -> dict[str, dict[str, Any]]:
    return loaded(contracts / "orocrm-5.1")


def names_in(story: str) -> list[str]:
    steps = (step[0] if isinstance(step, tuple) else step for step in STORIES[story])
    return [step for step in steps if isinstance(step, str)]


@pytest.mark.parametrize("story", STORIES)
def test_a_story_of_recorded_requests_gets_the_recorded_answers(story, recordings):
    world = World()
    found: dict[str, list[str]] = {}
    for step in STORIES[story]:
        if callable(step):
            step(world)
            continue
        name, send = step if isinstance(step, tuple) else (step, None)
        _, lines = replay(world, recordings[name], send, any_order=name in UNORDERED)
        lines = [line for line in lines if name not in IGNORED or not re.match(IGNORED[name], line)]
        if lines:
            found[name] = lines
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


@pytest.mark.parametrize("name", REDIRECTS)
def test_the_consent_page_answers_as_recorded(name, recordings):
    recording = recordings[name]
    answer = walk(World(), recording)
    expected = recording["response"]
    assert differences({"status": expected["status"], "body": expected["body"]}, answer) == []
    where = urlsplit(answer.headers.get("Location", ""))
    assert dict(parse_qsl(where.query)) == expected["locationQuery"]
    assert answer.headers.get("Location", "").partition("?")[0] == expected["location"]


def test_every_recording_is_replayed_or_left_out_for_a_reason(recordings, capsys):
    replayed = {name for story in STORIES for name in names_in(story)} | set(REDIRECTS)
    with capsys.disabled():
        print(f"\nrecordings covered: {len(replayed)} of {len(recordings)}")
        for reason in sorted(set(LEFT_OUT.values())):
            names = sorted(name for name, why in LEFT_OUT.items() if why == reason)
            print(f"left out, because {reason}: {', '.join(names)}")
    assert replayed & LEFT_OUT.keys() == set()
    assert replayed | LEFT_OUT.keys() == recordings.keys()
    assert len(replayed) > FEW
