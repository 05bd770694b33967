"""Run a CSI camera with Picamera2: `python3 -P picamera2_worker.py list`, or `… run SETTINGS` (one JSON object).

A program of its own, under the Python that libcamera's binding was built for: standard library and Picamera2 only, and
nothing happens at import, so that the other end of its pipes can import the names below.

`list` writes one JSON object to stdout, `{"version": 1, "cameras": [{"id", "model", "location", "rotation", "sizes"}]}`
or `{"version": 1, "error": {"cause", "detail"}}`, the latter with exit status 1.

`run` opens one camera and keeps it until stdin closes, or SIGTERM or SIGINT comes. SETTINGS:

    camera                    libcamera's Id
    width, height             of the H.264 stream
    lores_width, lores_height of the JPEGs, at most as large
    rate                      frames per second of the camera
    jpeg_rate                 frames per second of the JPEGs, as near as leaving out frames comes to it
    bit_rate, quality         of the H.264 stream, in bits per second; of the JPEGs, in percent
    hflip, vflip              mirror the picture
    controls                  settings to start with, by key

stdout carries messages, stderr what libraries print. A message is a header of 16 bytes, big-endian, and a body:

    2 bytes  "Tp"
    1 byte   kind, see `Kind`
    1 byte   flags; bit 0: a key frame
    8 bytes  time of capture in nanoseconds of CLOCK_MONOTONIC, 0 where it has none
    4 bytes  length of the body

The first message is `hello` or `error`. stdin takes one JSON object a line, `{"id", "command", …}`; each is answered
in its turn by a `reply` with the same id, which holds `error` (`cause`, `detail`) where it failed:

    start, stop       `medium`: "h264" or "jpeg"; encoders run only between these
    keyframe          make the next H.264 frame a key frame
    set               `controls`: values by key
    controls          the reply's `controls` describe them all, with the values that they have now
    still             one JPEG of the sensor's full size, as a `still` before the reply; the streams pause meanwhile

A reader that is too slow loses frames, never the camera: of JPEGs only the newest waits, and H.264 that waits too long
is dropped up to the next key frame. How many were dropped stands in `metadata`, which comes once a second
as long as the camera delivers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
import contextlib
from enum import IntEnum
from functools import partial
import importlib.metadata
import io
import json
import math
import os
from pathlib import Path
import queue
import re
import signal
import struct
import sys
import threading
import time
from typing import Any

VERSION = 1
"""Of the protocol: another one is not spoken to."""

MAGIC = b"Tp"
HEADER = struct.Struct(">2sBBQI")
KEY_FRAME = 1
"""Bit of the flags."""

MAX_BODY = 64 * 2**20
"""Bytes; a still of 64 megapixels at the best quality has 40 million."""

OLDEST_PICAMERA2 = (0, 3, 26)
"""The first whose JPEG encoder takes YUV420."""

HARDWARE_ENCODER = "/dev/video11"
"""The H.264 encoder of Pi 0 to 4."""

MAX_LAG = 1.0
"""Seconds of H.264 that may wait for the reader."""

MAX_WAITING = 4 * 2**20
"""Bytes of H.264 that may wait for the reader."""

METADATA_INTERVAL = 1.0
"""Seconds."""

SETTLING = 12
"""Frames until the camera's metadata show what was set: libcamera's control delay and queue."""

STILL_TIMEOUT = 8.0
"""Seconds for two changes of the sensor's mode and one picture of up to 64 megapixels."""

CLOSE_TIMEOUT = 2.5
"""Seconds for closing a camera; one whose cable came off may hang for ever."""

ONE_CORE = 1920 * 1080 * 30
"""Pixels per second that one core of a Pi 5 encodes with ease, at the preset that Picamera2 takes."""

JPEG_THREADS = 2
"""A small picture takes a few milliseconds, and each thread holds one of the camera's few buffers."""

CONTINUOUS_FOCUS = 2
"""libcamera's AfModeContinuous."""

