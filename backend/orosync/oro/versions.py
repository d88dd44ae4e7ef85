"""The version of an OroCRM item: a digest of its content, since `updatedAt` misses e-mails, phones and addresses.

OroCRM's own times are left out: they move without a change, and stay still in spite of one (orocrm-api.md 3).
"""

from __future__ import annotations

from typing import Any

from orosync.core.canonical import content_digest

OWN_TIMES = frozenset({"createdAt", "updatedAt"})


def version_of(body: Any) -> str:
    """Equal for equal content, whatever the order of keys."""
    return content_digest(_timeless(body))


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items() if name not in OWN_TIMES}
    if isinstance(value, list):
        return [_timeless(each) for each in value]
    return value
