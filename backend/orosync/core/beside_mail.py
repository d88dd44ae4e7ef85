"""What the pane shows beside a mail, and what it may make from one: people, their records, new ones. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Firm:
    """An account of OroCRM."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Person:
    """type: "contact" or "lead". company: of a lead, as text. owner: id of its user, None if that is not to be seen."""

    type: str
    id: str
    name: str
    job_title: str
    company: str
    accounts: tuple[Firm, ...]
    phone: str
    emails: tuple[str, ...]
    url: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class People:
    """by_address: every address that was asked for -> who has it. forbidden: types the user may not see."""

    by_address: Mapping[str, tuple[Person, ...]]
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Amount:
    value: float
    currency: str


@dataclass(frozen=True, slots=True)
class Related:
    """due: day "YYYY-MM-DD" or instant "...Z"; status: as OroCRM's users read it, "" if there is none."""

    id: str
    title: str
    status: str
    url: str
    amount: Amount | None = None
    due: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one type. more: OroCRM has more of them than are shown."""

    type: str
    items: tuple[Related, ...] = ()
    forbidden: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True)
class NewRecord:
    """To be made in OroCRM. about: (type, id) of a record it belongs to; due_date: "YYYY-MM-DD"."""

    type: str
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    subject: str = ""
    due_date: str | None = None
    about: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """existed: an equal one was there already, so none was made."""

    type: str
    id: str
    url: str
    existed: bool = False


@dataclass(frozen=True, slots=True)
class NotMade:
    """OroCRM, or we on its behalf, refuse what was given: (field, message) pairs; the field "" is all of it."""

    errors: tuple[tuple[str, str], ...] = field(default_factory=tuple)
