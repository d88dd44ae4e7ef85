"""The memory of the rate limit counts right whoever asks at the same moment, and forgets what is over."""

from __future__ import annotations

import threading
import time

import pytest
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from orosync.web import request_counts


@pytest.fixture
def counts() -> request_counts.RequestCounts:
    found = storage_from_string(f"{request_counts.SCHEME}://")
    assert isinstance(found, request_counts.RequestCounts)
    return found


def test_as_many_pass_as_the_limit_says_and_then_none(counts: request_counts.RequestCounts) -> None:
    limiter, limit = FixedWindowRateLimiter(counts), parse("3 per minute")
    assert [limiter.hit(limit, "anna") for _ in range(5)] == [True, True, True, False, False]
    assert limiter.hit(limit, "boris")
    assert limiter.get_window_stats(limit, "anna").remaining == 0


def test_requests_at_the_same_moment_are_all_counted(counts: request_counts.RequestCounts) -> None:
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        for _ in range(500):
            counts.incr("anna", 60)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert counts.get("anna") == 4000


def test_a_window_that_is_over_counts_no_more_and_is_forgotten(
    counts: request_counts.RequestCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time() + 10_000
    monkeypatch.setattr(request_counts.time, "time", lambda: now)
    counts.reset()
    for person in ("anna", "boris"):
        counts.incr(person, 60)
    assert counts.get_expiry("anna") == now + 60
    now += 61
    assert counts.get("anna") == 0
    assert counts.get_expiry("anna") == now
    assert counts.incr("anna", 60) == 1
    now += 3600
    counts.incr("clara", 60)
    assert counts.reset() == 1
    counts.incr("anna", 60)
    counts.clear("anna")
    assert counts.get("anna") == 0
    assert counts.check()
