"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...engine.errors import TripodError

HINTS = {
    "address_not_allowed": "use the address under which the camera is in your network",
    "archive_missing": "connect or mount the disk of the archive",
    "client_certificate": "set certificate and key to ones that the other end accepts",
    "device_busy": "end the other program, or let it have the camera and take its stream by a url",
    "device_held": "end that program, or let it have the camera and take its stream by a url",
    "device_missing": "plug it in, or run `tripod-node init` to see what is there; a container needs it under devices",
    "device_not_permitted": "add the user that runs the node to that group: sudo usermod -aG {group} USER, then log in "
    "anew; a container needs group_add: [{gid}]",
    "encoder_failed": "take another format of the camera, or install the distribution's ffmpeg",
    "ffmpeg_missing": "sudo apt install ffmpeg, or set ffmpeg in [tools]",
    "format_not_supported": "take a format that the device offers: `tripod-node init` lists them",
    "host_not_found": "write the name as it is known in your network, or the address",
    "no_permission": "add the user that runs the node to the device's group, mostly video: sudo usermod -aG video USER",
    "no_picamera2": "sudo apt install python3-picamera2, from Raspberry Pi OS",
    "no_video": "the address has sound only: take that of a picture",
    "not_a_picture": "this is a page or something else: take the address of the stream or the picture itself",
    "not_found": "the host answers, but not under this path: look into the camera's manual",
    "picamera2_broken": "sudo apt full-upgrade, for libcamera and its Python module have to be of one age",
    "refused": "nothing listens there: look at the port, and whether the program runs",
    "stalled": "look at the camera's cable and power",
    "tls": "see what is said of the certificate; for one that is signed by itself: verify_tls = false",
    "unauthorized": "look at user, password and token",
    "unreachable": "look at the address, the cable, and the other machine",
}
"""What to do next, by the error's cause."""


class Verdict(Enum):
    """How bad it is."""

    GOOD = "ok"
    NOTE = "note"
    """It works, but not as one might think."""
    BAD = "PROBLEM"
    """Something that is configured will not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    verdict: Verdict
    about: str
    """What was looked at."""
    text: str
    hint: str = ""
    """What to do next."""


def good(about: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(Verdict.GOOD, about, text)


def note(about: str, text: str, hint: str = "") -> Finding:
    """Return what is worth knowing."""
    return Finding(Verdict.NOTE, about, text, hint)


def bad(about: str, text: str, hint: str = "") -> Finding:
    """Return what will not work."""
    return Finding(Verdict.BAD, about, text, hint)


def failed(about: str, error: TripodError) -> Finding:
    """Return what an error says, with what to do next."""
    hint = HINTS.get(error.cause, "")
    return bad(about, str(error), hint.format_map({"group": "", "gid": "", **error.placeholders}))
