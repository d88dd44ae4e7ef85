"""Faults, the log of requests, the control interface and the speed of the simulated OroCRM."""

import threading

import pytest
import requests
from tests.sandbox.oro_caller import OroCaller, contact

from orosync.sandbox.oro import create_oro_app
from orosync.sandbox.oro.wsse import WsseGate
from orosync.sandbox.transport import WsgiAdapter, serve


@pytest.fixture
def oro() -> OroCaller:
    return OroCaller()


def test_a_request_can_fail_before_or_after_it_was_carried_out(oro):
    oro.oro.fail_next("POST", "/api/contacts", 503, headers={"Retry-After": "7"})
    oro.oro.fail_next("POST", "/api/contacts", 502, applied=True)
    answers = [oro("POST", "/api/contacts", contact({"firstName": name})) for name in "abc"]
    assert [answer.status_code for answer in answers] == [503, 502, 201]
    assert answers[0].headers["Retry-After"] == "7"
    assert [each["firstName"] for each in oro.oro.contacts()] == ["b", "c"]


def test_a_connection_can_be_dropped_after_the_request_was_carried_out(oro):
    session = requests.Session()
    session.mount("http://", WsgiAdapter(create_oro_app(oro.oro)))
    oro.oro.fail_next("POST", "contacts", None, applied=True)
    headers = {"Accept": "application/vnd.api+json"} | oro.key()
    with pytest.raises(requests.ConnectionError):
        session.post("http://oro.test/api/contacts", json=contact({"firstName": "a"}), headers=headers)
    assert len(oro.oro.contacts()) == 1
    assert oro.oro.request_log[-1].status == 0


def test_answers_can_be_cut_off_or_replaced_by_a_login_page(oro):
    oro.oro.malformed_next("/api/contacts")
    oro.oro.malformed_next("/api/contacts", "html")
    cut, page, whole = (oro("GET", "/api/contacts") for _ in range(3))
    assert whole.data.startswith(cut.data)
    assert len(cut.data) < len(whole.data)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    with pytest.raises(ValueError, match="truncated or html"):
        oro.oro.malformed_next("/", "garbled")


def test_every_request_is_logged_without_its_credentials(oro):
    oro("GET", "/api/contacts?page[size]=1")
    (entry,) = oro.oro.request_log
    assert (entry.method, entry.path, entry.status) == ("GET", "/api/contacts?page[size]=1", 200)
    assert "x-wsse" not in entry.headers
    assert oro.oro.counts == {"GET": 1, "all": 1}
    oro.oro.forget_requests()
    assert oro.oro.counts == {}


def test_a_test_can_act_between_two_requests(oro):
    number = oro.oro.back_office.create("contact", {"firstName": "A"})
    seen = []

    def meddle(method: str, path: str) -> None:
        seen.append((method, path))
        if method == "PATCH":
            oro.oro.back_office.edit("contact", number, {"lastName": "meddled"})

    end = oro.oro.before_request(meddle)
    answer = oro("PATCH", f"/api/contacts/{number}", contact({"firstName": "B"}, number))
    assert answer.json["data"]["attributes"]["lastName"] == "meddled"
    end()
    oro("GET", "/api/contacts")
    assert seen == [("PATCH", f"/api/contacts/{number}")]


