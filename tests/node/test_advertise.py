"""A node is found by a real zeroconf, on this machine alone; the end-to-end tests do it between two hosts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from custom_components.tripod.node import advertise
from custom_components.tripod.node.advertise import IPV4_ONLY, TYPE, Advertiser, own_addresses
from custom_components.tripod.node.identity import Identity, useful

LOOPBACK = ["127.0.0.1"]


def node(name: str = "Workshop", host: str = "", key: str = "a" * 32, **more: bool) -> Identity:
    """Return who advertises."""
    return Identity(id=key, name=name, host=host, port=8089, **more)


class Watcher:
    """Somebody on the network who looks for nodes."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self.zeroconf = zeroconf
        self.changes: asyncio.Queue[tuple[str, ServiceStateChange]] = asyncio.Queue()
        self.browser = AsyncServiceBrowser(zeroconf.zeroconf, TYPE, handlers=[self._note])

    def _note(self, *, name: str, state_change: ServiceStateChange, **_: object) -> None:
        self.changes.put_nowait((name, state_change))

    async def next(self, wanted: ServiceStateChange) -> str:
        """Wait for the next change of this kind, and return whose it is."""
        async with asyncio.timeout(15):
            while True:
                name, change = await self.changes.get()
                if change is wanted:
                    return name

    async def info(self, name: str) -> AsyncServiceInfo:
        """Return what is said of a node."""
        info = AsyncServiceInfo(TYPE, name)
        assert await info.async_request(self.zeroconf.zeroconf, 3000)
        return info


@pytest.fixture
async def watcher() -> AsyncIterator[Watcher]:
    """Look for nodes on the loopback interface."""
    zeroconf = AsyncZeroconf(interfaces=LOOPBACK)
    watcher = Watcher(zeroconf)
    yield watcher
    await watcher.browser.async_cancel()
    await zeroconf.async_close()


async def test_a_node_is_found_and_says_goodbye(watcher: Watcher) -> None:
    advertiser = Advertiser(node("Dr. Müllers Werkstatt " * 5, tls=True), addresses=lambda _: LOOPBACK)
    advertiser.open()
    name = await watcher.next(ServiceStateChange.Added)
    info = await watcher.info(name)
    properties = {key.decode(): (value or b"").decode() for key, value in info.properties.items()}
    assert properties == {"id": "a" * 32, "protocol": "1", "name": ("Dr. Müllers Werkstatt " * 5), "tls": "1"}
    assert (info.port, info.parsed_addresses()) == (8089, LOOPBACK)
    assert len(name.removesuffix(f".{TYPE}").encode()) <= advertise.LABEL
    await advertiser.close()
    assert await watcher.next(ServiceStateChange.Removed) == name


async def test_two_nodes_of_one_name_are_told_apart(watcher: Watcher) -> None:
    first = Advertiser(node(), addresses=lambda _: LOOPBACK)
    second = Advertiser(node(key="b" * 32), addresses=lambda _: LOOPBACK)
    first.open()
    names = [await watcher.next(ServiceStateChange.Added)]
    second.open()
    names.append(await watcher.next(ServiceStateChange.Added))
    assert len(set(names)) == 2
    assert {(await watcher.info(name)).properties[b"id"] for name in names} == {b"a" * 32, b"b" * 32}
    await asyncio.gather(first.close(), second.close())


async def test_a_network_that_comes_later_and_one_that_fails(
    watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    looks = [[], ["192.0.2.77"], ["192.0.2.77"], LOOPBACK]
    asked: asyncio.Queue[int] = asyncio.Queue()

    async def sleep(_: float) -> None:
        asked.put_nowait(len(looks))
        if not looks:
            await asyncio.Event().wait()

    advertiser = Advertiser(node(), addresses=lambda _: looks.pop(0), sleep=sleep)
    advertiser.open()
    assert await watcher.next(ServiceStateChange.Added)
    assert len([record for record in caplog.records if "Cannot be found" in record.message]) == 1
    await advertiser.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_a_node_that_listens_on_itself_only_is_not_advertised(host: str) -> None:
    advertiser = Advertiser(node(host=host))
    advertiser.open()
    await advertiser.close()
    assert own_addresses(node(host=host)) == []


async def test_without_the_package_a_node_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(advertise, "INSTALLED", False)
    advertiser = Advertiser(node())
    advertiser.open()
    await advertiser.close()
    assert "not installed" in caplog.text


def test_addresses_that_others_cannot_use_are_not_told() -> None:
    assert own_addresses(node(host="192.0.2.7")) == ["192.0.2.7"]
    assert not [address for address in own_addresses(node(host="::")) if not useful(address)]
    assert not [address for address in own_addresses(node(host=IPV4_ONLY)) if ":" in address]
    assert not any(map(useful, ["fe80::1", "169.254.1.1", "::1", "127.0.0.1", IPV4_ONLY, "pi"]))
