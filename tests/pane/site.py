"""The real application over HTTPS on loopback, as Outlook wants it, over the simulated systems of `tests/web`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask
from tests.web.application import Application, Person
from tests.web.loopback_certificate import server_side

from orosync.bootstrap.product_files import product_file
from orosync.sandbox.transport import RunningServer, serve
from orosync.web.app import create_app
from orosync.web.parts import Parts

MANY = "100000 per minute"


class Site:
    """`url` is known before there is an application, because some have to know where they are."""

    def __init__(self) -> None:
        self.app: Callable[..., Any] | None = None
        self.server: RunningServer = serve(self._answer, ssl_context=server_side())

    @property
    def url(self) -> str:
        return self.server.url

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        assert self.app is not None
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer


class PaneWorld(Application):
    """As it is deployed, not as a demonstration: the pane needs an Outlook. People still pick themselves."""

    site: Site

    def put_online(self, site: Site, **parts: Any) -> None:
        """parts: other members of `Parts` than the application's own."""
        self.site = site
        site.app = self.served = self._flask(replace(self.parts, demo=False, **parts))

    @staticmethod
    def _flask(parts: Parts) -> Flask:
        return create_app(parts, pane=product_file("addin"), rate_limit=MANY)

    # situations, made as people and systems would make them

    def contact(self, first: str = "Ada", **more: Any) -> int:
        """A new one in OroCRM."""
        values = {"firstName": first, "lastName": "Lovelace", **more}
        return self.oro.back_office_as(self.boris).create("contact", values)

    def connected(self) -> Person:
        return self.person("boris").connect()

    def in_step(self, **settings: Any) -> Person:
        """Boris is connected, and one contact stands on both sides. settings: for everybody."""
        boris = self.connected()
        if settings:
            self.decide(**settings)
        self.contact(jobTitle="Countess", emails=["ada@lovelace.example"])
        assert boris.first_sync()["state"] == "done"
        return boris

    def decide(self, **settings: Any) -> None:
        """As administrator; `guard__creates` stands for the key guard.creates."""
        anna = self.person("anna")
        tag = anna.ask("GET", "/admin/settings").headers["ETag"]
        body = {key.replace("__", "."): value for key, value in settings.items()}
        answer = anna.ask("PATCH", "/admin/settings", json=body, headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text

    def disagree(self) -> None:
        """Both sides change Ada's job title."""
        (item,) = [each for each in self.boxes["boris"].items("contact") if each["surname"] == "Lovelace"]
        (ada,) = [each for each in self.oro.contacts() if each["firstName"] == "Ada"]
        self.oro.back_office_as(self.boris).edit("contact", int(ada["id"]), {"jobTitle": "Queen"})
        self.boxes["boris"].user_update("contact", item["id"], {"jobTitle": "Author"})

    def fail_once(self) -> None:
        """A new contact of Outlook's that OroCRM will refuse."""
        self.boxes["boris"].user_create("contact", {"givenName": "Charles", "surname": "Babbage"})
        refusal = {"errors": [{"status": "400", "title": "not blank constraint", "detail": "no"}]}
        self.oro.fail_next("POST", "/api/contacts", 400, refusal)

    def close(self) -> None:
        self.site.server.stop()
        self.database.close()


def pane_world(folder: Path, **config: Any) -> PaneWorld:
    site = Site()
    world = PaneWorld(folder, {"public_url": site.url, **config})
    world.put_online(site)
    return world
