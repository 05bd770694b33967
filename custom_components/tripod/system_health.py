"""The state of all cameras at a glance, under Settings, System, Repairs, System information."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .data import TripodConfigEntry
from .engine.errors import TripodError
from .engine.status import State
from .shared import SHARED, tools


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register what is told."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    entries: list[TripodConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    cameras = [entry.runtime_data.pipeline.status for entry in entries]
    return {
        "ffmpeg_version": _ffmpeg_version(hass),
        "encoder": _encoder(hass),
        "nodes": _nodes(hass),
        "cameras": len(cameras),
        "streaming": sum(camera.state is State.STREAMING for camera in cameras),
        "failing": sum(camera.error is not None for camera in cameras),
        "viewers": sum(len(camera.viewers) for camera in cameras),
    }


def _nodes(hass: HomeAssistant) -> str:
    watches = hass.data[SHARED].nodes.watches
    return f"{sum(watch.connected for watch in watches)} / {len(watches)}"


async def _ffmpeg_version(hass: HomeAssistant) -> str | dict[str, str]:
    try:
        return await tools(hass).ffmpeg.version()
    except TripodError as error:
        return {"type": "failed", "error": error.cause}


async def _encoder(hass: HomeAssistant) -> str | dict[str, str]:
    try:
        return (await tools(hass).encoders.choose()).name
    except TripodError as error:
        return {"type": "failed", "error": error.cause}
