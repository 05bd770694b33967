"""Adding and changing a CSI camera.

This machine has no camera connector: what Picamera2 lists is a recording of the real one on libcamera's virtual
cameras, and what a camera would deliver is drawn by a real ffmpeg. The end-to-end tests do the same with Picamera2.
"""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.tripod import csi_forms
from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine.errors import DeviceBusy, DeviceMissing, NoPicamera2, Picamera2Broken, TripodError
from custom_components.tripod.engine.sources import Sink, TestPattern, Tools, csi, look
from custom_components.tripod.engine.sources.csi import Board, Csi, CsiCamera
from custom_components.tripod.engine.status import State
from tests.engine.media import jpegs

from .conftest import Client, SetUp, until
from .dialogs import change, choose, fill_in, options, pictures, suggested

WIDE = CsiCamera(
    id="/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a",
    model="imx708",
    location="front",
    sizes=((4608, 2592), (2304, 1296), (1536, 864)),
)
OLD = CsiCamera(id="/base/axi/pcie@1000120000/rp1/i2c@80000/ov5647@36", model="ov5647", sizes=((2592, 1944),))

PICTURE = jpegs(frames=1, size="64x64")

BRIEF = 0.2


class Connected:
    """The cameras on the connectors of this Raspberry Pi."""

    def __init__(self) -> None:
        self.cameras = [WIDE]
        self.listing: TripodError | None = None
        self.failing: TripodError | None = None
        self.opened: list[Csi] = []
        self.open = 0
        self.collided = False

    async def list_cameras(self, _tools: Tools) -> list[CsiCamera]:
        if self.listing:
            raise self.listing
        return self.cameras

    async def capture(self, source: Csi, tools: Tools, sink: Sink) -> None:
        if self.failing:
            raise self.failing
        self.collided |= self.open > 0
        self.open += 1
        self.opened.append(source)
        try:
            sink.frame(PICTURE)
            drawn = TestPattern(width=source.width, height=source.height, rate=int(source.rate))
            await drawn.capture(tools, sink)
        finally:
            self.open -= 1


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> Connected:
    """Connect a camera to a Raspberry Pi 5."""
    connected = Connected()

    async def capture(self: Csi, tools: Tools, sink: Sink) -> None:
        await connected.capture(self, tools, sink)

    async def board() -> Board:
        return Board.PI_5

    monkeypatch.setattr(csi, "list_cameras", connected.list_cameras)
    monkeypatch.setattr(csi, "board", board)
    monkeypatch.setattr(Csi, "capture", capture)
    monkeypatch.setattr(Csi, "controls", lambda *_: None)
    monkeypatch.setattr(look, "MEASURE", BRIEF)
    return connected


async def _add(hass: HomeAssistant, **given: Any) -> Any:
    result = await fill_in(hass, await choose(hass, "csi"), {"profile": "0", "name": "Yard", **given})
    assert result["step_id"] == "confirm", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    await hass.async_block_till_done()
    return result["result"]


async def test_the_only_camera_is_taken_and_suited_to_the_raspberry_pi(hass: HomeAssistant) -> None:
    result = await choose(hass, "csi")
    assert result["step_id"] == "csi_profile"
    assert suggested(result) == {"profile": "0", "name": "Camera Module 3"}
    assert result["description_placeholders"]["name"] == "Camera Module 3"
    best = csi.profiles(WIDE, Board.PI_5)[0]
    label = options(result, "profile")["0"]
    assert label.startswith(f"{best.width} × {best.height} at {best.rate:g} fps, H.264 at ")  # noqa: RUF001 - as shown
    result = await fill_in(hass, result, {"profile": "0", "name": "Yard"})
    assert result["step_id"] == "confirm"
    assert result["description_placeholders"]["codec"] == "H.264"
    assert result["description_placeholders"]["picture"].startswith("![](")
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["title"] == "Yard"
    assert result["data"] == {**best.as_dict(), "codec": "h264"}
    assert result["result"].unique_id == WIDE.id
    await hass.async_block_till_done()
    assert hass.states.get("camera.yard").attributes["model_name"] == "CSI camera"


