"""Which addresses of the network a connection may end at, when somebody else than the operator named the host.

A name proves nothing: it may point into the own network, and to another place the next moment. So the rule is asked
about the address that a connection really has, before anything is sent. Which connections are ruled is left to others.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from orosync.errors import Unreachable

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds hand out credentials to their machines, and no OroCRM lives. 169.254.169.254 and fe80::/10 are link-local
# and need no mention; AWS has fd00:ec2::254 in the private range, Alibaba 100.100.100.200, and Azure a public address.
_METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "fd00:ec2::254", "100.100.100.200")))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: IPv4 in the last 32 bits


@dataclass(frozen=True, slots=True)
class AddressRule:
    """private: the own network and this machine are allowed. loopback: 127.0.0.1 and ::1 alone are.

    What can be no server of OroCRM (link-local, multicast, unspecified, a cloud's metadata service) is never allowed.
    """

    private: bool = False
    loopback: bool = False

    def refused(self, address: str) -> str:
        """Why not, in a word for people; "" if a connection may end there. address: as a socket has it."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return "an address of an unknown kind"
        return self._refused(_carried(found))

    def _refused(self, address: IpAddress) -> str:
        if address in _METADATA:
            return "a cloud's metadata service"
        if address.is_unspecified or address.is_multicast or address.is_link_local:
            return "an address that no server has"
        if address.is_loopback:
            own = self.private or (self.loopback and str(address) in {"127.0.0.1", "::1"})
            return "" if own else "this machine itself"
        if _is_private(address):
            return "" if self.private else "an address of the own network"
        return "" if address.is_global and not address.is_reserved else "an address that no server has"

    def check(self, host: str, addresses: Collection[str]) -> None:
        """Raises Unreachable if a connection to one of them is not allowed."""
        for address in addresses:
            if why := self.refused(address):
                raise Unreachable(
                    f"OroCRM at {host} is not connected: its name points to {why}.",
                    remedy="Check orocrm_url. If OroCRM is in the own network, the administrator of this installation "
                    "allows it with OROSYNC_ALLOW_PRIVATE_ADDRESSES=yes.",
                )


def _carried(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 one stands for, where packets end at that one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        # RFC 1918, 6598 (behind a provider's NAT; some VPNs), 4193, and site-local as it was before
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"),
    )
)


def _is_private(address: IpAddress) -> bool:
    return any(address in network for network in _PRIVATE)


def addresses_of(host: str, port: int) -> set[str]:
    """What the name stands for now; empty if that cannot be told."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()


def peer_of(connected: socket.socket) -> str:
    return str(connected.getpeername()[0])


def ruled_pools(rule: AddressRule) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's connection pools by scheme, whose connections obey the rule (`PoolManager.pool_classes_by_scheme`).

    A refusal leaves them as Unreachable: urllib3 does not know it and so does not try again.
    """

    class RuledHttp(_Ruled, HTTPConnection):
        address_rule = rule

    class RuledHttps(_Ruled, HTTPSConnection):
        address_rule = rule

    class RuledHttpPool(HTTPConnectionPool):
        ConnectionCls = RuledHttp

    class RuledHttpsPool(HTTPSConnectionPool):
        ConnectionCls = RuledHttps

    return {"http": RuledHttpPool, "https": RuledHttpsPool}


class _Ruled:
    """Before urllib3's connections. `_new_conn` gives the connected socket, on which nothing was sent yet, not even the
    beginning of TLS."""

    address_rule: AddressRule
    host: str
    port: int

    def _new_conn(self) -> socket.socket:
        # Asked before as well, so that a refused host is not even knocked at: which of its doors are open would be told
        # by how long the refusal takes.
        self.address_rule.check(self.host, addresses_of(self.host, self.port))
        above: Any = super()
        connected: socket.socket = above._new_conn()  # noqa: SLF001 - urllib3's place for making sockets
        try:
            self.address_rule.check(self.host, [peer_of(connected)])
        except BaseException:
            connected.close()
            raise
        return connected
