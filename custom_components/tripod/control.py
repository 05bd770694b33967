"""What the user does to a camera, and what survives a restart of Home Assistant of it."""

from homeassistant.core import HomeAssistant

from .data import TripodConfigEntry
from .engine.status import State
from .shared import SHARED


async def start(hass: HomeAssistant, entry: TripodConfigEntry) -> State:
    """Let the camera run and start it; return the state found."""
    found = entry.runtime_data.pipeline.start()
    await hass.data[SHARED].storage.set_stopped(entry.entry_id, stopped=False)
    return found


async def stop(hass: HomeAssistant, entry: TripodConfigEntry) -> State:
    """Stop the camera until it is started again; return the state found."""
    found = await entry.runtime_data.pipeline.stop()
    await hass.data[SHARED].storage.set_stopped(entry.entry_id, stopped=True)
    return found


async def restart(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Begin the capture anew; a stopped camera starts."""
    await entry.runtime_data.pipeline.restart()
    await hass.data[SHARED].storage.set_stopped(entry.entry_id, stopped=False)


async def reset(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Put the camera's controls back to its defaults, and forget what the user set; raises `TripodError`."""
    data = entry.runtime_data
    assert data.controls is not None
    assert data.exposure is not None
    data.exposure.forget()
    await data.controls.reset()
