"""Stands in for Picamera2 and libcamera in what their virtual cameras do not show: hardware encoders, cameras in use,
old versions. Classes and words are those that Picamera2 0.3.38 was read and seen to have; the rest of the worker is
tested on the real one (tests/hardware/test_csi.py).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar, Self

import pytest

ID = "/base/soc/i2c0mux/i2c@1/imx708@1a"


class AfModeEnum(IntEnum):
    Manual = 0
    Auto = 1
    Continuous = 2


class Output:
    """What encoders hand frames to."""


class Encoder:
    """Any of Picamera2's."""

    made: ClassVar[list[Any]] = []
    fails: ClassVar[BaseException | None] = None

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.output: Any = None
        self.running = False
        self.firsttimestamp: int | None = None
        self.frame_skip_count = 1
        self.threads = 0
        self.forced = 0
        Encoder.made.append(self)

    def start(self) -> None:
        if self.fails:
            raise self.fails
        self.running = True

    def force_key_frame(self) -> None:
        self.forced += 1

    def frame(self, data: bytes, *, key: bool = True, timestamp: int | None = 0) -> None:
        self.output.outputframe(data, key, timestamp, None)


class H264Encoder(Encoder):
    """The Pi 4's, in hardware."""


class LibavH264Encoder(Encoder):
    """In software."""


class JpegEncoder(Encoder):
    """In software."""


def control(name: str, *limits: Any, array: bool = False) -> tuple[str, tuple[Any, Any]]:
    return name, (SimpleNamespace(name=name, isArray=array), limits)


CONTROLS = dict(
    (
        control("ExposureTime", 26, 1_000_000, 20_000),
        control("AnalogueGain", 1.0, 16.0, 1.0),
        control("AeEnable", *(False, True, True)),
        control("AfMode", 0, 2, 0),
        control("AfTrigger", 0, 1, 0),
        control("LensPosition", 0.0, 32.0, 1.0),
        control("FrameDurationLimits", 8333, 1_000_000, 33_333),
        control("ColourGains", 0.0, 32.0, 0.0),
        control("ScalerCrop", (0, 0, 64, 64), (0, 0, 4608, 2592), (0, 0, 4608, 2592)),
        control("ExposureTimeMode", 0, 1, 0),
    )
)


class Picamera2:
    """One camera."""

    opened: ClassVar[list[Picamera2]] = []
    infos: ClassVar[list[dict[str, Any]]] = []
    fails: ClassVar[BaseException | None] = None
    still: ClassVar[Callable[[Any], Future[None]]]

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return Picamera2.infos

    def __init__(self, index: int) -> None:
        if self.fails:
            raise RuntimeError("Camera __init__ sequence did not complete.") from self.fails
        self.index = index
        self.camera_ctrl_info = CONTROLS
        self.camera_controls = {name: limits for name, (_, limits) in CONTROLS.items()}
        self.sensor_resolution = (4608, 2592)
        self.sensor_modes = [{"size": (2304, 1296)}, {"size": (4608, 2592)}, {"size": (2304, 1296)}]
        self.post_callback: Callable[[Any], None]
        self.set: list[dict[str, Any]] = []
        self.done: list[str] = []
        self.configuration: dict[str, Any] = {}
        Picamera2.opened.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_video_configuration(self, **configuration: Any) -> dict[str, Any]:
        return configuration

    create_still_configuration = create_video_configuration

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration
        self.done.append("configure")

    def start(self) -> None:
        self.done.append("start")

    def stop(self) -> None:
        self.done.append("stop")

    def close(self) -> None:
        self.done.append("close")

    def set_controls(self, values: dict[str, Any]) -> None:
        self.set.append(dict(values))

    def start_encoder(self, encoder: Any, output: Any, name: str) -> None:
        encoder.name = name
        encoder.output = output
        encoder.start()

    def stop_encoder(self, encoder: Any) -> None:
        encoder.running = False

    def switch_mode_and_capture_file(self, _configuration: Any, buffer: Any, **_: Any) -> Any:
        future = type(self).still(buffer)
        return SimpleNamespace(get_result=future.result)

    def frame(self, **metadata: Any) -> None:
        """Let the camera make one."""
        self.post_callback(SimpleNamespace(get_metadata=lambda: metadata))


def _still(buffer: Any) -> Future[None]:
    buffer.write(b"large")
    future = Future[None]()
    future.set_result(None)
    return future


def install(monkeypatch: pytest.MonkeyPatch, *, hardware: bool = False, letters: bool = True) -> Any:
    """Put the stand-ins where the worker imports from; return Picamera2's package.

    `hardware`: as on a Pi 4. `letters`: whether PyAV takes a letter for a frame's type, as it did up to version 14.
    """

    class VideoFrame:
        def __init__(self, *_: object) -> None:
            pass

        def __setattr__(self, name: str, value: object) -> None:
            if not letters:
                raise TypeError("an integer is required")

    monkeypatch.setattr(Picamera2, "opened", [])
    monkeypatch.setattr(Picamera2, "infos", [{"Id": ID, "Model": "imx708", "Location": 2, "Rotation": 180, "Num": 0}])
    monkeypatch.setattr(Picamera2, "fails", None)
    monkeypatch.setattr(Picamera2, "still", _still, raising=False)
    monkeypatch.setattr(Encoder, "made", [])
    monkeypatch.setattr(H264Encoder, "fails", None)
    monkeypatch.setattr(LibavH264Encoder, "fails", None)
    picamera2 = ModuleType("picamera2")
    encoders = SimpleNamespace(
        H264Encoder=H264Encoder if hardware else LibavH264Encoder,
        LibavH264Encoder=LibavH264Encoder,
        JpegEncoder=JpegEncoder,
    )
    outputs = SimpleNamespace(Output=Output)
    picamera2.__dict__.update(Picamera2=Picamera2, encoders=encoders, outputs=outputs, __path__=[])
    draft = SimpleNamespace(NoiseReductionModeEnum=None)
    libcamera = SimpleNamespace(controls=SimpleNamespace(AfModeEnum=AfModeEnum, draft=draft), Transform=SimpleNamespace)
    for name, module in {
        "picamera2": picamera2,
        "picamera2.encoders": encoders,
        "picamera2.outputs": outputs,
        "libcamera": libcamera,
        "av": SimpleNamespace(VideoFrame=VideoFrame),
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    return picamera2
