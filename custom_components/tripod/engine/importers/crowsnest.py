"""crowsnest.conf: the cameras of a printer, one section each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import configparser
from dataclasses import dataclass, field
import re
import shlex
from typing import Any

from ..errors import InvalidSource, NotUnderstood
from ..options import Options
from ..sources import Csi, Source, V4l2
from . import values
from .account import Account
from .base import Import, Imported
from .v4l2_ctl import FOURCC, set_controls

WHAT = "crowsnest.conf"

_GENERAL = frozenset({"crowsnest", "webcamd"})
_ONE_LOG = "the node logs to the journal"
_ONE_PORT = "all cameras are on the node's one port: /cameras/<id>/webcam/?action=stream, the first also at /webcam"
_PUBLISHED = "add a publication to an RTSP server, or let players use HLS"
_ALL_AT_ONCE = "MJPEG, stills and HLS are there for whoever asks, by whatever the camera needs"

_MODES = frozenset({"ustreamer", "mjpg", "mjpeg", "camera-streamer", "spyglass", "multi", "rtsp"})

_FLAGS = {"-m": "format", "-q": "quality", "-f": "desired-fps", "-r": "resolution"}
_FLAGS_NOT_NEEDED = frozenset(
    [
        "host",
        "port",
        "static",
        "encoder",
        "workers",
        "buffers",
        "allow-origin",
        "drop-same-frames",
        "slowdown",
        "tcp-nodelay",
        "persistent",
        "dv-timings",
        "device-timeout",
        "device-error-delay",
        "log-level",
    ]
)


@dataclass(slots=True)
class Reading:
    """What is known of one camera so far."""

    account: Account
    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    controls: dict[str, float] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def read(text: str) -> Import:
    """Read the file; raises `NotUnderstood`."""
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=("#",), strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise NotUnderstood(str(error).partition("\n")[0], what=WHAT) from error
    account = Account()
    cameras = []
    for section in parser.sections():
        kind, _, name = section.partition(" ")
        if kind == "cam":
            cameras.append(_camera(name.strip() or "1", parser[section], account))
        else:
            known = kind in _GENERAL
            for key, value in parser[section].items():
                note = account.not_needed if known else account.not_understood
                note(f"[{section}] {key}", value, _ONE_LOG if known else "this is no camera")
    if not cameras:
        raise NotUnderstood("it has no [cam …]", what=WHAT)
    return account.result(*(camera for camera in cameras if camera))


def _camera(name: str, section: Mapping[str, str], account: Account) -> Imported | None:
    reading = Reading(account, f"[cam {name}]")
    for key, value in section.items():
        if value:
            _SETTINGS.get(key, _other)(key, value, reading)
        else:
            account.not_needed(f"{reading.name} {key}", value, "it is empty")
    try:
        source = _source(reading)
    except InvalidSource as error:
        account.not_understood(f"{reading.name} device", section.get("device", ""), error.placeholders["detail"])
        return None
    title = values.title(name, "Camera") if not name.isdecimal() else f"Camera {name}"
    return Imported(source=source, title=title, options=Options(**reading.options), controls=reading.controls)


def _source(reading: Reading) -> Source:
    fields = dict(reading.fields)
    device = fields.pop("device", "/dev/video0")
    if device.startswith("/base"):
        fields.pop("input_format", None)
        size = {key: fields[key] // 2 * 2 for key in ("width", "height") if key in fields}
        lores = {f"lores_{key}": value for key, value in size.items()}
        rate = fields.get("rate", 30.0)
        return Csi(camera=device, **size, **lores, rate=rate, jpeg_rate=rate, quality=fields.get("quality", 80))
    return V4l2(device=device, **fields)


def _mode(key: str, value: str, reading: Reading) -> None:
    if value.lower() in _MODES:
        reading.account.not_needed(f"{reading.name} {key}", value, _ALL_AT_ONCE)
    else:
        reading.account.not_understood(f"{reading.name} {key}", value)


def _device(key: str, value: str, reading: Reading) -> None:
    reading.fields["device"] = value
    reading.account.understood(f"{reading.name} {key}", value, f"a camera at {value}")


def _resolution(key: str, value: str, reading: Reading) -> None:
    if found := values.size(value):
        reading.fields["width"], reading.fields["height"] = found
        reading.account.understood(f"{reading.name} {key}", value, f"{found[0]}x{found[1]} pixels")
    else:
        reading.account.not_understood(f"{reading.name} {key}", value, "this is not a size")


def _rate(key: str, value: str, reading: Reading) -> None:
    rate = values.number(value)
    if rate:
        reading.fields["rate"] = rate
        reading.account.understood(f"{reading.name} {key}", value, f"{rate:g} pictures a second")
    elif rate == 0:
        reading.account.not_needed(f"{reading.name} {key}", value, "no limit was set")
    else:
        reading.account.not_understood(f"{reading.name} {key}", value, "this is not a rate")


def _controls(key: str, value: str, reading: Reading) -> None:
    set_controls(reading.controls, value, f"{reading.name} {key}", reading.account)


def _rtsp(key: str, value: str, reading: Reading) -> None:
    on = values.boolean(value)
    note = reading.account.not_needed if on is False or key == "rtsp_port" else reading.account.not_understood
    note(f"{reading.name} {key}", value, _PUBLISHED)


def _port(key: str, value: str, reading: Reading) -> None:
    reading.account.not_needed(f"{reading.name} {key}", value, _ONE_PORT)


def _flags(key: str, value: str, reading: Reading) -> None:
    try:
        words = shlex.split(value)
    except ValueError:
        reading.account.not_understood(f"{reading.name} {key}", value, "its quotes do not match")
        return
    rest = iter(words)
    for word in rest:
        flag, equals, given = word.partition("=")
        flag = _FLAGS.get(flag, flag.lstrip("-"))
        if not equals and flag in ("format", "quality", "desired-fps", "resolution"):
            given = next(rest, "")
        shown = f"{reading.name} {key} --{flag}"
        if flag == "format" and (known := FOURCC.get(given.lower())):
            reading.fields["input_format"] = known
            reading.account.understood(shown, given, f"the format {known}")
        elif flag == "quality" and re.fullmatch(r"[1-9]\d?|100", given):
            reading.fields["quality"] = int(given)
            reading.account.understood(shown, given, f"JPEGs of {given} % quality, where the camera sends none")
        elif flag == "desired-fps" and values.number(given):
            _rate(f"{key} --{flag}", given, reading)
        elif flag == "resolution" and values.size(given):
            _resolution(f"{key} --{flag}", given, reading)
        elif flag in _FLAGS_NOT_NEEDED:
            reading.account.not_needed(shown, given, "Tripod captures and serves in its own way")
        else:
            reading.account.not_understood(shown, given)


def _other(key: str, value: str, reading: Reading) -> None:
    reading.account.not_understood(f"{reading.name} {key}", value)


_SETTINGS: dict[str, Callable[[str, str, Reading], None]] = {
    "mode": _mode,
    "streamer": _mode,
    "device": _device,
    "resolution": _resolution,
    "max_fps": _rate,
    "v4l2ctl": _controls,
    "enable_rtsp": _rtsp,
    "rtsp_port": _rtsp,
    "port": _port,
    "custom_flags": _flags,
}
