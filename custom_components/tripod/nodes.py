"""The nodes whose cameras are set up here: what all cameras of one have in common."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
import logging
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    SOURCE_DISCOVERY,
    SOURCE_REAUTH,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, discovery_flow
from homeassistant.helpers.discovery_flow import DiscoveryKey
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .const import CONF_NODE, DOMAIN
from .data import TripodConfigEntry
from .engine.errors import AddressNotAllowed, TripodError
from .engine.sources import address
from .engine.sources.address import Zone
from .engine.sources.node import NodeAccess, NodeClient, NodeFacts
from .node_forms import access_of, identity
from .node_watch import NodeWatch

_LOGGER = logging.getLogger(__name__)

KIND: Final = "node"
"""Of source."""

FAREWELL: Final = 10.0
"""Seconds to tell a node that its token is no longer needed."""

_OFFERS: Final = (SOURCE_DISCOVERY, SOURCE_ZEROCONF)


def entries_of(hass: HomeAssistant, node: str) -> list[TripodConfigEntry]:
    """Return the cameras of a node."""
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return [entry for entry in entries if entry.data.get("kind") == KIND and entry.data[CONF_NODE] == node]


@callback
def apply(hass: HomeAssistant, node: str, changes: Mapping[str, Any]) -> None:
    """Change what all cameras of a node store of it; those that it concerns are set up anew."""
    for entry in entries_of(hass, node):
        data = {**entry.data, **changes}
        unique_id = identity(data[CONF_NODE], data["camera"])
        changed = hass.config_entries.async_update_entry(entry, data=data, unique_id=unique_id)
        if changed and entry.state is not ConfigEntryState.LOADED:  # else its own listener sees to it
            hass.config_entries.async_schedule_reload(entry.entry_id)


async def reachable(addresses: Iterable[str]) -> list[str]:
    """Return those IP addresses that a node may say it has: where others live, not this machine or its cloud."""
    found = []
    for each in dict.fromkeys(addresses):
        with suppress(AddressNotAllowed, ValueError):
            if not ip_address(each).is_link_local and (await address.find(each)).zone is not Zone.LOOPBACK:
                found.append(each)
    return found


def url(host: str, port: int, *, tls: bool) -> str:
    """Return the address of a node on an IP address."""
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


class Nodes:
    """All nodes that have a camera which is set up."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with none."""
        self._hass = hass
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed)
        self._watches: dict[str, NodeWatch] = {}
        self._following: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._said: dict[str, tuple[str, ...]] = {}
        """Where nodes said last that they are."""
        self.turn = asyncio.Lock()
        """Held while a file is taken over: one at a time over all nodes, as viewers come first."""

    @property
    def watches(self) -> Sequence[NodeWatch]:
        """The connections to all nodes."""
        return tuple(self._watches.values())

    def watch(self, node: str) -> NodeWatch | None:
        """Return the connection to a node; None while no camera of it is set up."""
        return self._watches.get(node)

    @callback
    def add(self, entry: TripodConfigEntry) -> None:
        """Keep in touch with the node of a camera that was set up."""
        node, access = entry.data[CONF_NODE], access_of(entry)
        if watch := self._watches.get(node):
            watch.look(access)
            if watch.connected:
                self._news(node, entry.data["camera"])
        else:
            self._watches[node] = NodeWatch(
                self._hass,
                access,
                met=self._met,
                missed=partial(self._follow, node),
                news=partial(self._news, node),
                unpaired=partial(self.ask_for_code, node),
            )
        self._withdraw({node})

    async def remove(self, entry: TripodConfigEntry) -> None:
        """Let go of the node of a camera that is no longer set up, if no other camera of it is."""
        node = entry.data[CONF_NODE]
        others = [other for other in entries_of(self._hass, node) if other is not entry]
        if not any(other.state is ConfigEntryState.LOADED for other in others) and (
            watch := self._watches.pop(node, None)
        ):
            await watch.close()

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Offer what nobody has, or ignores, any more."""
        if entry.domain == DOMAIN and change is ConfigEntryChange.REMOVED:
            for node, watch in self._watches.items():
                self._offer(node, watch)

    @callback
    def forget(self, entry: TripodConfigEntry) -> None:
        """Give our token back if the camera that was removed was the last one of its node."""
        node = entry.data[CONF_NODE]
        if not entries_of(self._hass, node):
            self._withdraw(set(), of=node)
            self._hass.async_create_background_task(revoke(access_of(entry)), f"{DOMAIN}: leave node {node}")

    # --- pairing, and where a node is ------------------------------------------------------------------------------

    @callback
    def ask_for_code(self, node: str) -> None:
        """Ask the user for a new pairing code, once for all cameras of a node."""
        entries = entries_of(self._hass, node)
        if entries and not any(any(entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})) for entry in entries):
            entries[0].async_start_reauth(self._hass)

    @callback
    def _follow(self, node: str) -> None:
        """Look for a node that is not where it was: it may have said where it is before we missed it."""
        if (urls := self._said.get(node)) and not self._following[node].locked():
            self._hass.async_create_background_task(self._seek(node, urls), f"{DOMAIN}: look for node {node}")

    async def moved(self, node: str, urls: Iterable[str]) -> bool:
        """Follow a known node to the first of `urls` at which it proves to be it; return whether it had moved.

        It is not followed away from where it still is: it may have several addresses.
        """
        if not entries_of(self._hass, node):
            return False
        self._said[node] = tuple(urls)
        return await self._seek(node, self._said[node])

    async def _seek(self, node: str, urls: Iterable[str]) -> bool:
        async with self._following[node]:
            entries, watch = entries_of(self._hass, node), self._watches.get(node)
            if not entries or (watch and watch.connected):
                return False
            known = access_of(entries[0])
            for candidate in dict.fromkeys([known.url, *urls]):
                if not await _proves(replace(known, url=candidate)):
                    continue
                if candidate == known.url:
                    if watch:
                        watch.look()
                    return False
                _LOGGER.info("The node of %s moved to %s", ", ".join(entry.title for entry in entries), candidate)
                apply(self._hass, node, {"url": candidate})
                return True
        return False

    # --- its cameras -----------------------------------------------------------------------------------------------

    @callback
    def _met(self, facts: NodeFacts) -> None:
        if watch := self._watches.get(facts.id):
            self._offer(facts.id, watch)
        devices = dr.async_get(self._hass)
        for entry in entries_of(self._hass, facts.id):
            for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
                devices.async_update_device(device.id, sw_version=facts.version or None)

    @callback
    def _offer(self, node: str, watch: NodeWatch) -> None:
        """Offer the cameras that are not set up, and withdraw the offers of those that are gone."""
        entries = self._hass.config_entries
        self._withdraw({identity(node, camera) for camera in watch.cameras}, of=node)
        for camera in watch.cameras.values():
            key = identity(node, camera.id)
            if entries.async_entry_for_domain_unique_id(DOMAIN, key) is None:
                discovery_flow.async_create_flow(
                    self._hass,
                    DOMAIN,
                    context={"source": SOURCE_DISCOVERY},
                    data={CONF_NODE: node, "camera": camera.id, "title": camera.title, "name": watch.name},
                    discovery_key=DiscoveryKey(domain=DOMAIN, key=key, version=1),
                )

    @callback
    def _withdraw(self, keys: set[str], *, of: str = "") -> None:
        """End the offers with these unique ids; with `of`, those of that node with any others."""
        flows = self._hass.config_entries.flow
        for flow in flows.async_progress_by_handler(DOMAIN):
            key = flow["context"].get("unique_id") or ""
            ends = key.startswith(f"{of}:") and key not in keys if of else key in keys
            if ends and flow["context"]["source"] in _OFFERS:
                flows.async_abort(flow["flow_id"])

    @callback
    def _news(self, node: str, camera: str) -> None:
        """Look what the node keeps of a camera."""
        for entry in entries_of(self._hass, node):
            loaded = entry.state is ConfigEntryState.LOADED
            if loaded and entry.data["camera"] == camera and (hand_over := entry.runtime_data.hand_over):
                hand_over.look()


async def _proves(access: NodeAccess) -> bool:
    """Return whether the node that we are paired with is there."""
    try:
        async with NodeClient(access) as client:
            await client.prove()
    except TripodError as error:
        _LOGGER.debug("The node is not at %s: %s", access.url, error)
        return False
    return True


async def revoke(access: NodeAccess) -> None:
    """Let a node forget our token, if it is there."""
    try:
        async with asyncio.timeout(FAREWELL), NodeClient(access) as client:
            await client.leave()
    except (TimeoutError, TripodError) as error:
        _LOGGER.info("The node at %s was not told that it is no longer needed: %s", access.url, error)
