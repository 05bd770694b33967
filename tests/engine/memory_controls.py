"""Controls kept in memory that behave as a driver's do: they clamp silently, and an automatic makes others inactive.

The sets are those that `v4l2-ctl -L` and Picamera2's `camera_controls` list for cameras that many people have.
"""

from collections.abc import Mapping
from dataclasses import replace

from custom_components.tripod.engine.controls import Control, ControlKind, Controls
from custom_components.tripod.engine.errors import InvalidControl, TripodError


def number(key: str, name: str, low: float, high: float, default: float, **more: float | str | None) -> Control:
    fields = {"value": default, **more}
    return Control(
        key=key,
        name=name,
        kind=ControlKind.NUMBER,
        minimum=low,
        maximum=high,
        default=default,
        **fields,  # type: ignore[arg-type]
    )


def switch(key: str, name: str, default: int, value: int | None = None) -> Control:
    set_to = default if value is None else value
    return Control(key=key, name=name, kind=ControlKind.SWITCH, maximum=1, default=default, value=set_to)


def menu(key: str, name: str, default: int, **choices: str) -> Control:
    """Return a menu; `v3="Word"` is the choice of value 3."""
    values = {int(value[1:]): label for value, label in choices.items()}
    return Control(key=key, name=name, kind=ControlKind.MENU, choices=values, default=default, value=default)


WEBCAM = [
    number("brightness", "Brightness", 0, 255, 128),
    switch("white_balance_automatic", "White Balance, Automatic", 1),
    number("gain", "Gain", 0, 255, 0, value=37),
    menu("power_line_frequency", "Power Line Frequency", 2, v0="Disabled", v1="50 Hz", v2="60 Hz"),
    number(
        "white_balance_temperature",
        "White Balance Temperature",
        2000,
        6500,
        4000,
        value=5120,
        governor="white_balance_automatic",
        governor_value=0,
    ),
    menu("auto_exposure", "Auto Exposure", 3, v1="Manual Mode", v3="Aperture Priority Mode"),
    number(
        "exposure_time_absolute",
        "Exposure Time, Absolute",
        3,
        2047,
        250,
        value=333,
        governor="auto_exposure",
        governor_value=1,
    ),
    switch("exposure_dynamic_framerate", "Exposure, Dynamic Framerate", 0),
    number("pan_absolute", "Pan, Absolute", -36000, 36000, 0, step=3600),
    number(
        "focus_absolute",
        "Focus, Absolute",
        0,
        250,
        0,
        value=30,
        step=5,
        governor="focus_automatic_continuous",
        governor_value=0,
    ),
    switch("focus_automatic_continuous", "Focus, Automatic Continuous", 1),
    Control(key="pan_reset", name="Pan, Reset", kind=ControlKind.BUTTON),
]
"""A webcam with autofocus, on Linux 5.18 or newer."""

FAST_WEBCAM = [control for control in WEBCAM if control.key != "exposure_dynamic_framerate"]
"""A webcam that cannot lower its rate."""

VIVID = [
    switch("gain_automatic", "Gain, Automatic", 1),
    number("gain", "Gain", 0, 255, 100, value=14, governor="gain_automatic", governor_value=0),
]
"""What bears on exposure in Linux's virtual camera."""

CSI_MODULE = [
    switch("ae_enable", "AeEnable", 1),
    menu("ae_exposure_mode", "AeExposureMode", 0, v0="Normal", v1="Short", v2="Long"),
    number("exposure_time", "ExposureTime", 26, 220_000_000, 20_000, value=32_680),
    number("analogue_gain", "AnalogueGain", 1, 16, 1, value=4.5, step=0.1),
    switch("awb_enable", "AwbEnable", 1),
    number("frame_rate", "FrameRate", 0.1, 120, 30, step=0.1),
]


class MemoryControls(Controls):
    """A camera's controls, in memory."""

    def __init__(self, controls: list[Control], wanted: Mapping[str, float] | None = None) -> None:
        super().__init__(wanted)
        self.values: dict[str, float | None] = {control.key: control.value for control in controls}
        self.written: list[tuple[str, float]] = []
        self.error: TripodError | None = None
        """Why the camera cannot be asked."""
        self._controls = controls

    async def _read(self) -> list[Control]:
        if self.error:
            raise self.error
        return [
            replace(
                control,
                value=self.values[control.key],
                inactive=control.governor is not None and self.values.get(control.governor) != control.governor_value,
            )
            for control in self._controls
        ]

    async def _write(self, values: Mapping[str, float]) -> None:
        if self.error:
            raise self.error
        known = {control.key: control for control in self._controls}
        for key, value in values.items():
            control = known.get(key)
            if control is None:
                raise InvalidControl("the camera has no such control", control=key)
            self.written.append((key, value))
            if control.kind is ControlKind.NUMBER:
                self.values[key] = min(max(value, control.minimum), control.maximum)
            elif control.kind is not ControlKind.BUTTON:
                self.values[key] = value
