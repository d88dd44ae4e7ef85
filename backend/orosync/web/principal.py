"""Who asks, as its token says."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import g

from orosync.web.problems import NotAllowed, NotSignedIn


@dataclass(frozen=True, slots=True)
class Principal:
    """tenant and object_id identify a person for ever; name and address are for people's eyes and prove nothing.

    assertion: the token itself, to act on the person's behalf; it is never stored or logged.
    """

    tenant: str
    object_id: str
    name: str
    address: str
    is_admin: bool = False
    is_home: bool = True  # of the tenant that runs this installation, not of a guest tenant
    assertion: str = field(default="", repr=False)

    @property
    def owner(self) -> str:
        """As accounts have it."""
        return f"{self.tenant}:{self.object_id}"


def signed_in() -> Principal:
    """Of the current request. Raises NotSignedIn."""
    principal: Principal | None = g.get("principal")
    if principal is None:
        raise NotSignedIn("The request carries no bearer token.")
    return principal


def administrator() -> Principal:
    """Of the current request. Raises NotSignedIn, NotAllowed."""
    principal = signed_in()
    if not principal.is_admin:
        raise NotAllowed("Only administrators may do this.", remedy="Ask an administrator of this installation.")
    return principal
