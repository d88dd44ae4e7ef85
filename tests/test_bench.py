"""The benchmark measures what it says: its floor, its address books, its tables, and a small run of its parts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import requests
from tests.bench import figures, floor, records
from tests.bench.budgets import budgets
from tests.bench.carddav import CardDav
from tests.bench.chart import chart
from tests.bench.extent import EXTENTS, Chain
from tests.bench.figures import BARE, ENGINE, FLOOR, OURS, PEER, Figure, Results
from tests.bench.measuring import our_chain
from tests.bench.page import CHART, PAGE, RESULTS, with_tables
from tests.bench.peers import bare_loop
from tests.bench.systems import ROOT
from tests.bench.tables import first_syncs, growth

from orosync.sandbox.transport import WsgiAdapter
from orosync.store import mailboxes

TODAY = date(2026, 11, 23)

# ------------------------------------------------------------------------------------------------ floor


@pytest.mark.parametrize(
    ("least", "outlook", "oro", "seconds"),
    [
        # nothing changed: one batch, three lists
        (floor.look(), 1, 3, 0.05),
        # 50 batches and the first look; three pages (an empty list is one)
        (floor.first_sync("outlook", {"contact": 1000}), 51, 4, 51 * 0.05),
        # 1,000 writes by fours; 50 batches of stamps
        (floor.first_sync("oro", {"contact": 1000}), 54, 1003, 251 * 0.05),
        (floor.first_sync("outlook", {"contact": 400, "task": 300, "event": 300}), 51, 3, 51 * 0.05),
        # fifty of five thousand
        (floor.changed("oro", 50), 4, 3, 4 * 0.05),
        (floor.changed("outlook", 50), 4, 53, 14 * 0.05),
        # two pages of contacts and two empty lists, on either side
        (floor.lost_state({"contact": 1000}), 4, 4, 4 * 0.05),
    ],
)
def test_the_floor_counts_the_requests_that_nobody_can_leave_out(
    least: floor.Least, outlook: int, oro: int, seconds: float
) -> None:
    assert (least.outlook, least.oro) == (outlook, oro)
    assert least.seconds(50) == pytest.approx(seconds)
    assert least.seconds(0) == 0


def test_many_mailboxes_may_be_asked_at_the_same_time_but_there_is_one_orocrm() -> None:
    least = floor.look(200)
    assert (least.outlook, least.oro) == (200, 600)
    assert least.seconds(20, mailboxes=4) == pytest.approx(150 * 0.02)
    assert least.seconds(20) == pytest.approx(200 * 0.02)


# ------------------------------------------------------------------------------------------------ address books


@pytest.fixture
def cards() -> Iterator[tuple[CardDav, requests.Session]]:
    books = CardDav()
    with requests.Session() as http:
        http.mount("http://cards.example", WsgiAdapter(books))
        yield books, http


def test_a_card_is_made_only_where_there_is_none_and_changed_only_as_it_was_last_seen(
    cards: tuple[CardDav, requests.Session],
) -> None:
    _, http = cards
    url = "http://cards.example/0/x.vcf"
    new = {"If-None-Match": "*"}
    made = http.put(url, data=records.vcard(1), headers=new)
    assert made.status_code == 201
    assert http.put(url, data=records.vcard(1), headers=new).status_code == 412
    changed = http.put(url, data=records.vcard(1, 1), headers={"If-Match": made.headers["ETag"]})
    assert changed.status_code == 204
    assert changed.headers["ETag"] != made.headers["ETag"]
    assert http.put(url, data=records.vcard(1, 2), headers={"If-Match": made.headers["ETag"]}).status_code == 412
    assert http.delete(url, headers={"If-Match": made.headers["ETag"]}).status_code == 412
    assert http.delete(url, headers={"If-Match": changed.headers["ETag"]}).status_code == 204
    assert http.delete(url).status_code == 404


def test_a_folder_lists_its_cards_and_hands_out_those_that_are_asked_for(
    cards: tuple[CardDav, requests.Session],
) -> None:
    books, http = cards
    for number in range(3):
        books.put("/0/", number)
    books.put("/1/", 7)
    url = "http://cards.example/0/"
    listed = http.request("PROPFIND", url, headers={"Depth": "1"}).text
    assert listed.count("<getetag>") == 3
    assert http.request("PROPFIND", url, headers={"Depth": "0"}).text.count("<response>") == 1
    wanted = '<C:addressbook-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">'
    wanted += "<href>/0/bench-1.vcf</href><href>/0/none.vcf</href></C:addressbook-multiget>"
    report = http.request("REPORT", url, data=wanted).text
    assert report.count("<response>") == 1
    assert "UID:bench-1\r\n" in report


# ------------------------------------------------------------------------------------------------ records


def test_a_record_is_the_same_in_every_shape_and_no_two_have_a_name() -> None:
    assert len({records.name_of(number) for number in range(50_000)}) == 50_000
    first, last = records.name_of(11)
    typed, sent = records.in_oro("contact", 11, TODAY), records.to_oro("contact", 11, TODAY)["data"]["attributes"]
    outlook, card = records.in_outlook("contact", 11, TODAY), records.vcard(11)
    assert (typed["firstName"], sent["lastName"], outlook["surname"]) == (first, last, last)
    assert f"N:{last};{first};" in card
    assert typed["emails"] == [each["address"] for each in outlook["emailAddresses"]]
    assert 400 < len(card.encode()) < 650
    assert records.mixed(1000) == {"contact": 400, "task": 300, "event": 300}


# ------------------------------------------------------------------------------------------------ tables and page


def some_results() -> Results:
    ours = Figure(OURS, figures.FIRST, 1000, 50, 4.0, to="outlook", cpu_s=1.5, requests={"outlook": 53, "oro": 12})
    ours = replace(ours, systems_cpu_s={"outlook": 0.5, "oro": 0.1}, written=1000)
    peer = Figure(PEER, figures.FIRST, 1000, 50, 60.3, start_s=0.3, requests={"all": 1003})
    quick = replace(peer, latency_ms=0, wall_s=1.6, cpu_s=1.25)
    start = Figure(PEER, figures.START, 0, 0, 0.3, cpu_s=0.25)
    bare = Figure(BARE, figures.FIRST, 1000, 50, 3.2, to="outlook")
    least = Figure(FLOOR, figures.FIRST, 1000, 50, 2.55, to="outlook")
    plain = (replace(ours, records=count, latency_ms=0, peak_mb=mb) for count, mb in ((1000, 90.0), (50_000, 190.0)))
    engine = Figure(ENGINE, figures.FIRST, 1000, 0, 2.0, to="oro", cpu_s=0.8)
    return Results({"date": "today"}, (ours, peer, quick, start, bare, least, *plain, engine))


def test_every_figure_stands_beside_those_of_others_for_the_same_work() -> None:
    row = next(line for line in first_syncs(some_results()) if "| 50 |" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "1,000 contacts to Outlook",
        "50",
        "4.00",
        "250",
        "53 (0)",
        "12",
        "60.0 (1,003)",
        "15.0 x as fast",
        "3.20",
        "1.25 x",
        "2.55",
        "1.57 x",
        "",
    ]


def test_who_waits_for_a_simulated_system_is_told_so() -> None:
    results = some_results()
    slow = replace(results.figures[0], systems_cpu_s={"outlook": 2.4, "oro": 0.1})
    (row,) = (line for line in first_syncs(replace(results, figures=(slow,))) if "1,000" in line)
    assert "a simulated system is at work 60% of the time" in row


def test_a_budget_is_kept_broken_or_not_measured() -> None:
    found = {(each.what, each.wanted): (each.measured, each.kept) for each in budgets(some_results())}
    first = "first sync of 1,000 contacts to Outlook at 50 ms"
    assert found[first, "at least 10 x vdirsyncer"] == ("15.0 x", True)
    assert found[first, "within 1.3 x of the floor"] == ("1.57 x", False)
    assert found["the same, CPU against that of vdirsyncer", "not more"] == ("0.80 x", True)
    assert found["peak of memory, from 1,000 to 50,000 contacts", "less than 64 MB more"] == ("100 MB more", False)
    assert found["`orosync --help`", "under 0.3 s"] == ("not measured", None)


def test_results_outlive_being_written_down() -> None:
    results = some_results()
    assert Results.from_text(results.to_text()) == results


def test_the_chart_has_a_bar_for_everybody_who_was_measured() -> None:
    drawn = chart(some_results())
    for who in ("orosync", "vdirsyncer", "bare-loop", "floor"):
        assert f'<rect class="{who}" x="210"' in drawn
    assert "60.0 s</text>" in drawn


def test_growth_names_each_size_once() -> None:
    rows = [line.split("|")[1].strip() for line in growth(some_results())]
    assert rows == ["first sync of contacts", "---", "1,000 to Outlook", "50,000 to Outlook"]


def test_the_page_and_its_chart_say_what_was_stored() -> None:
    results = Results.read(RESULTS)
    text = PAGE.read_text("utf-8")
    assert with_tables(text, results) == text, "run .venv/bin/python -m tests.bench --page"
    assert CHART.read_text("utf-8") == chart(results)
    assert results.to_text() == RESULTS.read_text("utf-8")


def test_the_page_names_the_quota_that_the_product_keeps() -> None:
    kept = f"{mailboxes.CAPACITY:,.0f} at once, then {mailboxes.REFILL_PER_S:.0f} a second"
    assert kept in PAGE.read_text("utf-8")
    assert (50_000 - mailboxes.CAPACITY) / mailboxes.REFILL_PER_S > 3600


@pytest.mark.parametrize("name", EXTENTS)
def test_every_extent_measures_both_ways_and_the_growth_of_memory_is_in_the_default(name: str) -> None:
    extent = EXTENTS[name]()
    assert {each.to for each in extent.chains} == {"outlook", "oro"}
    assert set(extent.bare) <= set(extent.chains)
    assert name == "tiny" or {1000, 50_000} <= {each.records for each in extent.chains}


# ------------------------------------------------------------------------------------------------ a small run


@pytest.mark.slow
@pytest.mark.processes
def test_a_small_run_measures_our_product_and_the_bare_loop(tmp_path: Path) -> None:
    chain = Chain("outlook", 40, 0, looks=True, changes=True)
    found = list(our_chain(chain, tmp_path / "bench.sqlite3"))
    ours = {each.work: each for each in found if each.who == OURS}
    assert set(ours) == {
        figures.FIRST,
        figures.LOOK,
        figures.CHANGED_ORO,
        figures.CHANGED_OUTLOOK,
        figures.LOST,
    }
    assert {each.work for each in found if each.who == FLOOR} == set(ours)
    assert ours[figures.LOOK].requests["outlook"] == 1
    assert all(each.wall_s > 0 and each.cpu_s > 0 and each.peak_mb > 20 for each in ours.values())
    first = ours[figures.FIRST]
    assert first.parts >= 40
    assert min(first.systems_cpu_s.values()) > 0
    (bare,) = bare_loop(Chain("oro", 10, 0, "mixed"))
    assert (bare.requests, bare.written) == ({"oro": 10}, 10)


@pytest.mark.slow
@pytest.mark.processes
def test_memory_and_exit_are_those_of_the_measured_program_alone(tmp_path: Path) -> None:
    """Also when whoever starts it has more."""
    (tmp_path / "small.py").write_text("import sys; sys.exit(3)")
    mine = bytearray(200_000_000)
    command = [
        sys.executable,
        "-P",
        str(ROOT / "tests" / "bench" / "own_process.py"),
        str(tmp_path / "report"),
        "small",
    ]
    subprocess.run(command, check=True, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    told = json.loads((tmp_path / "report").read_text())
    assert told["exit"] == 3
    assert told["peak_mb"] < 60
    assert len(mine) > 100_000_000
