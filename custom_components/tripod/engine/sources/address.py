"""Where a URL may lead: to cameras, never to places that only this machine or its cloud should reach.

What the user types may name the local network, and this machine by `localhost` or its literal address (a go2rtc beside
us). What a name resolves to or a redirect leads to is somebody else's word, so it may never lead further in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
import re
import socket
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ..errors import AddressNotAllowed, HostNotFound, InvalidSource

SCHEMES = frozenset({"http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt"})

MAX_LENGTH = 2048
"""Characters of a URL; more is no camera's address."""

TIMEOUT = 10.0
"""Seconds for a name to be resolved."""

Address = IPv4Address | IPv6Address
Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Return the IP addresses of a host name; raises OSError where it has none."""

_HOST = re.compile(r"[^\s\x00-\x1f/?#@\\:%,;<>\"'`{}|^\[\]]+")
_UNWANTED = re.compile(r"[\s\x00-\x1f\x7f\\]")
_SECRET_FIELD = re.compile(r"pass|pwd|token|secret|key|auth|sig|cred|user|usr|login", re.IGNORECASE)
_MASK = "***"

_METADATA = (IPv4Network("169.254.0.0/16"), IPv6Network("fd00:ec2::254/128"))
_NOWHERE = (IPv4Network("0.0.0.0/8"), IPv4Network("240.0.0.0/4"), IPv6Network("::/128"))
_IPV4_IN_IPV6 = IPv6Network("64:ff9b::/96")  # NAT64, RFC 6052


class Zone(IntEnum):
    """How far in an address is; a redirect never leads further in."""

    PUBLIC = 0
    PRIVATE = 1
    LOOPBACK = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A host that was looked up and may be connected to, at these addresses only."""

    host: str
    addresses: tuple[str, ...]
    zone: Zone


async def resolve(host: str) -> Sequence[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]


def split(url: str) -> SplitResult:
    """Take a URL apart; raises `InvalidSource` for what is no URL that a camera could have."""
    if not url or len(url) > MAX_LENGTH or _UNWANTED.search(url):
        raise InvalidSource("the URL is empty, too long, or holds spaces, backslashes or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidSource("the URL's host or port is not valid") from error
    if parts.scheme not in SCHEMES or not url.lower().startswith(f"{parts.scheme}://"):
        raise InvalidSource(f"the URL must begin with one of {', '.join(f'{scheme}://' for scheme in sorted(SCHEMES))}")
    if port == 0:
        raise InvalidSource("port 0")
    host = parts.hostname or ""
    if _literal(host) is None and not _HOST.fullmatch(host):
        raise InvalidSource("the URL names no host")
    return parts


def hidden(url: str) -> list[str]:
    """Return the values in a URL's query that could be secrets."""
    return [value for name, value in parse_qsl(split(url).query) if _SECRET_FIELD.search(name)]


def masked(url: str) -> str:
    """Return a URL without what could be a secret in its query."""
    parts = split(url)
    for name, value in parse_qsl(parts.query):
        if _SECRET_FIELD.search(name):
            parts = parts._replace(query=_masked(parts.query, name, value))
    return parts.geturl()


def _masked(query: str, name: str, value: str) -> str:
    """Replace a value where it stands, however it is encoded."""
    fields = query.split("&")
    return "&".join(
        f"{text.partition('=')[0]}={_MASK}" if value and unquote(text.partition("=")[0]) == name else text
        for text in fields
    )


async def find(host: str, came_from: Zone | None = None, resolve: Resolve = resolve) -> Place:
    """Look a host up and check that it may be connected to.

    `came_from` is the zone of the host that redirected here, None for what the user typed.
    Raises `HostNotFound` and `AddressNotAllowed`.
    """
    literal = _literal(host)
    addresses = [literal] if literal else await _look_up(host, resolve)
    zone = max(_zone(host, address) for address in addresses)
    if came_from is not None and zone > came_from:
        raise AddressNotAllowed(f"a redirect leads further in, to {host}")
    by_name = literal is None and host.rstrip(".").lower() != "localhost"
    if zone is Zone.LOOPBACK and by_name and came_from is not Zone.LOOPBACK:
        raise AddressNotAllowed(f"{host} is this machine; if that is meant, type localhost")
    return Place(host, tuple(str(address) for address in addresses), zone)


async def _look_up(host: str, resolve: Resolve) -> list[Address]:
    try:
        async with asyncio.timeout(TIMEOUT):
            found = await resolve(host)
    except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError
        raise HostNotFound(host) from error
    if not found:
        raise HostNotFound(host)
    return [ip_address(address) for address in dict.fromkeys(found)]


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _zone(host: str, address: Address) -> Zone:
    address = _unwrapped(address)
    if (
        any(address in network for network in (*_METADATA, *_NOWHERE) if network.version == address.version)
        or address.is_multicast
    ):
        raise AddressNotAllowed(f"{host} is {'reserved' if host == str(address) else address}")
    if address.is_loopback:
        return Zone.LOOPBACK
    return Zone.PUBLIC if address.is_global else Zone.PRIVATE


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for."""
    if isinstance(address, IPv6Address):
        if address in _IPV4_IN_IPV6:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
