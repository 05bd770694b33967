"""The encoders that make video of a camera's JPEGs: found once Home Assistant has started, and remembered."""

from contextlib import suppress
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from .data import TripodConfigEntry
from .engine.encoders import Encoders
from .engine.errors import TripodError
from .engine.sources import Medium, Source
from .shared import tools
from .storage import Storage

_LOGGER = logging.getLogger(__name__)


async def recall(hass: HomeAssistant, storage: Storage) -> None:
    """Take what was found before, and keep what will be."""
    encoders = tools(hass).encoders
    with suppress(TripodError):  # without ffmpeg there is an issue that says so
        await encoders.recall(storage.encoders)
    encoders.listen(lambda: storage.note_encoders(encoders.remember()))


def needs_encoder(source: Source) -> bool:
    """Return whether video of this source is made here."""
    return Medium.PACKETS not in source.delivers


@callback
def find(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Find the encoder for a camera that will need one, beside everything else."""
    if not needs_encoder(entry.runtime_data.pipeline.source):
        return

    @callback
    def started(hass: HomeAssistant) -> None:
        entry.async_create_background_task(hass, _choose(tools(hass).encoders), "find the video encoder")

    entry.async_on_unload(async_at_started(hass, started))


async def _choose(encoders: Encoders) -> None:
    try:
        await encoders.choose()
    except TripodError as error:
        _LOGGER.debug("No video encoder was found: %s", error)
