"""A camera's state: what it is doing, start and stop, pictures to keep, controls."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ...engine.errors import FormatNotSupported
from ...engine.status import State
from ...engine.web.answers import NO_STORE, Refusal
from ..call import Call, answer
from ..facts import controls_facts, item_facts
from ..fields import Field
from .route import Route


async def status(call: Call) -> web.StreamResponse:
    """Say what the camera is doing, and what is under way."""
    return answer(call.camera.status)


async def start(call: Call) -> web.StreamResponse:
    """Let the camera run, and say what was found."""
    found = await call.camera.start()
    changed = found in (State.STOPPED, State.IDLE)
    return answer({"changed": changed, "state": call.camera.pipeline.state.value})


async def stop(call: Call) -> web.StreamResponse:
    """Stop the camera, and say what was found."""
    found = await call.camera.stop()
    return answer({"changed": found is not State.STOPPED, "state": call.camera.pipeline.state.value})


async def snapshot(call: Call) -> web.StreamResponse:
    """Keep a picture."""
    camera = call.camera
    _check_size(call, full_size=call.body.get("full_size", False))
    item = await camera.snapshot(name=call.body.get("name"), full_size=call.body.get("full_size", False))
    return answer(await asyncio.to_thread(item_facts, camera.archive, item))


async def still(call: Call) -> web.StreamResponse:
    """Answer with a picture of the sensor's full size."""
    _check_size(call, full_size=True)
    picture = await call.camera.pipeline.still()
    return web.Response(body=picture, content_type="image/jpeg", headers=NO_STORE)


def _check_size(call: Call, *, full_size: bool) -> None:
    if full_size and not call.camera.pipeline.source.takes_stills:
        raise Refusal(501, FormatNotSupported("no picture of the sensor's full size beside the stream"))


async def controls(call: Call) -> web.StreamResponse:
    """List what can be turned."""
    camera = call.camera
    await camera.look_at_controls()
    return answer(controls_facts(camera.controls.current, camera.controls.wanted))


async def set_controls(call: Call) -> web.StreamResponse:
    """Turn controls, and list all as they are then."""
    camera = call.camera
    await camera.set_controls(call.body)
    return answer(controls_facts(camera.controls.current, camera.controls.wanted))


async def reset_controls(call: Call) -> web.StreamResponse:
    """Put all controls back, and list them."""
    camera = call.camera
    await camera.reset_controls()
    return answer(controls_facts(camera.controls.current, camera.controls.wanted))


ROUTES = (
    Route(
        method="GET",
        path="/cameras/{camera}/status",
        handler=status,
        summary="What the camera is doing, and what is under way",
        gives="CameraStatus",
    ),
    Route(
        method="POST",
        path="/cameras/{camera}/start",
        handler=start,
        summary="Let the camera run",
        gives="Changed",
    ),
    Route(method="POST", path="/cameras/{camera}/stop", handler=stop, summary="Stop the camera", gives="Changed"),
    Route(
        method="POST",
        path="/cameras/{camera}/snapshot",
        handler=snapshot,
        summary="Keep a picture",
        body=(
            Field(name="name", text="What to call it, folders included; the time it was taken where nothing is said"),
            Field(name="full_size", kind="boolean", text="Whether to take it in the sensor's full size"),
        ),
        gives="Item",
    ),
    Route(
        method="POST",
        path="/cameras/{camera}/still",
        handler=still,
        summary="A picture of the sensor's full size, which is not kept; 501 where the camera has none",
        gives="image/jpeg",
    ),
    Route(
        method="GET",
        path="/cameras/{camera}/controls",
        handler=controls,
        summary="What can be turned on the camera",
        gives="Controls",
    ),
    Route(
        method="PATCH",
        path="/cameras/{camera}/controls",
        handler=set_controls,
        summary="Turn controls, now and after each start",
        values=Field(name="value", kind="number", text="By the control's key"),
        gives="Controls",
    ),
    Route(
        method="DELETE",
        path="/cameras/{camera}/controls",
        handler=reset_controls,
        summary="Put all controls back to the configuration, or the camera's defaults",
        gives="Controls",
    ),
)
