"""Everything that our loggers say in the whole suite, held against everything that the simulated systems hold: keys and
tokens, names, addresses, subjects. Installed by `tests/conftest.py` for every test; what other processes log is not
heard here.

An account's own name is in every line of its runs on purpose, and is often its mailbox's address: that field is left
out. Words shorter than four letters, and words without a letter, prove nothing and are not looked for.
"""

from __future__ import annotations

import json
import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from orosync import telemetry
from orosync.sandbox.graph import GraphSandbox
from orosync.sandbox.oro import OroSandbox

_NOT_CONTENT = ("account", "timestamp", "level", "logger", "route", "method", "mode", "state", "run", "request_id")
_OF_OUTLOOK = ("givenName", "surname", "middleName", "subject", "title", "jobTitle", "companyName", "personalNotes")
_OF_ORO = ("firstName", "lastName", "middleName", "jobTitle", "description")
_SYSTEMS = 6
_MOST = 300  # records of a kind and sandbox: large ones are made of the same names again and again
# Words of ours that tests also use as subjects and names: in a line they mean what we mean by them.
_OURS = frozenset({"task", "event", "contact", "admin", "orocrm", "outlook", "sync", "changed", "private", "busy"})
_WORDS = re.compile(r"[^\W_](?:[\w@.+'-]*[^\W_])?")


class Lines:
    """A stream that keeps what is written until it was looked at."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def write(self, text: str) -> int:
        self.said.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        return False


class LogWatch:
    def __init__(self) -> None:
        self.lines = Lines()
        # The newest, held: tests that make hundreds of systems fill them with the same names.
        self._systems: deque[Any] = deque(maxlen=_SYSTEMS)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Until `patch` is undone: every simulated system is known, and every line of ours is kept, of any level."""
        for kind in (GraphSandbox, OroSandbox):
            patch.setattr(kind, "__init__", self._noting(kind.__init__))
        root, ours = logging.getLogger(), logging.getLogger(telemetry.OURS)
        before = root.level
        telemetry.configure("debug", json=True, stream=self.lines)  # type: ignore[arg-type]
        handler = root.handlers[-1]
        root.removeHandler(handler)
        root.setLevel(before)
        ours.addHandler(handler)

    def _noting(self, original: Any) -> Any:
        def init(sandbox: Any, *args: Any, **more: Any) -> None:
            original(sandbox, *args, **more)
            self._systems.append(sandbox)

        return init

    def begin(self) -> None:
        self.lines.said.clear()

    def leaks(self) -> list[str]:
        """Lines that hold what they must not, each with what was found in it; forgotten afterwards."""
        said, self.lines.said = self.lines.said, []
        found: list[str] = []
        if said and (systems := list(self._systems)):
            secrets, words = set[str](), set[str]()
            for system in systems:
                secrets |= set(secrets_of(system))
                words |= set(contents_of(system))
            # a long story says the same many times, but for its times
            lines = {content_of(line): line for line in said}
            spoken = {content: set(_WORDS.findall(content)) for content in lines}
            everything = set[str]().union(*spoken.values())
            parted = [each for each in words if " " in each and everything.issuperset(_WORDS.findall(each))]
            for content, line in lines.items():
                leaked = [each for each in secrets if each in content]
                leaked += sorted(words & spoken[content])
                leaked += [each for each in parted if each in content]
                found += [f"{', '.join(map(repr, leaked))} in {line.strip()}"] if leaked else []
        return found


def content_of(line: str) -> str:
    """The values of a line that could come from a record."""
    try:
        said = json.loads(line)
    except ValueError:
        return line
    return "\n".join(str(value) for name, value in said.items() if name not in _NOT_CONTENT)


def secrets_of(system: Any) -> Iterator[str]:
    """Of whatever length they are, they must be nowhere."""
    if isinstance(system, GraphSandbox):
        given = [*system.tokens, *system.clients.values(), *system.refresh_tokens]
    else:
        given = [each for user in system.state.users for each in (user.api_key, user.password)]
    yield from (each for each in given if each and len(each) >= 8)


def contents_of(system: Any) -> Iterator[str]:
    texts = _outlook_texts(system) if isinstance(system, GraphSandbox) else _oro_texts(system)
    for text in texts:
        whole = text.strip()
        if len(whole) >= 4 and re.search(r"[^\W\d_]{4}", whole) and whole.casefold() not in _OURS:
            yield whole


def _outlook_texts(graph: GraphSandbox) -> Iterator[str]:
    for mailbox in list(graph.mailboxes.values()):
        for kind in ("contact", "task", "event"):
            items = [item for place in mailbox.store.of_kind(kind) for item in list(place.items.values())]
            for item in items[:_MOST]:
                yield from _picked(item.data, _OF_OUTLOOK)
                yield from (each.get("address") or "" for each in item.data.get("emailAddresses") or [])


def _oro_texts(oro: OroSandbox) -> Iterator[str]:
    for contact in list(oro.state.contacts)[:_MOST]:
        yield from _picked(contact.attributes, _OF_ORO)
        yield from (row.value for row in contact.emails)
    yield from (task.subject for task in list(oro.state.tasks)[:_MOST])
    yield from (event.title for event in list(oro.state.events)[:_MOST])


def _picked(record: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    yield from (value for name in names if isinstance(value := record.get(name), str))
