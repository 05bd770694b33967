"""The forms of a CSI camera: which one, how to run it, and every setting of its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import BooleanSelector
import probatio

from .engine.sources.csi import Csi, CsiCamera
from .forms import CONF_CAMERA, CONF_PROFILE, EXPERT, TEXT, number, selection
from .preview import size
from .sentences import Phrases

CONF_BIT_RATE: Final = "bit_rate"

_MODULES = {
    "imx219": "Camera Module 2",
    "imx296": "Global Shutter Camera",
    "imx477": "High Quality Camera",
    "imx500": "AI Camera",
    "imx708": "Camera Module 3",
    "ov5647": "Camera Module 1",
}
"""What Raspberry Pi sells the sensors as."""

_KILO = 1000
_MEGA = 1_000_000

_MOUNTED = ("hflip", "vflip")
"""What is said of how a camera hangs, which no profile changes."""

SETTINGS = probatio.Schema(
    {
        probatio.Required("width"): number(64, 4096, "px"),
        probatio.Required("height"): number(64, 4096, "px"),
        probatio.Required("rate"): number(1, 240, "fps"),
        probatio.Required(CONF_BIT_RATE): number(100, 25_000, "kbit/s"),
        probatio.Required("lores_width"): number(64, 4096, "px"),
        probatio.Required("lores_height"): number(64, 4096, "px"),
        probatio.Required("jpeg_rate"): number(0.1, 240, "fps", step=0.1),
        probatio.Required("quality"): number(1, 100, "%"),
        probatio.Required("hflip"): BooleanSelector(),
        probatio.Required("vflip"): BooleanSelector(),
    }
)


def module(camera: CsiCamera) -> str:
    """Return what the camera is sold as, or else its sensor."""
    return _MODULES.get(camera.model.split("_", maxsplit=1)[0], camera.model)


def label(camera: CsiCamera) -> str:
    """Return what the camera is, and what tells it from a second one of its kind: its connector."""
    bus = next((part for part in reversed(camera.id.split("/")) if part.startswith("i2c@")), camera.id)
    return f"{module(camera)} ({camera.model}, {bus})"


def cameras(found: Iterable[CsiCamera]) -> probatio.Schema:
    """Return the form to choose one of several cameras."""
    options = [(camera.id, label(camera)) for camera in found]
    return probatio.Schema({probatio.Required(CONF_CAMERA, default=options[0][0]): selection(options)})


def profiles(
    ways: Sequence[Csi], camera: CsiCamera, words: Phrases, *, present: Csi | None, named: bool
) -> probatio.Schema:
    """Return the form to choose how to run a camera; one that is changed begins with what it has."""
    options = [(str(place), _profile_label(way, words)) for place, way in enumerate(ways)]
    profile = selection(options, EXPERT, key="csi_profile")
    fields: dict[Any, Any] = {probatio.Required(CONF_PROFILE, default=_kept(ways, present)): profile}
    if named:
        fields[probatio.Required(CONF_NAME, default=module(camera))] = TEXT
    return probatio.Schema(fields)


def _kept(ways: Sequence[Csi], present: Csi | None) -> str:
    """Return the choice that changes nothing; the first one for a new camera."""
    if present is None:
        return "0"
    known = [mounted(way, present) for way in ways]
    return str(known.index(present)) if present in known else EXPERT


def _profile_label(way: Csi, words: Phrases) -> str:
    return words.say(
        "csi_profile",
        size=size(way.width, way.height),
        rate=f"{way.rate:g}",
        bit_rate=f"{way.bit_rate / _MEGA:g}",
        small=size(way.lores_width, way.lores_height),
        jpeg_rate=f"{way.jpeg_rate:g}",
    )


def mounted(way: Csi, present: Csi | None) -> Csi:
    """Return a profile for a camera that hangs as it does at `present`."""
    return replace(way, **{key: getattr(present, key) for key in _MOUNTED}) if present else way


def answers(source: Csi) -> dict[str, Any]:
    """Return what the form for every setting holds for a source."""
    fields = source.as_dict()
    return {str(key): fields[key] for key in SETTINGS.schema} | {CONF_BIT_RATE: source.bit_rate // _KILO}


def chosen(source: Csi, given: Mapping[str, Any]) -> Csi:
    """Return `source` with every setting as given; raises `InvalidSource`."""
    return replace(source, **{**given, CONF_BIT_RATE: given[CONF_BIT_RATE] * _KILO})
