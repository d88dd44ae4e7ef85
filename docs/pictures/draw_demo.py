"""Draws `demo.svg`: the demonstration as a terminal shows it. Run it again after a change of words."""  # noqa: INP001

from __future__ import annotations

import os
import pty
import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH, LINES = 150, 46


def shown() -> str:
    """The first lines that `orosync demo --once` writes to a terminal."""
    parts: list[bytes] = []

    def read(fd: int) -> bytes:
        data = os.read(fd, 65536)
        parts.append(data)
        return b" "

    command = [str(Path(sys.executable).with_name("orosync")), "demo", "--once", "--no-browser"]
    pty.spawn(["env", f"COLUMNS={WIDTH}", "TERM=xterm-256color", *command], read)
    text = b"".join(parts).decode()
    text = re.sub(r"\x1b\[\?25[lh]|\x1b\[\d*[AK]|\x1b\[2K", "", text).replace("\r\n", "\n")
    lines = [line.rsplit("\r", 1)[-1] for line in text.split("\n")]
    lines = [line for line in lines if "API key" not in line and "token" not in line]
    return "\n".join(lines[:LINES])


console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
console.print(Text.from_ansi(shown()), no_wrap=True, overflow="ignore", crop=True)
svg = re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="make demo ONCE=1"), flags=re.DOTALL)
Path(__file__).with_name("demo.svg").write_text(svg, encoding="utf-8")
