"""The page of the documents that shows the figures: its tables and its chart are written from the stored results, the
words around them by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.budgets import budgets
from tests.bench.chart import chart
from tests.bench.figures import Results
from tests.bench.systems import ROOT
from tests.bench.tables import TABLES, table

PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "docs" / "performance.json"
CHART = ROOT / "docs" / "pictures" / "performance.svg"
_KEPT = {True: "yes", False: "**no**", None: ""}


def parts(results: Results) -> Iterator[tuple[str, Iterator[str]]]:
    """Everything that is written, by the name of its place."""
    yield "machine", _machine(results)
    yield (
        "budgets",
        table(
            ("what", "wanted", "measured", "kept"),
            ((each.what, each.wanted, each.measured, _KEPT[each.kept]) for each in budgets(results)),
        ),
    )
    for name, make in TABLES.items():
        yield name, make(results)


def _machine(results: Results) -> Iterator[str]:
    yield "| machine | |"
    yield "|---|---|"
    for name, value in results.machine.items():
        yield f"| {name} | {value} |"
    for who, why in results.missing.items():
        yield f"| {who} | {why} |"


def with_tables(text: str, results: Results) -> str:
    """The page with fresh tables between its marks. Raises ValueError if a mark is missing."""
    for name, lines in parts(results):
        begin, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"performance.md needs {begin} and {end}, once each")
        before, _, rest = text.partition(begin)
        text = "\n".join([before + begin, *lines, end + rest.partition(end)[2]])
    return text


def keep(results: Results) -> None:
    """Write results, chart and page of the documents anew."""
    RESULTS.write_text(results.to_text(), "utf-8")
    write()


def write() -> None:
    """Chart and page from the stored results."""
    results = Results.read(RESULTS)
    CHART.write_text(chart(results), "utf-8")
    PAGE.write_text(with_tables(PAGE.read_text("utf-8"), results), "utf-8")


def in_terminal(results: Results) -> Iterator[str]:
    for name, lines in parts(results):
        yield f"\n{name}"
        yield from lines


def as_files(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS.name).write_text(results.to_text(), "utf-8")
    (folder / CHART.name).write_text(chart(results), "utf-8")