AE_GOVERNED = frozenset({"ExposureTime", "AnalogueGain"})
"""What automatic exposure sets itself."""

TRIGGERS = frozenset({"AfTrigger"})
"""Controls that start something, by their lowest value."""

HIDDEN = frozenset(
    {
        "AePrecaptureTrigger",
        "AfPause",
        "AnalogueGainMode",  # Picamera2 sets it with the gain, and the next one with the time
        "ExposureTimeMode",
        "CnnEnableInputTensor",
        "DebugMetadataEnable",
        "FaceDetectMode",
        "FrameWallClock",
        "LensShadingMapMode",
        "StatsOutputEnable",
        "SyncFrames",
        "SyncMode",
        "TestPatternMode",
    }
)
"""Controls that are for programs, not for people."""

LOCATIONS = ("front", "back", "external")
"""libcamera's, by number."""

END = None
"""In the queue of commands: no more of them."""

GAP = b""
"""In the queue of commands: H.264 was dropped, and a key frame ends the gap."""


class Kind(IntEnum):
    """What a message is; all but the media are JSON."""

    HELLO = 1
    """`version`, `camera`, `model`, `picamera2` (its version), `controls`, and the full size of the `sensor`."""
    H264 = 2
    """One access unit in Annex B form."""
    JPEG = 3
    STILL = 4
    """A JPEG."""
    METADATA = 5
    """Numbers by key, as libcamera names them, and what is said of `dropped`, `encoder` and `running`."""
    REPLY = 6
    ERROR = 7
    """`cause`, `detail`: why the worker ends."""


class Failure(Exception):
    """What went wrong, by the cause that the other end knows."""

    def __init__(self, cause: str, detail: str) -> None:
        """`cause` is one of `errors.py`."""
        super().__init__(detail)
        self.cause = cause

    def as_dict(self) -> dict[str, str]:
        """Return what goes on the pipe."""
        return {"cause": self.cause, "detail": str(self)}


class Hung(Failure):
    """The camera does not answer any more: only a new worker helps."""

    def __init__(self, detail: str) -> None:
        """`detail` says what it was asked for."""
        super().__init__("worker_failed", detail)


class Outbox:
    """Messages on their way into a pipe that may be slow; `put` never waits."""

    def __init__(self, fd: int, on_gap: Callable[[], None], on_closed: Callable[[], None]) -> None:
        """Write to `fd` in a thread; call `on_gap` when H.264 was dropped, `on_closed` when nobody reads any more."""
        self.dropped = {Kind.H264: 0, Kind.JPEG: 0}
        self._fd = fd
        self._on_gap = on_gap
        self._on_closed = on_closed
        self._waiting: deque[_Message] = deque()
        self._lock = threading.Condition()
        self._gap = True
        self._writing = False
        self._closed = False
        threading.Thread(target=self._write_all, name="outbox", daemon=True).start()

    def put(self, kind: Kind, body: bytes, stamp: int = 0, *, key: bool = False) -> None:
        """Take a message; frames make room for newer ones when the reader is slow."""
        message = _Message(kind, body, stamp, key=key)
        with self._lock:
            if self._closed:
                return
            flowed = not self._gap
            if kind is Kind.JPEG:
                self._drop(Kind.JPEG)
            if kind is Kind.H264 and not self._takes(message):
                self.dropped[kind] += 1
            else:
                self._waiting.append(message)
                self._lock.notify_all()
            gap = flowed and self._gap
        if gap:
            self._on_gap()

    def put_json(self, kind: Kind, body: Any) -> None:
        """Take a message whose body is JSON."""
        self.put(kind, json.dumps(body).encode())

    def flush(self, timeout: float) -> None:
        """Wait until all is written, at most `timeout` seconds."""
        with self._lock:
            self._lock.wait_for(lambda: self._closed or not (self._waiting or self._writing), timeout)

    def _takes(self, message: _Message) -> bool:
        """Tell whether a decoder can use this frame after those that were not dropped."""
        video = [waiting for waiting in self._waiting if waiting.kind is Kind.H264]
        size = sum(len(waiting.body) for waiting in video)
        if video and (message.stamp - video[0].stamp > MAX_LAG * 1e9 or size + len(message.body) > MAX_WAITING):
            self._drop(Kind.H264)
            self._gap = True
        self._gap = self._gap and not message.key
        return not self._gap

    def _drop(self, kind: Kind) -> None:
        kept = [waiting for waiting in self._waiting if waiting.kind is not kind]
        self.dropped[kind] += len(self._waiting) - len(kept)
        self._waiting = deque(kept)

    def _write_all(self) -> None:
        while True:
            with self._lock:
                self._writing = False
                self._lock.notify_all()
                self._lock.wait_for(lambda: self._waiting)
                message = self._waiting.popleft()
                self._writing = True
            try:
                self._write(message)
            except OSError:
                break
        with self._lock:
            self._closed = True
            self._waiting.clear()
            self._lock.notify_all()
        self._on_closed()

    def _write(self, message: _Message) -> None:
        header = HEADER.pack(MAGIC, message.kind, message.key * KEY_FRAME, message.stamp, len(message.body))
        parts = [memoryview(header), memoryview(message.body)]
        while parts:
            written = os.writev(self._fd, parts)
            while parts and written >= len(parts[0]):
                written -= len(parts.pop(0))
            if parts:
                parts[0] = parts[0][written:]


