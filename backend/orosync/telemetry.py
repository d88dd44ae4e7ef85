"""Logs: one JSON object a line to stderr (readable lines on a terminal), with account and run in each.

Everything of ours goes through structlog (`structlog.get_logger(__name__)`), everything of other libraries arrives
through `logging` and leaves in the same form. Secrets, tokens and contents of records are kept out here, whatever the
caller passes; that is a net under the rule, not a licence. Metrics are not here yet.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import PurePath
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from orosync.errors import OrosyncError

OURS = "orosync"
MASK = "***"
LONGEST_VALUE = 200
LONGEST_MESSAGE = 500

_SECRET_WORDS = frozenset(
    {"authorization", "token", "key", "apikey", "secret", "password", "passwd", "wsse", "cookie", "credential"}
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# what a secret looks like inside a text: a header's value, a parameter, the password of a URL
_IN_TEXT = (
    (re.compile(r"(?i)\b(bearer|wsse)\s+[^\s,;]+"), r"\1 " + MASK),
    (re.compile(r"(?i)\b(basic)\s+[a-z0-9+/=]{12,}"), r"\1 " + MASK),
    (re.compile(r"(?i)\b(UsernameToken|PasswordDigest|Nonce)(\s+|=)\S+"), r"\1\2" + MASK),
    (re.compile(r"(?i)([\w-]*(?:token|secret|password|api_?key)[\"']?\s*[=:]\s*)[^\s&,;]+"), r"\1" + MASK),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), r"\1" + MASK + "@"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), MASK),
)


class _Handler(logging.StreamHandler[TextIO]):
    """Ours among the root's handlers, so that `configure` can be called again."""


def configure(level: str = "info", *, json: bool | None = None, stream: TextIO | None = None) -> None:
    """Set up logging of this process; a second call replaces the first.

    level: of our own messages; other libraries are heard from "warning" on, because below that they tell contents
    (SQL parameters, addresses of requests). json: None means "unless `stream` is a terminal". stream: stderr.
    """
    target = stream or sys.stderr
    as_json = not target.isatty() if json is None else json
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_exception,
        keep_out,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    handler = _Handler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def bound(*, account: str, run: str) -> AbstractContextManager[object]:
    """Within this block every line, also of other libraries, carries account and run."""
    return structlog.contextvars.bound_contextvars(account=account, run=run)


def keep_out(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask what is named like a secret, and replace what could be content of a record by its type and size."""
    for name, value in event.items():
        if name == "exception":
            event[name] = _mask(value)
        elif name == "event":
            event[name] = _shortened(_mask(str(value)))
        elif not name.startswith("_"):  # those are structlog's own and do not leave
            event[name] = MASK if _names_a_secret(name) else _plain(value)
    return event


def _names_a_secret(name: str) -> bool:
    return any(word.lower().removesuffix("s") in _SECRET_WORDS for word in _WORD.findall(name))


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum | PurePath | datetime | date | timedelta):
        value = str(value.value) if isinstance(value, Enum) else str(value)
    if isinstance(value, str):
        return _mask(value) if len(value) <= LONGEST_VALUE else f"<str of {len(value)}>"
    size = f" of {len(value)}" if isinstance(value, list | tuple | dict | set | frozenset | bytes) else ""
    return f"<{type(value).__name__}{size}>"


def _mask(text: str) -> str:
    for pattern, instead in _IN_TEXT:
        text = pattern.sub(instead, text)
    return text


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


def _describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the traceback under "exception". Only our own errors keep their message: they are made without contents,
    others quote what they stumbled over."""
    given = event.pop("exc_info", None)
    if isinstance(given, tuple):
        error = given[1]
    else:
        error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        event["exception"] = "\n".join(_traces(error))
    return event


def _traces(error: BaseException) -> Iterator[str]:
    """The chain of errors, the cause first, as Python prints it."""
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    for each in reversed(seen):
        name = f"{type(each).__module__}.{type(each).__qualname__}".removeprefix("builtins.")
        message = str(each) if isinstance(each, OrosyncError) else "(message left out)"
        yield "".join(traceback.format_tb(each.__traceback__)) + f"{name}: {message}"
