"""HTTP as cameras speak it: redirects followed by hand, addresses checked, basic and digest, and bodies told apart.

Connections go to the address that was checked, so a name cannot change its mind in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
import socket
import ssl
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from ..errors import (
    AddressNotAllowed,
    FormatNotSupported,
    NotAPicture,
    NotFound,
    Refused,
    SourceFailed,
    StreamEnded,
    TlsFailed,
    TripodError,
    Unauthorized,
    Unreachable,
)
from . import address
from .address import Place, Resolve
from .http_auth import Login

if TYPE_CHECKING:  # which the aiohttp of Debian 12 has not
    from aiohttp.abc import ResolveResult

FIRST_BYTE_TIMEOUT = 10.0
"""Seconds for a connection, and for an answer to begin: cameras that wake up take a few."""

MAX_REDIRECTS = 5

READ_BUFFER = 1 << 18
"""Bytes read ahead: a whole 1080p JPEG at a time, where the kernel has it."""

SMALL = 1 << 16
"""Bytes of an answer that only says something."""

_PEEK = 2 * 188 + 1
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_JPEG = b"\xff\xd8\xff"


class Kind(Enum):
    """What a body is."""

    MULTIPART = "multipart"
    JPEG = "jpeg"
    HLS = "hls"
    MPEGTS = "mpegts"
    FLV = "flv"


_KINDS = {
    "image/jpeg": Kind.JPEG,
    "image/jpg": Kind.JPEG,
    "image/pjpeg": Kind.JPEG,
    "application/vnd.apple.mpegurl": Kind.HLS,
    "application/x-mpegurl": Kind.HLS,
    "audio/mpegurl": Kind.HLS,
    "audio/x-mpegurl": Kind.HLS,
    "video/mp2t": Kind.MPEGTS,
    "video/x-flv": Kind.FLV,
}


class Answer:
    """An open answer of status 200, or 304 where the request was conditional."""

    def __init__(self, url: URL, response: aiohttp.ClientResponse, host: str, *, own: bool) -> None:
        """Begin with the answer's head; the body is still to come."""
        self.url = str(url)
        """Where the redirects ended."""
        self.own = own
        """Whether that is still the camera that the password is for."""
        self.host = host
        self.headers = response.headers
        self.not_modified = response.status == 304
        """Whether the picture is the one that is known."""
        self.content_type = response.content_type.lower()
        self.length = response.content_length
        """Bytes announced, which may be a lie; None where there is no announcement."""
        self._content = response.content
        self._head = b""

    async def kind(self) -> Kind:
        """Tell what the body is, by its type where that says something, else by its first bytes.

        Raises `NotAPicture`, and `FormatNotSupported` for pictures that are no JPEG.
        """
        kind = Kind.MULTIPART if self.content_type.startswith("multipart/") else _KINDS.get(self.content_type)
        if kind is None:
            await self._peek()
            kind = _sniff(self._head, self.length)
        if kind is not None:
            return kind
        raise FormatNotSupported(self.content_type) if self._is_image else NotAPicture(self.content_type)

    @property
    def _is_image(self) -> bool:
        return self.content_type.startswith("image/")

    async def read(self) -> bytes:
        """Return the next bytes of the body, waiting for some; none at its end."""
        if self._head:
            head, self._head = self._head, b""
            return head
        with explained(self.host):
            return await self._content.readany()

    async def _peek(self) -> None:
        with explained(self.host):
            async with asyncio.timeout(FIRST_BYTE_TIMEOUT):
                while len(self._head) < _PEEK and (data := await self._content.readany()):
                    self._head += data


