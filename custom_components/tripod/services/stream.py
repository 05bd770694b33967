"""Actions that let a camera run, and stop it."""

from typing import TYPE_CHECKING, Any

from .. import control

if TYPE_CHECKING:
    from ..camera import TripodCamera


async def start(camera: TripodCamera, _: dict[str, Any]) -> dict[str, Any]:
    """Let the camera run and start it."""
    found = await control.start(camera.hass, camera.entry)
    return {"found": found.value, "state": camera.pipeline.state.value}


async def stop(camera: TripodCamera, _: dict[str, Any]) -> dict[str, Any]:
    """Stop the camera until it is started again."""
    found = await control.stop(camera.hass, camera.entry)
    return {"found": found.value, "state": camera.pipeline.state.value}
