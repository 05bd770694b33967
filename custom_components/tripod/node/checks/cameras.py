"""The cameras: each is opened and looked at."""

from __future__ import annotations

import asyncio

from ...engine.errors import DeviceBusy, DeviceMissing, TripodError
from ...engine.sources import Found, Medium, Tools
from ..config import CameraConfig, NodeConfig
from ..finding import best
from .finding import Finding, bad, failed, good, note

LIMIT = 25.0
"""Seconds that a look may take."""


async def cameras(config: NodeConfig, tools: Tools, *, running: bool) -> list[Finding]:
    """Look at every camera; one that the `running` node has open is well."""
    if not config.cameras:
        return [note("cameras", "none is configured", "tripod-node init finds those of this machine")]
    looks = (_look(camera, tools, running=running) for camera in config.cameras)
    return [finding for found in await asyncio.gather(*looks) for finding in found]


async def _look(camera: CameraConfig, tools: Tools, *, running: bool) -> list[Finding]:
    about = f"camera {camera.id}"
    try:
        async with asyncio.timeout(LIMIT):
            if not await asyncio.to_thread(camera.source.attached):
                raise DeviceMissing(camera.source.address)
            source = await best(camera.source, tools) if camera.learns else camera.source
            found = await source.probe(tools)
    except DeviceBusy as error:
        if running:
            return [good(about, "the node that runs has it open")]
        return [failed(about, error)]
    except TripodError as error:
        return [failed(about, error)]
    except TimeoutError:
        return [bad(about, f"nothing came within {LIMIT:g} seconds", "look at its cable, power and address")]
    return [good(about, _said(found)), *_differs(camera, found)]


def _said(found: Found) -> str:
    rate = f", {found.rate:.0f} frames per second" if found.rate else ""
    sound = f", with sound ({found.audio_codec})" if found.audio_codec else ""
    return f"{found.width}x{found.height} {found.codec}{rate}{sound}"


def _differs(camera: CameraConfig, found: Found) -> list[Finding]:
    """Say where the camera delivers otherwise than is configured."""
    delivery = found.learned.get("delivery")
    if camera.learns or delivery in (None, getattr(camera.source, "delivery", None)):
        return []
    kind = "pictures" if found.medium is Medium.FRAMES else "video"
    return [bad(f"camera {camera.id}", f"it delivers {kind}", f'write delivery = "{delivery}" in its [camera.source]')]
