"""What a command line of ffmpeg captures, and how, as a source and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
import re
from typing import Any

from ..errors import InvalidSource, NotUnderstood
from ..options import Options
from ..sources import Source, UrlSource, V4l2
from . import values
from .account import Account
from .ffmpeg_line import CommandLine, Input

MJPEG_RATE = (0.1, 60.0)

_OWN_WAY = "Tripod opens devices and addresses in its own way"
_HLS = "HLS is made from memory as soon as somebody asks for it"
_ENCODING = "Tripod chooses the encoder and its settings, with a key frame each second"
_SOUND = "sound becomes AAC at the microphone's own rate"

_INPUT_NOT_NEEDED = {
    **dict.fromkeys(("thread_queue_size", "fflags", "flags", "probesize", "analyzeduration", "rtbufsize"), _OWN_WAY),
    **dict.fromkeys(("use_wallclock_as_timestamps", "ts", "timestamps", "avioflags", "loglevel", "re"), _OWN_WAY),
    **dict.fromkeys(("timeout", "stimeout", "rw_timeout", "max_delay", "reorder_queue_size", "threads"), _OWN_WAY),
    **dict.fromkeys(("reconnect", "reconnect_streamed", "reconnect_delay_max", "reconnect_at_eof"), _OWN_WAY),
    **dict.fromkeys(("err_detect", "hwaccel", "hwaccel_output_format", "hwaccel_device", "stream_loop"), _OWN_WAY),
    **dict.fromkeys(("y", "n", "nostdin", "stdin", "nostats", "stats", "hide_banner", "copyts", "an"), _OWN_WAY),
    **dict.fromkeys(("allowed_media_types", "listen_timeout", "buffer_size", "fpsprobesize", "v"), _OWN_WAY),
}

_OUTPUT_NOT_NEEDED = {
    **dict.fromkeys(("g", "keyint_min", "sc_threshold", "force_key_frames", "bf", "refs"), _ENCODING),
    **dict.fromkeys(("profile:v", "profile", "level", "pix_fmt", "tune", "preset", "bufsize", "minrate"), _ENCODING),
    **dict.fromkeys(("x264-params", "x264opts", "flags", "fflags", "threads", "bsf:v", "vsync", "fps_mode"), _ENCODING),
    **dict.fromkeys(("b:a", "ar", "ac", "profile:a", "strict", "aac_coder", "async"), _SOUND),
    **dict.fromkeys(("map", "sn", "dn", "avoid_negative_ts", "max_muxing_queue_size", "movflags"), _OWN_WAY),
    **dict.fromkeys(("y", "n", "nostdin", "stdin", "nostats", "stats", "hide_banner", "copyts", "loglevel"), _OWN_WAY),
    **dict.fromkeys(("rtsp_transport", "muxdelay", "muxpreload", "flush_packets", "shortest", "v"), _OWN_WAY),
    "start_number": _HLS,
    "method": _HLS,
    "segment_time": _HLS,
}

_SCALE = re.compile(r"scale=(?:w=)?(\d+):(?:h=)?(-?\d+)")
_PACKET_FORMATS = frozenset({"hls", "mpegts", "segment", "dash", "mjpeg", "mpjpeg"})


@dataclass(slots=True)
class Reading:
    """What is known so far."""

    name: str
    """What the command line is called where it was read."""
    account: Account
    fields: dict[str, Any] = field(default_factory=dict)
    """Of the source."""
    options: dict[str, Any] = field(default_factory=dict)
    """Of the camera."""


def read(
    line: CommandLine, name: str, account: Account, before: Mapping[str, object] | None = None
) -> tuple[Source, Options]:
    """Return what a command line captures; `before` is what a V4L2 device was told by others.

    Raises `NotUnderstood` where that is no camera.
    """
    reading = Reading(name, account)
    video = next((item for item in line.inputs if not _is_sound(item)), None)
    if video is None:
        raise NotUnderstood("it reads no video", what=name)
    for item in line.inputs:
        if _is_sound(item):
            _microphone(item, reading)
        elif item is not video:
            account.not_understood(f"{name} -i", item.url, "a camera has one picture and one sound")
    source = _device(video, reading, before or {}) if _is_device(video) else _address(video, reading)
    _outputs(line, reading)
    if "microphone" in reading.fields and isinstance(source, V4l2):
        source = replace(source, microphone=reading.fields["microphone"])
    return source, Options(**reading.options)


def _is_sound(item: Input) -> bool:
    return item.options.get("f") in ("alsa", "pulse", "oss")


def _is_device(item: Input) -> bool:
    return item.options.get("f") in ("v4l2", "video4linux2") or item.url.startswith("/dev/v")


# --- inputs ------------------------------------------------------------------------------------------------------


def _device(item: Input, reading: Reading, before: Mapping[str, object]) -> Source:
    name, account = reading.name, reading.account
    account.understood(f"{name} -i", item.url, f"a camera at {item.url}")
    for option, value in item.options.items():
        shown = f"{name} -{option}"
        if option in ("f", "format"):
            account.understood(shown, value, "a V4L2 device")
        elif option in _DEVICE_FIELDS:
            read, meaning = _DEVICE_FIELDS[option]
            if fields := read(value):
                reading.fields.update(fields)
                account.understood(shown, value, meaning.format(**fields))
            else:
                account.not_understood(shown, value, "this value means nothing here")
        else:
            _beside(shown, option, value, reading, _INPUT_NOT_NEEDED)
    return _made(name, lambda: V4l2(device=item.url, **{**before, **reading.fields}))


def _size(text: str) -> dict[str, Any] | None:
    found = values.size(text)
    return {"width": found[0], "height": found[1]} if found else None


def _rate(text: str) -> dict[str, Any] | None:
    found = values.number(text)
    return {"rate": found} if found else None


def _format(text: str) -> dict[str, Any] | None:
    return {"input_format": text.lower()} if re.fullmatch(r"\w{1,20}", text) else None


_DEVICE_FIELDS: dict[str, tuple[Callable[[str], dict[str, Any] | None], str]] = {
    **dict.fromkeys(
        ("input_format", "pixel_format", "pix_fmt", "vcodec", "c:v", "codec:v"), (_format, "the format {input_format}")
    ),
    **dict.fromkeys(("video_size", "s"), (_size, "{width}x{height} pixels")),
    **dict.fromkeys(("framerate", "r"), (_rate, "{rate:g} pictures a second")),
}
"""How each is read, and what it then means."""


def _microphone(item: Input, reading: Reading) -> None:
    name, account = reading.name, reading.account
    if item.options.get("f") != "alsa":
        account.not_understood(f"{name} -i", item.url, "Tripod takes sound from ALSA only")
        return
    # ALSA converts for a plug device to whatever rate is asked for; a third number is a subdevice
    device = re.sub(r"^hw:(?:CARD=)?(\w+)(?:,(?:DEV=)?(\d+))?.*$", r"plughw:CARD=\1,DEV=\2", item.url)
    device = re.sub(r",DEV=$", ",DEV=0", device)
    reading.fields["microphone"] = device
    account.understood(f"{name} -i", item.url, f"the microphone {device}")
    for option, value in item.options.items():
        if option == "f":
            account.understood(f"{name} -f", value, "a microphone")
        elif option in ("ac", "ar", "sample_rate", "channels", "sample_fmt", "c:a", "acodec"):
            account.not_needed(f"{name} -{option}", value, _SOUND)
        else:
            _beside(f"{name} -{option}", option, value, reading, _INPUT_NOT_NEEDED)


def _address(item: Input, reading: Reading) -> Source:
    name, account = reading.name, reading.account
    for option, value in item.options.items():
        shown = f"{name} -{option}"
        if option == "rtsp_transport" and value in ("tcp", "udp"):
            reading.fields["rtsp_transport"] = value
            account.understood(shown, value, f"RTSP over {value.upper()}")
        elif option == "f":
            account.not_needed(shown, value, "a look at the camera tells what comes")
        else:
            _beside(shown, option, value, reading, _INPUT_NOT_NEEDED)
    fields = {key: value for key, value in reading.fields.items() if key != "microphone"}
    source = _made(name, lambda: UrlSource(url=item.url, **fields))
    account.understood(f"{name} -i", source.address, f"a camera at {source.address}")
    return source


def _made(name: str, make: Callable[[], Source]) -> Source:
    try:
        return make()
    except InvalidSource as error:
        raise NotUnderstood(error.placeholders["detail"], what=name) from error


# --- outputs -----------------------------------------------------------------------------------------------------


def _outputs(line: CommandLine, reading: Reading) -> None:
    copies = any(line.output.get(option) == "copy" for option in ("c:v", "vcodec", "codec:v", "c"))
    for option, value in line.output.items():
        shown = f"{reading.name} -{option}"
        if option in _OUTPUTS:
            _OUTPUTS[option](shown, value, reading)
        elif option.startswith("hls_"):
            reading.account.not_needed(shown, value, _HLS)
        elif option == "crf" or option.startswith("q:") or option == "qscale:v":
            why = "the video is passed on as it is" if copies else "quality is set by a bit rate here"
            reading.account.not_understood(shown, value, why)
        else:
            _beside(shown, option, value, reading, _OUTPUT_NOT_NEEDED)
    for target in line.targets:
        if "://" in target:
            reading.account.not_understood(reading.name, target, "add it as a publication of the camera")
        else:
            reading.account.not_needed(reading.name, target, "no file is written for viewers")


def _video_codec(shown: str, value: str, reading: Reading) -> None:
    if value == "copy":
        reading.account.understood(shown, value, "the camera's own pictures are passed on untouched")
    elif re.search(r"264|avc", value):
        meaning = "H.264 is made when somebody asks for it, by the best encoder that works here"
        reading.account.understood(shown, value, meaning)
    else:
        reading.account.not_understood(shown, value, "video that is made here is H.264")


def _audio_codec(shown: str, value: str, reading: Reading) -> None:
    if value in ("aac", "libfdk_aac"):
        reading.account.understood(shown, value, "sound becomes AAC")
    else:
        reading.account.not_needed(shown, value, _SOUND)


def _no_sound(shown: str, value: str, reading: Reading) -> None:
    reading.fields.pop("microphone", None)
    reading.account.understood(shown, value, "no sound")


def _bit_rate(shown: str, value: str, reading: Reading) -> None:
    rate = values.bit_rate(value)
    if not rate:
        reading.account.not_understood(shown, value, "this is not a bit rate")
        return
    if shown.endswith("maxrate") and "h264_bit_rate" in reading.options:
        reading.account.not_needed(shown, value, "the bit rate is given besides")
        return
    reading.options["h264_bit_rate"] = rate
    reading.account.understood(shown, value, f"video that is made here has {rate / 1000:g} kbit/s")


def _width(shown: str, value: str, reading: Reading, width: int) -> None:
    reading.options["h264_width"] = width
    reading.account.understood(shown, value, f"video that is made here is at most {width} pixels wide")


def _out_size(shown: str, value: str, reading: Reading) -> None:
    if found := values.size(value):
        _width(shown, value, reading, found[0])
    else:
        reading.account.not_understood(shown, value, "this is not a size")


def _filter(shown: str, value: str, reading: Reading) -> None:
    if match := _SCALE.fullmatch(value):
        _width(shown, value, reading, int(match[1]))
    else:
        reading.account.not_understood(shown, value, "pictures are not changed on their way")


def _out_rate(shown: str, value: str, reading: Reading) -> None:
    rate = values.number(value)
    if rate and MJPEG_RATE[0] <= rate <= MJPEG_RATE[1]:
        reading.options["mjpeg_rate"] = rate
        meaning = f"JPEGs that are made of video come {rate:g} times a second; video keeps the camera's rate"
        reading.account.understood(shown, value, meaning)
    else:
        reading.account.not_understood(shown, value, "this is not a rate")


def _container(shown: str, value: str, reading: Reading) -> None:
    if value in _PACKET_FORMATS:
        reading.account.not_needed(shown, value, "HLS, MPEG-TS and MJPEG are there for whoever asks")
    else:
        reading.account.not_understood(shown, value, "to send it to a server, add a publication of the camera")


_OUTPUTS: dict[str, Callable[[str, str, Reading], None]] = {
    **dict.fromkeys(("c:v", "vcodec", "codec:v", "c"), _video_codec),
    **dict.fromkeys(("c:a", "acodec", "codec:a"), _audio_codec),
    **dict.fromkeys(("b:v", "maxrate", "b"), _bit_rate),
    **dict.fromkeys(("vf", "filter:v"), _filter),
    "an": _no_sound,
    "s": _out_size,
    "r": _out_rate,
    "f": _container,
}


def _beside(shown: str, option: str, value: str, reading: Reading, known: Mapping[str, str]) -> None:
    if why := known.get(option):
        reading.account.not_needed(shown, value, why)
    else:
        reading.account.not_understood(shown, value)
