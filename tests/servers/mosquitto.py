"""A real mosquitto that lets nobody in without a certificate of the household."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import shutil
import ssl
import subprocess

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
