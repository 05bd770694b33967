"""Which cameras are listed, and how they are kept apart; tests/hardware shows the same on real drivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import errno
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from custom_components.tripod.engine.errors import DeviceMissing, FormatNotSupported, NoPermission
from custom_components.tripod.engine.sources.v4l2.devices import (
    Places,
    VideoDevice,
    VideoMode,
    device,
    list_devices,
)

from .driver import Driver, Machine, recorded

CAPTURE, OUTPUT, M2M, METADATA, STREAMING, IO_MC = 0x1, 0x2, 0x8000, 0x800000, 0x4000000, 0x20000000
BY_ID = "usb-Example_Test_Camera_0001-video-index0"


class House:
    """A machine with /dev and /sys as udev and the kernel make them."""

    def __init__(self, root: Path) -> None:
        self.places = Places(dev=root / "dev", sys=root / "sys")
        self.machine = Machine({})
        for folder in (self.places.dev / "v4l/by-id", self.places.dev / "v4l/by-path"):
            folder.mkdir(parents=True)

    def plug(
        self,
        name: str,
        driver: Driver | int,
        port: str = "1-1",
        *,
        index: int = 0,
        usb: Mapping[str, str] = MappingProxyType({}),
    ) -> Callable[..., None]:
        """Add a node; `usb` is what its USB device says of itself. Return what adds links to it."""
        node = self.places.dev / name
        node.touch()
        self.machine.drivers[name] = driver
        interface = self.places.sys / f"devices/usb1/{port}/{port}:1.0"
        interface.mkdir(parents=True, exist_ok=True)
        for field, value in usb.items():
            (interface.parent / field).write_text(f"{value}\n")
        kernel = self.places.sys / "class/video4linux" / name
        kernel.mkdir(parents=True)
        (kernel / "device").symlink_to(interface)
        (kernel / "index").write_text(f"{index}\n")
        card = driver.capability["card"] if isinstance(driver, Driver) else ""
        (kernel / "name").write_text(f"{card}\n")

        def link(by_id: str = "", by_path: str = "") -> None:
            for folder, link_name in (("by-id", by_id), ("by-path", by_path)):
                if link_name:
                    link = self.places.dev / "v4l" / folder / link_name
                    link.unlink(missing_ok=True)
                    link.symlink_to(f"../../{name}")

        return link

    async def devices(self) -> list[VideoDevice]:
        return await list_devices(self.places, self.machine.open_node)

    async def device(self, path: str) -> VideoDevice:
        return await device(str(self.places.dev / path), self.places, self.machine.open_node)

    def paths(self, found: VideoDevice) -> list[str]:
        return [str(Path(path).relative_to(self.places.dev)) for path in found.paths]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def webcam(**capability: Any) -> Driver:
    driver = Driver(recorded("webcam"))
    driver.capability.update(capability)
    return driver


async def test_a_webcam_with_its_links(house: House) -> None:
    link = house.plug("video0", webcam(), usb={"idVendor": "1d6b", "serial": "0001"})
    link(BY_ID, "platform-dummy_hcd.0-usb-0:1:1.0-video-index0")
    house.plug("video1", Driver(recorded("metadata")), index=1)
    (found,) = await house.devices()
    assert found.path == str(house.places.dev / "v4l/by-id" / BY_ID)
    assert found.id == BY_ID
    assert found.node == str(house.places.dev / "video0")
    assert (found.name, found.driver) == ("Test Camera: Test Camera", "uvcvideo")
    assert found.usb == str(house.places.sys / "devices/usb1/1-1")
    assert [path.split("/")[0:2] for path in house.paths(found)] == [["v4l", "by-id"], ["v4l", "by-path"], ["video0"]]
    assert VideoMode(input_format="mjpeg", width=1280, height=720, rates=(30.0, 15.0)) in found.modes
    assert [mode.input_format for mode in found.modes] == ["mjpeg", "mjpeg", "yuyv422"]
    assert await house.device(f"v4l/by-id/{BY_ID}") == found


async def test_a_camera_without_links_is_known_by_its_bus(house: House) -> None:
    house.plug("video0", webcam())
    (found,) = await house.devices()
    assert found.path == found.node
    assert found.id == f"{found.bus}-{found.name}-video-index0"


async def test_two_of_one_model_without_serial_numbers_are_known_by_their_ports(house: House) -> None:
    """Their one name by id leads to whichever udev saw last."""
    said = {"idVendor": "1d6b", "idProduct": "0102", "product": "Test Camera"}
    house.plug("video0", webcam(), "1-1", usb=said)(BY_ID, "pci-usb-0:1:1.0-video-index0")
    house.plug("video2", webcam(), "1-2", usb=said)(BY_ID, "pci-usb-0:2:1.0-video-index0")
    found = await house.devices()
    assert [device.id for device in found] == ["pci-usb-0:1:1.0-video-index0", "pci-usb-0:2:1.0-video-index0"]
    # but whoever was set up when there was only one is known by it still
    assert f"v4l/by-id/{BY_ID}" in house.paths(found[1])


async def test_two_of_one_model_with_serial_numbers_are_followed(house: House) -> None:
    said = {"idVendor": "1d6b", "idProduct": "0102", "product": "Test Camera"}
    house.plug("video0", webcam(), "1-1", usb={**said, "serial": "1"})("usb-Test_1-video-index0", "pci-1")
    house.plug("video2", webcam(), "1-2", usb={**said, "serial": "2"})("usb-Test_2-video-index0", "pci-2")
    assert [device.id for device in await house.devices()] == ["usb-Test_1-video-index0", "usb-Test_2-video-index0"]


async def test_a_driver_whose_devices_share_a_name_by_path(house: House) -> None:
    """As vivid's do: only one of them has the link."""
    house.plug("video0", Driver(recorded("vivid")), "vivid.0")
    house.plug("video1", Driver(recorded("vivid")), "vivid.0")(by_path="platform-vivid.0-video-index0")
    assert [device.path for device in await house.devices()] == [
        str(house.places.dev / name) for name in ("video0", "video1")
    ]


