"""Actions on what is kept: what stays, and what goes."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from homeassistant.helpers import config_validation as cv
import probatio

from ..media_facts import facts, key
from .fields import CONF_MEDIA_CONTENT_ID, Fields

if TYPE_CHECKING:
    from ..camera import TripodCamera

CONF_DRY_RUN: Final = "dry_run"

LISTED = 1000
"""Files that an answer lists at most; it counts them all."""

PRUNE: Fields = {probatio.Optional(CONF_DRY_RUN, default=False): cv.boolean}

PIN: Fields = {probatio.Required(CONF_MEDIA_CONTENT_ID): cv.string}


async def prune(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """Remove what is past the limits, or only say what would go."""
    whole = camera.entry.runtime_data.camera
    await whole.look()
    removals = await (whole.keeper.plan if given[CONF_DRY_RUN] else whole.keeper.prune)(whole.archive)
    return {
        "count": len(removals),
        "size": sum(removal.item.size for removal in removals),
        "files": [
            {**facts(camera.entry, removal.item, {}), "reason": removal.reason.value} for removal in removals[:LISTED]
        ],
    }


async def pin(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """Keep a file whatever the limits say."""
    return await _pin(camera, given, pinned=True)


async def unpin(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """Let a file go when its time comes."""
    return await _pin(camera, given, pinned=False)


async def _pin(camera: TripodCamera, given: dict[str, Any], *, pinned: bool) -> dict[str, Any]:
    data = camera.entry.runtime_data
    await data.camera.readable()
    archive = data.archive
    name = key(camera.entry, given[CONF_MEDIA_CONTENT_ID])

    def change() -> dict[str, Any]:
        (archive.pin if pinned else archive.unpin)(name)
        item = archive.find(name)
        return {**facts(camera.entry, item, archive.details(item)), "pinned": pinned}

    return await asyncio.to_thread(change)
