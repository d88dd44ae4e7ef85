"""Normal forms of values: the one spelling under which two values are the same.

Everything the engine compares is in these forms; what each side's JSON means is decided by the lenses. Rules: I23 of
sync-engine.md (applying a form twice changes nothing), records.py for the shapes, `None` is the only empty.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from orosync.core import recurrence, zones
from orosync.core.fields import DEFAULT_MATCH_KEYS
from orosync.core.records import Entity, Record, Value

_REMEMBERED = 16_384  # values that are met again soon; many more would grow with the mailbox for little
ADDRESS_PARTS = ("street", "city", "region", "postal_code", "country")
GENDERS = frozenset({"female", "male"})
PRIORITIES = frozenset({"low", "normal", "high"})
STATUSES = frozenset({"not_started", "in_progress", "completed", "waiting_on_others", "deferred"})

_BREAKS = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\n]")
# Control characters, halves of characters, and code points that are no characters: no system keeps them.
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def line(value: Any) -> str | None:
    """One line of text: trimmed, line breaks and tabs are spaces, composed characters (NFC)."""
    if not value:
        return None
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        text = _NO_TEXT.sub("", _BREAKS.sub(" ", text).replace("\t", " ").replace("\x1f", " "))
        text = unicodedata.normalize("NFC", text)
    return text.strip() or None


def block(value: Any) -> str | None:
    """Several lines of text: LF, every blank a plain space, lines trimmed at their ends, the whole trimmed (NFC)."""
    if not value:
        return None
    text = str(value)
    if not (text.isascii() and text.replace("\n", "").isprintable()):
        text = _NO_TEXT.sub("", _BLANKS.sub(" ", _BREAKS.sub("\n", text)))
        text = unicodedata.normalize("NFC", text)
    if "\n" not in text:
        return text.strip() or None
    return "\n".join(each.rstrip() for each in text.split("\n")).strip() or None


@lru_cache(maxsize=_REMEMBERED)
def email(value: str | None) -> str | None:
    """An address in lower case and email-validator's normal form; what is no address stays as it is, in lower case."""
    text = line(value)
    if text is None:
        return None
    if text.isascii() and "xn--" not in text.lower():
        return text.lower()  # what the validator would say, at a hundredth of the time
    with contextlib.suppress(EmailNotValidError):
        text = validate_email(text, check_deliverability=False, globally_deliverable=False).normalized
    return line(text.lower())


def emails(values: Iterable[Any] | None) -> list[str] | None:
    """Addresses in their order, each once; None if there are none."""
    kept = dict.fromkeys(email(str(each)) for each in values or () if each)
    return [each for each in kept if each] or None


@lru_cache(maxsize=_REMEMBERED)
def phone(value: str | None) -> str | None:
    """A number with an explicit country code as "+49301234567", with " ext. 5" where there is one; others keep their
    spelling, with plain digits and single spaces."""
    text = line(value)
    if text is None:
        return None
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    number = _e164(text) if text.startswith("+") else None
    if number is not None and _e164(number) == number:
        return number
    return text or None


@lru_cache(maxsize=_REMEMBERED)
def _e164(text: str) -> str | None:
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{number} ext. {parsed.extension}" if parsed.extension else number