def test_another_process_controls_the_instance_over_http(oro):
    with serve(create_oro_app(oro.oro)) as server, requests.Session() as session:
        base = f"{server.url}/sandbox"
        made = session.post(f"{base}/contacts", json={"firstName": "A", "emails": ["a@example.com"]})
        assert made.json() == {"id": 1}
        before = session.get(f"{base}/contacts/1").json()["updatedAt"]
        oro.wait()
        edited = session.patch(f"{base}/contacts/1?by=client", json={"emails": ["b@example.com"]}).json()
        assert (edited["emails"], edited["updatedAt"]) == (["b@example.com"], before)
        task = session.post(f"{base}/tasks?as=bob", json={"subject": "x"}).json()["id"]
        assert session.post(f"{base}/tasks/{task}/transit/close").json()["status"] == "closed"
        assert session.patch(f"{base}/settings", json={"workflow_active": False}).json()["workflow_active"] is False
        assert session.patch(f"{base}/settings", json={"nonsense": 1}).status_code == 400
        assert session.get(f"{base}/contacts/9").status_code == 404
        refused = session.post(f"{base}/contacts", json={"firstName": "x" * 101})
        assert (refused.status_code, "100 characters" in refused.json()["error"]) == (400, True)
        faults = {"method": "GET", "path": "contacts", "status": 500}
        assert session.post(f"{base}/faults", json=faults).status_code == 204
        assert oro("GET", "/api/contacts").status_code == 500
        assert session.get(f"{base}/statistics").json()["requests"] == {"GET": 1, "all": 1}
        assert session.delete(f"{base}/contacts/1").status_code == 204
        assert session.post(f"{base}/reset").status_code == 204
        assert session.get(f"{base}/users").json() == []


def test_requests_from_many_threads_each_get_a_record_of_their_own(oro):
    def create() -> None:
        for _ in range(10):
            oro("POST", "/api/contacts", contact({"firstName": "A"}))

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each["id"] for each in oro.oro.contacts()] == list(range(1, 41))


def test_lists_by_time_and_by_id_look_only_at_the_records_they_show(oro):
    """The cost of a delta must follow the answer: most contacts here would fail if anything read them."""
    office = oro.oro.back_office
    for number in range(200):
        office.create("contact", {"firstName": f"A{number}", "emails": [f"a{number}@example.com"]})
    oro.wait()
    office.edit("contact", 7, {"firstName": "changed"})
    since = "2026-11-21T08:00:01Z"
    table = oro.oro.state.contacts
    read: list[int] = []
    get = table.get

    def watched(number: int):
        read.append(number)
        return get(number)

    table.get = watched  # type: ignore[method-assign]
    for path in (
        f"/api/contacts?filter[updatedAt][gte]={since}&sort=updatedAt,id",
        "/api/contacts?sort=-updatedAt,id&page[size]=1",
        "/api/contacts?filter[id]=7,9999",
        "/api/contacts?filter[primaryEmail]=a6@example.com",
        "/api/contacts?filter[lastName]=nobody&filter[firstName]=changed",
    ):
        read.clear()
        answer = oro("GET", path, headers={"X-Include": "totalCount"})
        shown = [row["id"] for row in answer.json["data"]]
        assert shown == ([] if "nobody" in path else ["7"]), path
        assert len(read) < 10, path


def test_paging_by_id_walks_every_record_once(oro):
    for _ in range(25):
        oro.oro.back_office.create("contact", {"firstName": "A"})
    walked, last = [], 0
    while page := oro.ids(f"/api/contacts?filter[id][gt]={last}&sort=id&page[size]=10"):
        walked += page
        last = int(page[-1])
    assert walked == [str(number) for number in range(1, 26)]


def test_a_nonce_is_refused_a_second_time_however_many_came_since_and_forgotten_after_its_hour(oro, monkeypatch):
    monkeypatch.setattr("orosync.sandbox.oro.wsse._ROOM", 3)
    oro.oro.reset()
    oro.users = oro.oro.seed_recorded_users()
    gate = WsseGate(oro.oro.state)
    first = [oro.key()["X-WSSE"] for _ in range(5)]
    assert all(gate.user(each) is not None for each in first)
    for _ in range(40):
        assert gate.user(oro.key()["X-WSSE"]) is not None
    assert [gate.user(each) for each in first] == [None] * 5
    assert gate._room > len(gate._used), "they are not sorted out with every request"
    oro.wait(3601)
    for _ in range(80):
        assert gate.user(oro.key()["X-WSSE"]) is not None
    assert not {each.partition('Nonce="')[2].partition('"')[0] for each in first} & set(gate._used)
