"""Live looks at sources, with the camera that uses the same device out of the way."""

from asyncio import Lock
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import os
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.singleton import singleton

from .const import DOMAIN
from .engine.sources import Found, Source, settle
from .engine.status import State
from .shared import tools

if TYPE_CHECKING:
    from .data import TripodConfigEntry

type Hardware = tuple[str, str]
"""A kind of source, and which of its devices."""


async def probe(hass: HomeAssistant, source: Source) -> tuple[Source, Found]:
    """Open `source`; return it with what was learned about it, and what it delivers.

    Raises the `TripodError` that says why it delivers nothing.
    """
    async with device_free(hass, source):
        found = await source.probe(tools(hass))
    return settle(source, found), found


@asynccontextmanager
async def device_free(hass: HomeAssistant, source: Source) -> AsyncIterator[None]:
    """Keep everybody else of this Home Assistant off the source's device, which only one can open.

    The camera that holds it stops for the time of the context; other looks at it wait.
    """
    device = await _hardware(hass, source.as_dict())
    if device is None:
        yield
        return
    async with _locks(hass)[device]:
        entries: list[TripodConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
        held = [
            entry.runtime_data.pipeline
            for entry in entries
            if entry.runtime_data.pipeline.state is not State.STOPPED and await _hardware(hass, entry.data) == device
        ]
        for pipeline in held:
            await pipeline.stop()
        try:
            yield
        finally:
            for pipeline in held:
                pipeline.start()


async def _hardware(hass: HomeAssistant, source: Mapping[str, Any]) -> Hardware | None:
    """Return what a source as it is stored opens; None for what many can open at once."""
    if source["kind"] == "v4l2":  # by whichever of its names
        return "v4l2", await hass.async_add_executor_job(os.path.realpath, source["device"])
    if source["kind"] == "csi":
        return "csi", source["camera"]
    return None


@singleton(f"{DOMAIN}_looks")
def _locks(_hass: HomeAssistant) -> defaultdict[Hardware, Lock]:
    """Return a lock for each device, held by the look that is under way."""
    return defaultdict(Lock)
