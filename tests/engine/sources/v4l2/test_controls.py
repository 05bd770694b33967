"""Controls on recorded devices; tests/hardware shows the same on the drivers themselves."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from custom_components.tripod.engine.controls import ControlKind
from custom_components.tripod.engine.errors import (
    ControlInactive,
    ControlLocked,
    DeviceMissing,
    InvalidControl,
    SourceFailed,
)
from custom_components.tripod.engine.sources.v4l2.controls import GOVERNORS, RENAMED, V4l2Controls
from custom_components.tripod.engine.sources.v4l2.ioctls import Node

from .driver import INACTIVE, Driver, Machine, recorded

UNKNOWN_TYPE = 99


def controls_of(driver: Driver, wanted: dict[str, float] | None = None) -> V4l2Controls:
    return V4l2Controls("/dev/video0", wanted, open_node=Machine({"video0": driver}).open_node)


@pytest.fixture
def vivid() -> Driver:
    return Driver(recorded("vivid"))


def own(driver: Driver, **fields: Any) -> dict[str, Any]:
    """Add a control of a maker's own to the device."""
    control = {
        "id": 0x009A0F00 + len(driver.controls),
        "type": 1,
        "name": "Own",
        "minimum": 0,
        "maximum": 10,
        "step": 1,
        "default_value": 5,
        "flags": 0,
        "elems": 1,
        "nr_of_dims": 0,
        "value": 5,
        **fields,
    }
    driver.controls[control["id"]] = control
    return control


async def test_each_kind_of_control_is_described(vivid: Driver) -> None:
    controls = controls_of(vivid)
    await controls.refresh()
    brightness = controls.current["brightness"]
    assert (brightness.name, brightness.kind) == ("Brightness", ControlKind.NUMBER)
    assert (brightness.minimum, brightness.maximum, brightness.step) == (0, 255, 1)
    assert (brightness.default, brightness.value) == (128, 128)
    assert controls.current["gain_automatic"].kind is ControlKind.SWITCH
    assert controls.current["button"].kind is ControlKind.BUTTON
    assert controls.current["button"].value is None
    assert controls.current["integer_64_bits"].minimum == -(2**63)


async def test_menus_have_gaps(vivid: Driver) -> None:
    controls = controls_of(vivid)
    await controls.refresh()
    assert controls.current["menu"].choices == {1: "Menu Item 1", 3: "Menu Item 3", 4: "Menu Item 4"}
    assert min(controls.current["integer_menu"].choices) == 2
    assert controls.current["integer_menu"].choices[4] == "5"
    with pytest.raises(InvalidControl, match="no value 2"):
        await controls.set({"menu": 2})


async def test_strings_bit_masks_arrays_and_what_is_read_only_are_left_out(vivid: Driver) -> None:
    controls = controls_of(vivid)
    await controls.refresh()
    left_out = {"string", "bitmask", "u16_8x16_matrix", "u32_dynamic_array", "read_only_integer_32_bits"}
    assert not left_out & controls.current.keys()


async def test_a_type_of_control_that_nobody_knows_harms_no_other(vivid: Driver) -> None:
    own(vivid, type=UNKNOWN_TYPE, name="From The Future")
    own(vivid, name="After It")
    controls = controls_of(vivid)
    await controls.refresh()
    assert "from_the_future" not in controls.current
    assert "after_it" in controls.current


async def test_what_leaves_no_choice_is_left_out(vivid: Driver) -> None:
    own(vivid, name="Fixed", minimum=3, maximum=3)
    own(vivid, name="Empty", type=3, menu={})
    own(vivid, name="Disabled", flags=0x01)
    controls = controls_of(vivid)
    await controls.refresh()
    assert not {"fixed", "empty", "disabled"} & controls.current.keys()


async def test_two_of_one_name_have_keys_of_their_own(vivid: Driver) -> None:
    first, second = own(vivid, name="Level"), own(vivid, name="Level", value=7)
    controls = controls_of(vivid)
    await controls.refresh()
    assert controls.current["level"].value == first["value"]
    assert controls.current[f"level_{second['id']:08x}"].value == 7


async def test_a_value_out_of_range_is_clamped_and_read_back(vivid: Driver) -> None:
    controls = controls_of(vivid)
    assert (await controls.set({"brightness": 300}))["brightness"].value == 255
    # more than the field holds that it travels in
    assert (await controls.set({"brightness": 2.0**32 + 5}))["brightness"].value == 255
    assert (await controls.set({"integer_64_bits": 2.0**70}))["integer_64_bits"].value == 2**63 - 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
async def test_what_is_no_number_is_refused(vivid: Driver, value: float) -> None:
    with pytest.raises(InvalidControl):
        await controls_of(vivid).set({"brightness": value})
    assert vivid.written == []


