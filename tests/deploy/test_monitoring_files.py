"""The dashboard and the alerts: whole, and of use to whoever reads them."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"


def rules() -> list[dict[str, Any]]:
    loaded = yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text("utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DEPLOY / "grafana" / "orosync.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_urgent_it_is_and_what_it_means(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert {"summary", "description"} == rule["annotations"].keys()
    operations = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    assert f"`{rule['alert']}`" in operations, "operations.md says what to do about it"


def test_panels_have_ids_of_their_own_and_do_not_cover_each_other(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 15
    covering = [
        (one["title"], other["title"])
        for one, other in combinations(panels, 2)
        if all(
            one["gridPos"][at] < other["gridPos"][at] + other["gridPos"][size]
            and other["gridPos"][at] < one["gridPos"][at] + one["gridPos"][size]
            for at, size in (("x", "w"), ("y", "h"))
        )
    ]
    assert covering == []
    assert max(panel["gridPos"]["x"] + panel["gridPos"]["w"] for panel in panels) == 24


def test_a_dashboard_asks_whatever_source_it_is_given(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${source}"
            assert re.search(r"\borosync_", target["expr"])
