"""The chart: a first sync of a thousand contacts, in seconds, for each latency. Bars of a logarithmic scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log10
from xml.sax.saxutils import escape

from tests.bench import figures
from tests.bench.figures import BARE, FLOOR, OURS, PEER, Results

RECORDS = 1000
WIDTH, LEFT, TOP, BAR, GAP, GROUP = 860, 210, 74, 16, 3, 26
_SCALE = WIDTH - LEFT - 90
_LEAST, _MOST = 0.1, 100.0  # seconds
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 15px } .small { font-size: 11px; fill: #57606a }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .orosync { fill: #0969da } .vdirsyncer { fill: #bc4c00 } .bare-loop { fill: #8250df } .floor { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #8d96a0 } .grid { stroke: #30363d }
    .orosync { fill: #58a6ff } .vdirsyncer { fill: #f0883e } .bare-loop { fill: #bc8cff } .floor { fill: #6e7681 }
  }
"""


@dataclass(frozen=True)
class Bar:
    who: str
    seconds: float


def groups(results: Results) -> Iterator[tuple[str, list[Bar]]]:
    """A title and its bars, for each direction and latency that was measured."""
    for to, side in (("outlook", "Outlook"), ("oro", "OroCRM")):
        for ours in sorted(results.of(OURS, figures.FIRST), key=lambda each: each.latency_ms):
            if (ours.records, ours.to, ours.kind) != (RECORDS, to, "contacts"):
                continue
            found = [ours, *(results.beside(ours, who) for who in (PEER, BARE, FLOOR))]
            bars = [Bar(each.who, each.own_s) for each in found if each is not None and each.own_s > 0]
            yield f"to {side}, +{ours.latency_ms} ms", bars


def chart(results: Results) -> str:
    """As SVG; light and dark."""
    parts, top = [], float(TOP)
    for title, bars in groups(results):
        middle = top + len(bars) * (BAR + GAP) / 2 + 4
        parts.append(f'<text x="{LEFT - 12}" y="{middle:.0f}" text-anchor="end">{escape(title)}</text>')
        for bar in bars:
            parts.append(_bar(bar, top))
            top += BAR + GAP
        top += GROUP
    height = top + 8
    title = f"First sync of {RECORDS:,} contacts: seconds, less is better (each line is ten times the one before)"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    lines = [head, f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>"]
    lines.append(f'<text class="title" x="12" y="24">{escape(title)}</text>')
    return "\n".join([*lines, *_legend(), *_grid(height - GROUP), *parts, "</svg>"]) + "\n"


def _legend() -> Iterator[str]:
    words = {OURS: "orosync", PEER: "vdirsyncer", BARE: "bare loop, no state", FLOOR: "floor of the protocols"}
    left = 12
    for who, text in words.items():
        yield f'<rect class="{_class(who)}" x="{left}" y="36" width="12" height="12"/>'
        yield f'<text x="{left + 18}" y="47">{escape(text)}</text>'
        left += 40 + 8 * len(text)


def _grid(bottom: float) -> Iterator[str]:
    for power in range(round(log10(_LEAST)), round(log10(_MOST)) + 1):
        x = _x(10.0**power)
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom:.0f}"/>'
        yield f'<text class="small" x="{x:.1f}" y="{TOP - 12}" text-anchor="middle">{10.0**power:g} s</text>'


def _bar(bar: Bar, top: float) -> str:
    width = max(2.0, _x(bar.seconds) - LEFT)
    shown = f"{bar.seconds:.1f} s" if bar.seconds >= 10 else f"{bar.seconds:.2f} s"
    return (
        f'<rect class="{_class(bar.who)}" x="{LEFT}" y="{top:.0f}" width="{width:.1f}" height="{BAR}"/>'
        f'<text class="small" x="{LEFT + width + 5:.1f}" y="{top + 12:.0f}">{shown}</text>'
    )


def _class(who: str) -> str:
    return who.replace(" ", "-")


def _x(seconds: float) -> float:
    share = log10(min(max(seconds, _LEAST), _MOST) / _LEAST) / log10(_MOST / _LEAST)
    return LEFT + share * _SCALE
