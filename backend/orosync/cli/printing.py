"""Output: readable tables on a terminal, tab-separated lines in a pipe, JSON where it is asked for.

Knows nothing of what is shown. Progress bars go to stderr, and only if that is a terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

Progress = Callable[[str, int, int], None]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "Nothing there.") -> None:
    lines = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not lines:
        click.echo(empty)
        return
    if not sys.stdout.isatty():
        for line in (list(columns), *lines):
            click.echo("\t".join(" ".join(cell.split()) for cell in line))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if _all_numbers(lines, columns, column) else "left")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    Console(highlight=False).print(table)


def _all_numbers(lines: list[list[str]], columns: Sequence[str], column: str) -> bool:
    place = list(columns).index(column)
    return all(line[place].isdigit() or not line[place] for line in lines)


def heading(text: str) -> None:
    click.echo(click.style(text, bold=True))


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Called with what is being done, how far, and of how many (0: nobody knows)."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield show


def _unseen(_what: str, _done: int, _total: int) -> None:
    """No terminal, no bar."""
