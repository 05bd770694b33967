"""The arguments of v4l2-ctl, as set-ups pass them: a format, a rate, and controls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
import shlex

from ..errors import NotUnderstood
from ..sources.v4l2.controls import RENAMED
from .account import Account
from .values import number

_ALIASES = {"-d": "device", "-c": "set-ctrl", "-v": "set-fmt-video", "-p": "set-parm"}

_SHOWS = frozenset(
    {
        "all",
        "get-fmt-video",
        "get-parm",
        "info",
        "list-ctrls",
        "list-ctrls-menus",
        "list-devices",
        "list-formats",
        "list-formats-ext",
        "log-status",
        "silent",
        "verbose",
    }
)
"""What only prints something."""

FOURCC = {
    "h264": "h264",
    "mjpg": "mjpeg",
    "mjpeg": "mjpeg",
    "jpeg": "mjpeg",
    "yuyv": "yuyv422",
    "yuv2": "yuyv422",
    "uyvy": "uyvy422",
    "nv12": "nv12",
    "yu12": "yuv420p",
}
"""ffmpeg's names of what v4l2-ctl calls by four characters."""


@dataclass(slots=True)
class Setting:
    """What a device is told before it is opened."""

    device: str = ""
    fields: dict[str, object] = field(default_factory=dict)
    """Fields of a V4L2 source."""
    controls: dict[str, float] = field(default_factory=dict)


def read(text: str, name: str, account: Account) -> Setting:
    """Take arguments apart; raises `NotUnderstood` where they cannot be told apart."""
    setting = Setting()
    for option, value in _options(text, name):
        shown = f"{name} --{option}"
        if option == "device":
            setting.device = value if value.startswith("/") else f"/dev/video{value}"
            account.understood(shown, value, f"the device {setting.device}")
        elif option == "set-fmt-video":
            _format(setting, value, shown, account)
        elif option == "set-parm":
            _rate(setting, value, shown, account)
        elif option == "set-ctrl":
            set_controls(setting.controls, value, shown, account)
        elif option in _SHOWS:
            account.not_needed(shown, value, "it only prints what the camera says")
        else:
            account.not_understood(shown, value)
    return setting


def set_controls(controls: dict[str, float], text: str, name: str, account: Account) -> None:
    """Take `name=value,name=value` apart."""
    for pair in filter(None, (part.strip() for part in text.split(","))):
        control, _, given = pair.partition("=")
        value = number(given) if given else None
        if value is None:
            account.not_understood(name, pair, "this is not control=value")
            continue
        key = RENAMED.get(control, control)
        controls[key] = value
        account.understood(name, pair, f"the control {key} is set to {value:g} before each start")


def _options(text: str, name: str) -> Iterator[tuple[str, str]]:
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise NotUnderstood(str(error), what=name) from error
    for word in words:
        if word.startswith("--"):
            option, equals, value = word[2:].partition("=")
            if not equals and option in ("device", "set-ctrl", "set-fmt-video", "set-parm"):
                value = next(words, "")
        elif word[:2] in _ALIASES:
            option, value = _ALIASES[word[:2]], word[2:].lstrip("=") or next(words, "")
        else:
            option, value = word.lstrip("-"), ""
        yield option, value


def _format(setting: Setting, text: str, name: str, account: Account) -> None:
    for pair in filter(None, text.split(",")):
        key, _, value = pair.partition("=")
        if key in ("width", "height") and value.isdecimal():
            setting.fields[key] = int(value)
            account.understood(name, pair, f"the picture's {key}")
        elif key == "pixelformat" and (known := FOURCC.get(value.lower())):
            setting.fields["input_format"] = known
            account.understood(name, pair, f"the format {known}")
        elif key in ("field", "colorspace", "ycbcr", "quantization", "xfer"):
            account.not_needed(name, pair, "the driver's own choice is kept")
        else:
            account.not_understood(name, pair)


def _rate(setting: Setting, text: str, name: str, account: Account) -> None:
    if rate := number(text):
        setting.fields["rate"] = rate
        account.understood(name, text, f"{rate:g} pictures a second")
    else:
        account.not_understood(name, text, "this is not a rate")
