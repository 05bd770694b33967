"""Values as other programs write them."""

from __future__ import annotations

import re

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})

# ffmpeg-utils(1), "Video size": the names that cameras are asked for
_SIZES = {
    "qqvga": (160, 120),
    "qvga": (320, 240),
    "vga": (640, 480),
    "svga": (800, 600),
    "xga": (1024, 768),
    "uxga": (1600, 1200),
    "hd480": (852, 480),
    "hd720": (1280, 720),
    "hd1080": (1920, 1080),
    "uhd2160": (3840, 2160),
}

_UNITS = {"": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000}


def boolean(text: str) -> bool | None:
    """Return what a switch says; None where it says something else."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def number(text: str) -> float | None:
    """Return a number, also one written as a fraction; None where it is none, or not finite."""
    above, _, below = text.strip().partition("/")
    try:
        value = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return value if value - value == 0 else None


def size(text: str) -> tuple[int, int] | None:
    """Return width and height; None where it is no size."""
    if known := _SIZES.get(text.strip().lower()):
        return known
    match = re.fullmatch(r"\s*(\d{1,5})[xX](\d{1,5})\s*", text)
    return (int(match[1]), int(match[2])) if match else None


def bit_rate(text: str) -> int | None:
    """Return bits per second of ffmpeg's `2M`, `800k` or `2000000`; None where it is none."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)([kKmMgG]?)\s*", text)
    return round(float(match[1]) * _UNITS[match[2].lower()]) if match else None


def title(text: str, otherwise: str) -> str:
    """Return words for people made of an identifier such as `hall_tv`."""
    words = re.sub(r"[\W_]+", " ", text).strip()
    return (words[:1].upper() + words[1:])[:60] or otherwise
