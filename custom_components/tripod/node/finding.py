"""The cameras of this machine, each as it is best asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..engine.errors import DeviceMissing, NoPicamera2, TripodError
from ..engine.sources import Csi, Source, Tools, V4l2, alsa, csi, settle
from ..engine.sources.v4l2 import devices, profiles


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCamera:
    """A camera that is there."""

    title: str
    source: Source
    notes: tuple[str, ...] = ()
    """What else could be said about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What was found, and what stood in the way, by kind."""

    cameras: tuple[FoundCamera, ...]
    troubles: tuple[TripodError, ...]


async def search(tools: Tools) -> Search:
    """Look for cameras at the CSI connectors and under /dev/video*."""
    found: list[FoundCamera] = []
    troubles: list[TripodError] = []
    for find in (_csi, _v4l2):
        try:
            found += await find(tools)
        except (DeviceMissing, NoPicamera2):  # most machines have none, and nothing to run one
            continue
        except TripodError as error:
            troubles.append(error)
    return Search(cameras=tuple(found), troubles=tuple(troubles))


async def _csi(tools: Tools) -> list[FoundCamera]:
    board = await csi.board()
    return [
        FoundCamera(
            title=camera.model,
            source=csi.profiles(camera, board)[0],
            notes=(f"{camera.model} at a CSI connector; its largest picture is {_size(camera.sizes)}",),
        )
        for camera in await csi.list_cameras(tools)
    ]


async def _v4l2(_: Tools) -> list[FoundCamera]:
    microphones = await alsa.list_microphones()
    found = []
    for device in await devices.list_devices():
        if not (candidates := profiles.candidates(device)):
            continue
        microphone = alsa.suggest(microphones, device.usb)
        source = replace(candidates[0], microphone=microphone.device) if microphone else candidates[0]
        others = [f"{mode.input_format} {mode.width}x{mode.height}" for mode in device.modes]
        notes = (f"{device.name}, now {device.node}", f"it offers {', '.join(others)}")
        found.append(FoundCamera(title=device.name, source=source, notes=notes))
    return found


async def best(source: Source, tools: Tools) -> Source:
    """Return `source` with what only a look can tell, where nothing was said about it; raises a `TripodError`."""
    if isinstance(source, V4l2):
        candidates = profiles.candidates(await devices.device(source.device))
        return replace(candidates[0], device=source.device, microphone=source.microphone) if candidates else source
    if isinstance(source, Csi):
        return source
    return settle(source, await source.probe(tools))


def _size(sizes: tuple[tuple[int, int], ...]) -> str:
    return "x".join(map(str, sizes[0])) if sizes else "not known while another program uses it"
