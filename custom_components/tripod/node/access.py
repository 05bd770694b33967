"""Who asks, and what they may: a token may all, a link its camera's pictures, this machine all without either.

A page of another site that is open in somebody's browser here must not get in by the trust in this machine, nor by a
password that the browser remembers.
"""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import HttpVersion11, hdrs, web

from ..engine.errors import InvalidRequest, Unauthorized, Unpaired
from ..engine.viewers import Client
from ..engine.web.answers import Refusal
from .credentials import Credentials, Link, Token

FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")
"""Headers by which a reverse proxy on this machine says that somebody else asks."""

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
"""What this machine is called by who means it; any other name may have been made to lead here (DNS rebinding)."""

SAFE = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
"""Methods that change nothing (RFC 9110)."""

LONGEST = 512
"""Characters of a credential that are looked at."""

HERE = Client("loopback", "This machine")


class NoCredential(Unauthorized):
    """Somebody asks who shows neither a token nor a link."""

    sentence = "Nobody is let in without a token, sent as bearer or as password, or a link"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and is let in."""

    client: Client
    token: Token | None = None
    link: Link | None = None

    @property
    def may_all(self) -> bool:
        """Whether it may do everything."""
        return self.link is None


class Access:
    """Tells who asks."""

    def __init__(self, credentials: Credentials, *, trust_loopback: bool, origins: Collection[str]) -> None:
        """Let in who has one of `credentials`, and this machine where it is trusted.

        `origins` are those of pages that may ask for pictures and streams; `*` lets in nobody without a credential.
        """
        self._credentials = credentials
        self._trust_loopback = trust_loopback
        self._origins = origins

    def caller(self, request: web.Request) -> Caller | None:
        """Return who asks; None for somebody unknown.

        Raises a 401 for a wrong credential, and a 403 for what another site's page asks.
        """
        scheme, secret = _credential(request)
        if not scheme:
            return Caller(HERE) if self._trusted(request) else None
        if scheme == "basic" and request.method not in SAFE and not _of_same_origin(request):
            # a browser adds a password that it knows to whatever a page asks for
            raise Refusal(403, InvalidRequest("it comes from another site's page"))
        if found := self._known(secret):
            return found
        raise unpaired()

    def _known(self, secret: str) -> Caller | None:
        if token := self._credentials.token(secret):
            self._credentials.note_use(token.id)
            return Caller(token.client, token=token)
        link = self._credentials.link(secret)
        if link and not self._credentials.expired(link):
            self._credentials.note_use(link.id)
            return Caller(link.client, link=link)
        return None

    def _trusted(self, request: web.Request) -> bool:
        return (
            self._trust_loopback
            and _is_loopback(request.remote)
            # nginx, unless told otherwise, asks so for everybody, and does not say for whom
            and request.version >= HttpVersion11
            and not any(name in request.headers for name in FORWARDED)
            and _host(request) in LOOPBACK_NAMES
            and self._from_here(request)
        )

    def _from_here(self, request: web.Request) -> bool:
        """Whether no other site's page asks; that a user follows a link to here does no harm."""
        if _of_same_origin(request):
            return True
        if request.method not in SAFE:
            return False
        if origin := request.headers.get(hdrs.ORIGIN):
            return origin in self._origins
        return [request.headers.get(f"Sec-Fetch-{what}") for what in ("Mode", "Dest")] == ["navigate", "document"]


def unpaired() -> Refusal:
    """Return the refusal of a credential that is none, or is none any more."""
    return Refusal(401, Unpaired("pair it anew with a code, which the command `code` of the node shows"))


def unknown() -> Refusal:
    """Return the refusal of somebody who shows nothing."""
    return Refusal(401, NoCredential())


def _credential(request: web.Request) -> tuple[str, str]:
    """Return the scheme and the secret of the Authorization header; both empty where there is none."""
    header = request.headers.get(hdrs.AUTHORIZATION)
    if header is None:
        return "", ""
    scheme, _, value = header[:LONGEST].partition(" ")
    if scheme.lower() == "bearer":
        return "bearer", value.strip()
    if scheme.lower() == "basic":
        return "basic", _password(value.strip())
    return "other", ""


def _password(value: str) -> str:
    """Return the password of Basic authentication (RFC 7617); the user's name says nothing here."""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _is_loopback(remote: str | None) -> bool:
    try:
        address = ip_address((remote or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _host(request: web.Request) -> str | None:
    """Return the name by which the node was asked, without the port; None where it is none."""
    try:
        return urlsplit(f"//{request.headers.get(hdrs.HOST, '')}").hostname
    except ValueError:
        return None


def _of_same_origin(request: web.Request) -> bool:
    """Whether no page asks, or one of the node's own."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site in ("same-origin", "none")
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return True  # no browser that is not very old
    # behind a proxy the page knows the proxy's name
    return urlsplit(origin).netloc in (request.headers.get(hdrs.HOST), request.headers.get("X-Forwarded-Host"))