class _Message:
    __slots__ = ("body", "key", "kind", "stamp")

    def __init__(self, kind: Kind, body: bytes, stamp: int, *, key: bool) -> None:
        self.kind = kind
        self.body = body
        self.stamp = stamp
        self.key = key


class Camera:
    """One open camera with its two encoders."""

    def __init__(self, picamera2: Any, settings: dict[str, Any], outbox: Outbox) -> None:
        """Open and configure the camera; raises `Failure`."""
        self._picamera2 = picamera2
        self._settings = settings
        self._outbox = outbox
        self._running: dict[str, Any] = {}
        self._encoder = ""
        self._metadata: dict[str, Any] = {}
        self._reported = 0.0
        self._frames = 0
        with opening():
            index, self.info = find(picamera2.Picamera2, settings["camera"])
            self._camera = picamera2.Picamera2(index)
            try:
                self._configuration = self._video_configuration()
                self._camera.configure(self._configuration)
                # only now the limits are those of the sensor's mode
                self._controls = ControlTable(self._camera, settings)
                self._camera.set_controls(self._controls.wanted)
            except BaseException:
                self._camera.close()
                raise
        self._camera.post_callback = self._note

    def start(self) -> None:
        """Let the camera run; raises `Failure`."""
        with opening():
            self._camera.start()

    def close(self) -> None:
        """Stop everything and release the camera."""
        for medium in list(self._running):
            self.stop_encoder(medium)
        self._camera.close()

    def hello(self) -> dict[str, Any]:
        """Return what the first message says."""
        return {
            "version": VERSION,
            "camera": self._settings["camera"],
            "model": self.info["model"],
            "picamera2": picamera2_version(),
            "controls": self.controls(),
            "sensor": self._camera.sensor_resolution,
        }

    def start_encoder(self, medium: str) -> None:
        """Make H.264 or JPEGs, if that is not done already; raises `Failure`."""
        if medium in self._running:
            return
        if medium == "h264":
            self._start_video()
        elif medium == "jpeg":
            encoder = self._picamera2.encoders.JpegEncoder(num_threads=JPEG_THREADS, q=self._settings["quality"])
            encoder.frame_skip_count = self._skip()
            self._begin("jpeg", encoder, "lores")
        else:
            raise Failure("invalid_request", f"medium {medium!r}")

    def stop_encoder(self, medium: str) -> None:
        """Make this medium no more."""
        if encoder := self._running.pop(medium, None):
            self._camera.stop_encoder(encoder)  # without a name it would stop all

    def key_frame(self) -> None:
        """Make the next H.264 frame a key frame; not for the camera's own thread."""
        encoder = self._running.get("h264")
        if encoder is None:
            return
        if can_force_key_frame(encoder):
            encoder.force_key_frame()
        else:
            self._restart_video()

    def set(self, values: dict[str, Any]) -> None:
        """Set controls; raises `Failure` for what the camera does not have."""
        rate = self._controls.rate
        self._camera.set_controls(self._controls.set(values, self._frames))
        if self._controls.rate != rate:
            self._follow_rate()

    def controls(self) -> list[dict[str, Any]]:
        """Return all controls with the values that they have now."""
        return self._controls.describe(self._metadata, self._frames)

    def still(self) -> bytes:
        """Return a JPEG of the sensor's full size; the encoders pause meanwhile."""
        running = list(self._running)
        for medium in running:  # they do not survive a change of the mode
            self.stop_encoder(medium)
        buffer = io.BytesIO()
        try:
            job = self._camera.switch_mode_and_capture_file(
                self._still_configuration(), buffer, format="jpeg", wait=False
            )
            job.get_result(timeout=STILL_TIMEOUT)
        except TimeoutError as error:
            raise Hung(f"no full-size picture in {STILL_TIMEOUT:g} s") from error
        except Exception as error:  # such as no memory for the large picture
            self._camera.stop()
            self._camera.configure(self._configuration)
            self._camera.start()
            raise Failure("worker_failed", f"no full-size picture: {chain(error)}") from error
        finally:
            # a configuration takes all settings back
            self._camera.set_controls(self._controls.wanted)
            for medium in running:
                self.start_encoder(medium)
        return buffer.getvalue()

    def _video_configuration(self) -> Any:
        wanted = self._settings
        return self._camera.create_video_configuration(
            main={"size": (wanted["width"], wanted["height"]), "format": "YUV420"},
            lores={"size": (wanted["lores_width"], wanted["lores_height"]), "format": "YUV420"},
            raw=None,  # memory that a small Pi does not have
            transform=self._transform(),
            controls={"FrameDurationLimits": (round(1e6 / wanted["rate"]),) * 2},
        )

    def _still_configuration(self) -> Any:
        controls = {name: value for name, value in self._controls.wanted.items() if name != "FrameDurationLimits"}
        return self._camera.create_still_configuration(
            main={"size": self._camera.sensor_resolution, "format": "YUV420"},
            raw=None,
            display=None,
            transform=self._transform(),
            controls=controls,
        )

    def _transform(self) -> Any:
        import libcamera

        return libcamera.Transform(hflip=self._settings["hflip"], vflip=self._settings["vflip"])

    def _start_video(self) -> None:
        rate = max(1, round(self._controls.rate))
        for name, encoder_class in video_encoders(self._picamera2.encoders):
            try:
                encoder = encoder_class(bitrate=self._settings["bit_rate"], repeat=True, iperiod=rate, framerate=rate)
                encoder.threads = self._threads()
                encoder.drop_final_frames = True
                self._begin("h264", encoder, "main")
            except Exception as error:
                say(f"the {name} encoder does not start: {error!r}")
                failure = error
            else:
                self._encoder = name
                return
        raise Failure("encoder_failed", repr(failure))

    def _threads(self) -> int:
        """Return how many the software encoder takes; each but the first holds back a frame. 0 lets it choose."""
        pixels = self._settings["width"] * self._settings["height"] * round(self._controls.rate)
        return 1 if pixels <= ONE_CORE else 0

    def _restart_video(self) -> None:
        self.stop_encoder("h264")
        self.start_encoder("h264")

    def _follow_rate(self) -> None:
        """Keep a key frame a second, and the rate of the JPEGs."""
        if jpeg := self._running.get("jpeg"):
            jpeg.frame_skip_count = self._skip()
        if "h264" in self._running:
            self._restart_video()

    def _begin(self, medium: str, encoder: Any, stream: str) -> None:
        take = partial(self._outbox.put, Kind.H264 if medium == "h264" else Kind.JPEG)
        output = frame_output(self._picamera2.outputs.Output, encoder, take)
        self._camera.start_encoder(encoder, output, name=stream)
        self._running[medium] = encoder

    def _skip(self) -> int:
        return max(1, int(self._controls.rate / self._settings["jpeg_rate"] + 0.5))

    def _note(self, request: Any) -> None:
        """Report once a second, by the camera's own thread: a camera that hangs falls silent."""
        self._frames += 1
        now = time.monotonic()
        if now - self._reported < METADATA_INTERVAL:
            return
        self._reported = now
        self._metadata = request.get_metadata()
        report = {snake_case(name): value for name, value in self._metadata.items() if is_number(value)}
        dropped = {kind.name.lower(): count for kind, count in self._outbox.dropped.items()}
        report |= {"dropped": dropped, "encoder": self._encoder, "running": sorted(self._running)}
        self._outbox.put_json(Kind.METADATA, report)


