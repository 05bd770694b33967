"""What a config entry says about its camera, as the engine's own types."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME

from .const import (
    CONF_CODEC,
    CONF_DASHBOARD_VIDEO,
    CONF_FLOOR,
    CONF_FOLDER,
    CONF_H264_BIT_RATE,
    CONF_H264_WIDTH,
    CONF_LINGER,
    CONF_MAX_AGE,
    CONF_MAX_COUNT,
    CONF_MAX_SIZE,
    CONF_MAX_VIEWERS,
    CONF_MJPEG_QUALITY,
    CONF_MJPEG_RATE,
    CONF_PRE_ROLL,
    CONF_RING,
    CONF_STALL_LIMIT,
    CONF_START,
    CONF_STORAGE,
    CONF_WARM_UP,
)
from .engine.archive import DEFAULT_FLOOR, Kind, Limits, Retention
from .engine.encoders import Encoder
from .engine.options import Options, Start
from .engine.sources import Medium, Source, load

KILO = 1000
MIB = 2**20

_AS_STORED = (
    CONF_STALL_LIMIT,
    CONF_LINGER,
    CONF_WARM_UP,
    CONF_PRE_ROLL,
    CONF_MJPEG_RATE,
    CONF_MJPEG_QUALITY,
    CONF_H264_WIDTH,
    CONF_MAX_VIEWERS,
)
"""The options that an entry stores in the engine's own units."""


class DashboardVideo(StrEnum):
    """Whether dashboards are offered video, or the moving JPEGs that cost nothing where the camera delivers JPEGs."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class DayNight(StrEnum):
    """Who switches a camera between day and night."""

    OFF = "off"
    """Nobody but the user."""
    SUN = "sun"
    ENTITY = "entity"
    """An entity that is on at night."""


def source(entry: ConfigEntry) -> Source:
    """Return the entry's source; raises `InvalidSource`."""
    return load({key: value for key, value in entry.data.items() if key not in (CONF_NAME, CONF_CODEC)})


def options(stored: Mapping[str, Any]) -> Options:
    """Return the engine's options for those of an entry, which are in units that people use."""
    fields: dict[str, Any] = {key: stored[key] for key in _AS_STORED if key in stored}
    if CONF_START in stored:
        fields["start"] = Start(stored[CONF_START])
    if CONF_RING in stored:
        fields["ring_bytes"] = stored[CONF_RING] * MIB
    if CONF_H264_BIT_RATE in stored:
        fields["h264_bit_rate"] = stored[CONF_H264_BIT_RATE] * KILO
    return Options(**fields)


def stored(engine: Options) -> dict[str, Any]:
    """Return engine options as an entry stores them."""
    return {
        CONF_START: engine.start.value,
        CONF_STALL_LIMIT: engine.stall_limit,
        CONF_LINGER: engine.linger,
        CONF_WARM_UP: engine.warm_up,
        CONF_PRE_ROLL: engine.pre_roll,
        CONF_RING: engine.ring_bytes // MIB,
        CONF_MJPEG_RATE: engine.mjpeg_rate,
        CONF_MJPEG_QUALITY: engine.mjpeg_quality,
        CONF_H264_BIT_RATE: engine.h264_bit_rate // KILO,
        CONF_H264_WIDTH: engine.h264_width,
        CONF_MAX_VIEWERS: engine.max_viewers,
    }


def offers_video(entry: ConfigEntry, camera: Source, encoder: Encoder | None) -> bool:
    """Return whether dashboards are offered video, which `encoder` would make of JPEGs.

    Where the choice is left to us: video that browsers play and that costs the processor nothing.
    """
    choice = entry.options.get(CONF_DASHBOARD_VIDEO, DashboardVideo.AUTO)
    if choice == DashboardVideo.AUTO:
        if Medium.PACKETS in camera.delivers:
            return bool(entry.data.get(CONF_CODEC, "h264") == "h264")
        return encoder is not None and encoder.hardware
    return bool(choice == DashboardVideo.ON)


def storage(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options about what is kept, as an entry stores them: sizes in MiB, ages in days, 0 for no limit."""
    found: Mapping[str, Any] = stored.get(CONF_STORAGE, {})
    return {CONF_FOLDER: "", CONF_FLOOR: DEFAULT_FLOOR // MIB, CONF_MAX_SIZE: 0, **found}


def retention(stored: Mapping[str, Any]) -> Retention:
    """Return how much of a camera stays."""
    kept = storage(stored)
    return Retention(
        limits={kind: _limits(kept[kind]) for kind in Kind if kind in kept}, max_bytes=int(kept[CONF_MAX_SIZE] * MIB)
    )


def _limits(stored: Mapping[str, Any]) -> Limits:
    return Limits(
        max_age_days=stored.get(CONF_MAX_AGE, 0),
        max_count=int(stored.get(CONF_MAX_COUNT, 0)),
        max_bytes=int(stored.get(CONF_MAX_SIZE, 0) * MIB),
    )


def floor(stored: Mapping[str, Any]) -> int:
    """Return how many bytes of the disk a camera leaves free."""
    return int(storage(stored)[CONF_FLOOR] * MIB)
