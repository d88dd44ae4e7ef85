"""Branches of a story: at any point it is split in two, and each goes on with a world of its own.

A branch is a copy of this process, made where the story stands: the simulated systems, the clock and the database in
memory come along as they are, and nothing that happens in the branch reaches the story it was split from. So what
leads to a point is lived through once, however many things are then tried there.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sqlite3
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.empty_database import put_empty_database

LONGEST_S = 300  # a branch that is still alive then hangs


@dataclass
class Branches:
    """`told`: what each branch said in the end, in order. `failed`: their traces, by what was tried in them."""

    is_branch: bool = False
    told: list[Any] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _tell: int = -1

    def split(self, what: str) -> bool:
        """True in the new branch. The story it is split from goes on when the branch is over, and gets False."""
        assert not self.is_branch, "a branch has no branches"
        assert threading.current_thread() is threading.main_thread(), (
            "a branch has no other thread than the one it began in"
        )
        hear, tell = os.pipe()
        number = os.fork()
        if number == 0:
            os.close(hear)
            signal.alarm(LONGEST_S)
            gc.disable()  # it does not live long
            self.is_branch, self._tell = True, tell
            return True
        os.close(tell)
        with os.fdopen(hear, "rb") as ear:
            said = ear.read()
        os.waitpid(number, 0)
        answer = json.loads(said) if said else {"trace": "it ended without a word"}
        if "trace" in answer:
            self.failed.append(f"{what}\n{answer['trace']}")
        else:
            self.told.append(answer["told"])
        return False

    def live(self, story: Callable[[], Any]) -> Any:
        """The story to its end. In a branch this never returns: what the story returns is told to where it was split
        from, as JSON."""
        gc.collect()
        gc.freeze()
        try:
            end = story()
        except BaseException:
            if not self.is_branch:
                raise
            self._end({"trace": traceback.format_exc(limit=-12)})
        finally:
            gc.unfreeze()
        if self.is_branch:
            self._end({"told": end})
        return end

    def _end(self, answer: dict[str, Any]) -> None:
        with os.fdopen(self._tell, "wb") as mouth:
            mouth.write(json.dumps(answer, default=str).encode())
        os._exit(0)  # nothing of the tests around the story is to be ended twice


def engine_in_memory(folder: Path) -> sa.Engine:
    """SQLite with all tables, in the process itself, so that a branch has a copy of its own."""
    path = put_empty_database(folder / "empty.db")

    def connect() -> sqlite3.Connection:
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with sqlite3.connect(path) as file:
            file.backup(memory)
        memory.execute("PRAGMA foreign_keys = ON")
        return memory

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.StaticPool, hide_parameters=True)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine
