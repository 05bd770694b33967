"""The exposure mode of a camera: what the user chose, or what the sun or an entity wants."""

import asyncio
from collections.abc import Callable
from functools import partial
import logging
from typing import TYPE_CHECKING

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State as EntityState, callback
from homeassistant.helpers.event import async_track_state_change_event, async_track_sunrise, async_track_sunset
from homeassistant.helpers.sun import is_up

from .camera_controls import CameraControls
from .const import CONF_DAY_NIGHT, CONF_NIGHT_ENTITY
from .engine.errors import TripodError
from .engine.exposure import Exposure, apply, holds, modes
from .engine.status import State
from .settings import DayNight
from .storage import Storage

if TYPE_CHECKING:
    from .data import TripodConfigEntry

_LOGGER = logging.getLogger(__name__)

_MODES = {STATE_ON: Exposure.NIGHT, STATE_OFF: Exposure.AUTO}
"""What the states of the entity that tells night mean; any other changes nothing."""


class CameraExposure:
    """The exposure mode of one camera, remembered over restarts."""

    def __init__(self, storage: Storage, camera: str, controls: CameraControls) -> None:
        """Begin with the mode that `camera`, an entry's id, had."""
        stored = storage.exposure(camera)
        self.mode = Exposure(stored) if stored else None
        """The mode set last; None where none was."""
        self.listen: Callable[[Callable[[], None]], Callable[[], None]] = controls.listen
        self._storage = storage
        self._camera = camera
        self._controls = controls
        self._due: Exposure | None = None
        """What the sun or the entity wants, until the camera has it."""
        self._setting = asyncio.Lock()

    @property
    def modes(self) -> tuple[Exposure, ...]:
        """The modes that the camera's controls allow."""
        return modes(self._controls.known)

    @property
    def current(self) -> Exposure | None:
        """The mode; None where the user has turned the controls by hand since it was set."""
        mode = self.mode or Exposure.AUTO
        return mode if mode in self.modes and holds(mode, self._controls.known) else None

    async def set(self, mode: Exposure) -> None:
        """Set the mode; raises a `TripodError` where the camera does not take it."""
        self._due = None
        async with self._setting:
            await apply(mode, self._controls.engine, before=self.mode)
            self._remember(mode)

    @callback
    def forget(self) -> None:
        """Forget the mode, whose controls were reset."""
        self._remember(None)

    @callback
    def follow(self, hass: HomeAssistant, entry: TripodConfigEntry) -> None:
        """Let the sun or an entity set the mode, as the entry's options say, while the entry is set up."""

        @callback
        def want(mode: Exposure) -> None:
            self._due = mode
            attempt()

        @callback
        def attempt() -> None:
            if self._due in self.modes and not self._setting.locked():
                entry.async_create_background_task(hass, self._set_due(), "set the exposure mode")

        @callback
        def streams() -> None:
            if entry.runtime_data.pipeline.state is State.STREAMING:
                attempt()

        choice = entry.options.get(CONF_DAY_NIGHT, DayNight.OFF)
        if choice == DayNight.OFF:
            return
        # what the camera could not take while it was away, it takes when it is there
        entry.async_on_unload(entry.runtime_data.pipeline.listen(streams))
        entry.async_on_unload(self.listen(attempt))
        if choice == DayNight.SUN:
            entry.async_on_unload(async_track_sunrise(hass, partial(want, Exposure.AUTO)))
            entry.async_on_unload(async_track_sunset(hass, partial(want, Exposure.NIGHT)))
            want(Exposure.AUTO if is_up(hass) else Exposure.NIGHT)
            return

        @callback
        def look(state: EntityState | None) -> None:
            if state and (mode := _MODES.get(state.state)):
                want(mode)

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            look(event.data["new_state"])

        entity_id = entry.options[CONF_NIGHT_ENTITY]
        entry.async_on_unload(async_track_state_change_event(hass, entity_id, changed))
        look(hass.states.get(entity_id))

    async def _set_due(self) -> None:
        mode = self._due
        if mode is None or mode is self.current:
            self._due = None
            return
        try:
            await self.set(mode)
        except TripodError as error:
            self._due = mode
            _LOGGER.debug("Cannot set the exposure mode %s: %s", mode, error)

    def _remember(self, mode: Exposure | None) -> None:
        self.mode = mode
        self._storage.set_exposure(self._camera, mode and mode.value)
        self._controls.tell()
