"""What people are told about a merge."""

from __future__ import annotations

import ast
import inspect

from orosync.core import merge
from orosync.core.wording import _RULES, reason_of


def test_units_are_told_together_by_their_rule() -> None:
    told = reason_of({"job_title": "changed_in_oro", "emails": "changed_in_oro", "fax": "filled"})
    assert told == "emails, job title: changed in OroCRM; fax: empty until now"


def test_every_rule_that_can_write_has_words() -> None:
    """Rules of merge.py that never lead to a write need none."""
    silent = {"cannot_be_held", "unchanged", "both_agree", "field_is_off", "ask", "stays_in_outlook", "master_is_empty"}
    strings = {node.value for node in ast.walk(ast.parse(inspect.getsource(merge))) if isinstance(node, ast.Constant)}
    named = {each for each in strings if isinstance(each, str) and "_" in each and " " not in each}
    assert named - silent - {"oro", "outlook"} <= set(_RULES)
