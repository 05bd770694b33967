"""A real mosquitto that lets nobody in without a certificate of the household."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil
import ssl
import subprocess
from typing import Any

import aiomqtt

from .certificate import Chain, Pair
from .start import free_port, wait_for_port

PROGRAM = shutil.which("mosquitto") or "/usr/sbin/mosquitto"

ACCESS = """\
user home
topic readwrite #

user node
topic read +/+/control/#
topic write +/+/status/#
topic write +/+/reply
topic write +/+/availability

user viewer
topic read #
"""
"""Who may what, by the name in the certificate: the node hears commands and nothing else, and gives none."""


class Listener:
    """Somebody who gives a camera commands, and follows all that it says."""

    def __init__(self, client: aiomqtt.Client, prefix: str) -> None:
        self.client = client
        self.prefix = prefix
        self.heard: list[tuple[str, str, bool]] = []
        """Topic below the prefix, payload, and whether the broker had kept it."""

    async def do(self, payload: str | bytes, *, to: str = "action", **more: Any) -> None:
        await self.client.publish(f"{self.prefix}/control/{to}", payload, qos=1, **more)

    async def until(self, topic: str, holds: Callable[[Any], Any] = lambda _: True) -> Any:
        """Return the next payload under `topic` for which something holds."""
        async with asyncio.timeout(20):
            async for message in self.client.messages:
                name = str(message.topic).removeprefix(f"{self.prefix}/")
                text = bytes(message.payload).decode(errors="replace")
                self.heard.append((name, text, message.retain))
                if name == topic and holds(found := _read(name, text)):
                    return found
        raise AssertionError

    async def ask(self, payload: str | bytes, *, to: str = "action", **more: Any) -> Any:
        """Give a command and return the next reply."""
        await self.do(payload, to=to, **more)
        return await self.until("reply")


def _read(topic: str, text: str) -> Any:
    return json.loads(text) if topic in ("reply", "status/json") else text


class Mosquitto:
    """The broker, which can be stopped and started again on its port."""

    def __init__(self, folder: Path, chain: Chain, server: Pair | None = None, *, address: str = "127.0.0.1") -> None:
        self.chain = chain
        self.address = address
        self.port = free_port()
        self.folder = folder
        self.server = server or chain.server
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        access, configuration = self.folder / "acl", self.folder / "mosquitto.conf"
        access.write_text(ACCESS)
        configuration.write_text(
            f"""\
listener {self.port} {self.address}
cafile {self.chain.authorities}
certfile {self.server.certificate}
keyfile {self.server.key}
require_certificate true
use_identity_as_username true
acl_file {access}
user root
log_dest file {self.folder}/mosquitto.log
log_type all
"""
        )
        self._process = subprocess.Popen([PROGRAM, "-c", str(configuration)], stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None

    @property
    def log(self) -> str:
        """What it has seen."""
        return (self.folder / "mosquitto.log").read_text()

    def tool(self, program: str, *arguments: str, pair: Pair | None = None) -> list[str]:
        """Return the command line of `mosquitto_pub` or `mosquitto_sub`."""
        own = pair or self.chain.home
        tls = ["--cafile", str(self.chain.root), "--cert", str(own.certificate), "--key", str(own.key)]
        return [program, "-h", self.address, "-p", str(self.port), *tls, *arguments]

    @asynccontextmanager
    async def client(self, pair: Pair | None = None) -> AsyncIterator[aiomqtt.Client]:
        """Connect as somebody who gives commands."""
        own = pair or self.chain.home
        context = ssl.create_default_context(cafile=self.chain.root)
        context.load_cert_chain(own.certificate, own.key)
        async with aiomqtt.Client(self.address, self.port, tls_context=context, timeout=10) as client:
            yield client

    @asynccontextmanager
    async def listener(self, prefix: str) -> AsyncIterator[Listener]:
        """Follow all that the camera of `prefix` says."""
        async with self.client() as client:
            await client.subscribe(f"{prefix}/#", qos=1)
            yield Listener(client, prefix)
