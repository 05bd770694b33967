"""HTTP with a node: no redirects, every wait and body bounded, no token for a host that does not prove itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from hashlib import sha256
import hmac
import json
import secrets
import ssl
from typing import Any, Self

import aiohttp
from yarl import URL

from ...errors import (
    ClientCertificate,
    NoSuchCamera,
    NotANode,
    PairingPaused,
    SourceFailed,
    Stalled,
    TlsFailed,
    TripodError,
    Unpaired,
    Unreachable,
)
from .. import address
from ..address import Place, Resolve
from ..http import FIRST_BYTE_TIMEOUT, READ_BUFFER, PinnedResolver, explained
from .access import NodeAccess
from .facts import MAX_TEXT, texts
from .remote_errors import remote_error

ANSWER_TIMEOUT = 15.0
"""Seconds for a whole answer that is no stream."""

MAX_ANSWER = 4 * 2**20
"""Bytes of an answer in JSON: a hundred items with long details."""

MAX_REFUSAL = 64 * 1024
"""Bytes of an answer that says no."""

_LONGEST_PAUSE = 86400


class Body:
    """What a node answered, while it is read."""

    def __init__(self, response: aiohttp.ClientResponse, host: str) -> None:
        """Begin with the answer's head."""
        self.status = response.status
        self.headers = response.headers
        self.content_type = response.content_type.lower()
        self._content = response.content
        self._host = host

    async def read(self, timeout: float) -> bytes:
        """Return the next bytes, none at the end; raises `Stalled` after `timeout` seconds without any."""
        try:
            with _explained(self._host):
                return await asyncio.wait_for(self._content.readany(), timeout)
        except Unreachable:
            raise Stalled(seconds=f"{timeout:g}") from None

    async def all(self, limit: int = MAX_ANSWER) -> bytes:
        """Return the whole body; raises `NotANode` where that is more than `limit` bytes."""
        parts, size = [], 0
        while data := await self.read(ANSWER_TIMEOUT):
            parts.append(data)
            size += len(data)
            if size > limit:
                raise NotANode(f"an answer of more than {limit} bytes")
        return b"".join(parts)

    async def json(self) -> Any:
        """Return what the body says; raises `NotANode` where that is no JSON."""
        try:
            return json.loads(await self.all())
        except (ValueError, RecursionError) as error:
            raise NotANode("its answer is no JSON") from error