class HttpClient:
    """A session with one camera."""

    def __init__(
        self,
        url: str,
        *,
        username: str = "",
        password: str = "",
        token: str = "",
        verify_tls: bool = True,
        resolve: Resolve,
    ) -> None:
        """Prepare for `url`, which is without user and password; a `token` goes with each request to its host."""
        self._url = URL(url)
        self._verify = verify_tls
        self._resolve = resolve
        self._pinned = PinnedResolver()
        self._context: ssl.SSLContext | None = None
        self._login = Login(username, password)
        self._bearer = {"Authorization": f"Bearer {token}"} if token else {}

    async def __aenter__(self) -> Self:
        """Open the session; it connects when asked for something."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._pinned, use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=FIRST_BYTE_TIMEOUT),
            # compressed pictures gain nothing, and a small answer must not become a large one
            headers={"Accept-Encoding": "identity", "User-Agent": "Tripod"},
            auto_decompress=False,
            read_bufsize=READ_BUFFER,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._session.close()

    @asynccontextmanager
    async def get(self, headers: Mapping[str, str] | None = None) -> AsyncIterator[Answer]:
        """Ask for the picture or stream; raises a `TripodError` for every answer that is none."""
        url, zone = self._url, None
        for _ in range(MAX_REDIRECTS + 1):
            place = await address.find(url.raw_host or "", zone, self._resolve)
            response = await self._ask(url, place, headers or {})
            try:
                if response.status not in _REDIRECTS or "Location" not in response.headers:
                    _check_status(response, place.host)
                    yield Answer(url, response, place.host, own=self._is_own(url))
                    return
                url, zone = _next(url, response.headers["Location"]), place.zone
            finally:
                if not response.content.at_eof():
                    response.close()
        raise SourceFailed("too many redirects")

    async def ask(self, limit: int = SMALL) -> tuple[int, bytes]:
        """Return status and body of an answer of at most `limit` bytes, whatever it says; follows no redirect."""
        place = await address.find(self._url.raw_host or "", None, self._resolve)
        response = await self._ask(self._url, place, {})
        try:
            body = b""
            with explained(place.host):
                async with asyncio.timeout(FIRST_BYTE_TIMEOUT):
                    while data := await response.content.readany():
                        body += data
                        if len(body) > limit:
                            raise SourceFailed(f"{place.host} answers with more than {limit} bytes")
            return response.status, body
        finally:
            response.close()

    def _is_own(self, url: URL) -> bool:
        """Whether `url` may have the password: the same host, and not in the clear where TLS was asked for."""
        return url.host == self._url.host and (url.scheme == "https" or self._url.scheme == "http")

    async def _ask(self, url: URL, place: Place, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Ask one host, with the password where it is the camera's own."""
        own = self._is_own(url)
        response = await self._request(url, place, headers, own=own)
        if response.status != 401 or not own:
            return response
        if not self._login.challenged(response.headers.getall("WWW-Authenticate", [])):
            return response
        response.close()
        return await self._request(url, place, headers, own=own)

    async def _request(
        self, url: URL, place: Place, headers: Mapping[str, str], *, own: bool
    ) -> aiohttp.ClientResponse:
        self._pinned.pin(place)
        if url.scheme == "https" and self._context is None:
            self._context = await asyncio.to_thread(tls_context, verify=self._verify)
        try:
            with explained(place.host):
                async with asyncio.timeout(FIRST_BYTE_TIMEOUT):
                    return await self._session.get(
                        url,
                        headers={**headers, **(self._credentials(url) if own else {})},
                        allow_redirects=False,
                        ssl=self._context or False,  # without TLS it means nothing, and aiohttp 3.8 has no True
                    )
        except StreamEnded as error:
            hint = "" if url.scheme == "https" else ", as ports for https:// do"
            raise SourceFailed(f"{place.host} closed the connection without an answer{hint}") from error

    def _credentials(self, url: URL) -> dict[str, str]:
        """Return what lets us in at the camera's own host."""
        return {**self._bearer, **self._login.header("GET", url.raw_path_qs)}


class PinnedResolver(AbstractResolver):
    """Give out the addresses that were checked."""

    def __init__(self) -> None:
        """Know no host."""
        self._addresses: dict[str, tuple[str, ...]] = {}

    def pin(self, place: Place) -> None:
        """Let a host be at these addresses only."""
        self._addresses[place.host] = place.addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """Return the pinned addresses, as aiohttp asks for them."""
        return [
            {
                "hostname": host,
                "host": found,
                "port": port,
                "family": socket.AF_INET6 if ":" in found else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for found in self._addresses[host]
        ]

    async def close(self) -> None:
        """Forget them."""
        self._addresses.clear()


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """Return what TLS connections are made with; reads the system's certificates from disk."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def tls_error(error: Exception, host: str) -> TlsFailed:
    """Say what failed, for people."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return TlsFailed(f"{host}: {cause.verify_message}")
    return TlsFailed(f"{host}: {getattr(cause, 'reason', None) or 'no TLS'}")


def connection_error(error: OSError, host: str) -> TripodError:
    """Say why there is no connection."""
    if isinstance(error, ConnectionRefusedError):
        return Refused(host)
    return Unreachable(host)


@contextmanager
def explained(host: str) -> Iterator[None]:
    """Turn what aiohttp raises into the one error."""
    try:
        yield
    except aiohttp.ClientSSLError as error:
        raise tls_error(error, host) from error
    except aiohttp.ClientConnectorError as error:
        raise connection_error(error.os_error, host) from error
    except (aiohttp.ServerTimeoutError, TimeoutError) as error:
        raise Unreachable(host) from error
    except aiohttp.ClientResponseError as error:
        if "\\x15\\x03" in error.message:  # a TLS alert record
            raise TlsFailed(f"{host} speaks TLS on this port: the URL must begin with https://") from error
        raise SourceFailed(f"{host} does not speak HTTP on this port") from error
    except (aiohttp.ClientError, ConnectionError) as error:
        raise StreamEnded(f"{host} closed the connection") from error


def _check_status(response: aiohttp.ClientResponse, host: str) -> None:
    status = response.status
    if status in (401, 403):
        raise Unauthorized(f"{host}: HTTP {status}")
    if status in (404, 410):
        raise NotFound(f"{host}: HTTP {status}")
    if status not in (200, 304):
        raise SourceFailed(f"{host}: HTTP {status}")


def _next(url: URL, location: str) -> URL:
    """Return where a redirect leads; raises `AddressNotAllowed` where that is no HTTP address."""
    try:
        following = url.join(URL(location)).with_user(None)
    except ValueError as error:
        raise AddressNotAllowed("a redirect leads nowhere") from error
    if following.scheme not in ("http", "https") or not following.host:
        raise AddressNotAllowed("a redirect leads to what is no HTTP address")
    return following


def _sniff(head: bytes, length: int | None) -> Kind | None:
    """Tell a body by its first bytes."""
    if head.startswith(_JPEG):
        return Kind.MULTIPART if length is None else Kind.JPEG
    if head.startswith(b"#EXTM3U"):
        return Kind.HLS
    if head.startswith(b"FLV"):
        return Kind.FLV
    if len(head) >= _PEEK and head[0] == head[188] == head[376] == 0x47:
        return Kind.MPEGTS
    if head.startswith(b"--") or _JPEG in head:
        return Kind.MULTIPART
    return None
