"""Connections that outlive the run that made them, and what the environment says of the way to a host.

A run asks a handful of questions; a new secure connection for them each time would cost more than they do.
"""

from __future__ import annotations

import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
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


class StayingSession(requests.Session):
    """Never looks where an answer sends it on to. `requests` prepares the next request even if redirects are not
    followed, and fails, in no words of ours, if the address makes no sense."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - whatever it says
        return None


class KeptAdapter(HTTPAdapter):
    """One for all sessions of a process that connect in the same way: its pools are thread-safe. Whatever belongs to
    one user (headers, cookies, sign-in) is in the sessions. Closing a session leaves the connections open."""

    def __init__(self, max_retries: Retry) -> None:
        super().__init__(pool_connections=_HOSTS, pool_maxsize=_AT_ONCE, max_retries=max_retries)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, socket_options=[*HTTPConnection.default_socket_options, *_ALIVE], **kwargs)

    def close(self) -> None:
        """They are the process's, and end with it."""


def heed_environment(session: requests.Session, url: str) -> None:
    """Proxies and authorities that the environment names, for a session that calls one host alone: looked up once,
    where `requests` does it for each request. No .netrc: it would sign us in as somebody else."""
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify = found["proxies"], found["verify"]
    session.trust_env = False
