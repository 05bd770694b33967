"""Which cameras there are, and what each can deliver."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoMode:
    """A format and size that a device offers."""

    input_format: str
    """ffmpeg's name, as `V4l2.input_format` takes it."""
    width: int
    height: int
    rates: tuple[float, ...]
    """Frames per second, the highest first; empty where the device does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoDevice:
    """A camera: a node that pictures can be captured from."""

    path: str
    """What to open, and to keep: by-id where that means this device alone, else by-path, else the node."""
    node: str
    """`/dev/video0`, which another device may have tomorrow."""
    id: str
    """What is the same after a restart: the by-id name, else the by-path name, else bus and card."""
    name: str
    """As the driver calls it."""
    driver: str
    bus: str
    usb: str = ""
    """The USB device's folder under /sys, empty for others; a webcam's microphone has the same."""
    paths: tuple[str, ...] = ()
    """All paths that lead to this device now, so that a camera set up under another of them is known again."""
    modes: tuple[VideoMode, ...] = ()


async def list_devices() -> list[VideoDevice]:
    """Return the cameras of this machine, by name.

    Raises `NoPermission` or `DeviceNotPermitted` where there are devices, but none that may be opened.
    """
    raise NotImplementedError


async def device(path: str) -> VideoDevice:
    """Return the camera at `path`; raises `DeviceMissing`, `NoPermission`, or `FormatNotSupported` for no camera."""
    raise NotImplementedError
