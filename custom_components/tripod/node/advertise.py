"""Let Home Assistant find the node by zeroconf, where the package is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
import logging
from typing import Final

from .identity import PROTOCOL, Identity, useful

try:
    import ifaddr
    from zeroconf import IPVersion, ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf
except ImportError:  # a node is found by its address as well
    INSTALLED = False
else:
    INSTALLED = True

_LOGGER = logging.getLogger(__name__)

TYPE: Final = "_tripod._tcp.local."

LOOK: Final = 10.0
"""Seconds between two looks at this machine's addresses: a cable may come, and DHCP give another address."""

IPV4_ONLY: Final = "0.0.0.0"  # noqa: S104 - what a listener on all IPv4 addresses is told

LABEL: Final = 63
"""Bytes of a label (RFC 1035)."""

VALUE: Final = 200
"""Bytes of a value in a TXT record: with its key it must fit into 255 (RFC 6763)."""


class Advertiser:
    """Answers those who ask the network for nodes, under the addresses that this machine has now."""

    def __init__(
        self,
        identity: Identity,
        *,
        addresses: Callable[[Identity], Sequence[str]] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Advertise `identity` at what `addresses` returns, which may block; both are injected by tests."""
        self._identity = identity
        self._addresses = addresses or own_addresses
        self._sleep = sleep
        self._shown: tuple[str, ...] = ()
        self._failed = False
        self._zeroconf: AsyncZeroconf | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin, unless there is nobody but this machine to be found by."""
        if not INSTALLED:
            _LOGGER.info("Zeroconf is not installed: add the node to Home Assistant by its address")
        elif self._identity.reachable:
            self._task = asyncio.create_task(self._keep(), name="advertise")

    async def close(self) -> None:
        """Say goodbye, so that nobody offers a node that is gone."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._withdraw()

    async def _keep(self) -> None:
        while True:
            addresses = tuple(await asyncio.to_thread(self._addresses, self._identity))
            if addresses != self._shown:
                await self._show(addresses)
            await self._sleep(LOOK)

    async def _show(self, addresses: tuple[str, ...]) -> None:
        """Answer for these addresses; sockets are bound to interfaces, so other addresses need others."""
        await self._withdraw()
        if not addresses:
            return
        try:
            self._zeroconf = AsyncZeroconf(
                interfaces=list(addresses),
                ip_version=IPVersion.All if any(":" in address for address in addresses) else IPVersion.V4Only,
            )
            done = await self._zeroconf.async_register_service(_service(self._identity, addresses), None, True)  # noqa: FBT003 - by keyword it is another one in each version
            await done
        except (OSError, RuntimeError) as error:
            if not self._failed:
                _LOGGER.warning("Cannot be found by zeroconf now (%s); add the node by its address", error)
            self._failed = True
            await self._withdraw()
        else:
            self._failed = False
            self._shown = addresses

    async def _withdraw(self) -> None:
        self._shown = ()
        if self._zeroconf:
            zeroconf, self._zeroconf = self._zeroconf, None
            with suppress(OSError):  # of an interface that is gone
                await zeroconf.async_close()


def own_addresses(identity: Identity) -> Sequence[str]:
    """Return the addresses under which others reach the node; looks at the interfaces."""
    if not identity.everywhere:
        return [identity.host] if useful(identity.host) else []
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            address = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            if useful(address) and (":" not in address or identity.host != IPV4_ONLY):
                found.append(address)
    return sorted(found, key=lambda address: (":" in address, address))


def _service(identity: Identity, addresses: Sequence[str]) -> ServiceInfo:
    """Return the records: a host name of our own, as that of the machine belongs to another program."""
    label = _cut(identity.name.replace(".", " ").strip() or "Tripod", LABEL)
    return ServiceInfo(
        TYPE,
        f"{label}.{TYPE}",
        port=identity.port,
        properties={
            "id": identity.id,
            "protocol": str(PROTOCOL),
            "name": _cut(identity.name, VALUE),
            "tls": str(int(identity.tls)),
        },
        server=f"tripod-{identity.id}.local.",
        parsed_addresses=list(addresses),
    )


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