class ControlTable:
    """What the camera lets be set, by keys in snake case."""

    def __init__(self, camera: Any, settings: dict[str, Any]) -> None:
        """Read the controls of a configured camera; `settings` say what they begin with."""
        self._limits: dict[str, tuple[str, Any, Any, Any]] = {}
        self._set_at: dict[str, int] = {}
        self.wanted: dict[str, Any] = {}
        """What was set, by libcamera's names."""
        for name, (identifier, _) in camera.camera_ctrl_info.items():
            minimum, maximum, default = camera.camera_controls[name]
            if name == "FrameDurationLimits":
                shortest, longest = _first(minimum) or 1, _first(maximum) or 10**6
                self._limits["frame_rate"] = name, 1e6 / longest, 1e6 / shortest, settings["rate"]
            elif is_single(identifier, minimum, maximum) and name not in HIDDEN:
                self._limits[snake_case(name)] = name, minimum, maximum, default
        # as rpicam-apps do: libcamera's own default leaves a new camera out of focus
        first = {"frame_rate": settings["rate"], "af_mode": CONTINUOUS_FOCUS, **settings["controls"]}
        self.set({key: value for key, value in first.items() if key in self._limits}, 0)

    @property
    def rate(self) -> float:
        """Frames per second that the camera was asked for."""
        return 1e6 / self.wanted["FrameDurationLimits"][0] if "FrameDurationLimits" in self.wanted else 30.0

    def set(self, values: dict[str, Any], frames: int) -> dict[str, Any]:
        """Return these settings as Picamera2 takes them, within the limits; they hold from frame `frames` on."""
        made: dict[str, Any] = {}
        for key, value in values.items():
            if key not in self._limits or not is_number(value):
                raise Failure("invalid_control", key)
            name, minimum, maximum, _ = self._limits[key]
            within = min(max(value, minimum), maximum)
            if key == "frame_rate":
                made[name] = (round(1e6 / within),) * 2
            else:
                made[name] = type(minimum)(within if isinstance(minimum, float) else round(within))
            self._set_at[key] = frames
        # a fixed exposure would outlive this in libcamera before 0.5; 0 gives it back
        freed = AE_GOVERNED & self.wanted.keys() - made.keys() if made.get("AeEnable") else frozenset()
        made |= {name: type(self.wanted.pop(name))(0) for name in freed}
        self.wanted |= {name: value for name, value in made.items() if name not in TRIGGERS | freed}
        return made

    def describe(self, metadata: dict[str, Any], frames: int) -> list[dict[str, Any]]:
        """Return all controls; the camera's own `metadata` count once they can show what was set."""
        return [self._describe(key, metadata, frames) for key in self._limits]

    def _describe(self, key: str, metadata: dict[str, Any], frames: int) -> dict[str, Any]:
        name, minimum, maximum, default = self._limits[key]
        choices = choices_of(name, minimum, maximum)
        settled = frames - self._set_at.get(key, -SETTLING) >= SETTLING
        value = self.wanted.get(name, default)
        if settled and name in metadata:
            value = metadata[name]
        if key == "frame_rate":
            duration = metadata.get("FrameDuration") if settled else None
            value = 1e6 / (duration or self.wanted[name][0])
        kind = (
            "button" if name in TRIGGERS else "switch" if isinstance(minimum, bool) else "menu" if choices else "number"
        )
        return {
            "key": key,
            "name": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name) if key != "frame_rate" else "Frame Rate",
            "kind": kind,
            "minimum": float(minimum),
            "maximum": float(maximum),
            "step": 1 if isinstance(minimum, int) else 0.01,
            "default": float(default) if is_number(default) else None,
            "value": float(value) if is_number(value) and kind != "button" else None,
            "choices": choices,
        }


