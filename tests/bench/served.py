"""One simulated system as a process of its own, on loopback: `python -m tests.bench.served graph|oro|carddav`.

The first line it prints is its address. Then each line on its standard input is a wish, as JSON ({"do": "fill", ...}),
and each gets one line of JSON in return: what people would do by hand, and what was counted. So that filling and
counting are no requests.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.bench import records
from tests.bench.carddav import CardDav

from orosync.sandbox.graph import GraphSandbox, Kind, create_graph_app
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_OWN: dict[str, str | dict[str, str]] = dict.fromkeys(records.ENTITIES, "own") | {"user": {"view": "system"}}


def upn_of(person: int) -> str:
    return f"p{person}@contoso.example"


class Far:
    """A WSGI program that is far away, and how often it was asked. latency_s: no answer leaves earlier than so long
    after its request came: what the simulated system itself needs is no part of the comparison, unless it is more."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._numbers = itertools.count(1)
        self.requests = 0
        self.latency_s = 0.0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        came = time.monotonic()
        self.requests = next(self._numbers)
        answer = list(self._app(environ, start_response))
        time.sleep(max(0.0, came + self.latency_s - time.monotonic()))
        return answer


class Graph:
    def __init__(self) -> None:
        self.sandbox = GraphSandbox(seed=1)
        self.sandbox.settings.request_log_limit = 0
        self.app: WSGIApplication = create_graph_app(self.sandbox)
        self._made: dict[tuple[int, str], list[str]] = {}

    def people(self, count: int) -> Any:
        for number in range(count):
            self.sandbox.add_mailbox(upn_of(number), display_name=f"Person {number}")
        return self.sandbox.issue_app_token(expires_in=24 * 3600)

    def fill(self, person: int, entity: Any, count: int, *, first: int = 0) -> None:
        mailbox, today = self.sandbox.mailbox(upn_of(person)), _today()
        made = self._made.setdefault((person, entity), [])
        for number in range(first, first + count):
            made.append(mailbox.user_create(entity, records.in_outlook(entity, number, today)))

    def change(self, person: int, entity: Any, count: int, times: int) -> None:
        mailbox = self.sandbox.mailbox(upn_of(person))
        found = self._made.get((person, entity)) or [each["id"] for each in mailbox.items(entity)]
        for number, native in enumerate(found[:count]):
            mailbox.user_update(entity, native, records.change_in_outlook(entity, number, times))

    def held(self) -> dict[str, int]:
        held: Counter[str] = Counter()
        kinds: tuple[Kind, ...] = ("contact", "task", "event")
        for mailbox in self.sandbox.mailboxes.values():
            held.update({kind: len(mailbox.items(kind)) for kind in kinds})
        return dict(held)

    def parts(self) -> int:
        return self.sandbox.statistics.parts


class Oro:
    """What is there before anybody syncs was made a minute apart, up to now: a CRM that people have worked with."""

    def __init__(self) -> None:
        self._ago = timedelta()
        self.sandbox = OroSandbox(lambda: datetime.now(UTC) - self._ago, seed=1)
        self.sandbox.settings.audited = False
        self.app: WSGIApplication = create_oro_app(self.sandbox)
        self._made: dict[tuple[int, str], list[int]] = {}

    def people(self, count: int) -> Any:
        """Of one alone: an administrator; of many: people who see their own records."""
        keys = []
        for number in range(count):
            rights = _OWN if count > 1 else None
            user = self.sandbox.add_user(f"p{number}", email=upn_of(number), first_name="Person", permissions=rights)
            keys.append(user.api_key)
        return keys

    def fill(self, person: int, entity: str, count: int, *, first: int = 0) -> None:
        office, today = self.sandbox.back_office_as(f"p{person}"), _today()
        made = self._made.setdefault((person, entity), [])
        for number in range(first, first + count):
            self._ago = timedelta(minutes=first + count - number)
            made.append(office.create(entity, records.in_oro(entity, number, today)))
        self._ago = timedelta()

    def change(self, person: int, entity: str, count: int, times: int) -> None:
        office = self.sandbox.back_office_as(f"p{person}")
        found = self._made.get((person, entity)) or list(range(1, count + 1))
        for number, native in enumerate(found[:count]):
            office.edit(entity, native, records.change_in_oro(entity, number, times))

    def held(self) -> dict[str, int]:
        box = self.sandbox
        return {"contact": len(box.contacts()), "task": len(box.tasks()), "event": len(box.events())}

    def parts(self) -> int:
        return 0


class Cards:
    """`person` is the number of an address book; side "a" is the one people write into."""

    def __init__(self) -> None:
        self.sandbox = CardDav()
        self.app: WSGIApplication = self.sandbox

    def people(self, count: int) -> Any:
        return None

    def fill(self, person: int, entity: str, count: int, *, first: int = 0) -> None:
        for number in range(first, first + count):
            self.sandbox.put(f"/{person}/", number)

    def change(self, person: int, entity: str, count: int, times: int) -> None:
        for number in range(count):
            self.sandbox.put(f"/{person}/", number, times)

    def held(self) -> dict[str, int]:
        return {"contact": sum(map(len, self.sandbox.books.values()))}

    def parts(self) -> int:
        return 0


def _today() -> date:
    return datetime.now(UTC).date()


KINDS: dict[str, type[Graph | Oro | Cards]] = {"graph": Graph, "oro": Oro, "carddav": Cards}


def main() -> None:
    system = KINDS[sys.argv[1]]()
    far = Far(system.app)
    with serve(far) as server:
        _say(server.url)
        for line in sys.stdin:
            wish = json.loads(line)
            if wish["do"] == "counts":
                _say({"requests": far.requests, "parts": system.parts(), "cpu_s": time.process_time()})
            elif wish["do"] == "latency":
                far.latency_s = wish["seconds"]
                _say(None)
            else:
                _say(getattr(system, wish.pop("do"))(**wish))


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
