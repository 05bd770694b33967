"""Why there is no connection to an MQTT broker, as an error that a user can act on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
import socket
import ssl

from aiomqtt import MqttError
from aiomqtt.exceptions import MqttConnectError

from ..engine.errors import (
    ClientCertificate,
    HostNotFound,
    InvalidConfiguration,
    SourceFailed,
    StreamEnded,
    TlsFailed,
    TripodError,
    Unauthorized,
    Unreachable,
)
from ..engine.sources.http import connection_error, tls_error
from .config import Broker

PATIENCE = 5.0
"""Seconds that a look at the broker may take."""

ALERT = 1.0
"""Seconds in which a broker that does not like a certificate says so after the handshake (TLS 1.3)."""

_ABOUT_US = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "UNKNOWN_CA",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_UNKNOWN",
    "HANDSHAKE_FAILURE",
    "ACCESS_DENIED",
    "UNSUPPORTED_CERTIFICATE",
)
"""How OpenSSL ends the names of the alerts by which the other end refuses our certificate."""

_DENIED = frozenset({4, 5, 0x86, 0x87})
"""Bad user name or password, and not authorised; in MQTT 3 and 5."""


def tls_context(broker: Broker) -> ssl.SSLContext:
    """Return what the connection is encrypted with; reads the files, which may be renewed at any time.

    Raises `InvalidConfiguration` for a file that cannot be used.
    """
    where = "[mqtt]"
    try:
        context = ssl.create_default_context(cafile=broker.ca)
    except (OSError, ssl.SSLError) as error:
        raise InvalidConfiguration(
            f"the certificate {broker.ca} cannot be used: {_short(error)}", where=where
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if broker.certificate:
        try:
            # without a password at hand, Python would ask for one on the terminal
            context.load_cert_chain(broker.certificate, broker.key, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            files = f"the certificate {broker.certificate} and its key {broker.key}"
            raise InvalidConfiguration(f"{files} cannot be used: {_short(error)}", where=where) from error
    return context


def refusal(broker: Broker, error: MqttConnectError) -> TripodError:
    """Return why the broker did not let us in."""
    code = getattr(error.rc, "value", error.rc)
    words = f"{broker.host}: {str(error).partition('] ')[2] or error}"
    return Unauthorized(words) if code in _DENIED else SourceFailed(words)


async def diagnose(broker: Broker, context: ssl.SSLContext | None, last: MqttError) -> TripodError:
    """Look why no MQTT came about, or why it ended; `last` is all that is known of it."""
    address = f"{broker.host}:{broker.port}"
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().getaddrinfo(broker.host, broker.port)
            reader, writer = await asyncio.open_connection(broker.host, broker.port, ssl=context)
            try:
                await _listen(reader)
                return _silence(address, last)
            finally:
                writer.close()
    except socket.gaierror:
        return HostNotFound(broker.host)
    except TimeoutError:
        return Unreachable(address)
    except ssl.SSLError as error:
        return _tls(error, address)
    except OSError as error:
        return connection_error(error, address)


async def _listen(reader: asyncio.StreamReader) -> None:
    """Raise the alert of a broker that does not like our certificate, which says nothing else uninvited."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ALERT):
            await reader.read(1)


def _silence(address: str, error: MqttError) -> TripodError:
    """Return what is wrong where somebody listens, and a certificate is not the matter."""
    if "timed out" in str(error):
        return Unreachable(f"{address} says nothing in MQTT; with and without TLS, brokers mostly have another port")
    return StreamEnded(f"{address} closed the connection")


def _tls(error: ssl.SSLError, address: str) -> TlsFailed:
    if any((error.reason or "").endswith(ending) for ending in _ABOUT_US) and "ALERT" in (error.reason or ""):
        return ClientCertificate(f"{address}: {error.reason}")
    return tls_error(error, address)


def _short(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or error)