def find(picamera2_class: Any, camera_id: str) -> tuple[int, dict[str, Any]]:
    """Return a camera's index, which may change with each start, and what is known of it; raises `Failure`."""
    cameras = known_cameras(picamera2_class)
    if not cameras:
        refuse_if_not_permitted()
    for index, camera in cameras:
        if camera["id"] == camera_id:
            return index, camera
    there = ", ".join(camera["id"] for _, camera in cameras) or "none"
    raise Failure("device_missing", f"{camera_id} (there: {there})")


def known_cameras(picamera2_class: Any) -> list[tuple[int, dict[str, Any]]]:
    """Return index and description of each camera on a CSI connector."""
    return [
        (
            index,
            {
                "id": info["Id"],
                "model": info.get("Model", ""),
                "location": dict(enumerate(LOCATIONS)).get(info.get("Location", -1), ""),
                "rotation": info.get("Rotation", 0),
            },
        )
        for index, info in enumerate(picamera2_class.global_camera_info())
        if "/usb" not in info["Id"]  # webcams are V4L2's
    ]


def list_cameras() -> list[dict[str, Any]]:
    """Return all cameras, with the sizes of their sensors' modes where they are free; raises `Failure`."""
    picamera2_class = import_picamera2().Picamera2
    cameras = known_cameras(picamera2_class)
    if not cameras:
        refuse_if_not_permitted()
        raise Failure("device_missing", "no camera is connected")
    return [camera | {"sizes": sizes(picamera2_class, index)} for index, camera in cameras]


