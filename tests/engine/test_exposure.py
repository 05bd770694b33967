"""Exposure modes on the control sets that cameras have."""

import pytest

from custom_components.tripod.engine.controls import Control
from custom_components.tripod.engine.errors import DeviceMissing
from custom_components.tripod.engine.exposure import Exposure, apply, holds, modes

from .memory_controls import CSI_MODULE, FAST_WEBCAM, VIVID, WEBCAM, MemoryControls, menu, number, switch

AUTO, LOCKED, NIGHT = Exposure


def _known(*controls: Control) -> dict[str, Control]:
    return {control.key: control for control in controls}


@pytest.mark.parametrize(
    ("controls", "expected"),
    [
        (WEBCAM, (AUTO, LOCKED, NIGHT)),
        (FAST_WEBCAM, (AUTO, LOCKED, NIGHT)),
        (CSI_MODULE, (AUTO, LOCKED, NIGHT)),
        (VIVID, (AUTO, LOCKED)),
        ([number("brightness", "Brightness", 0, 255, 128)], ()),
        ([switch("exposure_dynamic_framerate", "Exposure, Dynamic Framerate", 0)], ()),
        ([menu("auto_exposure", "Auto Exposure", 1, v1="Manual Mode")], ()),
        ([], ()),
    ],
)
def test_a_camera_has_the_modes_that_its_controls_allow(
    controls: list[Control], expected: tuple[Exposure, ...]
) -> None:
    assert modes(_known(*controls)) == expected


async def test_a_lock_keeps_what_the_camera_found() -> None:
    camera = MemoryControls(WEBCAM)
    await apply(LOCKED, camera)
    assert camera.wanted == {
        "auto_exposure": 1,
        "exposure_time_absolute": 333,
        "gain": 37,
        "white_balance_automatic": 0,
        "white_balance_temperature": 5120,
    }
    assert all(camera.values[key] == value for key, value in camera.wanted.items())
    assert holds(LOCKED, camera.current)
    assert not holds(AUTO, camera.current)


async def test_a_lock_holds_a_gain_of_nothing_but_no_value_that_is_none() -> None:
    """A camera that does not run yet may tell 0 where the least is 1."""
    camera = MemoryControls([*VIVID, *CSI_MODULE])
    camera.values |= {"gain": 0, "analogue_gain": 0, "exposure_time": None}
    await apply(LOCKED, camera)
    assert camera.wanted == {"gain_automatic": 0, "gain": 0, "ae_enable": 0, "awb_enable": 0}


async def test_a_lock_is_taken_back() -> None:
    camera = MemoryControls(WEBCAM)
    await apply(LOCKED, camera)
    await apply(AUTO, camera, before=LOCKED)
    assert camera.wanted == {"auto_exposure": 3}
    assert camera.values["auto_exposure"] == 3
    assert camera.values["white_balance_automatic"] == 1
    assert camera.values["gain"] == 0
    assert holds(AUTO, camera.current)


async def test_automatic_leaves_alone_what_the_user_set_besides() -> None:
    camera = MemoryControls(WEBCAM)
    await camera.set({"white_balance_automatic": 0, "white_balance_temperature": 3000, "gain": 50})
    await apply(NIGHT, camera, before=AUTO)
    await apply(AUTO, camera, before=NIGHT)
    assert camera.values["white_balance_temperature"] == 3000
    assert camera.values["gain"] == 50


async def test_at_night_a_webcam_may_lower_its_rate() -> None:
    camera = MemoryControls(WEBCAM)
    await apply(NIGHT, camera, before=AUTO)
    assert camera.wanted == {"auto_exposure": 3, "exposure_dynamic_framerate": 1}
    await apply(AUTO, camera, before=NIGHT)
    assert camera.wanted == {"auto_exposure": 3}
    assert camera.values["exposure_dynamic_framerate"] == 0


async def test_at_night_a_webcam_that_cannot_lower_its_rate_exposes_long() -> None:
    camera = MemoryControls(FAST_WEBCAM)
    await apply(NIGHT, camera, before=AUTO)
    assert camera.wanted == {"auto_exposure": 1, "exposure_time_absolute": 2047, "gain": 191}
    await apply(AUTO, camera, before=NIGHT)
    assert camera.wanted == {"auto_exposure": 3}
    assert (camera.values["auto_exposure"], camera.values["gain"]) == (3, 0)


async def test_the_night_is_never_longer_than_a_quarter_of_a_second() -> None:
    patient = [
        number("exposure_time", "ExposureTime", 26, 220_000_000, 20_000),
        switch("ae_enable", "AeEnable", 1),
    ]
    camera = MemoryControls(patient)
    await apply(NIGHT, camera)
    assert camera.values == {"exposure_time": 250_000, "ae_enable": 0}


async def test_a_night_after_a_lock_frees_the_white_balance() -> None:
    camera = MemoryControls(WEBCAM)
    await apply(LOCKED, camera)
    await apply(NIGHT, camera, before=LOCKED)
    assert camera.values["white_balance_automatic"] == 1
    assert camera.values["auto_exposure"] == 3
    assert "white_balance_temperature" not in camera.wanted


async def test_a_csi_camera_meters_at_night() -> None:
    camera = MemoryControls(CSI_MODULE)
    await apply(NIGHT, camera)
    assert camera.wanted == {"ae_enable": 1, "frame_rate": 4, "ae_exposure_mode": 2}
    await apply(AUTO, camera, before=NIGHT)
    assert camera.wanted == {"ae_enable": 1}
    assert (camera.values["frame_rate"], camera.values["ae_exposure_mode"]) == (30, 0)


async def test_a_csi_camera_is_locked() -> None:
    camera = MemoryControls(CSI_MODULE)
    await apply(LOCKED, camera)
    assert camera.wanted == {"ae_enable": 0, "exposure_time": 32_680, "analogue_gain": 4.5, "awb_enable": 0}


async def test_a_gain_alone_is_locked() -> None:
    camera = MemoryControls(VIVID)
    await apply(LOCKED, camera)
    assert camera.wanted == {"gain_automatic": 0, "gain": 14}
    await apply(AUTO, camera, before=LOCKED)
    assert camera.wanted == {"gain_automatic": 1}


async def test_shutter_priority_counts_as_manual() -> None:
    controls = [
        menu("auto_exposure", "Auto Exposure", 0, v0="Auto Mode", v2="Shutter Priority Mode"),
        number("exposure_time_absolute", "Exposure Time, Absolute", 1, 5000, 157),
    ]
    camera = MemoryControls(controls)
    await apply(LOCKED, camera)
    assert camera.wanted == {"auto_exposure": 2, "exposure_time_absolute": 157}
    await apply(AUTO, camera, before=LOCKED)
    assert camera.wanted == {"auto_exposure": 0}


async def test_a_lock_that_the_user_undid_is_taken_back_without_a_fuss() -> None:
    camera = MemoryControls(WEBCAM)
    await apply(LOCKED, camera)
    await camera.set({"white_balance_automatic": 1})
    await apply(AUTO, camera, before=LOCKED)
    assert camera.values["white_balance_automatic"] == 1


async def test_a_camera_that_is_away_says_so() -> None:
    camera = MemoryControls(WEBCAM)
    camera.error = DeviceMissing("gone")
    with pytest.raises(DeviceMissing):
        await apply(NIGHT, camera)
    assert camera.wanted == {}
