"""The forms of a V4L2 camera: which one, how to run it, and every setting of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod
import re
from typing import Any, Final

from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import SelectSelector
import probatio

from .engine.errors import InvalidSource
from .engine.sources import V4l2
from .engine.sources.alsa import Microphone, suggest
from .engine.sources.v4l2.devices import VideoDevice
from .engine.sources.v4l2.profiles import Measured
from .forms import CONF_CAMERA, CONF_PROFILE, EXPERT, TEXT, number, selection
from .preview import CODECS, size
from .sentences import Phrases

CONF_MICROPHONE: Final = "microphone"
CONF_FORMAT: Final = "input_format"
CONF_SIZE: Final = "size"
CONF_RATE: Final = "rate"
CONF_QUALITY: Final = "quality"

AGAIN: Final = "again"
BY_PATH: Final = "by_path"
SILENT: Final = "none"

_SIZE = re.compile(r"\s*(\d{1,5})\s*[x×*]\s*(\d{1,5})\s*", re.IGNORECASE)  # noqa: RUF001 - the sign that we show
_PERCENT = 100


def camera_name(card: str) -> str:
    """Return a device's name without the repetition that webcams are known for (`Camera X: Camera X`)."""
    name, separator, again = card.partition(": ")
    return name if separator and (name.startswith(again) or again.startswith(name)) else card


def codec_name(input_format: str) -> str:
    """Return a format as people call it, for ffmpeg's name of it."""
    return CODECS.get(input_format) or f"{_RAW.get(input_format, input_format.upper())} (raw)"


_RAW = {"yuyv422": "YUYV", "uyvy422": "UYVY", "gray": "GREY", "yuv420p": "YU12", "rgb24": "RGB", "bgr24": "BGR"}


def cameras(found: Sequence[tuple[str, str]]) -> probatio.Schema:
    """Return the form to choose one of the cameras that were found, by identity and label."""
    choice = selection(found, AGAIN, BY_PATH, key="v4l2_camera")
    default = next((identity for identity, _ in found), AGAIN)
    return probatio.Schema({probatio.Required(CONF_CAMERA, default=default): choice})


def profiles(
    measured: Sequence[Measured],
    microphones: list[Microphone],
    device: VideoDevice,
    words: Phrases,
    *,
    stored: V4l2 | None,
    named: bool,
) -> probatio.Schema:
    """Return the form to choose how to run a camera: the cheapest good way is on top.

    One that is changed, as `stored`, begins with what it has.
    """
    options = [(str(place), profile_label(profile, words)) for place, profile in enumerate(measured)]
    profile = selection(options, EXPERT, key="v4l2_profile")
    fields: dict[Any, Any] = {probatio.Required(CONF_PROFILE, default=_present(measured, stored)): profile}
    if named:
        fields[probatio.Required(CONF_NAME, default=camera_name(device.name))] = TEXT
    known = {microphone.device: microphone.name for microphone in microphones}
    if stored and stored.microphone:  # it may be unplugged just now
        known.setdefault(stored.microphone, stored.microphone)
    if known:
        built_in = suggest(microphones, device.usb)
        own = stored.microphone if stored else built_in.device if built_in else ""
        choice = selection(known.items(), SILENT, key="microphone", listed=False)
        fields[probatio.Required(CONF_MICROPHONE, default=own or SILENT)] = choice
    return probatio.Schema(fields)


def _present(measured: Sequence[Measured], stored: V4l2 | None) -> str:
    """Return the choice that changes nothing; the first one for a new camera."""
    if stored is None:
        return "0"
    ways = [answers(profile.source) for profile in measured]
    return str(ways.index(answers(stored))) if answers(stored) in ways else EXPERT


def profile_label(profile: Measured, words: Phrases) -> str:
    """Return a profile with its figures, as people choose by it."""
    source = profile.source
    made = "profile_untouched" if source.input_format in CODECS else "profile_encoded"
    return words.say(
        made,
        size=size(source.width, source.height),
        asked=f"{source.rate:g}",
        format=codec_name(source.input_format),
        rate=f"{profile.rate:.1f}",
        cpu=f"{profile.cpu * _PERCENT:.0f}" if profile.cpu >= 1 / _PERCENT else "< 1",
        first=f"{profile.first_picture:.1f}",
    )


def settings(device: VideoDevice) -> probatio.Schema:
    """Return the form for every setting, with the values that the device has.

    They are the words for people themselves: the frontend shows a field that takes other values without its labels.
    """
    formats = dict.fromkeys(codec_name(mode.input_format) for mode in device.modes)
    sizes = sorted({(mode.width, mode.height) for mode in device.modes}, key=prod, reverse=True)
    rates = sorted({rate for mode in device.modes for rate in mode.rates}, reverse=True)
    return probatio.Schema(
        {
            probatio.Required(CONF_FORMAT): _setting(formats),
            probatio.Required(CONF_SIZE): _setting(size(width, height) for width, height in sizes),
            probatio.Required(CONF_RATE): _setting(f"{rate:g}" for rate in rates),
            probatio.Required(CONF_QUALITY): number(1, _PERCENT, "%"),
        }
    )


def _setting(values: Iterable[str]) -> SelectSelector:
    return selection(((value, value) for value in values), listed=False, custom=True)


def answers(source: V4l2) -> dict[str, Any]:
    """Return what the form for every setting holds for a source."""
    return {
        CONF_FORMAT: codec_name(source.input_format),
        CONF_SIZE: size(source.width, source.height),
        CONF_RATE: f"{source.rate:g}",
        CONF_QUALITY: source.quality,
    }


def chosen(source: V4l2, device: VideoDevice, given: dict[str, Any]) -> V4l2:
    """Return `source` with every setting as given; raises `InvalidSource`."""
    formats = {codec_name(name): name for name in (source.input_format, *(mode.input_format for mode in device.modes))}
    sides = _SIZE.fullmatch(given[CONF_SIZE])
    if sides is None:
        raise InvalidSource(given[CONF_SIZE])
    try:
        frames = float(given[CONF_RATE])
    except ValueError as error:
        raise InvalidSource(given[CONF_RATE]) from error
    return replace(
        source,
        input_format=formats.get(given[CONF_FORMAT], given[CONF_FORMAT].lower()),
        width=int(sides[1]),
        height=int(sides[2]),
        rate=frames,
        quality=given[CONF_QUALITY],
    )
