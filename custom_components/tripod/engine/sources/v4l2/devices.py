"""Which cameras there are, and what each can deliver."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
import re
from typing import TYPE_CHECKING

from ...errors import DeviceMissing, FormatNotSupported, NoPermission, TripodError
from .opened import OpenNode, open_node
from .source import MAX_RATE, MAX_SIDE

if TYPE_CHECKING:
    from .ioctls import Node, Range

FORMATS = {
    "H264": "h264",
    "MJPG": "mjpeg",
    "JPEG": "mjpeg",
    "NV12": "nv12",
    "YU12": "yuv420p",
    "YUYV": "yuyv422",
    "UYVY": "uyvy422",
    "422P": "yuv422p",
    "411P": "yuv411p",
    "YUV9": "yuv410p",
    "RGB3": "rgb24",
    "BGR3": "bgr24",
    "RGB4": "0rgb",
    "BGR4": "bgr0",
    "RGBP": "rgb565le",
    "RGBR": "rgb565be",
    "RGBO": "rgb555le",
    "RGBQ": "rgb555be",
    "GREY": "gray",
    "Y16 ": "gray16le",
}
"""ffmpeg's name of each pixel format that it takes, cheapest first. Bayer is left out: that is a sensor, no camera."""

SIZES = (
    (3840, 2160),
    (2560, 1440),
    (1920, 1080),
    (1600, 1200),
    (1280, 960),
    (1280, 720),
    (1024, 768),
    (800, 600),
    (640, 480),
    (640, 360),
    (320, 240),
)
"""What is offered of a device that takes any size."""

RATES = (60.0, 50.0, 30.0, 25.0, 20.0, 15.0, 10.0, 5.0)
"""What is offered of a device that takes any rate, in frames per second."""

_NO_CAMERA = re.compile(r"bcm2835-|rpi-|rpivid|pispbe|rp1-|unicam", re.IGNORECASE)
"""Drivers of what a Raspberry Pi has beside cameras: codecs, image processors, and sensors, which libcamera runs."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the system shows its devices."""

    dev: Path = Path("/dev")
    sys: Path = Path("/sys")


async def list_devices(places: Places = Places(), open_node: OpenNode = open_node) -> list[VideoDevice]:
    """Return the cameras of this machine, by name.

    Raises `NoPermission` or `DeviceNotPermitted` where there are devices, but none that may be opened.
    """
    return await asyncio.to_thread(_find_all, places, open_node)


async def device(path: str, places: Places = Places(), open_node: OpenNode = open_node) -> VideoDevice:
    """Return the camera at `path`; raises `DeviceMissing`, `NoPermission`, or `FormatNotSupported` for no camera."""
    return await asyncio.to_thread(_find, path, places, open_node)


def _find_all(places: Places, open_node: OpenNode) -> list[VideoDevice]:
    names = _Names(places)
    found: list[VideoDevice] = []
    refused: NoPermission | None = None
    for node in names.nodes:
        try:
            found.append(_describe(node, names, open_node))
        except NoPermission as error:
            refused = refused or error
        except TripodError:  # gone since it was listed, or no camera
            continue
    if refused and not found:
        raise refused
    return sorted(found, key=lambda device: (device.name, device.path))


def _find(path: str, places: Places, open_node: OpenNode) -> VideoDevice:
    node = Path(path).resolve()
    if not node.exists():
        raise DeviceMissing(path)
    return _describe(node, _Names(places), open_node)


def _describe(path: Path, names: _Names, open_node: OpenNode) -> VideoDevice:
    """Ask the device at `path`; raises a `TripodError`, among others for what is no camera."""
    if _NO_CAMERA.match(names.card(path)):
        raise FormatNotSupported(names.card(path))
    with open_node(str(path)) as node:
        capability = node.capability()
        modes = _modes(node) if capability.camera else ()
    if _NO_CAMERA.match(capability.driver) or not modes:
        raise FormatNotSupported(f"{path} delivers no pictures")
    paths = names.stable(path)
    return VideoDevice(
        path=str(paths[0] if paths else path),
        node=str(path),
        id=paths[0].name if paths else f"{capability.bus}-{capability.card}-video-index{names.index(path)}",
        name=capability.card,
        driver=capability.driver,
        bus=capability.bus,
        usb=names.usb(path),
        paths=tuple(map(str, (*names.links(path), path))),
        modes=modes,
    )


