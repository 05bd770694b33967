"""Look into a running Home Assistant, for benchmarks: what nobody outside can see, and Tripod shows nobody."""

import asyncio
from collections import Counter
import ctypes
import gc
from typing import Any

from aiohttp import web
from homeassistant.components.camera import Camera
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.typing import ConfigType

FIRST_PART = 20.0
"""Seconds to wait for core's first part."""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Open the view."""
    hass.http.register_view(ProbeView())
    return True


class ProbeView(HomeAssistantView):
    """Answer questions."""

    url = "/api/tripod_probe/{what}"
    name = "api:tripod_probe"

    async def get(self, request: web.Request, what: str) -> web.Response:
        """Answer with JSON."""
        hass = request.app[KEY_HASS]
        if what == "entity":
            return self.json(_entity(hass, request.query["entry"]))
        if what == "tasks":
            return self.json(_tasks())
        return self.json(await _play(hass, request.query["entity_id"]))


def _entity(hass: HomeAssistant, entry: str) -> dict[str, str]:
    """Return the camera entity of a config entry."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry)
    return {"entity_id": next(entity.entity_id for entity in entities if entity.domain == "camera")}


def _tasks() -> dict[str, int]:
    """Return how many tasks there are of each kind, once garbage is gone."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # what the start left free would hide what came since
        trim(0)
    return dict(Counter(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks()))


async def _play(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    """Let core's own stream play a camera; return the milliseconds until its first part."""
    camera: Camera = hass.data["camera"].get_entity(entity_id)
    loop = asyncio.get_running_loop()
    began = loop.time()
    stream = await camera.async_create_stream()
    assert stream is not None
    output = stream.add_provider("hls")
    try:
        await stream.start()
        came = await output.part_recv(timeout=FIRST_PART)
        return {"first_part_ms": (loop.time() - began) * 1000 if came else None, "stream": type(stream).__module__}
    finally:
        await stream.remove_provider(output)
        await stream.stop()