async def test_an_inactive_control_names_what_governs_it(vivid: Driver) -> None:
    controls = controls_of(vivid)
    with pytest.raises(ControlInactive) as raised:
        await controls.set({"gain": 5})
    assert raised.value.placeholders["governor"] == "Gain, Automatic"
    assert raised.value.placeholders["setting"] == "off"
    found = await controls.set({"gain_automatic": 0, "gain": 5})
    assert (found["gain"].value, found["gain"].inactive) == (5, False)


async def test_a_control_that_is_grabbed_is_locked(vivid: Driver) -> None:
    vivid.control("Gain")["flags"] |= 0x02
    with pytest.raises(ControlLocked):
        await controls_of(vivid).set({"gain": 5})


async def test_governors_are_put_back_before_what_they_govern(vivid: Driver) -> None:
    controls = controls_of(vivid, {"gain": 7, "brightness": 1, "gain_automatic": 0})
    await controls.apply()
    names = [name for name, _ in vivid.written]
    assert names.index("Gain, Automatic") < names.index("Gain")
    assert controls.current["gain"].value == 7


async def test_a_button_is_pressed(vivid: Driver) -> None:
    await controls_of(vivid).set({"button": 0})
    assert vivid.written == [("Button", 1)]


async def test_a_control_whose_value_cannot_be_read_stays(vivid: Driver) -> None:
    vivid.failures[vivid.control("Brightness")["id"]] = errno.EIO
    controls = controls_of(vivid)
    await controls.refresh()
    assert controls.current["brightness"].value is None
    assert controls.current["contrast"].value == 128


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ERANGE, InvalidControl),
        (errno.EACCES, ControlLocked),
        (errno.EBUSY, ControlLocked),
        (errno.EIO, SourceFailed),
        (errno.ENODEV, DeviceMissing),
    ],
)
async def test_why_a_control_was_not_set(vivid: Driver, number: int, cause: type[Exception]) -> None:
    controls = controls_of(vivid)
    await controls.refresh()
    vivid.failures[vivid.control("Brightness")["id"]] = number
    with pytest.raises(cause):
        await controls.set({"brightness": 5})
    assert controls.wanted == {}


async def test_a_device_that_is_pulled_out(vivid: Driver) -> None:
    controls = controls_of(vivid)
    vivid.failure = errno.ENODEV
    with pytest.raises(DeviceMissing):
        await controls.refresh()
    with pytest.raises(DeviceMissing):
        await V4l2Controls("/dev/video0", open_node=Machine({}).open_node).refresh()


@pytest.mark.parametrize(
    ("older", "key"),
    [
        ("Exposure, Auto", "auto_exposure"),
        ("Exposure (Absolute)", "exposure_time_absolute"),
        ("Focus (absolute)", "focus_absolute"),
        ("Focus, Auto", "focus_automatic_continuous"),
        ("White Balance Temperature, Auto", "white_balance_automatic"),
        ("Exposure Time, Absolute", "exposure_time_absolute"),
        ("Focus, Automatic Continuous", "focus_automatic_continuous"),
    ],
)
async def test_keys_outlive_the_kernels_new_names(vivid: Driver, older: str, key: str) -> None:
    own(vivid, name=older)
    controls = controls_of(vivid)
    await controls.refresh()
    assert controls.current[key].name == older


@pytest.mark.parametrize("governed", sorted(GOVERNORS))
async def test_every_governor_is_found_by_its_key(vivid: Driver, governed: str) -> None:
    governor, value = GOVERNORS[governed]
    own(vivid, name=governor.replace("_", " ").title(), type=2, maximum=1, value=1 - value)
    own(vivid, name=governed.replace("_", " ").title(), flags=INACTIVE)
    controls = controls_of(vivid)
    await controls.refresh()
    found = [control for control in controls.current.values() if control.governor == governor]
    assert {control.governor_value for control in found} == {value}
    assert governor not in RENAMED


async def test_a_control_that_the_camera_has_no_more() -> None:
    """A firmware update may take one away: what was wanted of it harms no other."""
    driver = Driver(recorded("webcam"))
    controls = controls_of(driver, {"zoom_absolute": 5, "brightness": 9})
    await controls.apply()
    assert controls.current["brightness"].value == 9


async def test_a_driver_whose_answers_never_end(vivid: Driver) -> None:
    again = vivid.control("Brightness")["id"]

    def stuck(descriptor: int, request: int, structure: Any) -> None:
        vivid.ioctl(descriptor, request, structure)
        if hasattr(structure, "default_value"):
            structure.id = again

    found = list(Node(0, stuck).controls())
    assert [control.id for control in found] == [again]


async def test_a_device_pulled_out_while_values_are_read(vivid: Driver) -> None:
    vivid.failures[vivid.control("Brightness")["id"]] = errno.ENODEV
    with pytest.raises(DeviceMissing):
        await controls_of(vivid).refresh()


async def test_a_webcam() -> None:
    controls = controls_of(Driver(recorded("webcam")))
    await controls.refresh()
    assert {"brightness", "contrast"} <= controls.current.keys()
    assert (await controls.set({"brightness": 200}))["brightness"].value == 200
