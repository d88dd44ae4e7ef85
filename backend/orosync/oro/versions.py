"""The version of an OroCRM item: a digest of its content, since `updatedAt` misses e-mails, phones and addresses.

Times of OroCRM's own are left out: they move without a change, and stay still in spite of one (orocrm-api.md 3).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

OWN_TIMES = frozenset({"createdAt", "updatedAt"})


def content_digest(body: Any) -> str:
    """24 hex digits; equal for equal content, whatever the order of keys."""
    text = json.dumps(_timeless(body), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items() if name not in OWN_TIMES}
    if isinstance(value, list):
        return [_timeless(each) for each in value]
    return value
