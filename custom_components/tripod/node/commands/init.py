"""Find the cameras of this machine and write a configuration."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
import asyncio
import os
from pathlib import Path
import platform
import re
import sys

from ...engine.sources import TestPattern
from ..checks.finding import failed
from ..config import DEFAULT_PORT, CameraConfig, ToolPaths
from ..configuration import CONFIG, PLACES, SYSTEM_STATE, build, read
from ..finding import FoundCamera, Search, search
from ..tools import tools
from ..writing import camera_text, value_text

MODE = 0o600
"""The file will hold passwords."""


def add_arguments(parser: ArgumentParser) -> None:
    """Have where to write, and whom to let in."""
    parser.add_argument("--config", metavar="FILE", help=f"the file to write, also {CONFIG}; - for the terminal")
    parser.add_argument(
        "--local",
        action="store_true",
        help="let nobody but this machine connect; else everybody with a token or a link",
    )


def run(arguments: Namespace) -> int:
    """Write what was found to a file that is not there yet; return 1 where there is one."""
    path = _path(arguments.config)
    if path and path.exists():
        print(f"{path} is there already, and stays as it is: remove it, or name another by --config", file=sys.stderr)
        return 1
    found = asyncio.run(search(tools(ToolPaths())))
    text = configuration_text(found, platform.node() or "Tripod", local=arguments.local)
    for error in found.troubles:
        trouble = failed("", error)
        print(f"{trouble.text}{trouble.hint and ': ' + trouble.hint}", file=sys.stderr)
    if path is None:
        print(text, end="")
        return 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(MODE, exist_ok=False)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        print(f"{path} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    build(read(path), str(path), path.parent, os.environ)
    names = ", ".join(camera.title for camera in found.cameras)
    print(f"{path} is written, with {names or 'a test pattern, as no camera was found'}.")
    print("Next: tripod-node check, then tripod-node")
    return 0


def configuration_text(found: Search, name: str, *, local: bool) -> str:
    """Return a whole configuration with the cameras that were found, or a test pattern in their place."""
    listen = f"127.0.0.1:{DEFAULT_PORT}" if local else f"0.0.0.0:{DEFAULT_PORT}"
    cameras = list(found.cameras) or [
        FoundCamera(title="Test pattern", source=TestPattern(), notes=("No camera was found: a picture to try with.",))
    ]
    state = (
        f"\n# What the node remembers, below which it keeps its files.\nstate = {value_text(SYSTEM_STATE)}\n"
        if os.geteuid() == 0
        else ""
    )
    head = _HEAD.format(name=value_text(name), listen=value_text(listen), state=state)
    return "\n".join([head, *map(_camera, _ids(cameras), cameras)])


def _camera(camera_id: str, found: FoundCamera) -> str:
    camera = CameraConfig(id=camera_id, title=found.title, source=found.source)
    return camera_text(camera, found.notes) + _MORE


def _ids(cameras: list[FoundCamera]) -> list[str]:
    """Return an id for each, of its title."""
    ids: list[str] = []
    for camera in cameras:
        wanted = re.sub(r"[^a-z0-9]+", "_", camera.title.lower()).strip("_")[:40] or "camera"
        number = 1 + sum(known == wanted or known.startswith(f"{wanted}_") for known in ids)
        ids.append(wanted if number == 1 else f"{wanted}_{number}")
    return ids


def _path(given: str | None) -> Path | None:
    """Return where to write; None for the terminal."""
    if given == "-":
        return None
    named = given or os.environ.get(CONFIG) or PLACES[1 if os.geteuid() == 0 else 0]
    return Path(named).expanduser()


_HEAD = """\
# The configuration of a Tripod node. What begins with # is a comment: most of it shows what else could be said.
# `tripod-node check` says whether all is well. The node takes a change over when it is restarted.

# What people call this node.
name = {name}

# Where it listens. 127.0.0.1 lets only this machine connect, 0.0.0.0 or [::] everybody in the network: those need a
# token, which Home Assistant gets by pairing (tripod-node code), or a link (tripod-node links).
listen = {listen}
{state}
# trust_loopback = true    # whether who connects from this machine needs neither
# zeroconf = true          # whether Home Assistant finds this node by itself
# cors = ["*"]             # the web pages that may show the pictures

# [storage]
# archive = "/media/disk/tripod"   # where recordings, snapshots and timelapses are kept
# floor = "1 GiB"                  # what stays free on that disk
# max_size = "100 GiB"             # what all cameras together may take

# [tls]                            # HTTPS
# certificate = "/etc/tripod/fullchain.pem"
# key = "/etc/tripod/privkey.pem"
# client_ca = "/etc/tripod/clients.pem"   # then every client needs a certificate that this authority signed

# [announce]                       # where multicast does not reach: tell Home Assistant that the node is there
# url = "http://homeassistant.local:8123"
# token_file = "/etc/tripod/home-assistant-token"   # a long-lived access token

# [mqtt]                           # take commands from a broker
# host = "broker.local"
# tls = true
# username = "hall"
# password_file = "/etc/tripod/mqtt-password"

# [log]
# level = "info"                   # debug, info, warning, error; debug tells of each request
# format = "json"                  # one object a line, for what collects logs
# file = "/var/log/tripod-node.log"   # besides what the journal keeps; never more than 4 MiB
"""

_MORE = """
# [camera.options]
# start = "on_demand"      # or always, or manual
# pre_roll = 10            # seconds of video that recordings begin before they were asked for

# [camera.storage]
# max_size = "50 GiB"
# recordings = { max_age_days = 30 }

# [[camera.timelapse]]
# name = "day"
# interval = 60            # seconds
# start_time = 06:00:00
# end_time = 21:00:00

# [[camera.publish]]
# url = "rtsp://mediamtx.local:8554/camera"

# record_while_away = true, below [[camera]], records while no Home Assistant is connected.
"""
