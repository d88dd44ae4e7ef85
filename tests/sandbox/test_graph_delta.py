"""Delta rounds of the simulated Graph (graph-api.md 5)."""

from typing import Any

import pytest
from tests.sandbox.graph_caller import IMMUTABLE, Caller, new_caller, timed, weekly

from orosync.sandbox.graph.changes import Entry

WINDOW = {"startDateTime": "2026-11-01T00:00:00Z", "endDateTime": "2026-12-31T00:00:00Z"}


@pytest.fixture
def caller() -> Caller:
    return new_caller()


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row.get("givenName") or "removed" for row in rows]


def sized(n: int) -> dict[str, str]:
    return {"Prefer": f'odata.maxpagesize={n}, IdType="ImmutableId"'}


def test_a_round_pages_and_the_next_one_brings_only_what_changed(caller: Caller) -> None:
    ids = [caller.mailbox.user_create("contact", {"givenName": name}) for name in "ABC"]
    rows, link = caller.walk("/me/contacts/delta", headers=sized(2), params={"$select": "givenName"})
    assert names(rows) == ["A", "B", "C"]
    assert link.startswith("https://graph.microsoft.com/v1.0/me/contacts/delta?")
    assert caller.walk(link)[0] == []
    caller.mailbox.user_update("contact", ids[0], {"givenName": "A2", "jobTitle": "x"})
    caller.mailbox.user_delete("contact", ids[1])
    rows, link = caller.walk(link, headers=IMMUTABLE)
    assert set(rows[0]) == {"@odata.etag", "id", "givenName"}
    assert rows[0]["givenName"] == "A2"
    assert rows[1] == {"id": ids[1], "@removed": {"reason": "deleted"}}
    assert caller.walk(link)[0] == []


def test_what_came_and_went_between_two_rounds_is_never_mentioned(caller: Caller) -> None:
    _, link = caller.walk("/me/contacts/delta")
    caller.mailbox.user_delete("contact", caller.mailbox.user_create("contact", {"givenName": "A"}))
    assert caller.walk(link)[0] == []


def test_a_contact_that_moved_is_removed_here_and_new_there(caller: Caller) -> None:
    folder = caller.mailbox.add_contact_folder("Oro")
    known = caller.mailbox.user_create("contact", {"givenName": "A"})
    _, here = caller.walk("/me/contacts/delta", headers=IMMUTABLE)
    _, there = caller.walk(f"/me/contactFolders/{folder}/contacts/delta", headers=IMMUTABLE)
    caller.mailbox.user_move("contact", known, folder)
    assert caller.walk(here, headers=IMMUTABLE)[0] == [{"id": known, "@removed": {"reason": "deleted"}}]
    assert [row["id"] for row in caller.walk(there, headers=IMMUTABLE)[0]] == [known]


def test_pages_may_be_empty_and_items_may_come_twice(caller: Caller) -> None:
    caller.graph.settings.empty_pages = 2
    caller.graph.settings.replay_items = 1
    for name in "ABC":
        caller.mailbox.user_create("contact", {"givenName": name})
    page = caller.get("/me/contacts/delta")
    assert page["value"] == []
    assert "@odata.nextLink" in page
    rows, link = caller.walk("/me/contacts/delta", headers=sized(2))
    assert names(rows) == ["A", "B", "B", "C"]
    assert names(caller.walk(link)[0]) == ["C"]


def test_tokens_die_with_their_generation_and_when_told_also_while_paging(caller: Caller) -> None:
    caller.graph.settings.delta_generations_kept = 2
    for name in "ABC":
        caller.mailbox.user_create("contact", {"givenName": name})
    _, first = caller.walk("/me/contacts/delta")
    _, second = caller.walk(first)
    caller.get(first)
    assert caller.get(first, 410) == "SyncStateNotFound"
    page = caller.get("/me/contacts/delta", headers=sized(1))
    caller.graph.expire_delta_tokens()
    assert caller.get(page["@odata.nextLink"], 410) == "SyncStateNotFound"
    assert caller.get(second, 410) == "SyncStateNotFound"
    assert names(caller.walk("/me/contacts/delta")[0]) == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("path", "option", "status"),
    [
        ("/me/contacts/delta", "$expand", 400),
        ("/me/contacts/delta", "$filter", 400),
        ("/me/calendarView/delta", "$select", 400),
        ("/me/calendarView/delta", "$filter", 400),
        ("/me/calendarView/delta", "$expand", 500),
        ("/me/calendarView", "$expand", 500),
    ],
)
def test_options_a_delta_does_not_take_are_refused(caller: Caller, path: str, option: str, status: int) -> None:
    caller.get(path, status, params={**WINDOW, option: "subject"})


