"""The kind of Flask program that simulated systems are: its addresses are matched, and never built from their parts.

To prepare that building takes more than half of the time in which a small program starts, and the tests start
thousands of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from flask import Flask
from werkzeug.routing import Rule


def _never_built(*_: object, **_parts: object) -> NoReturn:
    raise NotImplementedError("a simulated system builds no addresses")


class _MatchedRule(Rule):
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: ARG002
        return _never_built


class SandboxProgram(Flask):
    url_rule_class = _MatchedRule
