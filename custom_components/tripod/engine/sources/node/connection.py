"""HTTP with a node: no redirects, every wait and body bounded, no token for a host that does not prove itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
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
        self._context: ssl.SSLContext | None = None
        self._proven: Place | None = None

    @property
    def host(self) -> str:
        """The node's, for people."""
        return self._url.host or ""

    async def __aenter__(self) -> Self:
        """Open the session."""
        access = self.access
        pinned = aiohttp.Fingerprint(bytes.fromhex(access.fingerprint)) if access.fingerprint else True
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
        if self._url.scheme == "https" and self._context is None:
            self._context = await asyncio.to_thread(_tls_context, self.access)
        with _explained(self.host):
            async with asyncio.timeout(FIRST_BYTE_TIMEOUT):
                return await self._session.request(
                    method,
                    URL(self.access.url + path, encoded=True),
                    json=body,
                    headers=headers,
                    allow_redirects=False,
                    ssl=self._context or True,
                )

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
    """Turn what aiohttp raises into the one error, and tell certificates apart."""
    try:
        with explained(host):
            yield
    except TripodError as error:
        if isinstance(error.__cause__, aiohttp.ServerFingerprintMismatch):
            raise TlsFailed(f"{host} shows another certificate than the one that is known") from None
        if wanted := _about_our_certificate(error.__cause__):
            raise ClientCertificate(f"{host}: {wanted}") from None
        raise


_ALERTS = {
    "certificate required": "it asks for one",
    "handshake failure": "it asks for one, or for other ciphers",
    "unknown ca": "it does not know who issued ours",
    "certificate expired": "ours has expired",
    "certificate revoked": "ours was revoked",
    "bad certificate": "it does not accept ours",
    "unsupported certificate": "it does not accept ours",
    "certificate unknown": "it does not accept ours",
    "access denied": "it does not accept ours",
}
"""TLS alerts of the other end (RFC 8446, 6.2), as OpenSSL words them, that tell of our certificate."""


def _about_our_certificate(error: BaseException | None) -> str | None:
    """Return what the other end says against our certificate; None where the error is another one."""
    text = str(error).lower().replace("_", " ")
    if "alert" not in text:
        return None
    return next((words for alert, words in _ALERTS.items() if alert in text), None)


def _tls_context(access: NodeAccess) -> ssl.SSLContext:
    """Return what TLS connections are made with; reads files."""
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
