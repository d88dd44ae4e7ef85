"""Two thousand accounts, four workers as processes, PostgreSQL and a real broker; two workers are killed on the way.

OROSYNC_BENCH_ACCOUNTS chooses another number. The same story with sixty is in `tests/jobs/test_cluster.py`.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.brokers import needs_broker, wait_until
from tests.jobs.cluster import Cluster, cluster
from tests.jobs.cluster_story import everything_is_there_once, kill_in_mid_run, settle, settle_what_waits

PEOPLE = int(os.environ.get("OROSYNC_BENCH_ACCOUNTS", "2000"))
EVERY = 10  # one of ten has something to carry over; the others are found to be in step
ROWS: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    print(
        "\nbroker | accounts | seconds in all | accounts/s | at most at once at a mailbox | runs of an account | ",
        end="",
    )
    print("of the killed: accounts, first and last of them taken up again after s")
    for row in ROWS:
        print(row)


@pytest.fixture(params=["rabbitmq", "redis"])
def running(request: pytest.FixtureRequest, tmp_path: Path, bare_postgresql_url: str) -> Iterator[tuple[str, Cluster]]:
    needs_broker(request.param)
    with cluster(tmp_path, bare_postgresql_url, request.param, accounts=PEOPLE, instances=2, every=EVERY) as made:
        made.start_workers(4)
        made.start("dispatcher", "dispatcher")
        wait_until(lambda: made.workers_seen() == 4, "four workers gave a sign of life", 120)
        yield request.param, made
        print(made.logs()[-4_000:])


def test_many_accounts(benchmark: Any, running: tuple[str, Cluster]) -> None:
    kind, made = running
    began = time.monotonic()
    person = PEOPLE // 4 // EVERY * EVERY

    def story() -> Any:
        killed = kill_in_mid_run(made, person=person, how_many=2)
        made.start_workers(2)
        settle(made, 30 + PEOPLE * 2)
        return killed

    killed = benchmark.pedantic(story, rounds=1, iterations=1)
    seconds = time.monotonic() - began
    settle_what_waits(made)
    everything_is_there_once(made, EVERY)
    most, read = made.systems.most_at_once(), made.systems.feeds_read()
    assert most <= 4
    again = {made.systems.told["people"][made.ids.index(each)]["upn"] for each in killed.accounts}
    assert len(read) == PEOPLE
    assert {upn for upn, count in read.items() if count != 1} <= again
    runs = ", ".join(f"{count} x {times}" for times, count in sorted(Counter(read.values()).items()))
    ROWS.append(
        f"{kind} | {PEOPLE} | {seconds:.1f} | {PEOPLE / seconds:.1f} | {most} | {runs} | "
        f"{len(killed.accounts)}, {killed.first_s:.1f}, {killed.all_s:.1f}"
    )
