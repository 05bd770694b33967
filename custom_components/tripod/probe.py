"""A live look at a source, with the camera that uses it out of the way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant

from .const import DOMAIN
from .engine.sources import Found, Source, settle
from .engine.status import State
from .shared import tools

if TYPE_CHECKING:
    from .data import TripodConfigEntry


async def probe(hass: HomeAssistant, source: Source) -> tuple[Source, Found]:
    """Open `source`; return it with what was learned about it, and what it delivers.

    Raises the `TripodError` that says why it delivers nothing.
    """
    async with _device_free(hass, source):
        found = await source.probe(tools(hass))
    return settle(source, found), found


@asynccontextmanager
async def _device_free(hass: HomeAssistant, source: Source) -> AsyncIterator[None]:
    """Stop the camera that holds the same device, which only one can open, for the time of the context."""
    entries: list[TripodConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    held = [
        entry.runtime_data.pipeline
        for entry in entries
        if entry.data.get("device") == getattr(source, "device", "")
        and entry.runtime_data.pipeline.state is not State.STOPPED
    ]
    for pipeline in held:
        await pipeline.stop()
    try:
        yield
    finally:
        for pipeline in held:
            pipeline.start()