@pytest.mark.parametrize(
    "other",
    [
        webcam(device_caps=METADATA | STREAMING),
        webcam(device_caps=OUTPUT | STREAMING),
        webcam(device_caps=M2M | CAPTURE | STREAMING),
        webcam(device_caps=CAPTURE | STREAMING | IO_MC),
        webcam(device_caps=CAPTURE),
        webcam(driver="bcm2835-codec", card="bcm2835-codec-decode"),
        webcam(driver="bcm2835-isp", card="bcm2835-isp"),
        webcam(driver="pispbe", card="pispbe"),
        webcam(driver="rp1-cfe", card="rp1-cfe"),
        webcam(driver="unicam", card="unicam"),
        webcam(driver="rpi-hevc-dec", card="rpi-hevc-dec"),
        errno.ENOENT,
        errno.ENODEV,
        errno.EACCES,
        errno.ENOTTY,
        errno.EIO,
    ],
)
async def test_what_is_no_camera_or_gone_or_not_permitted_hides_no_other(house: House, other: Driver | int) -> None:
    house.plug("video0", other, "1-1")
    house.plug("video1", webcam(), "1-2")
    assert [device.node for device in await house.devices()] == [str(house.places.dev / "video1")]


async def test_a_device_that_is_pulled_out_while_it_is_asked(house: House) -> None:
    gone = webcam()
    gone.failure = errno.ENODEV
    house.plug("video0", gone, "1-1")
    house.plug("video1", webcam(), "1-2")
    assert len(await house.devices()) == 1


async def test_no_permission_for_any(house: House) -> None:
    house.plug("video0", errno.EACCES)
    with pytest.raises(NoPermission):
        await house.devices()


async def test_no_camera_at_all(house: House) -> None:
    assert await house.devices() == []


async def test_a_loopback_without_a_producer_has_no_format(house: House) -> None:
    silent = webcam()
    silent.formats = {}
    house.plug("video10", silent)
    assert await house.devices() == []
    with pytest.raises(FormatNotSupported):
        await house.device("video10")


async def test_a_path_without_a_device(house: House) -> None:
    with pytest.raises(DeviceMissing):
        await house.device("v4l/by-id/usb-Gone-video-index0")


async def test_formats_unknown_to_ffmpeg_are_left_out(house: House) -> None:
    odd = webcam()
    odd.formats = {"\xff\xfe\x01Z": {"640x480": [30]}, "pRAA": {"640x480": [30]}, **odd.formats}
    house.plug("video0", odd)
    (found,) = await house.devices()
    assert {mode.input_format for mode in found.modes} == {"mjpeg", "yuyv422"}


async def test_a_device_that_takes_any_size_and_rate_offers_usual_ones(house: House) -> None:
    any_size = webcam()
    size = {
        "min_width": 32,
        "max_width": 1288,
        "step_width": 8,
        "min_height": 32,
        "max_height": 728,
        "step_height": 8,
    }
    any_size.formats = {"YUYV": {"stepwise": {"size": size, "shortest": [1, 40], "longest": [1, 10]}}}
    house.plug("video0", any_size)
    (found,) = await house.devices()
    assert [(mode.width, mode.height) for mode in found.modes][:4] == [(1288, 728), (1280, 720), (800, 600), (640, 480)]
    assert found.modes[0].rates == (40.0, 30.0, 25.0, 20.0, 15.0, 10.0)


async def test_a_device_that_tells_no_rate(house: House) -> None:
    silent = webcam()
    silent.formats = {"MJPG": {"640x480": [], "320x240": [0]}}
    house.plug("video0", silent)
    (found,) = await house.devices()
    assert [mode.rates for mode in found.modes] == [(), ()]
