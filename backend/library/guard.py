"""Which network addresses a crawl may connect to.

`ipaddress.is_global` passes some addresses that lead inside (6to4, deprecated site-local), hence a list of our own.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Resolver = Callable[[str, int], list[str]]

REFUSED_V4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        # A cloud's own address for its machines' agents, though it looks public.
        "168.63.129.16/32",
    )
)  # fmt: skip
GLOBAL_V6 = ip_network("2000::/3")
REFUSED_V6 = tuple(
    ip_network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


class AddressRefused(Exception):
    """The host leads to an address that a crawl must not touch."""


def is_public(address: str) -> bool:
    """Whether the address belongs to the public internet. False for what is no address at all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in network for network in REFUSED_V4)
    return _is_public_v6(parsed)


def system_resolver(host: str, port: int) -> list[str]:
    """The addresses of a host as the system finds them. Raises OSError when there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Guard:
    """Resolves a host once and answers the addresses that may be connected to.

    allowed: "host:port" pairs that the operator has named; they may lead anywhere.
    """

    allowed: frozenset[str] = frozenset()
    resolve: Resolver = system_resolver

    def addresses(self, host: str, port: int) -> list[str]:
        """Raises AddressRefused when any address of the host is not public, OSError when it has none."""
        found = self.resolve(host, port)
        if f"{host.lower()}:{port}" in self.allowed:
            return found
        for address in found:
            if not is_public(address):
                raise AddressRefused(f"{host} leads to {address}, which is not a public address")
        return found


def _is_public_v6(address: IPv6Address) -> bool:
    return address in GLOBAL_V6 and not any(address in network for network in REFUSED_V6)
