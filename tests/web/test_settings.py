"""Settings over the API: levels, what may be chosen, and nobody's change lost."""

from __future__ import annotations

from typing import Any

import pytest
from tests.web.application import Application, Person, body_of


def items(person: Person, path: str = "/settings") -> dict[str, dict[str, Any]]:
    return {each["key"]: each for each in person.get(path)["items"]}


def patch(person: Person, body: dict[str, Any], path: str = "/settings", tag: str | None = None) -> Any:
    tag = tag or person.ask("GET", path).headers["ETag"]
    return person.ask("PATCH", path, json=body, headers={"If-Match": tag})


def test_every_setting_comes_with_what_it_is_and_where_it_was_set(connected: Person) -> None:
    found = items(connected)
    assert found["sync_tasks"]["kind"] == "yes_no"
    assert (found["sync_tasks"]["value"], found["sync_tasks"]["set_at"]) == (True, "default")
    assert found["sync_tasks"]["editable"] is True
    assert found["sync_direction"]["editable"] is False
    assert found["sync_direction"]["choices"] == ["bidirectional", "oro_to_outlook", "outlook_to_oro"]
    assert (found["event_window"]["kind"], found["event_window"]["value"]) == ("pair", [30, 365])
    assert found["crm_sync_interval"]["unit"] == "seconds"
    assert all(each["description"] for each in found.values())
    assert "addin_look" not in found


def test_a_choice_of_ones_own_overrides_and_is_given_back(connected: Person) -> None:
    body_of(patch(connected, {"sync_tasks": False, "contacts_folder": "OroCRM"}), 200)
    found = items(connected)
    assert (found["sync_tasks"]["value"], found["sync_tasks"]["set_at"]) == (False, "user")
    assert connected.get("/status")["entities"]["task"]["wanted"] is False
    body_of(patch(connected, {"sync_tasks": None}), 200)
    assert items(connected)["sync_tasks"]["set_at"] == "default"
    assert items(connected)["contacts_folder"]["value"] == "OroCRM"


def test_a_stale_or_missing_version_changes_nothing(world: Application, connected: Person) -> None:
    tag = connected.ask("GET", "/settings").headers["ETag"]
    body_of(patch(connected, {"sync_tasks": False}, tag=tag), 200)
    assert patch(connected, {"sync_tasks": True}, tag=tag).status_code == 412
    assert connected.refused("PATCH", "/settings", 428, json={"sync_tasks": True})["field"] == "If-Match"
    assert items(connected)["sync_tasks"]["value"] is False
    # what an administrator changes above is a change of what this person saw
    tag = connected.ask("GET", "/settings").headers["ETag"]
    body_of(patch(world.person("anna"), {"sync_direction": "oro_to_outlook"}, "/admin/settings"), 200)
    assert patch(connected, {"sync_tasks": True}, tag=tag).status_code == 412


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sync_tasks": "yes"}, "sync_tasks"),
        ({"sync_direction": "oro_to_outlook"}, "sync_direction"),
        ({"sync_direction": None}, "sync_direction"),
        ({"contacts_folder": ""}, "contacts_folder"),
        ({"no_such_thing": 1}, "no_such_thing"),
        ({"addin_look": {}}, "addin_look"),
    ],
)
def test_one_wrong_setting_and_none_is_saved(connected: Person, body: dict[str, Any], field: str) -> None:
    response = patch(connected, {"sync_events": False, **body})
    assert response.status_code == 422
    assert field in {each["field"] for each in response.get_json()["errors"]}
    assert items(connected)["sync_events"]["set_at"] == "default"


def test_administrators_decide_for_everybody_and_others_do_not(world: Application, connected: Person) -> None:
    anna = world.person("anna")
    body_of(patch(anna, {"conflict_resolution": "ask", "guard.creates": 5}, "/admin/settings"), 200)
    found = items(connected)
    assert (found["conflict_resolution"]["value"], found["conflict_resolution"]["set_at"]) == ("ask", "system")
    assert items(anna, "/admin/settings")["guard.creates"]["set_at"] == "system"
    body_of(patch(anna, {"guard.creates": 7}, "/admin/settings?level=organisation"), 200)
    assert items(connected)["guard.creates"]["value"] == 7
    assert items(connected)["guard.creates"]["set_at"] == "organisation"
    for method, path in (("GET", "/admin/settings"), ("GET", "/admin/accounts"), ("GET", "/admin/look")):
        assert connected.refused(method, path, 403)["code"] == "not_allowed"


def test_who_changed_what_is_remembered(world: Application, connected: Person) -> None:
    from orosync import bootstrap

    body_of(patch(connected, {"sync_tasks": False}), 200)
    (change,) = world.database.settings.history(bootstrap.level_of(world.account()))
    assert (change.key, change.before, change.after, change.changed_by) == ("sync_tasks", None, False, "local:boris")
