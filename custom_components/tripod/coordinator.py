"""Hand a pipeline's status to the entities."""

from datetime import timedelta
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .const import DOMAIN
from .engine.pipeline import Pipeline
from .engine.status import Status

_LOGGER = logging.getLogger(__name__)

REFRESH = timedelta(seconds=10)
"""How often the numbers are refreshed; changes of state are pushed."""


class TripodCoordinator(DataUpdateCoordinator[Status]):
    """Push each change of a pipeline's state, and refresh its numbers now and then."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], pipeline: Pipeline) -> None:
        """Watch `pipeline`."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=DOMAIN, update_interval=REFRESH)
        self.pipeline = pipeline
        self.data = pipeline.status
        entry.async_on_unload(pipeline.listen(self._push))

    @callback
    def _push(self) -> None:
        self.async_set_updated_data(self.pipeline.status)

    @override
    async def _async_update_data(self) -> Status:
        return self.pipeline.status
