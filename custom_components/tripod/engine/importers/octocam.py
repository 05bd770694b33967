"""Octocam (docker-octocam): a webcam through ffmpeg to HLS, configured by four variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import NotUnderstood
from ..options import Start
from . import environment, ffmpeg_line, from_ffmpeg, v4l2_ctl
from .account import Account
from .base import Import, Imported
from .values import boolean, title

ARGUMENTS = "FFMPEG_ARGS"

_NOT_NEEDED = {
    "UID": "a node runs as a user of its own, without rights beyond the camera's",
    "GID": "a node runs as a user of its own, without rights beyond the camera's",
    "WWW_DIR": "nothing is written to disk for viewers",
}


def read(text: str, beside: Mapping[str, str] | None = None) -> Import:
    """Read a compose file or a `.env`; raises `NotUnderstood`."""
    return convert(environment.read(text, beside))


def convert(variables: Mapping[str, str]) -> Import:
    """Return what the variables of one Octocam become; raises `NotUnderstood`."""
    if not variables.get(ARGUMENTS):
        raise NotUnderstood(f"{ARGUMENTS} is missing", what="Octocam's settings")
    account = Account()
    told = v4l2_ctl.read(variables.get("V4L_ARGS", ""), "V4L_ARGS", account)
    line = ffmpeg_line.parse(variables[ARGUMENTS], ARGUMENTS)
    source, options = from_ffmpeg.read(line, ARGUMENTS, account, told.fields)
    name, start = "Octocam", options.start
    for variable, value in variables.items():
        if variable == "STREAM_DIR":
            name = title(value, name)
            account.understood(variable, value, f"the camera is called {name}, and /stream.m3u8 is its playlist")
        elif variable == "AUTOSTART":
            start = _start(value, account)
        elif variable in _NOT_NEEDED:
            account.not_needed(variable, value, _NOT_NEEDED[variable])
        elif variable not in (ARGUMENTS, "V4L_ARGS"):
            account.not_understood(variable, value)
    notes = []
    if told.device and told.device != source.address:
        notes.append(f"V4L_ARGS set up {told.device}, but {source.address} was shown: the controls are set there now")
    camera = Imported(
        source=source,
        title=name,
        options=replace(options, start=start),
        controls=told.controls,
        notes=tuple(notes),
    )
    return account.result(camera)


def _start(value: str, account: Account) -> Start:
    begins = boolean(value)
    if begins is None:
        account.not_understood("AUTOSTART", value, "this is neither true nor false")
        return Start.ON_DEMAND
    meaning = "the camera always runs" if begins else "the camera runs between start and stop by hand"
    account.understood("AUTOSTART", value, meaning)
    return Start.ALWAYS if begins else Start.MANUAL
