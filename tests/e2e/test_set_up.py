"""A camera added by hand, and what of it survives."""

from collections.abc import Iterator
import re

from playwright.sync_api import Page, expect
import psutil
import pytest

from tests.servers.start import Server

from . import server
from .pages import Frontend
from .pixels import assert_moves, ball
from .server import HomeAssistant
from .viewers import play

PASSWORD = "p@ss word"


@pytest.fixture
def own_home_assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """Run a Home Assistant that a test may kill."""
    with server.running(tmp_path_factory.mktemp("own_home_assistant")) as running:
        yield running


def test_a_camera_added_by_hand_survives_a_power_cut(
    page: Page, own_home_assistant: HomeAssistant, rtsp_server_with_password: Server
) -> None:
    home_assistant = own_home_assistant
    frontend = Frontend(page, home_assistant.url)
    frontend.log_in()
    dialog = frontend.add_camera()
    dialog.choose("Network camera")
    address = rtsp_server_with_password.url("h264")
    dialog.fill(name="Yard", url=address, username="user", password="wrong")
    dialog.submit()
    dialog.expect_text("The camera refuses the user name or password.")

    dialog.fill(password=PASSWORD)
    dialog.submit()
    dialog.expect_text("H.264")
    dialog.expect_text("320 × 240")  # noqa: RUF001 - as shown
    picture = dialog.content.locator("img[src*='/api/tripod/']")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 320
    dialog.submit()
    dialog.submit("Skip and finish")

    video = frontend.more_info("camera.yard").locator("video")
    expect(video).to_be_visible()
    assert_moves(video, ball)

    (entry,) = home_assistant.client.entries("tripod")
    camera = home_assistant.camera(entry["entry_id"], "camera.yard", "Workshop")
    workers = home_assistant.workers()
    assert workers
    page.goto("about:blank")  # a dialog left open would ask the next Home Assistant for what this one gave it
    home_assistant.kill()
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive

    home_assistant.start()
    video = frontend.more_info("camera.yard").locator("video")
    expect(video).to_be_visible()
    assert_moves(video, ball)
    assert play(camera.link("Workshop", "stream.ts")) > 20
    assert play(camera.link("Workshop", "stream.m3u8")) > 20
    assert "p@ss" not in re.sub(r"%40", "@", home_assistant.log)
