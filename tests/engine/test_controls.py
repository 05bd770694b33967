"""What holds for the controls of every camera."""

import pytest

from custom_components.tripod.engine.controls import Control, ControlKind
from custom_components.tripod.engine.errors import ControlInactive, ControlLocked, DeviceMissing, InvalidControl

from .memory_controls import WEBCAM, MemoryControls, menu, number, switch


async def test_a_control_is_read_back_as_the_camera_took_it() -> None:
    camera = MemoryControls(WEBCAM)
    told = []
    unlisten = camera.listen(lambda: told.append(camera.current["brightness"].value))
    assert (await camera.set({"brightness": 300}))["brightness"].value == 255
    unlisten()
    await camera.refresh()
    assert told[-1] == 255
    assert len(told) == 2, "when first read, and after it was set"


async def test_what_an_automatic_governs_says_what_to_do() -> None:
    camera = MemoryControls(WEBCAM)
    with pytest.raises(ControlInactive) as refused:
        await camera.set({"focus_absolute": 50})
    assert refused.value.placeholders == {
        "detail": "",
        "control": "Focus, Absolute",
        "governor": "Focus, Automatic Continuous",
        "setting": "off",
    }
    assert camera.wanted == {}
    await camera.set({"focus_automatic_continuous": 0, "focus_absolute": 50})
    assert camera.values["focus_absolute"] == 50
    assert camera.obstacle("focus_absolute") is None


async def test_a_control_that_is_kept_for_no_known_reason_is_locked() -> None:
    camera = MemoryControls([number("gain", "Gain", 0, 255, 0, governor="gain_automatic", governor_value=None)])
    camera.values["gain_automatic"] = 1
    with pytest.raises(ControlLocked):
        await camera.set({"gain": 5})


@pytest.mark.parametrize("values", [{"nosuch": 1}, {"power_line_frequency": 3}])
async def test_what_a_camera_does_not_have_is_refused(values: dict[str, float]) -> None:
    camera = MemoryControls(WEBCAM)
    with pytest.raises(InvalidControl):
        await camera.set(values)
    assert camera.written == []


async def test_a_button_is_pressed_and_not_remembered() -> None:
    camera = MemoryControls(WEBCAM)
    await camera.set({"pan_reset": 1})
    assert camera.written == [("pan_reset", 1)]
    assert camera.wanted == {}


async def test_what_governs_is_put_back_first() -> None:
    wanted = {"white_balance_temperature": 3000, "brightness": 10, "white_balance_automatic": 0, "gone": 1}
    camera = MemoryControls(WEBCAM, wanted)
    await camera.apply()
    assert [key for key, _ in camera.written] == [
        "white_balance_automatic",
        "white_balance_temperature",
        "brightness",
    ]
    assert camera.current["white_balance_temperature"].value == 3000


async def test_a_camera_that_is_away_keeps_its_settings() -> None:
    camera = MemoryControls(WEBCAM, {"brightness": 10})
    camera.error = DeviceMissing("gone")
    await camera.apply()
    assert camera.wanted == {"brightness": 10}
    camera.error = None
    await camera.apply()
    assert camera.values["brightness"] == 10


async def test_a_reset_ends_with_the_automatics() -> None:
    camera = MemoryControls(WEBCAM)
    await camera.set({"focus_automatic_continuous": 0, "focus_absolute": 50, "brightness": 10})
    camera.written.clear()
    await camera.reset()
    assert camera.wanted == {}
    assert camera.written[-1] == ("focus_automatic_continuous", 1)
    assert (camera.values["focus_absolute"], camera.values["brightness"], camera.values["gain"]) == (0, 128, 0)
    assert camera.values["white_balance_temperature"] == 5120, "inactive, so left alone"


async def test_settings_are_left_to_the_camera_one_by_one() -> None:
    camera = MemoryControls(WEBCAM, {"brightness": 10, "gain": 3, "pan_absolute": 0})
    camera.forget("gain")
    assert set(camera.wanted) == {"brightness", "pan_absolute"}
    camera.forget()
    assert camera.wanted == {}


def test_values_are_said_as_people_say_them() -> None:
    assert switch("a", "A", 1).words(1) == "on"
    assert menu("a", "A", 1, v1="Manual Mode").words(1) == "Manual Mode"
    assert number("a", "A", 0, 1, 0).words(0.25) == "0.25"
    assert Control(key="a", name="A", kind=ControlKind.MENU).words(7) == "7"
