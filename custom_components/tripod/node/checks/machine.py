"""The machine: its folders, its clock, its ffmpeg."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
import os
from pathlib import Path
import shutil
import time

from ...engine.errors import TripodError
from ...engine.sources import Medium, Tools
from ..config import NodeConfig
from .finding import Finding, bad, failed, good, note

BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""A clock that shows an earlier time was never set: most Raspberry Pis have none that runs without power."""

_OTHERS_READ = 0o044
_GIB = 2**30


def file(path: Path | None, config: NodeConfig) -> Iterator[Finding]:
    """Look at the configuration file."""
    if path is None:
        yield note("configuration", "there is no file: all comes from flags and the environment", "tripod-node init")
        return
    yield good("configuration", f"{path}, {_counted(len(config.cameras), 'camera')}")
    if path.stat().st_mode & _OTHERS_READ and _has_secrets(config):
        yield note("configuration", f"everybody on this machine may read its passwords: chmod 600 {path}")


def folders(config: NodeConfig) -> Iterator[Finding]:
    """Look whether what is to be kept can be written."""
    for about, folder in (("state folder", config.state), ("archive", config.archive)):
        there = next(parent for parent in (folder, *folder.parents) if os.access(parent, os.F_OK))
        if not os.access(there, os.W_OK | os.X_OK):
            owner = f"sudo chown -R USER {there}" if there == folder else f"sudo install -d -o USER {folder}"
            yield bad(about, f"{there} may not be written", f"give it to the user that runs the node: {owner}")
        else:
            yield good(about, str(folder))
    free = shutil.disk_usage(there).free
    if free < config.floor:
        text = f"{free / _GIB:.1f} GiB are free, and {config.floor / _GIB:.1f} GiB have to stay: nothing can be kept"
        yield bad("disk", text, "make room, or set a smaller floor in [storage]")
    else:
        yield good("disk", f"{free / _GIB:.1f} GiB are free")


def clock(now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Look whether the clock was ever set."""
    shown = datetime.fromtimestamp(now(), UTC)
    if shown < BUILT:
        hint = "let systemd-timesyncd or chrony set it: times of recordings, and certificates, depend on it"
        yield bad("clock", f"it shows {shown:%Y-%m-%d %H:%M} UTC, which is past", hint)
    else:
        yield good("clock", f"{shown:%Y-%m-%d %H:%M} UTC")


async def ffmpeg(config: NodeConfig, tools: Tools) -> list[Finding]:
    """Look for ffmpeg, and for an encoder where one will be needed."""
    try:
        found = [good("ffmpeg", await tools.ffmpeg.version())]
        encoder = await tools.encoders.choose()
    except TripodError as error:
        return [failed("ffmpeg", error)]
    need = [camera.title for camera in config.cameras if Medium.PACKETS not in camera.source.delivers]
    if encoder.hardware:
        found.append(good("encoder", f"{encoder.name}, in hardware"))
    elif need:
        cores = await asyncio.to_thread(os.cpu_count) or 1
        by = f"the processor ({_counted(cores, 'core')})"
        text = f"{', '.join(need)}: video is made of JPEGs by {by} while it is watched"
        found.append(note("encoder", text, "take a format of the camera that is H.264 already, if there is one"))
    return found


def _has_secrets(config: NodeConfig) -> bool:
    secrets = [bool(config.announce), bool(config.mqtt and config.mqtt.password)]
    secrets += [bool(camera.source.secrets) for camera in config.cameras]
    return any(secrets)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
