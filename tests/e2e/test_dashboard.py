"""The camera in Home Assistant's own frontend."""

from urllib.request import urlopen

from playwright.sync_api import Page, Request, expect

from .pages import Frontend
from .pixels import assert_moves
from .server import Camera, HomeAssistant


def test_the_dialog_shows_the_camera_moving_by_our_own_hls(page: Page, frontend: Frontend, camera: Camera) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url.removeprefix(frontend.url))

    page.on("request", note)
    dialog = frontend.more_info(camera.entity_id)
    video = dialog.locator("video")
    expect(video).to_be_visible()
    assert_moves(video)

    segments = [path for path in asked if path.startswith("/api/tripod/hls/") and path.endswith(".ts")]
    assert segments
    assert not [path for path in asked if path.startswith(("/api/hls/", "/api/camera_proxy_stream/"))]


def test_the_dialog_shows_a_camera_of_jpegs_moving_without_an_encoder(
    page: Page, frontend: Frontend, home_assistant: HomeAssistant
) -> None:
    camera = home_assistant.add_test_camera("Workbench", "Metrics", format="mjpeg")
    dialog = frontend.more_info(camera.entity_id)
    image = dialog.locator("img[src*='/api/camera_proxy_stream/']")
    expect(image).to_be_visible()
    assert_moves(image)

    with urlopen(camera.link("Metrics", "metrics")) as answer:
        metrics = answer.read().decode().splitlines()
    assert 'tripod_state{camera="Workbench",state="streaming"} 1' in metrics
    assert 'tripod_transcoding{camera="Workbench"} 0' in metrics
