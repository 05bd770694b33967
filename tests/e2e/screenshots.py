"""Take the pictures of README.md. See scripts/screenshots."""

from contextlib import ExitStack
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
from typing import ClassVar

from home_assistant import REPOSITORY, write_dashboard
from playwright.sync_api import Locator, Page, ViewportSize, expect, sync_playwright

from tests.servers import start

from . import chromium, local_cameras, network, node, octoprint, server
from .node import Node
from .octoprint import OctoPrint
from .pages import FlowDialog, Frontend
from .pixels import assert_moves, wait_until
from .server import HomeAssistant

IMAGES = REPOSITORY / "docs/images"

_LOCAL = ("cameras", "profiles", "confirm", "csi")
_NODE = ("pairing", "node_cameras")
_OTHERS = ("dashboard", "found", "no_signal", "octoprint", "media", "timelapse")

_WORKSHOP = """
name = "Workshop"
listen = "0.0.0.0:8089"
state = "FOLDER/state"

[[camera]]
id = "printer"
title = "Printer"
source = { kind = "test_pattern", width = 640, height = 360 }

[[camera]]
id = "door"
title = "Door"
source = { kind = "test_pattern", width = 640, height = 360 }
"""

_SIZE = {"width": 1000, "height": 720}
_FULL = {"advanced": {"width": 1280, "height": 720, "rate": 25}}


class Photographer:
    """Shows one thing after the other in a browser page."""

    def __init__(self, page: Page, home_assistant: HomeAssistant, printer: OctoPrint, yard: str) -> None:
        """Set the scene; `yard` is the address of a camera that is not added yet."""
        self._page = page
        self._home_assistant = home_assistant
        self._printer = printer
        self._yard = yard
        self._camera = home_assistant.add_test_camera("Workshop", "OctoPrint", **_FULL)
        home_assistant.add_test_camera("Printer", format="mjpeg", **_FULL)
        cameras = [state["entity_id"] for state in home_assistant.client.states("camera")]
        write_dashboard(home_assistant.config, cameras)
        self._frontend = Frontend(page, home_assistant.url)
        self._frontend.log_in()

    def show(self, name: str) -> Locator | Page:
        """Show what the picture `name` is of."""
        shown: Locator | Page = getattr(self, f"_{name}")()
        return shown

    def _dashboard(self) -> Page:
        self._page.goto(f"{self._home_assistant.url}/tripod-cameras")
        for element in ("video", "img[src*='/api/camera_proxy_stream/']"):
            assert_moves(self._page.locator(element))
        return self._page

    def _found(self) -> Page:
        dialog = self._frontend.add_camera()
        dialog.choose("Network camera")
        dialog.fill(name="Yard", url=self._yard)
        dialog.submit()
        dialog.expect_text("H.264")
        return self._page

    def _no_signal(self) -> Page:
        switch = self._camera.entity_id.replace("camera.", "switch.") + "_stream"
        self._home_assistant.call("switch", "turn_off", switch)
        dialog = self._frontend.more_info(self._camera.entity_id)
        image = dialog.locator("img[src*='/api/camera_proxy_stream/']")
        expect(image).to_be_visible()
        image.evaluate("image => image.decode()")
        self._home_assistant.call("switch", "turn_on", switch)
        return self._page

    def _octoprint(self) -> Page:
        stream, snapshot = (self._camera.link("OctoPrint", file) for file in ("stream.mjpg", "snapshot.jpg"))
        self._printer.use(stream=stream, snapshot=snapshot)
        self._page.goto(f"{self._printer.url}/#control")
        assert_moves(self._page.locator("#webcam_image"))
        return self._page

    def _media(self) -> Page:
        camera, ask = self._camera.entity_id, self._home_assistant.ask
        ask("record", camera, duration=3, wait=True)
        ask("snapshot", camera)
        ask("start_timelapse", camera, job="Print")
        for _ in range(30):
            ask("timelapse_frame", camera, job="Print")
        ask("stop_timelapse", camera, job="Print", wait=True)
        self._frontend.media("Tripod", "Workshop")
        pictures = self._page.locator("ha-media-browser-thumbnail")
        for place in range(4):
            wait_until(pictures.nth(place), lambda picture: picture.colourful > 0.3, "the newest of each kind")
        return self._page

    def _timelapse(self) -> Page:
        dialog = self._frontend.integration().add_timelapse("Workshop")
        dialog.fill(name="Garden")
        dialog.open("When")
        return self._page


