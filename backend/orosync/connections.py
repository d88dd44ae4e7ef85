"""Connections that outlive the run that made them, and what the environment says of the way to a host.

A run asks a handful of questions; a new secure connection for them each time would cost more than they do.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import Retry
from urllib3.connection import HTTPConnection

_HOSTS, _AT_ONCE = 64, 32  # pools that are kept, and idle connections in each

# A firewall that forgets an idle connection says nothing; without these, the next request would wait for its time-out.
_ALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
_ALIVE += [
    (socket.IPPROTO_TCP, getattr(socket, name), value)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)
]


class KeptAdapter(HTTPAdapter):
    """One for all sessions of a process that connect in the same way: its pools are thread-safe. Whatever belongs to
    one user (headers, cookies, sign-in) is in the sessions. Closing a session leaves the connections open."""

    def __init__(self, max_retries: Retry) -> None:
        super().__init__(pool_connections=_HOSTS, pool_maxsize=_AT_ONCE, max_retries=max_retries)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, socket_options=[*HTTPConnection.default_socket_options, *_ALIVE], **kwargs)

    def close(self) -> None:
        """They are the process's, and end with it."""


class Line:
    """The way of one client to one host: what `requests.Session` puts together anew for every request is put together
    once, which was most of what a request cost. Thread-safe, since nothing in it changes.

    No cookies: one would make OroCRM answer as a browser's session. No .netrc: it would sign us in as somebody else.
    Never looks where an answer sends it on to: a sign-in must not travel to another host.

    base_url: without trailing slash; what is asked for begins with it. kept: connects. adapters: by prefix, in place of
    it. headers: of every request.
    """

    def __init__(
        self,
        base_url: str,
        kept: BaseAdapter,
        *,
        adapters: Mapping[str, BaseAdapter] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._base = base_url
        self._kept = kept
        self._adapters = sorted((adapters or {}).items(), key=lambda each: -len(each[0]))  # the longest prefix counts
        self._headers = {**_HEADERS, **(headers or {})}

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> requests.Response:
        """The answer with its whole body. Raises `requests.RequestException`; UnicodeError for half a sign, and then
        nothing was sent."""
        asked = requests.PreparedRequest()
        asked.method = method
        asked.url = self._address(url, params)
        asked.prepare_headers({**self._headers, **headers})
        asked.body = body
        if body is not None:
            asked.headers["Content-Length"] = str(len(body))
        elif method not in {"GET", "HEAD"}:
            asked.headers["Content-Length"] = "0"
        proxies, verify = way_to(self._base)
        answer = self._adapter_of(asked.url).send(
            asked, stream=False, timeout=timeout, verify=verify, cert=None, proxies=proxies
        )
        answer.content  # noqa: B018 - read here, where it may fail
        return answer

    def _address(self, url: str, params: Mapping[str, str] | None) -> str:
        """As requests writes it, which quotes and takes apart each time what mostly needs neither."""
        rest = url[len(self._base) :] if url.startswith(self._base) else None
        if rest is None or not _PLAIN_PATH.fullmatch(rest):
            return _prepared(url, params)
        address = _prepared_base(self._base) + rest
        return f"{address}?{urlencode(params)}" if params else address

    def _adapter_of(self, url: str) -> BaseAdapter:
        lower = url.lower()
        return next((each for prefix, each in self._adapters if lower.startswith(prefix.lower())), self._kept)


_HEADERS = dict(requests.utils.default_headers())
_PLAIN_PATH = re.compile(r"/[\w/$~-]*", re.ASCII)  # no dots: ".." would have to be resolved


def _prepared(url: str, params: Mapping[str, str] | None = None) -> str:
    asked = requests.PreparedRequest()
    asked.prepare_url(url, dict(params) if params else None)
    return str(asked.url)


@lru_cache(maxsize=1024)
def _prepared_base(base_url: str) -> str:
    return _prepared(base_url).rstrip("/")


@lru_cache(maxsize=1024)
def way_to(base_url: str) -> tuple[Any, Any]:
    """Proxies and authorities that the environment names for a host, as an adapter's `send` takes them: looked up once
    by a process, where `requests` does it for each request."""
    with requests.Session() as session:
        found = session.merge_environment_settings(base_url, {}, None, None, None)
    return found["proxies"], found["verify"]