def sizes(picamera2_class: Any, index: int) -> list[list[int]]:
    """Return width and height of each mode of a sensor, the largest first; nothing where the camera is in use."""
    try:
        with picamera2_class(index) as camera:
            found = {tuple(mode["size"]) for mode in camera.sensor_modes}
    except Exception as error:
        say(f"camera {index} cannot be opened: {chain(error)}")
        return []
    return [list(size) for size in sorted(found, reverse=True)]


def import_picamera2() -> Any:
    """Return Picamera2's package with what is used of it; raises `Failure`."""
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:WARN")
    version = picamera2_version()
    if version and tuple(map(int, re.findall(r"\d+", version)[:3])) < OLDEST_PICAMERA2:
        raise Failure("picamera2_broken", f"version {version} is older than {'.'.join(map(str, OLDEST_PICAMERA2))}")
    try:
        import picamera2
        import picamera2.encoders
        import picamera2.outputs
    except ImportError as error:
        cause = "no_picamera2" if error.name == "picamera2" else "picamera2_broken"
        raise Failure(cause, str(error)) from error
    except Exception as error:  # such as a NumPy that it was not built for
        raise Failure("picamera2_broken", chain(error)) from error
    return picamera2


def picamera2_version() -> str:
    """Return the version; empty where it is not known."""
    try:
        return importlib.metadata.version("picamera2")
    except importlib.metadata.PackageNotFoundError:
        return ""


@contextlib.contextmanager
def opening() -> Iterator[None]:
    """Turn what Picamera2 raises into a `Failure` that says why the camera does not open."""
    try:
        yield
    except Failure:
        raise
    except Exception as error:
        words = chain(error)
        cause = next((cause for cause, pattern in CAUSES if re.search(pattern, words, re.IGNORECASE)), "worker_failed")
        raise Failure(cause, words) from error


