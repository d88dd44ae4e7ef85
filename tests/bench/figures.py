"""What was measured, as plain data: one figure for one piece of work of one program."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

OURS, PEER, BARE, FLOOR, ENGINE = "orosync", "vdirsyncer", "bare loop", "floor", "engine"

FIRST, LOOK, LOST, START, HELP = "first sync", "no change", "state lost", "start", "help"
CHANGED_ORO, CHANGED_OUTLOOK = "1 % changed in OroCRM", "1 % changed in Outlook"
ACCOUNTS = "a look at 200 accounts"


@dataclass(frozen=True)
class Figure:
    """to: where the first sync wrote ("outlook" or "oro"; "" for who knows no sides). kind: "contacts"
    or "mixed". CPU and memory are of the program alone; `systems_cpu_s` of the simulated systems beside it. requests:
    by side, of a bare loop and of vdirsyncer in all. start_s: what of wall_s is the start of a process."""

    who: str
    work: str
    records: int
    latency_ms: int
    wall_s: float
    to: str = ""
    kind: str = "contacts"
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    start_s: float = 0.0
    requests: Mapping[str, int] = field(default_factory=dict)
    parts: int = 0
    database_mb: float = 0.0
    systems_cpu_s: Mapping[str, float] = field(default_factory=dict)
    written: int = 0

    @property
    def own_s(self) -> float:
        """Without the start of the process; on a busy machine it may have taken longer than the whole."""
        return max(self.wall_s - self.start_s, 0.001)

    @property
    def busiest(self) -> float:
        """The share of the time in which the busier of the simulated systems was at work."""
        return max(self.systems_cpu_s.values(), default=0.0) / self.wall_s if self.wall_s else 0.0


@dataclass(frozen=True)
class Results:
    """machine: what it was measured on, with the date. missing: who could not be measured, and why."""

    machine: Mapping[str, Any]
    figures: tuple[Figure, ...]
    missing: Mapping[str, str] = field(default_factory=dict)

    def find(self, who: str, work: str, records: int, latency_ms: int, **also: Any) -> Figure | None:
        """The one of this work. `to` and `kind` hold for who has them: vdirsyncer knows neither sides nor tasks."""
        for each in self.of(who, work):
            if (each.records, each.latency_ms) == (records, latency_ms) and (
                who == PEER or all(getattr(each, name) == value for name, value in also.items())
            ):
                return each
        return None

    def of(self, who: str, work: str | None = None) -> Iterator[Figure]:
        return (each for each in self.figures if each.who == who and work in {None, each.work})

    def beside(self, ours: Figure, who: str) -> Figure | None:
        """The same work, done by somebody else."""
        return self.find(who, ours.work, ours.records, ours.latency_ms, to=ours.to, kind=ours.kind)

    def to_text(self) -> str:
        """One figure a line, so that a new measurement reads well as a difference."""
        lines = ",\n".join(f"    {json.dumps(_short(asdict(each)))}" for each in self.figures)
        head = {"machine": dict(self.machine), "missing": dict(self.missing)}
        return f'{json.dumps(head, indent=2)[:-2]},\n  "figures": [\n{lines}\n  ]\n}}\n'

    @classmethod
    def from_text(cls, text: str) -> Results:
        told = json.loads(text)
        return cls(told["machine"], tuple(Figure(**each) for each in told["figures"]), told["missing"])

    @classmethod
    def read(cls, file: Path) -> Results:
        return cls.from_text(file.read_text("utf-8"))


def _short(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty, and without digits that say nothing."""
    return {
        name: _rounded(value) for name, value in values.items() if value or name in {"records", "latency_ms", "wall_s"}
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
