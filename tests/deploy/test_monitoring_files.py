"""The dashboard and the alerts: whole, of use to whoever reads them, and asking for what the program tells."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from tests.empty_database import put_empty_database

from orosync.bootstrap import SystemClock
from orosync.bootstrap.gauges import StateOfAll
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.core.push import Subscription
from orosync.core.records import Entity, Side
from orosync.metrics import Metrics
from orosync.store.database import Database
from orosync.store.engine import open_engine

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


def test_no_document_names_an_alert_or_a_metric_that_does_not_exist(told: dict[str, dict[str, set[str]]]) -> None:
    pages = "\n".join(page.read_text("utf-8") for page in (REPOSITORY / "docs").glob("*.md"))
    assert set(re.findall(r"`(Orosync\w+)`", pages)) == {rule["alert"] for rule in rules()}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in told}
    assert set(re.findall(r"`(orosync_[a-z_]+)", pages)) <= families


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


# ---------------------------------------------------------------------------------------------- what the program tells


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """Sample name -> label -> its values, of everything that the program exposes; a histogram's le and Prometheus'
    own labels are left out."""
    file = put_empty_database(tmp_path_factory.mktemp("metrics") / "orosync.db")
    database = Database(open_engine(f"sqlite:///{file}"))
    config = Config(data_dir=file.parent, database_url=f"sqlite:///{file}", client_certificate=certificate(file.parent))
    account = database.accounts.add(Account("anna", "a@example.com", "https://crm.example", "anna", "wsse", "token"))
    ends = datetime.now(UTC) + timedelta(days=2)
    database.subscriptions.save(Subscription(account, Side.OUTLOOK, "r", Entity.TASK, "s", expires=ends))
    metrics = Metrics()
    for outcome in ("ok", "throttled", "refused", "failed", "unreachable"):
        metrics.count_request("outlook", outcome)
    for state in ("done", "failed"):
        metrics.count_run("sync", state, 1.0, {("oro", "contact", "created"): 1}, [("oro", 3.0)])
    families = [*metrics.registry.collect(), *StateOfAll(config, database, SystemClock()).collect()]
    samples: dict[str, dict[str, set[str]]] = {}
    for sample in (sample for family in families for sample in family.samples):
        labels = samples.setdefault(sample.name, {})
        for name, value in sample.labels.items():
            labels.setdefault(name, set()).add(value)
    database.close()
    return samples


def certificate(folder: Path) -> Path:
    """As OROSYNC_CLIENT_CERTIFICATE names one."""
    made = trustme.CA().issue_cert("orosync")
    file = folder / "client.pem"
    made.private_key_and_cert_chain_pem.write_to_path(file)
    return file


def expressions() -> list[str]:
    panels = json.loads((DEPLOY / "grafana" / "orosync.json").read_text("utf-8"))["panels"]
    shown = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [*shown, *(rule["expr"] for rule in rules())]


def selectors(expression: str) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """[(metric, [(label, operator, value), ...]), ...]."""
    found = re.findall(r"\b(orosync_[a-z_]+)(?:\{([^}]*)\})?", expression)
    return [(name, re.findall(r'(\w+)(=~|!=|!~|=)"([^"]*)"', inside)) for name, inside in found]


@pytest.mark.parametrize("expression", expressions())
def test_what_is_asked_for_is_something_the_program_tells(
    told: dict[str, dict[str, set[str]]], expression: str
) -> None:
    asked = selectors(expression)
    assert asked
    for metric, labels in asked:
        assert metric in told
        for label, _, value in labels:
            if label == "instance":
                continue  # Prometheus' own
            assert set(value.split("|")) <= told[metric][label], f"{metric}: {label} is never {value}"
    grouped = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(",")}
    known = {label for metric, _ in asked for label in told[metric]}
    assert grouped <= known


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_message_of_an_alert_names_only_labels_that_it_has(rule: dict[str, Any]) -> None:
    text = " ".join(rule["annotations"].values())
    kept = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for label in group.split(",")}
    assert set(re.findall(r"\$labels\.(\w+)", text)) <= kept


def test_everything_that_the_program_tells_is_shown_somewhere(told: dict[str, dict[str, set[str]]]) -> None:
    asked = {metric for expression in expressions() for metric, _ in selectors(expression)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in told}
    assert families - {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} == set()
