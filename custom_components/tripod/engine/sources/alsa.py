"""The microphones that the kernel's sound system has, from what it says in /proc and /sys.

No sound card is opened for this, and no library is needed. Facts: Linux, Documentation/sound/designs/procfile.rst.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
import re

PROC = Path("/proc/asound")
SYS = Path("/sys/class/sound")

_CARD = re.compile(r"^ *(\d+) \[(\S+) *\]: .*? - (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Microphone:
    """A sound card's device that can be recorded from."""

    device: str
    """ALSA's name, by the card's id: `plughw:CARD=C920,DEV=0`. ALSA converts to whatever rate is asked for."""
    name: str
    """The card's, as people know it, and the device's where the card has several."""
    usb: str
    """The sysfs path of the USB device that it is part of, as cameras have it too; empty for no USB device."""


async def list_microphones(proc: Path = PROC, sys: Path = SYS) -> list[Microphone]:
    """Return the microphones in the order of their cards; none where the kernel has no sound system."""
    return await asyncio.to_thread(_list, proc, sys)


def suggest(microphones: list[Microphone], usb: str) -> Microphone | None:
    """Return the microphone inside the USB camera at `usb`, a sysfs path; None where it has none."""
    return next((microphone for microphone in microphones if usb and microphone.usb == usb), None)


def _list(proc: Path, sys: Path) -> list[Microphone]:
    found = []
    for number, card, name in _CARD.findall(_read(proc / "cards")):
        usb = _usb(sys / f"card{number}" / "device")
        devices = sorted(map(_info, (proc / f"card{number}").glob("pcm*c/info")))
        for device, device_name in devices:
            words = f"{name}: {device_name}" if len(devices) > 1 else name
            found.append(Microphone(device=f"plughw:CARD={card},DEV={device}", name=words, usb=usb))
    return found


def _info(path: Path) -> tuple[int, str]:
    """Return number and name of a device."""
    lines = dict(line.partition(": ")[::2] for line in _read(path).splitlines())
    return int(path.parent.name[3:-1]), lines.get("name") or lines.get("id", "")


def _usb(device: Path) -> str:
    """Return the USB device that `device`, a link to one of its interfaces, is part of."""
    place = device.resolve()
    for part in (place, *place.parents):
        if (part / "idVendor").exists():
            return str(part)
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # there is no sound system, or the card has just gone
        return ""
