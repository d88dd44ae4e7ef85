"""A lease is renewed while its run lasts, whatever goes wrong with a single renewal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.jobs.background_world import Background

from orosync import bootstrap
from orosync.bootstrap import lease
from orosync.errors import TryLater

LONG_S = 30.0  # a test that needs them has failed


@pytest.mark.parametrize("trouble", [TryLater("away"), RuntimeError("a mistake of ours")], ids=["away", "a mistake"])
def test_one_renewal_that_fails_is_followed_by_the_next(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    world = Background(tmp_path)
    monkeypatch.setattr(lease, "_RENEW_EVERY_S", 0.001)
    renew: Callable[..., Any] = world.database.leases.renew
    troubles, renewed = [trouble], threading.Event()

    def once_not(held: Any, now: datetime, ttl: timedelta) -> Any:
        if troubles:
            raise troubles.pop()
        renew(held, now, ttl)
        renewed.set()

    monkeypatch.setattr(world.database.leases, "renew", once_not)
    with bootstrap.leased(world.database, world.account(), "run", world.clock):
        assert renewed.wait(LONG_S)
    world.close()
