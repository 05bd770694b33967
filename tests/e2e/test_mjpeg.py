"""MJPEG as an `<img>` of somebody else's page."""

from playwright.sync_api import Page

from .origin import serving
from .pixels import assert_moves, look, wait_until
from .server import Camera, HomeAssistant
from .viewers import watching
from .waiting import until


def test_an_image_of_another_origin_moves(page: Page, camera: Camera) -> None:
    with serving(f'<img src="{camera.link("Hall TV", "stream.mjpg")}">') as url:
        page.goto(url)
        assert_moves(page.locator("img"))


def test_a_stopped_camera_shows_no_signal_until_it_is_started(
    page: Page, home_assistant: HomeAssistant, camera: Camera
) -> None:
    switch = camera.entity_id.replace("camera.", "switch.") + "_stream"
    address = camera.link("Hall TV", "stream.mjpg")
    with serving(f'<img src="{address}">') as url, watching(address) as viewer:
        page.goto(url)
        image = page.locator("img")
        assert_moves(image)

        home_assistant.call("switch", "turn_off", switch)
        try:
            notice = wait_until(image, lambda picture: picture.colourful < 0.1, "the picture that says no signal")
            until(lambda: viewer.no_signal == "stopped", "a part that says that the camera is stopped")
            assert notice.changed(look(image)) == 0
        finally:
            home_assistant.call("switch", "turn_on", switch)
        assert_moves(image)
        until(lambda: viewer.no_signal is None, "parts of the camera again")
        assert not viewer.ended.is_set()
