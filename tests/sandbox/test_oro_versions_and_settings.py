"""The simulated OroCRM in other versions and set-ups than the recorded one."""

import pytest
from tests.sandbox.oro_caller import LEGACY, OroCaller, contact


@pytest.fixture
def oro() -> OroCaller:
    return OroCaller()


def test_from_6_1_on_a_wsse_header_is_not_understood(oro):
    oro.oro.settings.version = "6.1"
    answer = oro("GET", "/api/contacts")
    assert answer.status_code == 401
    assert "WSSE" not in answer.headers["WWW-Authenticate"]


def test_from_6_1_on_the_outdated_form_of_a_filter_is_refused(oro):
    assert oro("GET", "/api/contacts?filter[id]>=1").status_code == 200
    oro.oro.settings.version = "6.1"
    client, secret = oro.oro.add_oauth_client(["client_credentials"], "admin")
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    token = oro.client.post("/oauth2-token", data=form).json["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert oro("GET", "/api/contacts?filter[id]>=1", headers=headers).status_code == 400
    assert oro("GET", "/api/contacts?filter[id][gte]=1", headers=headers).status_code == 200


def test_the_whole_api_can_live_below_a_prefix(oro):
    oro.oro.settings.path_prefix = "/admin"
    assert oro("GET", "/api/contacts").status_code == 404
    answer = oro("POST", "/admin/api/contacts", contact({"firstName": "A"}))
    assert answer.status_code == 201
    assert answer.headers["Location"] == "http://localhost/admin/api/contacts/1"
    assert oro("GET", f"/admin{LEGACY}/calendars/default").status_code == 200


def test_an_external_id_exists_from_7_0_2_is_unique_and_filtered_by_a_list(oro):
    assert oro("POST", "/api/contacts", contact({"firstName": "A", "externalId": "x"})).status_code == 400
    oro.oro.settings.contact_external_id = True
    for name in ("a", "b"):
        assert oro("POST", "/api/contacts", contact({"firstName": "A", "externalId": name})).status_code == 201
    assert oro("POST", "/api/contacts", contact({"firstName": "A", "externalId": "a"})).status_code == 400
    assert oro("POST", "/api/contacts", contact({"firstName": "A", "externalId": "x" * 37})).status_code == 400
    assert oro.ids("/api/contacts?filter[externalId]=a,b,c") == ["1", "2"]


def test_an_administrator_may_limit_the_page_size(oro):
    for _ in range(5):
        oro.oro.back_office.create("contact", {"firstName": "A"})
    oro.oro.settings.max_page_size = 3
    answer = oro("GET", "/api/contacts?page[size]=-1")
    assert len(answer.json["data"]) == 3
    assert "next" in answer.json["links"]


def test_the_old_api_answers_404_too_while_the_api_is_switched_off(oro):
    oro.oro.settings.web_api_enabled = False
    answer = oro("GET", f"{LEGACY}/calendars/default")
    assert (answer.status_code, answer.json) == (404, {"code": 404})


def test_an_operation_shows_as_new_before_a_later_poll_finds_it_done(oro):
    body = {"data": [{"type": "contacts", "attributes": {"firstName": "A"}}]}
    address = oro("PATCH", "/api/contacts", body).headers["Content-Location"].removeprefix("http://localhost")
    states = [oro("GET", address).json["data"]["attributes"]["status"] for _ in range(3)]
    assert states == ["new", "success", "success"]
    assert [each["firstName"] for each in oro.oro.contacts()] == ["A"]


def test_the_plain_dialect_lists_and_writes_without_a_wrapper(oro):
    plain = {"Accept": "application/json", "Content-Type": "application/json"}
    made = oro("POST", "/api/contacts", {"firstName": "A", "owner": 2}, headers=plain)
    assert made.status_code == 201
    (row,) = oro("GET", "/api/contacts", headers=plain).json
    assert (row["id"], row["firstName"], row["owner"], row["addresses"]) == (1, "A", 2, [])
    missing = oro("GET", "/api/contacts/9", headers=plain)
    assert missing.json[0]["title"] == "not found http exception"


def test_an_access_token_dies_with_its_hour_and_a_refreshed_one_at_once(oro):
    oro.users["bob"].password = "secret of bob"
    client, secret = oro.oro.add_oauth_client(["password"], "admin")
    form = {"client_id": client, "client_secret": secret}
    first = oro.client.post(
        "/oauth2-token", data=form | {"grant_type": "password", "username": "bob", "password": "secret of bob"}
    ).json
    again = form | {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = oro.client.post("/oauth2-token", data=again).json

    def status(tokens: dict[str, str]) -> int:
        return oro.client.get(
            "/api/userprofile", headers={"Authorization": f"Bearer {tokens['access_token']}"}
        ).status_code

    assert (status(first), status(second)) == (401, 200)
    oro.wait(3601)
    assert status(second) == 401


def test_a_series_keeps_its_local_time_when_the_clocks_change(oro):
    rule = {"recurrenceType": "weekly", "interval": 1, "dayOfWeek": ["saturday"], "timeZone": "Europe/Berlin"}
    start = "2026-10-17T08:00:00Z"  # ten in Berlin, in summer
    values = {"title": "x", "start": start, "end": "2026-10-17T09:00:00Z"}
    oro.oro.back_office.create("event", values | {"recurrence": rule | {"startTime": start, "occurrences": 3}})
    path = f"{LEGACY}/calendarevents?calendar=1&start=2026-10-01T00:00:00Z&end=2026-12-01T00:00:00Z"
    starts = [row["start"] for row in oro("GET", path).json]
    assert starts == ["2026-10-17T08:00:00+00:00", "2026-10-24T08:00:00+00:00", "2026-10-31T09:00:00+00:00"]


def test_a_window_also_shows_the_asking_users_tasks_with_a_due_date(oro):
    """Their ids are ids of tasks: only `calendarAlias` tells them from events."""
    oro.oro.back_office.create("task", {"subject": "due", "dueDate": "2026-12-05T09:00:00Z"})
    window = "start=2026-12-05T00:00:00Z&end=2026-12-06T00:00:00Z"
    rows = oro("GET", f"{LEGACY}/calendarevents?calendar=1&{window}").json
    assert [(row["id"], row["calendarAlias"]) for row in rows] == [(1, "tasks")]
    assert oro("GET", f"{LEGACY}/calendarevents?calendar=2&{window}", user="bob").json == []
    assert oro("GET", f"{LEGACY}/calendarevents?calendar=1&page=1&limit=10").json == []
