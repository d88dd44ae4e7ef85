"""An answer that does not end: of a hostile OroCRM, or of a broken one.

People name the host, so what it sends is not trusted to be of any size, nor to come in any time: a time-out counts from
byte to byte, and a host that sends one in each half minute would keep a worker for ever.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from urllib3.exceptions import ProtocolError

MOST_BYTES = 64 * 1024 * 1024  # unpacked; the largest page that is asked for has a few million
LONGEST_S = 300.0
_AT_ONCE = 64 * 1024


class EndingBody:
    """urllib3's answer, with a body that ends: by itself, or by a ProtocolError, as when the connection breaks."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, _amount: int = _AT_ONCE, decode_content: bool | None = None) -> Iterator[bytes]:
        """What has come, as it comes: to wait until so many bytes are there would wait without end."""
        until, left = time.monotonic() + LONGEST_S, MOST_BYTES
        while chunk := self._raw.read1(_AT_ONCE, decode_content=decode_content):
            left -= len(chunk)
            if left < 0 or time.monotonic() > until:
                self._raw.close()
                raise ProtocolError("the answer is too long or takes too long")
            yield chunk
