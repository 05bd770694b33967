"""Cameras of this machine, found and set up in the frontend: real Picamera2, and a stand-in for V4L2 devices."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect
import pytest

from tests.hardware.virtual_pi import UnavailableError

from . import local_cameras
from .pages import Frontend
from .pixels import assert_moves, look
from .server import HomeAssistant

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """Run a Home Assistant on a machine with cameras."""
    try:
        with local_cameras.running(tmp_path_factory.mktemp("workshop")) as running:
            yield running
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def frontend(page: Page, workshop: HomeAssistant) -> Frontend:
    """Log in."""
    frontend = Frontend(page, workshop.url)
    frontend.log_in()
    return frontend


def test_a_webcam_is_found_measured_and_set_up(frontend: Frontend, workshop: HomeAssistant) -> None:
    dialog = frontend.add_camera()
    dialog.choose("USB or V4L2 camera")
    dialog.wait_for("Which camera?")
    dialog.pictures(2)
    dialog.expect_text("Another program is using the device")
    dialog.submit()
    dialog.wait_for("How should Test Camera run?")
    dialog.pictures(1)
    dialog.expect_text("1280 × 720 at 30 fps, JPEG from the camera, untouched: ")  # noqa: RUF001 - as shown
    dialog.select("Set format, size and rate myself")
    dialog.submit()
    dialog.wait_for("Format, size and rate")
    expect(dialog.content.get_by_text("1280 × 720", exact=True)).to_be_visible()  # noqa: RUF001 - as shown
    dialog.submit()
    dialog.wait_for("This is what the camera shows")
    dialog.pictures(1)
    dialog.submit()
    dialog.submit("Skip and finish")
    assert_moves(frontend.more_info("camera.test_camera").locator("img[src*='/api/camera_proxy_stream/']"))


def test_a_discovered_camera_shows_its_picture(frontend: Frontend) -> None:
    dialog = frontend.add_discovered("vivid")
    dialog.expect_text("Do you want to add this camera?")
    assert look(dialog.pictures(1)).colourful > 0.2
    dialog.submit("Add this camera")
    dialog.wait_for("How should vivid run?")


def test_a_csi_camera_is_found_and_set_up(frontend: Frontend) -> None:
    dialog = frontend.add_camera()
    dialog.choose("Raspberry Pi camera (CSI)")
    dialog.wait_for("Which camera?")
    dialog.pictures(2)
    dialog.select("Camera Module 3 (imx708, i2c@88000)")
    dialog.submit()
    dialog.wait_for("How should Camera Module 3 run?")
    dialog.fill(name="Pi")
    dialog.submit()
    dialog.wait_for("This is what the camera shows")
    dialog.expect_text("1280 × 720")  # noqa: RUF001 - as shown
    dialog.pictures(1)
    dialog.submit()
    dialog.submit("Skip and finish")
    assert_moves(frontend.more_info("camera.pi").locator("video"), lambda _: True)
