"""Which stream a camera gives to dashboards: the one on its own ring where that fits into core, else core's own."""

import logging
from types import ModuleType

from homeassistant.components import stream as core
from homeassistant.components.camera import get_dynamic_camera_stream_settings
from homeassistant.core import HomeAssistant

from .data import TripodData
from .shared import SHARED

ring_stream: ModuleType | None
try:
    from . import ring_stream
except ImportError:  # what it is built on is gone
    ring_stream = None

_LOGGER = logging.getLogger(__name__)


async def async_create(hass: HomeAssistant, entity_id: str, source: str, camera: TripodData) -> core.Stream | None:
    """Return a stream for a camera entity; None where core is not as expected, so that core's own is used."""
    if ring_stream is None or not ring_stream.core_is_as_expected():
        shared = hass.data[SHARED]
        if not shared.warned_of_core:
            shared.warned_of_core = True
            _LOGGER.warning("Home Assistant's streams have changed; dashboards use its own, slower HLS")
        return None
    settings = await get_dynamic_camera_stream_settings(hass, entity_id)
    stream: core.Stream = ring_stream.create(hass, entity_id, source, camera, settings)
    return stream


async def async_close(stream: core.Stream) -> None:
    """End a stream and all its outputs, which core leaves running when a camera goes, and let core forget it."""
    if ring_stream is not None and isinstance(stream, ring_stream.RingStream):
        await stream.end_hls()
    for output in list(stream.outputs().values()):
        await stream.remove_provider(output)
    await stream.stop()
    streams: list[core.Stream] = stream.hass.data[core.DOMAIN]["streams"]
    if stream in streams:
        streams.remove(stream)