CAUSES = (
    ("device_busy", r"failed to acquire|in use by another|resource busy|camera in \w+ state"),
    ("no_permission", r"permission denied|operation not permitted"),
    ("device_missing", r"camera\(s\) not found|no camera number|no such device|list index out of range"),
    ("format_not_supported", r"invalid (size|format|stream)|bad format|not advertised"),
    ("device_busy", r"camera __init__ sequence did not complete"),
)
"""What Picamera2's and libcamera's words mean; the last is all that older versions say of a camera that is in use."""


def refuse_if_not_permitted() -> None:
    """Raise a `Failure` where there are media devices, but none that this user may open."""
    nodes = sorted(Path("/dev").glob("media*"))
    if nodes and not any(os.access(node, os.R_OK | os.W_OK) for node in nodes):
        raise Failure("no_permission", f"{nodes[0]}: this user must be in the group video")


def video_encoders(encoders: Any) -> list[tuple[str, Any]]:
    """Return name and class of the H.264 encoders to try, the cheapest first."""
    software = [("software", encoders.LibavH264Encoder)]
    # Picamera2 takes every machine without the Pi 5's image processor for one that has the hardware encoder
    if encoders.H264Encoder is encoders.LibavH264Encoder or not os.access(HARDWARE_ENCODER, os.R_OK | os.W_OK):
        return software
    return [("hardware", encoders.H264Encoder), *software]


def can_force_key_frame(encoder: Any) -> bool:
    """Tell whether asking for a key frame is safe.

    Picamera2's software encoder names the frame's type by a letter, which newer versions of PyAV refuse: that ends the
    camera's own thread.
    """
    if not type(encoder).__name__.startswith("Libav"):
        return True
    import av

    try:
        av.VideoFrame(16, 16, "yuv420p").pict_type = "I"  # type: ignore[assignment]
    except (TypeError, ValueError):
        return False
    return True


def frame_output(output_class: type, encoder: Any, take: Callable[..., None]) -> Any:
    """Return an output of Picamera2's that hands on frames with their time of capture."""

    class FrameOutput(output_class):  # type: ignore[misc]
        def outputframe(self, frame: Any, keyframe: Any = 1, timestamp: int | None = None, *_: Any) -> None:
            first = encoder.firsttimestamp
            microseconds = None if first is None or timestamp is None else first + timestamp
            take(bytes(frame), monotonic(microseconds), key=bool(keyframe))

    return FrameOutput()


def monotonic(microseconds: int | None) -> int:
    """Return a sensor's time stamp in nanoseconds of CLOCK_MONOTONIC; now where it has none.

    libcamera promises CLOCK_BOOTTIME, which also counts sleep; the kernel's drivers give CLOCK_MONOTONIC.
    """
    now = time.monotonic_ns()
    if microseconds is None:
        return now
    stamp = microseconds * 1000
    return stamp if stamp <= now else min(now, stamp - (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - now))


def choices_of(name: str, minimum: Any, maximum: Any) -> dict[str, str]:
    """Return the values of a menu with libcamera's names, by number; empty for what is no menu."""
    import libcamera

    enum = getattr(libcamera.controls, name + "Enum", None) or getattr(libcamera.controls.draft, name + "Enum", None)
    members = getattr(enum, "__members__", {})
    return {str(int(member)): word for word, member in members.items() if minimum <= int(member) <= maximum}


def is_single(identifier: Any, minimum: Any, maximum: Any) -> bool:
    """Tell whether a control is one number, not several, nor a rectangle."""
    several = getattr(identifier, "isArray", False) or str(getattr(identifier, "name", "")) in SEVERAL
    return is_number(minimum) and is_number(maximum) and not several


SEVERAL = frozenset({"AfWindows", "ColourCorrectionMatrix", "ColourGains", "SensorBlackLevels"})
"""Controls of several numbers: the bindings before libcamera 0.4 do not tell."""