@lru_cache(maxsize=_REMEMBERED)
def phone_for_people(value: str) -> str:
    """A canonical number as people write it ("+49 30 1234567"): the form in which it is sent."""
    if not value.startswith("+") or _e164(value) != value:
        return value
    shown = phonenumbers.format_number(phonenumbers.parse(value, None), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return shown if phone(shown) == value else value


day = zones.day


def moment(value: Any) -> str | None:
    """A day stays a day, everything else becomes an instant."""
    text = str(value or "")
    return day(text) if len(text) == 10 else zones.instant(text)


def address(value: Any) -> dict[str, str | None] | None:
    """A postal address with all five parts; None if all are empty."""
    if not value:
        return None
    parts = {name: (_street if name == "street" else line)(value.get(name)) for name in ADDRESS_PARTS}
    return parts if any(parts.values()) else None


def _street(value: Any) -> str | None:
    """Its lines, without empty ones."""
    text = block(value)
    return "\n".join(filter(None, (each.strip() for each in text.split("\n")))) if text and "\n" in text else text


def _one_of(words: frozenset[str]) -> Callable[[Any], str | None]:
    return lambda value: value if isinstance(value, str) and value in words else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_FORMS: dict[Entity, dict[str, Callable[[Any], Value]]] = {
    Entity.CONTACT: {
        **dict.fromkeys(("first_name", "middle_name", "last_name", "name_suffix", "job_title", "fax"), line),
        "description": block,
        "emails": emails,
        "primary_phone": phone,
        "birthday": day,
        "gender": _one_of(GENDERS),
        **dict.fromkeys(("billing_address", "shipping_address", "other_address"), address),
    },
    Entity.TASK: {
        "subject": line,
        "priority": _one_of(PRIORITIES),
        "due_date": day,
        "status": _one_of(STATUSES),
        "description": block,
    },
    Entity.EVENT: {
        "title": line,
        "start": moment,
        "end": moment,
        "all_day": _flag,
        "recurrence": recurrence.normal,
        "description": block,
    },
}


def canonical(entity: Entity, record: Record) -> dict[str, Value]:
    """The record, or the part of one, in normal forms. Raises KeyError for a field the entity does not have."""
    forms = _FORMS[entity]
    normal = {name: forms[name](value) for name, value in record.items()}
    return _time_of_one_kind(normal) if entity is Entity.EVENT else normal


def _time_of_one_kind(record: dict[str, Value]) -> dict[str, Value]:
    """All-day: two days, the end exclusive and later than the start, and no zone; otherwise two instants."""
    all_day = record.get("all_day")
    if all_day is None:
        return record
    for name in ("start", "end"):
        value = record.get(name)
        if isinstance(value, str):
            record[name] = value[:10] if all_day else zones.instant(value)
    rule = record.get("recurrence")
    if isinstance(rule, dict):
        floating = {name: value for name, value in rule.items() if name != "zone"}
        record["recurrence"] = floating if all_day else {"zone": "UTC", **rule}
    start, end = record.get("start"), record.get("end")
    if all_day and isinstance(start, str) and isinstance(end, str) and end <= start:
        record["end"] = zones.day_after(start)
    return record


def same(entity: Entity, field: str, first: Value, second: Value) -> bool:
    """Whether two values of a field are the same. Of addresses only the first one's place matters."""
    if first == second:
        return True
    form = _FORMS[entity][field]
    one, two = form(first), form(second)
    if field == "emails" and isinstance(one, list) and isinstance(two, list):
        return one[0] == two[0] and set(one) == set(two)
    return one == two


def match_key(entity: Entity, record: Record, fields: Sequence[str]) -> str | None:
    """A digest of the chosen fields, without case, width and extra blanks; None where they do not tell who it is.

    That is: all of them are empty; a contact's default key without any name; a task or event without its title. A
    contact with one name only counts as having it twice, as OroCRM gets it (design.md 4.2).
    """
    chosen: dict[str, Any] = {name: record.get(name) for name in fields}
    if all(value is None for value in chosen.values()):
        return None
    if entity is Entity.CONTACT:
        first, last = record.get("first_name"), record.get("last_name")
        if first is None and last is None and set(fields) == set(DEFAULT_MATCH_KEYS[entity]):
            return None
        names = {"first_name": first or last, "last_name": last or first}
        chosen |= {name: value for name, value in names.items() if name in chosen}
    elif any(name in chosen and chosen[name] is None for name in ("title", "subject")):
        return None
    folded = json.dumps({name: _folded(value) for name, value in chosen.items()}, sort_keys=True)
    return hashlib.sha256(folded.encode()).hexdigest()


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        once = unicodedata.normalize("NFKC", value).casefold()
        return " ".join(unicodedata.normalize("NFKC", once).split())
    if isinstance(value, list):
        return [_folded(each) for each in value]
    if isinstance(value, dict):
        return {name: _folded(each) for name, each in value.items()}
    return value


_IN_ORDER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=dict)


def content_digest(body: Any) -> str:
    """A short digest of JSON values that does not depend on the order of members."""
    return hashlib.sha256(_IN_ORDER.encode(body).encode()).hexdigest()[:32]