class LocalPhotographer:
    """Shows how a camera of this machine is added."""

    size: ClassVar[ViewportSize] = {"width": 1000, "height": 1480}
    """High enough for a dialog with a picture of each camera."""

    def __init__(self, page: Page, home_assistant: HomeAssistant) -> None:
        """Set the scene."""
        self._page = page
        self._frontend = Frontend(page, home_assistant.url)
        self._frontend.log_in()

    def show(self, name: str) -> Locator:
        """Show what the picture `name` is of."""
        dialog: FlowDialog = getattr(self, f"_{name}")()
        return dialog.content.locator("ha-dialog").first.locator("dialog, [role=dialog]").first

    def _cameras(self) -> FlowDialog:
        dialog = self._frontend.add_camera()
        dialog.choose("USB or V4L2 camera")
        dialog.wait_for("Which camera?")
        dialog.pictures(2)
        return dialog

    def _profiles(self) -> FlowDialog:
        dialog = self._cameras()
        dialog.submit()
        dialog.wait_for("How should Test Camera run?")
        dialog.pictures(1)
        return dialog

    def _confirm(self) -> FlowDialog:
        dialog = self._profiles()
        dialog.submit()
        dialog.wait_for("This is what the camera shows")
        dialog.pictures(1)
        return dialog

    def _csi(self) -> FlowDialog:
        dialog = self._frontend.add_camera()
        dialog.choose("Raspberry Pi camera (CSI)")
        dialog.wait_for("Which camera?")
        dialog.pictures(2)
        return dialog


class NodePhotographer:
    """Shows how a node is paired."""

    def __init__(self, page: Page, home_assistant: HomeAssistant, workshop: Node) -> None:
        """Set the scene."""
        page.set_default_timeout(60_000)
        self._frontend = Frontend(page, home_assistant.url)
        self._frontend.log_in()
        self._workshop = workshop

    def show(self, name: str) -> Locator:
        """Show what the picture `name` is of."""
        dialog = self._frontend.add_discovered("Workshop")
        dialog.wait_for("Pair with Workshop")
        dialog.fill(code=self._workshop.code())
        if name == "node_cameras":
            dialog.submit()
            dialog.wait_for("Which camera?")
            dialog.pictures(2)
        return dialog.content.locator("ha-dialog").first.locator("dialog, [role=dialog]").first


def main() -> None:
    """Take the pictures that the command line names, or all."""
    names = sys.argv[1:] or [*_LOCAL, *_NODE, *_OTHERS]
    IMAGES.mkdir(parents=True, exist_ok=True)
    if local := [name for name in names if name in _LOCAL]:
        take_local(local)
    if of_node := [name for name in names if name in _NODE]:
        take_of_node(of_node)
    if others := [name for name in names if name not in (*_LOCAL, *_NODE)]:
        take(others)


def take_local(names: list[str]) -> None:
    """Take pictures on a machine with cameras."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        home_assistant = stack.enter_context(local_cameras.running(folder))
        browser = chromium.launch(stack.enter_context(sync_playwright()))
        page = browser.new_page(viewport=LocalPhotographer.size)
        page.set_default_timeout(60_000)
        photographer = LocalPhotographer(page, home_assistant)
        for name in names:
            photographer.show(name).screenshot(path=IMAGES / f"{name}.png")


def take_of_node(names: list[str]) -> None:
    """Take pictures of how a node is paired and its camera chosen."""
    with ExitStack() as stack:
        hosts = stack.enter_context(network.of("192.168.1.20", "192.168.1.10"))
        workshop = stack.enter_context(node.running(_WORKSHOP, hosts[0]))
        browser = chromium.launch(stack.enter_context(sync_playwright()), hosts[1])
        stack.enter_context(hosts[1].entered())
        folder = Path(stack.enter_context(TemporaryDirectory()))
        home = server.running(folder, configuration="zeroconf:\n", host=hosts[1].address)
        page = browser.new_page(viewport=LocalPhotographer.size)
        photographer = NodePhotographer(page, stack.enter_context(home), workshop)
        for name in names:
            photographer.show(name).screenshot(path=IMAGES / f"{name}.png")


def take(names: list[str]) -> None:
    """Take pictures of the other cameras."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(TemporaryDirectory())) for _ in range(2)]
        home_assistant = stack.enter_context(server.running(folders[0]))
        printer = stack.enter_context(octoprint.running(folders[1]))
        yard = stack.enter_context(start.rtsp_server("--size", "640x360"))
        browser = chromium.launch(stack.enter_context(sync_playwright()))
        page = browser.new_page(viewport=_SIZE)  # type: ignore[arg-type]
        photographer = Photographer(page, home_assistant, printer, yard.url("h264"))
        for name in names:
            photographer.show(name).screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
