"""What the application knows of a demonstration it is part of: whoever made it puts one into the application."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import current_app
from werkzeug.wrappers import Request

from orosync.web.problems import NotAllowed, NotFound
from orosync.web.sign_in.local import from_this_machine

NAME = "orosync.demonstration"  # in the application's `extensions`


class Demonstration(Protocol):
    def facts(self) -> dict[str, Any]:
        """Where the simulated systems are, and how one connects them."""
        ...

    def set_automatic(self, *, on: bool) -> None:
        """Whether changes travel by themselves."""
        ...

    def reset(self) -> None:
        """Everything as in the beginning. Raises TryLater."""
        ...


def demonstration() -> Demonstration:
    """Of the application that answers the current request. Raises NotFound."""
    found: Demonstration | None = current_app.extensions.get(NAME)
    if found is None:
        raise NotFound("There is no demonstration here.", remedy="Start one: orosync demo.")
    return found


def from_our_own_page(asked: Any) -> None:
    """Raises NotAllowed unless the request was made on this machine, and by no page of another origin.

    A page from elsewhere can make a browser send requests here, though it cannot read the answers; the simulated
    systems would do what they say.
    """
    request: Request = asked
    from_this_machine(asked)
    origin = request.headers.get("Origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != request.host
    if elsewhere or request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise NotAllowed("The demonstration answers its own page alone.", remedy="Open /demo on this machine.")
