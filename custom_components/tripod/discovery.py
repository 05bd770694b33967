"""Offer cameras that are plugged into this machine and not set up."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
import logging
from pathlib import Path

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    SOURCE_INTEGRATION_DISCOVERY,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import CONF_DEVICE, CONF_ID, CONF_NAME, CONF_PATH
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.discovery_flow import DiscoveryKey
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from .camera_controls import CameraControls
from .const import DOMAIN
from .engine.errors import TripodError
from .engine.hotplug import Hotplug
from .engine.sources.v4l2.devices import VideoDevice, list_devices

_LOGGER = logging.getLogger(__name__)

DEV = Path("/dev")

_FOLDERS = ("", "v4l", "v4l/by-id", "v4l/by-path")
"""Where the nodes of devices and the names that last appear; the latter come a moment later."""

LOOK = 10.0
"""Seconds between looks at the names of devices, where the kernel tells nothing."""

type Nodes = frozenset[tuple[str, int]]
"""The device nodes and links there are, and when each changed last: its permissions count, too."""


class Discovery:
    """Watches the devices of this machine."""

    def __init__(self, hass: HomeAssistant, dev: Path = DEV) -> None:
        """Watch for the nodes of V4L2 devices in `dev`."""
        self._hass = hass
        self._dev = dev
        self._again = asyncio.Event()

    @callback
    def start(self) -> None:
        """Watch until Home Assistant stops."""
        async_dispatcher_connect(self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed)
        self._hass.async_create_background_task(self._watch(), "look for cameras")

    @callback
    def _entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and change is ConfigEntryChange.REMOVED:
            self._again.set()  # its camera may be offered again

    async def _watch(self) -> None:
        with Hotplug([self._dev / folder for folder in _FOLDERS]) as hotplug:
            seen: Nodes | None = None
            while True:
                nodes = await asyncio.to_thread(_nodes, self._dev)
                if nodes != seen or self._again.is_set():
                    self._again.clear()
                    seen = nodes
                    await self.scan()
                await self._next(hotplug)

    async def _next(self, hotplug: Hotplug) -> None:
        """Wait for a change of the devices or of the entries."""
        waits = {asyncio.ensure_future(hotplug.changed(LOOK)), asyncio.ensure_future(self._again.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def scan(self) -> None:
        """Offer what is there and not set up, and withdraw the offer of what is gone."""
        try:
            devices = await list_devices()
        except TripodError as error:
            _LOGGER.debug("Cannot list cameras: %s", error)
            return
        known = await asyncio.to_thread(_led_to, self._hass.config_entries.async_entries(DOMAIN))
        for device in devices:
            self._name(device, known)
            if not self._is_known(device, known):
                self._offer(device)
        self._withdraw_all_but({device.id for device in devices})
        await self._look_at_controls()

    @callback
    def _name(self, device: VideoDevice, known: dict[str, list[ConfigEntry]]) -> None:
        """Give a camera that was set up by its path the device's identity."""
        entries = self._hass.config_entries
        for entry in known.get(device.node, []):
            lasting = not entry.data[CONF_DEVICE].startswith(f"{DEV}/video")  # which is another camera tomorrow
            if entry.unique_id is None and lasting and not _entry_of(self._hass, device):
                entries.async_update_entry(entry, unique_id=device.id)

    def _is_known(self, device: VideoDevice, known: dict[str, list[ConfigEntry]]) -> bool:
        """Return whether the device is a camera already, or shall not be one; one that has moved is neither."""
        entry = _entry_of(self._hass, device)
        return device.node in known or (entry is not None and CONF_DEVICE not in entry.data)

    @callback
    def _offer(self, device: VideoDevice) -> None:
        discovery_flow.async_create_flow(
            self._hass,
            DOMAIN,
            context={"source": SOURCE_INTEGRATION_DISCOVERY},
            data={CONF_ID: device.id, CONF_PATH: device.path, CONF_NAME: device.name},
            discovery_key=DiscoveryKey(domain=DOMAIN, key=device.id, version=1),
        )

    @callback
    def _withdraw_all_but(self, present: set[str]) -> None:
        flows = self._hass.config_entries.flow
        for flow in flows.async_progress_by_handler(DOMAIN, match_context={"source": SOURCE_INTEGRATION_DISCOVERY}):
            if flow["context"].get("unique_id") not in present:
                flows.async_abort(flow["flow_id"])

    async def _look_at_controls(self) -> None:
        """Ask cameras for their controls that were not there yet."""
        for entry in self._hass.config_entries.async_loaded_entries(DOMAIN):
            controls: CameraControls | None = entry.runtime_data.controls
            if controls and not controls.engine.current:
                await controls.look()


def _nodes(dev: Path) -> Nodes:
    found = set()
    for node in (*dev.glob("video*"), *dev.glob("v4l/by-*/*")):
        with suppress(OSError):  # gone in between
            found.add((str(node), node.lstat().st_ctime_ns))
    return frozenset(found)


def _led_to(entries: Iterable[ConfigEntry]) -> dict[str, list[ConfigEntry]]:
    """Return the cameras by the node that their path leads to now."""
    found: dict[str, list[ConfigEntry]] = {}
    for entry in entries:
        if path := entry.data.get(CONF_DEVICE):
            found.setdefault(str(Path(path).resolve()), []).append(entry)
    return found


def _entry_of(hass: HomeAssistant, device: VideoDevice) -> ConfigEntry | None:
    return hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, device.id)