def _modes(node: Node) -> tuple[VideoMode, ...]:
    codes = node.formats()
    found: dict[tuple[str, int, int], VideoMode] = {}
    for code in [code for code in FORMATS if code in codes]:
        name = FORMATS[code]
        for widths, heights in node.sizes(code):
            for width, height in _sizes(widths, heights):
                rates = tuple(sorted({rate for each in node.rates(code, width, height) for rate in _rates(each)}))
                mode = VideoMode(input_format=name, width=width, height=height, rates=rates[::-1])
                found.setdefault((name, width, height), mode)
    return tuple(found.values())


def _sizes(widths: Range, heights: Range) -> list[tuple[int, int]]:
    """Return the sizes to offer: the only one, or usual ones and the largest of those that the device takes."""
    largest = int(widths.high), int(heights.high)
    usual = [(width, height) for width, height in SIZES if width in widths and height in heights]
    return [size for size in dict.fromkeys((largest, *usual)) if min(size) > 0 and max(size) <= MAX_SIDE]


def _rates(rates: Range) -> list[float]:
    """Return the rates to offer: the only one, or usual ones and the highest of those that the device takes."""
    usual = [rate for rate in RATES if rate in rates]
    return [rate for rate in (rates.high, *usual) if 0 < rate <= MAX_RATE]


class _Names:
    """What udev and the kernel call the devices."""

    def __init__(self, places: Places) -> None:
        self._kernel = places.sys / "class/video4linux"
        self.nodes = sorted(places.dev.glob("video[0-9]*"), key=lambda node: (len(node.name), node.name))
        self._by_id, self._by_path = (_links(places.dev / "v4l" / folder) for folder in ("by-id", "by-path"))
        known = list(self._kernel.glob("video*"))  # also those that are not passed to this container
        self._models = Counter(map(self._model, known))
        self._spots = Counter(map(self._spot, known))

    def card(self, node: Path) -> str:
        """Return what the driver calls the device, which is known without opening it; empty if not."""
        return _read(self._kernel / node.name / "name")

    def index(self, node: Path) -> str:
        """Return the number of the node among those of its device."""
        return _read(self._kernel / node.name / "index") or "0"

    def links(self, node: Path) -> list[Path]:
        """Return the links that lead to the node now."""
        return [*self._by_id.get(node, ()), *self._by_path.get(node, ())]

    def stable(self, node: Path) -> list[Path]:
        """Return the links that mean this device alone, the best first.

        Cameras of one model without serial numbers share one name by id, which leads to either of them; the drivers of
        some share one by path.
        """
        by_id = self._by_id.get(node, []) if self._models[self._model(node)] <= 1 else []
        by_path = self._by_path.get(node, []) if self._spots[self._spot(node)] <= 1 else []
        return [*by_id, *by_path]

    def usb(self, node: Path) -> str:
        """Return the folder of the USB device that the node is of; empty for none."""
        folder = self._usb(node)
        return str(folder) if folder else ""

    def _usb(self, node: Path) -> Path | None:
        device = self._device(node)
        return next((folder for folder in (device, *device.parents) if (folder / "idVendor").exists()), None)

    def _device(self, node: Path) -> Path:
        return (self._kernel / node.name / "device").resolve()

    def _model(self, node: Path) -> tuple[str, ...]:
        """Return all that udev makes a name by id of."""
        folder = self._usb(node) or self._device(node)
        said = ("idVendor", "idProduct", "manufacturer", "product", "serial")
        return (*(_read(folder / name) for name in said), self.index(node))

    def _spot(self, node: Path) -> tuple[str, ...]:
        """Return all that udev makes a name by path of."""
        return (str(self._device(node)), self.index(node))


def _links(folder: Path) -> dict[Path, list[Path]]:
    """Return the links in a folder, by where they lead."""
    found: dict[Path, list[Path]] = {}
    for link in sorted(folder.glob("*")):
        found.setdefault(link.resolve(), []).append(link)
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