def is_number(value: Any) -> bool:
    """Tell whether JSON can hold it as a number."""
    return isinstance(value, (bool, int, float)) and math.isfinite(value)


def snake_case(name: str) -> str:
    """Return libcamera's name as a key: `AwbMode` becomes `awb_mode`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def chain(error: BaseException | None) -> str:
    """Return the words of an error and of what caused it: Picamera2's own say little."""
    words: list[str] = []
    while error is not None and len(words) < 5:
        words.append(str(error) or type(error).__name__)
        error = error.__cause__ or error.__context__
    return "; ".join(words)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (tuple, list)) else value


def say(words: str) -> None:
    """Tell whoever reads stderr."""
    sys.stderr.write(f"picamera2_worker: {words}\n")
    sys.stderr.flush()


def obey(camera: Camera, outbox: Outbox, line: bytes) -> None:
    """Do what one line says and answer it; raises `Hung`."""
    reply: dict[str, Any] = {}
    try:
        request = json.loads(line)
        reply["id"] = request.get("id")
        match request.get("command"):
            case "start":
                camera.start_encoder(request.get("medium"))
            case "stop":
                camera.stop_encoder(request.get("medium"))
            case "keyframe":
                camera.key_frame()
            case "set":
                camera.set(request.get("controls") or {})
            case "controls":
                reply["controls"] = camera.controls()
            case "still":
                outbox.put(Kind.STILL, camera.still())
            case other:
                reply["error"] = Failure("invalid_request", f"command {other!r}").as_dict()
    except Failure as failure:
        reply["error"] = failure.as_dict()
        if isinstance(failure, Hung):
            raise
    except Exception as error:
        reply["error"] = Failure("worker_failed", chain(error)).as_dict()
    finally:
        outbox.put_json(Kind.REPLY, reply)


def read_commands(commands: queue.SimpleQueue[bytes | None], end: Callable[..., None]) -> None:
    """Queue each line of stdin, and its end."""
    with contextlib.suppress(OSError, ValueError):
        for line in sys.stdin.buffer:
            commands.put(line)
    end()


def run(settings: dict[str, Any], out: int) -> int:
    """Serve one camera until told to end; return the exit status."""
    commands: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def end(*_: object) -> None:
        # the kernel's own end of a process that does not find its own
        signal.setitimer(signal.ITIMER_REAL, CLOSE_TIMEOUT)
        commands.put(END)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    cameras: list[Camera] = []
    outbox = Outbox(out, on_gap=lambda: commands.put(GAP), on_closed=end)
    threading.Thread(target=read_commands, args=(commands, end), name="commands", daemon=True).start()
    try:
        camera = Camera(import_picamera2(), settings, outbox)
        cameras.append(camera)
        outbox.put_json(Kind.HELLO, camera.hello())
        camera.start()
        while (line := commands.get()) is not END:
            if line is GAP:
                camera.key_frame()
            else:
                obey(camera, outbox, line)
    except Failure as failure:
        outbox.put_json(Kind.ERROR, failure.as_dict())
        say(str(failure))
        status = 1
    else:
        status = 0
    finally:
        end()
        for camera in cameras:
            camera.close()
    outbox.flush(CLOSE_TIMEOUT)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return status


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit status."""
    # stdout is for messages alone: what libraries print goes to stderr
    out = os.dup(1)
    os.dup2(2, 1)
    if arguments == ["list"]:
        try:
            answer: dict[str, Any] = {"version": VERSION, "cameras": list_cameras()}
        except Failure as failure:
            answer = {"version": VERSION, "error": failure.as_dict()}
        with os.fdopen(out, "w") as stdout:
            json.dump(answer, stdout)
        return int("error" in answer)
    return run(json.loads(arguments[1]), out)


if __name__ == "__main__":
    exit_status = main(sys.argv[1:])
    sys.stderr.flush()
    # libcamera's threads may crash while Python takes itself apart, and nothing is left to be done
    os._exit(exit_status)
