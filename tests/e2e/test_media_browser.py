"""What a camera kept, and the dialogs about it, in Home Assistant's own frontend."""

from playwright.sync_api import Page, expect
import pytest

from .pages import Frontend
from .pixels import Picture, assert_moves, pattern, wait_until
from .server import Camera, HomeAssistant
from .waiting import until

FRAMES = 30
"""More than a second of a timelapse's video."""


@pytest.fixture(scope="module")
def kept(home_assistant: HomeAssistant) -> Camera:
    """Add a camera, and keep something of each kind."""
    camera = home_assistant.add_test_camera("Greenhouse")
    home_assistant.ask("record", camera.entity_id, duration=3, wait=True)
    home_assistant.ask("snapshot", camera.entity_id)
    job = {"job": "Tomatoes #1"}
    home_assistant.ask("start_timelapse", camera.entity_id, **job)
    for _ in range(FRAMES):
        home_assistant.ask("timelapse_frame", camera.entity_id, **job)
    home_assistant.ask("stop_timelapse", camera.entity_id, **job, render=True, wait=True)
    return camera


def _in_a_margin(picture: Picture) -> bool:
    """Whether the test pattern is shown, wide as it is, in a square."""
    return picture.colourful > 0.3


def test_a_recording_and_a_timelapse_are_found_and_play(page: Page, frontend: Frontend, kept: Camera) -> None:
    browser = frontend.media("Tripod", "Greenhouse")
    browser.expect_titles("Recordings (1)", "Snapshots (1)", "Timelapse videos (1)", f"Timelapse frames ({FRAMES})")
    pictures = page.locator("ha-media-browser-thumbnail")
    for place in range(4):
        wait_until(pictures.nth(place), _in_a_margin, "the newest picture in the folder")

    browser.tile("Recordings").click()
    browser.tile("(1)").click()
    assert_moves(browser.see("0:03"))

    browser = frontend.media("Tripod", "Greenhouse", "Timelapse videos", "(1)")
    assert_moves(browser.see("Tomatoes #1"))

    browser = frontend.media("Tripod", "Greenhouse", "Timelapse frames", "Tomatoes #1", "(")
    expect(browser.tile(":")).to_have_count(FRAMES)
    wait_until(browser.see(":"), pattern, "a frame")


def test_a_standing_timelapse_comes_changes_and_goes(
    frontend: Frontend, home_assistant: HomeAssistant, kept: Camera, camera: Camera
) -> None:
    def state(wanted: str | None) -> bool:
        states = {entity["entity_id"]: entity["state"] for entity in home_assistant.client.states("switch")}
        return states.get("switch.greenhouse_timelapse_bed_3") == wanted

    page = frontend.integration()
    dialog = page.add_timelapse("Greenhouse")
    dialog.fill(name="Bed 3")
    dialog.open("Videos")
    dialog.number("Length").fill("30")
    dialog.number("Frames per second").fill("25")
    dialog.submit()
    dialog.expect_text("one of them follows from the other")
    dialog.open("Videos")
    dialog.number("Frames per second").fill("")
    dialog.submit()
    dialog.submit("Finish")
    until(lambda: state("on"), "a timelapse that runs")

    dialog = page.change("Bed 3")
    dialog.wait_for("Timelapse Bed 3")
    dialog.open("Videos")
    expect(dialog.number("Length")).to_have_value("30")
    dialog.submit()
    dialog.expect_text("Reconfiguration was successful")
    frontend.integration().delete("Bed 3")
    until(lambda: state(None), "a timelapse that went")


def test_a_folder_that_cannot_be_is_told_in_the_dialog(frontend: Frontend, kept: Camera, camera: Camera) -> None:
    dialog = frontend.integration().configure("Greenhouse")
    dialog.choose("What is kept, and where")
    dialog.fill(folder="/nowhere")
    dialog.submit()
    dialog.expect_text("Home Assistant may not write to this folder.")
    dialog.fill(folder="")
    dialog.submit()
    dialog.expect_text("Options successfully saved")
