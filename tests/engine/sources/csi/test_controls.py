"""Controls of a CSI camera: what libcamera ignores silently is known beforehand, and waits until it counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from custom_components.tripod.engine.controls import ControlKind
from custom_components.tripod.engine.errors import ControlInactive, InvalidControl, Stopped
from custom_components.tripod.engine.exposure import Exposure, apply, modes
from custom_components.tripod.engine.sources.csi import CsiControls


def words(key: str, kind: str, value: float | None, low: float, high: float, **choices: str) -> dict[str, Any]:
    return {
        "key": key,
        "name": key.replace("_", " ").title(),
        "kind": kind,
        "minimum": low,
        "maximum": high,
        "step": 1,
        "default": value,
        "value": value,
        "choices": {name[1:]: word for name, word in choices.items()},
    }


class WorkerStandIn:
    """Takes controls as the worker does, and keeps what it was told."""

    def __init__(self) -> None:
        self.known = {
            words["key"]: words
            for words in (
                words("ae_enable", "switch", 1, 0, 1),
                words("exposure_time", "number", 20_000, 26, 1_000_000),
                words("ae_exposure_mode", "menu", 0, 0, 2, v0="Normal", v1="Short", v2="Long"),
                words("awb_enable", "switch", 1, 0, 1),
                words("awb_mode", "menu", 0, 0, 1, v0="Auto", v1="Incandescent"),
                words("af_mode", "menu", 2, 0, 2, v0="Manual", v1="Auto", v2="Continuous"),
                words("af_trigger", "button", None, 0, 1, v0="Start", v1="Cancel"),
                words("lens_position", "number", 1, 0, 32),
                words("frame_rate", "number", 30, 1, 120),
            )
        }
        self.hello = {"controls": list(self.known.values())}
        self.told: list[Mapping[str, float]] = []

    async def ask(self, command: str, controls: Mapping[str, float] | None = None) -> dict[str, Any]:
        if command == "set":
            assert controls is not None
            self.told.append(dict(controls))
            for key, value in controls.items():
                if self.known[key]["value"] is not None:
                    self.known[key] = {**self.known[key], "value": value}
        return {"controls": list(self.known.values())}


async def attached(**wanted: float) -> tuple[CsiControls, WorkerStandIn]:
    controls, worker = CsiControls(wanted), WorkerStandIn()
    await controls.attach(worker)  # type: ignore[arg-type]
    return controls, worker


async def test_a_control_says_what_it_is_and_what_keeps_it() -> None:
    controls, _ = await attached()
    current = controls.current
    assert current["af_mode"].choices == {0: "Manual", 1: "Auto", 2: "Continuous"}
    assert current["af_trigger"].kind is ControlKind.BUTTON
    assert [key for key, control in current.items() if control.inactive] == [
        "exposure_time",
        "af_trigger",
        "lens_position",
    ]
    with pytest.raises(ControlInactive, match="Exposure Time cannot be set now: set Ae Enable to off first"):
        await controls.set({"exposure_time": 5000})
    with pytest.raises(InvalidControl):
        await controls.set({"af_mode": 3})


async def test_the_user_may_set_both_at_once() -> None:
    controls, worker = await attached()
    await controls.set({"ae_enable": 0, "exposure_time": 5000})
    assert worker.told == [{"ae_enable": 0, "exposure_time": 5000}]
    assert not controls.current["exposure_time"].inactive


async def test_a_setting_that_does_not_count_now_is_kept_until_it_does() -> None:
    controls, worker = await attached(exposure_time=5000.0, ae_enable=1.0, lens_position=3.0)
    assert worker.told == [{"ae_enable": 1}]  # the camera would fix its exposure, whatever the switch says
    assert controls.effective == {"ae_enable": 1}
    await controls.set({"ae_enable": 0})
    await controls.set({"af_mode": 0})
    assert worker.told[1:] == [{"ae_enable": 0, "exposure_time": 5000}, {"af_mode": 0, "lens_position": 3}]


async def test_a_button_is_pressed_and_not_remembered() -> None:
    controls, worker = await attached()
    await controls.set({"af_mode": 1})
    await controls.set({"af_trigger": 1})
    assert worker.told == [{"af_mode": 1}, {"af_trigger": 1}]
    assert controls.wanted == {"af_mode": 1}


async def test_a_camera_that_does_not_run_takes_settings_for_its_next_start() -> None:
    controls, worker = await attached()
    controls.metadata = {"lux": 40}
    controls.detach()
    assert controls.metadata == {}
    answer = await controls.set({"ae_enable": 0, "exposure_time": 5000})
    assert answer["exposure_time"].value == 5000
    assert not controls.current["exposure_time"].inactive
    assert worker.told == []
    assert controls.effective == {"ae_enable": 0, "exposure_time": 5000}


async def test_a_camera_that_never_ran_says_so() -> None:
    with pytest.raises(Stopped):
        await CsiControls({}).refresh()


async def test_all_settings_go_back_to_their_defaults() -> None:
    controls, worker = await attached(ae_enable=0.0, exposure_time=5000.0, frame_rate=10.0)
    await controls.reset()
    assert controls.wanted == {}
    assert {key: words["value"] for key, words in worker.known.items()} | {"exposure_time": 0} == {
        key: words["default"] for key, words in worker.known.items()
    } | {"exposure_time": 0}


async def test_it_has_every_mode_of_exposure() -> None:
    controls, worker = await attached()
    assert modes(controls.current) == (Exposure.AUTO, Exposure.LOCKED, Exposure.NIGHT)
    await apply(Exposure.LOCKED, controls)
    assert worker.told[-1] == {"ae_enable": 0, "exposure_time": 20_000, "awb_enable": 0}
    await apply(Exposure.NIGHT, controls, before=Exposure.LOCKED)
    told = {key: value for setting in worker.told for key, value in setting.items()}
    assert (told["ae_enable"], told["frame_rate"], told["ae_exposure_mode"]) == (1, 4, 2)
