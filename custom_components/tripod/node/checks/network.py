"""The network: the port, the certificate, who is to hear of the node, and whom it listens to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
import errno
from ipaddress import ip_address
import platform
import socket
import ssl
import time
from urllib.parse import urlsplit

import aiohttp

from ...engine.errors import TripodError
from ...engine.sources.address import find, resolve
from ...engine.sources.http import connection_error, tls_context, tls_error
from ..advertise import INSTALLED
from ..announce import REFUSALS
from ..config import Announce, Broker, NodeConfig
from .finding import Finding, bad, failed, good, note

LIMIT = 10.0
"""Seconds that another machine may take to answer."""

SOON = 14
"""Days before its end in which a certificate is spoken of."""

SLOW = 60.0
"""Seconds by which two clocks may differ before certificates and the order of pictures suffer."""

_EXPIRED, _EARLY, _OTHER_NAME = 10, 9, 62
"""OpenSSL's verify codes."""


def port(config: NodeConfig, *, running: bool) -> Iterator[Finding]:
    """Look whether the port can be had; the `running` node may hold it."""
    about = f"port {config.port}"
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((config.host, config.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE and running:
            yield good(about, "the node that runs listens there")
        else:
            yield bad(about, _PORT.get(error.errno or 0, str(error.strerror or error)).format(host=config.host))
        return
    if _is_loopback(config.host):
        hint = 'listen = "0.0.0.0:8089" lets other machines come; each needs a token or a link then as now'
        yield note(about, "only this machine can connect", hint)
    else:
        yield good(about, f"free, on {config.host}")


_PORT = {
    errno.EADDRINUSE: "another program listens there: end it, or set another port in listen",
    errno.EADDRNOTAVAIL: "{host} is no address of this machine; 0.0.0.0 or [::] means all",
    errno.EACCES: "ports below 1024 are for root: set a higher one in listen",
}


async def running(config: NodeConfig) -> bool:
    """Return whether a node answers there already."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.host, config.host)  # noqa: S104  # not to listen on
    scheme = "https" if config.certificate else "http"
    with suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIMIT)) as session,
            session.get(f"{scheme}://{host}:{config.port}/health", ssl=False) as answer,
        ):
            return answer.status == 200
    return False


def certificate(config: NodeConfig, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Look at the node's own certificate."""
    if not (config.certificate and config.key):
        return
    about = "certificate"
    try:
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(config.certificate, config.key)
        if config.client_ca:
            server.load_verify_locations(config.client_ca)
            server.verify_mode = ssl.CERT_NONE
        client = ssl.create_default_context(cafile=str(config.certificate))
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or error.strerror or "unreadable"
        hint = "certificate and key are PEM files that belong together, and the node's user has to be able to read them"
        yield bad(about, f"it cannot be used: {reason.lower().replace('_', ' ')}", hint)
        return
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.check_hostname = False
    try:
        facts = _shown(server, client)
    except ssl.SSLCertVerificationError as error:
        yield bad(about, _CERTIFICATE.get(error.verify_code, error.verify_message), "renew it, and look at the clock")
        return
    left = (ssl.cert_time_to_seconds(str(facts["notAfter"])) - now()) / 86400
    until = f"valid until {datetime.fromtimestamp(ssl.cert_time_to_seconds(str(facts['notAfter'])), UTC):%Y-%m-%d}"
    yield note(about, until, "renew it soon") if left < SOON else good(about, until)
    yield from _names(facts)


_CERTIFICATE = {_EXPIRED: "it has expired", _EARLY: "it is not valid yet"}


def _shown(server: ssl.SSLContext, client: ssl.SSLContext) -> dict[str, object]:
    """Return what a client sees of the server's certificate, by a handshake within this process."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(down, up)
    answering = server.wrap_bio(up, down, server_side=True)
    for end in (asking, answering, asking, answering):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return dict(asking.getpeercert() or {})


def _names(facts: dict[str, object]) -> Iterator[Finding]:
    names = [str(name) for kind, name in facts.get("subjectAltName", ()) if kind == "DNS"]  # type: ignore[attr-defined]
    addresses = [str(name) for kind, name in facts.get("subjectAltName", ()) if kind == "IP Address"]  # type: ignore[attr-defined]
    own = platform.node().lower()
    if any(
        _matches(name, known) for name in names for known in (own, f"{own}.local", f"{own}.home.arpa", f"{own}.lan")
    ):
        return
    said = ", ".join(names + addresses) or "no name at all"
    yield note("certificate", f"it is for {said}", f"Home Assistant has to come by such a name, and not as {own}")


def _matches(pattern: str, name: str) -> bool:
    if pattern.startswith("*."):
        return pattern[1:].lower() == name[name.find(".") :] and "." in name
    return pattern.lower() == name


async def broker(config: Broker | None) -> list[Finding]:
    """Look whether the MQTT broker answers, and likes our certificate."""
    if config is None:
        return []
    about = f"MQTT broker {config.host}:{config.port}"
    try:
        place = await find(config.host, None, resolve)
        context = await asyncio.to_thread(_broker_tls, config) if config.tls else None
        async with asyncio.timeout(LIMIT):
            _, writer = await asyncio.open_connection(
                place.addresses[0], config.port, ssl=context, server_hostname=config.host if context else None
            )
        writer.close()
    except TripodError as error:
        return [failed(about, error)]
    except ssl.SSLError as error:
        return [failed(about, tls_error(error, config.host))]
    except (OSError, TimeoutError) as error:
        return [failed(about, connection_error(OSError() if isinstance(error, TimeoutError) else error, config.host))]
    return [good(about, "it answers" + (", by TLS" if context else ""))]


def _broker_tls(config: Broker) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(config.ca) if config.ca else None)
    if config.certificate and config.key:
        context.load_cert_chain(config.certificate, config.key)
    return context


async def announce(config: Announce | None, now: Callable[[], float] = time.time) -> list[Finding]:
    """Look whether the Home Assistant that is to hear of the node lets it in."""
    if config is None:
        return []
    host = urlsplit(config.url).hostname or ""
    about = f"Home Assistant {host}"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIMIT)) as session,
            session.get(
                f"{config.url.rstrip('/')}/api/",
                headers={"Authorization": f"Bearer {config.token}"},
                allow_redirects=False,
                ssl=await asyncio.to_thread(tls_context, verify=config.verify_tls),
            ) as answer,
        ):
            status, date = answer.status, answer.headers.get("Date")
    except aiohttp.ClientConnectorCertificateError as error:
        return [failed(about, tls_error(error, host))]
    except aiohttp.ClientConnectorError as error:
        return [failed(about, connection_error(error.os_error, host))]
    except (aiohttp.ClientError, TimeoutError):
        return [bad(about, "it does not answer as Home Assistant does", "look at url in [announce]")]
    if status != 200:
        return [bad(about, REFUSALS.get(status, f"it answers with {status}"), "look at [announce]")]
    return [good(about, "it lets this node in"), *_compared(date, now())]


def _compared(date: str | None, now: float) -> Iterator[Finding]:
    """Compare the clocks."""
    with suppress(TypeError, ValueError):
        theirs = datetime.strptime(date or "", "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).timestamp()
        if abs(now - theirs) > SLOW:
            yield bad("clock", f"it differs by {abs(now - theirs):.0f} s from Home Assistant's", "set both by NTP")


def discovery(config: NodeConfig) -> Iterator[Finding]:
    """Look whether the node can make itself known."""
    if not config.zeroconf or _is_loopback(config.host):
        return
    if INSTALLED:
        yield good("discovery", "by zeroconf")
    else:
        yield note("discovery", "Home Assistant will not find this node by itself", "sudo apt install python3-zeroconf")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False