async def test_one_of_several_cameras_is_chosen_by_its_picture(
    hass: HomeAssistant, connected: Connected, browser: Client
) -> None:
    connected.cameras = [WIDE, OLD]
    result = await choose(hass, "csi")
    assert result["step_id"] == "csi_camera"
    assert options(result, "camera") == {
        WIDE.id: "Camera Module 3 (imx708, i2c@88000)",
        OLD.id: "Camera Module 1 (ov5647, i2c@80000)",
    }
    assert connected.opened == [], "nobody asked for a picture yet"
    for address in pictures(result["description_placeholders"]["cameras"]):
        assert (await (await browser.get(address)).read()).startswith(b"\xff\xd8")
    assert {source.camera for source in connected.opened} == {WIDE.id, OLD.id}
    result = await fill_in(hass, result, {"camera": OLD.id})
    assert suggested(result)["name"] == "Camera Module 1"
    result = await fill_in(hass, result, {"profile": "0", "name": "Yard"})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["data"]["camera"] == OLD.id
    await hass.async_block_till_done()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (NoPicamera2("No module named 'picamera2'"), "no_picamera2"),
        (Picamera2Broken("0.3.12 is too old"), "picamera2_broken"),
        (DeviceMissing("libcamera lists none"), "no_csi_camera"),
    ],
)
async def test_why_there_is_no_camera_is_said(
    hass: HomeAssistant, connected: Connected, error: TripodError, cause: str
) -> None:
    connected.listing = error
    result = await choose(hass, "csi")
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "csi_none"
    assert result["errors"] == {"base": cause}
    assert result["description_placeholders"]["detail"] == error.placeholders["detail"]
    connected.listing = None
    result = await fill_in(hass, result, {})
    assert result["step_id"] == "csi_profile"


async def test_a_camera_that_is_in_use_is_told_in_the_form(hass: HomeAssistant, connected: Connected) -> None:
    result = await choose(hass, "csi")
    connected.failing = DeviceBusy("in use by another process")
    result = await fill_in(hass, result, {"profile": "1", "name": "Yard"})
    assert result["step_id"] == "csi_profile"
    assert result["errors"] == {"base": "device_busy"}
    assert suggested(result) == {"profile": "1", "name": "Yard"}


async def test_a_camera_is_set_up_once(hass: HomeAssistant) -> None:
    await _add(hass)
    result = await choose(hass, "csi")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_every_setting_may_be_chosen(hass: HomeAssistant) -> None:
    result = await fill_in(hass, await choose(hass, "csi"), {"profile": "expert", "name": "Yard"})
    assert result["step_id"] == "csi_expert"
    given = {**suggested(result), "width": 640, "height": 480, "lores_width": 800, "vflip": True}
    result = await fill_in(hass, result, given)
    assert result["errors"] == {"base": "invalid_source"}
    assert suggested(result) == given
    given = {**given, "lores_width": 320, "lores_height": 240, "bit_rate": 1500}
    result = await fill_in(hass, result, given)
    assert result["step_id"] == "confirm", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    data = result["data"]
    assert (data["width"], data["height"], data["bit_rate"], data["vflip"]) == (640, 480, 1_500_000, True)
    await hass.async_block_till_done()


async def test_reconfiguring_lets_the_camera_go_and_keeps_how_it_hangs(
    hass: HomeAssistant, connected: Connected
) -> None:
    entry = await _add(hass)
    stored = {**entry.data, "hflip": True}
    hass.config_entries.async_update_entry(entry, data=stored)
    await hass.async_block_till_done()
    pipeline = entry.runtime_data.pipeline
    connected.cameras = [OLD, WIDE]
    async with pipeline.packets():
        await until(pipeline, lambda: pipeline.state is State.STREAMING)
        result = await change(hass, entry)
        assert result["step_id"] == "csi_profile"
        assert suggested(result) == {"profile": "0"}
        result = await fill_in(hass, result, {"profile": "1"})
        assert result["step_id"] == "confirm"
    assert not connected.collided
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    changed = csi.profiles(WIDE, Board.PI_5)[1]
    assert entry.data == {**changed.as_dict(), "hflip": True, "codec": "h264"}
    assert entry.title == "Yard"


async def test_reconfiguring_shows_settings_of_the_users_own(hass: HomeAssistant, set_up: SetUp) -> None:
    own = Csi(camera=WIDE.id, width=800, height=600, lores_width=400, lores_height=300, rate=12)
    entry = await set_up(own.as_dict())
    result = await change(hass, entry)
    assert suggested(result) == {"profile": "expert"}
    result = await fill_in(hass, result, {"profile": "expert"})
    assert suggested(result) == csi_forms.answers(own)


async def test_reconfiguring_a_camera_that_is_not_connected_says_so(hass: HomeAssistant, connected: Connected) -> None:
    entry = await _add(hass)
    connected.cameras = [OLD]
    result = await change(hass, entry)
    assert result["step_id"] == "csi_none"
    assert result["errors"] == {"base": "no_csi_camera"}
    connected.cameras = [OLD, WIDE]
    assert (await fill_in(hass, result, {}))["step_id"] == "csi_profile"


async def test_reconfiguring_mends_a_camera_that_could_not_be_set_up(hass: HomeAssistant, set_up: SetUp) -> None:
    with pytest.raises(AssertionError):
        await set_up({**Csi(camera=WIDE.id).as_dict(), "width": 3})
    [entry] = hass.config_entries.async_entries(DOMAIN)
    result = await change(hass, entry)
    assert result["step_id"] == "csi_profile"
    result = await fill_in(hass, result, {"profile": "0"})
    await hass.config_entries.flow.async_configure(result["flow_id"], {})
    await hass.async_block_till_done()
    assert entry.data["width"] > 3