def test_a_token_of_one_folder_does_not_open_another(caller: Caller) -> None:
    folder = caller.mailbox.add_contact_folder("Oro")
    _, link = caller.walk("/me/contacts/delta")
    caller.get(link.replace("/me/contacts", f"/me/contactFolders/{folder}/contacts"), 400)
    caller.get("/me/contacts/delta?$deltatoken=nonsense", 400)


def test_events_outside_the_window_come_as_removed_although_they_exist(caller: Caller) -> None:
    inside = caller.mailbox.user_create("event", timed("2026-11-23T09:00:00", "2026-11-23T10:00:00"))
    caller.mailbox.user_create("event", timed("2028-01-01T09:00:00", "2028-01-01T10:00:00"))
    rows, link = caller.walk("/me/calendarView/delta", params=WINDOW, headers=IMMUTABLE)
    assert [row["id"] for row in rows] == [inside]
    later = timed("2027-06-01T09:00:00", "2027-06-01T10:00:00")
    caller.mailbox.user_update("event", inside, later)
    far = caller.mailbox.user_create("event", later)
    rows, _ = caller.walk(link, headers=IMMUTABLE)
    assert rows == [{"id": one, "@removed": {"reason": "deleted"}} for one in (inside, far)]
    assert caller.get(f"/me/events/{inside}")["subject"] == "Visit"


def test_days_of_a_series_come_nearly_empty_together_and_without_word_of_the_missing(caller: Caller) -> None:
    master = caller.mailbox.user_create("event", weekly("2026-11-23"))
    headers = {"Prefer": 'odata.maxpagesize=2, IdType="ImmutableId"'}
    page = caller.get("/me/calendarView/delta", params=WINDOW, headers=headers)
    kinds = [row["type"] for row in page["value"]]
    assert kinds == ["seriesMaster", *["occurrence"] * 6]
    day = page["value"][2]
    assert set(day) == {"@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
    assert day["seriesMasterId"] == master
    assert day["start"] == {"dateTime": "2026-11-30T08:00:00.0000000", "timeZone": "UTC"}
    caller.mailbox.user_delete("event", day["id"])
    rows, _ = caller.walk(page["@odata.deltaLink"], headers=headers)
    assert [row["type"] for row in rows] == ["seriesMaster", *["occurrence"] * 5]
    assert not [row for row in rows if "@removed" in row or row["id"] == day["id"]]
    assert caller.get(f"/me/events/{day['id']}", 404) == "ErrorItemNotFound"


def test_the_window_needs_both_ends_and_at_most_1825_days(caller: Caller) -> None:
    caller.get("/me/calendarView/delta", 400)
    wide = {**WINDOW, "endDateTime": "2031-12-01T00:00:00Z"}
    assert caller.get("/me/calendarView/delta", 400, params=wide) == "ErrorInvalidRequest"
    assert caller.get("/me/calendarView", 400, params=wide) == "ErrorInvalidRequest"


class CountedItems(dict[int, Entry]):
    """Entries that count how many of them were looked at, newest first."""

    looked = 0

    def items(self) -> Any:
        return self

    def __reversed__(self) -> Any:
        for key in super().__reversed__():
            self.looked += 1
            yield key, self[key]


def test_an_incremental_round_looks_only_at_what_changed(caller: Caller) -> None:
    ids = [caller.mailbox.user_create("contact", {"givenName": str(n)}) for n in range(300)]
    _, link = caller.walk("/me/contacts/delta")
    caller.mailbox.user_update("contact", ids[7], {"givenName": "x"})
    log = caller.mailbox.store.default["contact"].log
    log.entries = entries = CountedItems(log.entries)
    assert names(caller.walk(link)[0]) == ["x"]
    assert entries.looked == 2