class NodeConnection:
    """A session with one node."""

    def __init__(self, access: NodeAccess, resolve: Resolve) -> None:
        """Prepare; nothing is connected before something is asked."""
        self.access = access
        self._url = URL(access.url)
        self._resolve = resolve
        self._pinned = PinnedResolver()
        self._tls: _Tls | None = None
        self._proven: Place | None = None

    @property
    def host(self) -> str:
        """The node's, for people."""
        return self._url.host or ""

    async def __aenter__(self) -> Self:
        """Open the session."""
        access = self.access
        # False means nothing here: each request over TLS brings its context
        pinned = aiohttp.Fingerprint(bytes.fromhex(access.fingerprint)) if access.fingerprint else False
        self._session = aiohttp.ClientSession(
            # the connector compares the certificate, before anything is sent
            connector=aiohttp.TCPConnector(resolver=self._pinned, use_dns_cache=False, ssl=pinned),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=FIRST_BYTE_TIMEOUT),
            headers={"Accept-Encoding": "identity", "User-Agent": "Tripod"},
            auto_decompress=False,
            read_bufsize=READ_BUFFER,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._session.close()

    async def ask(self, method: str, path: str, body: Any = None, *, known: bool = True) -> Any:
        """Return what the node answers, read as JSON; see `open`."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT), self.open(method, path, body, known=known) as answer:
                return await answer.json()
        except TimeoutError as error:
            raise Unreachable(self.host) from error

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        known: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Body]:
        """Ask for `path`, which is below the node's address and quoted; `known` sends the token.

        Raises a `TripodError` for every answer but 2xx, and for none.
        """
        place = await address.find(self._url.raw_host or "", resolve=self._resolve)
        if known and self.access.token:
            await self._prove(place)
            headers = {**(headers or {}), "Authorization": f"Bearer {self.access.token}"}
        try:
            response = await self._request(place, method, path, body, headers or {})
            try:
                if not 200 <= response.status < 300:
                    raise await self._refusal(Body(response, self.host), path)
                yield Body(response, self.host)
            finally:
                if not response.content.at_eof():
                    response.close()
        except TripodError:
            self._proven = None  # whoever answers next may be another one
            raise

    async def prove(self) -> None:
        """Let the host prove that it is the node that we are paired with; the token is not sent.

        Raises `NotANode` where it cannot, `Unpaired` where it does not know us.
        """
        await self._prove(await address.find(self._url.raw_host or "", resolve=self._resolve))

    async def _prove(self, place: Place) -> None:
        """Ask for the proof once for each address."""
        if not self.access.node or not self.access.token or self._proven == place:
            return
        nonce = secrets.token_hex(32)
        answer = await self.ask("POST", "/proof", {"nonce": nonce, "client": self.access.client}, known=False)
        message = f"tripod-node {self.access.node} {nonce}"
        proof = hmac.new(sha256(self.access.token.encode()).digest(), message.encode(), sha256).hexdigest()
        said = answer.get("proof") if isinstance(answer, dict) else None
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), proof.encode()):
            raise NotANode(f"{self.host} cannot prove that it is the node it is taken for")
        self._proven = place

    async def _request(
        self, place: Place, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        self._pinned.pin(place)
        if self._url.scheme == "https" and self._tls is None:
            self._tls = await asyncio.to_thread(_Tls, self.access)
        with _explained(self.host), self._tls.explained(self.host) if self._tls else nullcontext():
            async with asyncio.timeout(FIRST_BYTE_TIMEOUT):
                response = await self._session.request(
                    method,
                    URL(self.access.url + path, encoded=True),
                    json=body,
                    headers=headers,
                    allow_redirects=False,
                    # without TLS it means nothing, and aiohttp 3.8 has no True
                    ssl=self._tls.context if self._tls else False,
                )
        if self._tls:
            self._tls.accepted = True
        return response

    async def _refusal(self, answer: Body, path: str) -> TripodError:
        """Return what an answer that is no success says."""
        if 300 <= answer.status < 400:
            return NotANode(f"{self.host} leads elsewhere (HTTP {answer.status})")
        said: Any = None
        with suppress(TripodError, ValueError, RecursionError):
            said = json.loads(await answer.all(MAX_REFUSAL))
        words = said if isinstance(said, dict) else {}
        cause, message = (texts(words).get(name, "")[:MAX_TEXT] for name in ("cause", "message"))
        placeholders = texts(words["placeholders"]) if isinstance(words.get("placeholders"), dict) else {}
        if answer.status == 401:
            return Unpaired(self.host)
        if answer.status == 404 and cause in ("", "invalid_request", "no_such_camera"):
            camera = _camera(path)
            return NoSuchCamera(camera=camera) if camera and cause else NotANode(f"{self.host}: HTTP 404")
        if cause == PairingPaused.cause:
            return PairingPaused(seconds=_seconds(answer.headers.get("Retry-After", "")))
        if cause:
            return remote_error(cause, message, placeholders)
        return SourceFailed(f"{self.host}: HTTP {answer.status}")


@contextmanager
def _explained(host: str) -> Iterator[None]:
    """Turn what aiohttp raises into the one error."""
    try:
        with explained(host):
            yield
    except SourceFailed:
        raise NotANode(f"{host} does not speak HTTP on this port") from None


class _Tls:
    """What TLS connections to a node are made with, and what is learned of them."""

    def __init__(self, access: NodeAccess) -> None:
        """Read the certificates from disk; raises `TlsFailed` where that is not possible."""
        self.accepted = False
        """Whether the other end has ever answered."""
        self.context = _context(access)
        self._ours = bool(access.client_certificate)
        self._asked = False
        # The one place where OpenSSL tells that a certificate was asked for. aiohttp's servers close the connection
        # without the alert that would say so.
        self.context._msg_callback = self._note  # type: ignore[attr-defined]  # noqa: SLF001

    @contextmanager
    def explained(self, host: str) -> Iterator[None]:
        """Tell what failed because of a certificate, whichever way that shows."""
        try:
            yield
        except aiohttp.ServerFingerprintMismatch:
            raise TlsFailed(f"{host} shows another certificate than the one that is known") from None
        except aiohttp.ClientConnectorCertificateError:
            raise
        except (aiohttp.ClientConnectionError, ssl.SSLError) as error:
            if not self._asked or self.accepted:
                raise
            words = "it does not accept ours" if self._ours else "it asks for one"
            raise ClientCertificate(f"{host}: {words}") from error

    def _note(self, _: object, direction: str, *message: object) -> None:
        self._asked |= direction == "read" and message[2] == _CERTIFICATE_REQUEST


_CERTIFICATE_REQUEST = 13
"""A type of handshake message (RFC 8446, 4)."""


def _context(access: NodeAccess) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=access.ca or None)
    except OSError as error:  # an SSLError is one, too
        raise TlsFailed(f"the certificates of {access.ca} cannot be read") from error
    if access.fingerprint or not access.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.client_certificate:
        try:
            # a key with a password would ask for it on the terminal
            context.load_cert_chain(access.client_certificate, access.client_key or None, password="")
        except OSError as error:
            raise ClientCertificate(f"{access.client_certificate} cannot be read, or its key") from error
    return context


def _camera(path: str) -> str:
    parts = path.split("/")
    return parts[2] if path.startswith("/cameras/") else ""


def _seconds(text: str) -> str:
    return str(min(int(text), _LONGEST_PAUSE)) if text.isascii() and text.isdigit() and len(text) < 10 else "60"
