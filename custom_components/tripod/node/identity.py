"""What a node says of itself to those who look for one: never the pairing code."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

PROTOCOL: Final = 1
"""The version of the HTTP protocol that a node speaks."""

_ANY = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - what a listener on all addresses is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a node is, and where it listens."""

    id: str
    """32 hexadecimal digits, made once."""
    name: str
    host: str
    """What it listens on: an address, or `0.0.0.0` or `::` for all."""
    port: int
    tls: bool = False

    @property
    def reachable(self) -> bool:
        """Whether anybody but this machine can connect."""
        return not _is_loopback(self.host)

    @property
    def everywhere(self) -> bool:
        """Whether it listens on all addresses of this machine."""
        return self.host in _ANY


def useful(address: str) -> bool:
    """Return whether others can be told `address`: an IP address, and neither this machine's own nor a cable's."""
    try:
        ip = ip_address(address)
    except ValueError:  # a host name, which need not mean the same to others
        return False
    return not (ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
