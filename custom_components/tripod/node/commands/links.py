"""List links, make one, or take one back."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime, timedelta
import socket
import sys

from ...engine.errors import NoSuchCamera
from ...engine.web import Scope
from ..config import NodeConfig
from ..credentials import Credentials
from .options import add_place, as_owner, configuration
from .table import moment, print_table

MAX_DAYS = 36500
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # not to listen on


def add_arguments(parser: ArgumentParser) -> None:
    """Have what link to make, or which to take back."""
    parser.add_argument("--add", metavar="CAMERA", help="make a link to this camera")
    parser.add_argument("--name", default="link", help="what the new link is called, such as OctoPrint")
    parser.add_argument("--days", type=_days, metavar="N", help="days until the new link ends; without: never")
    parser.add_argument("--viewers", type=int, metavar="N", help="how many may watch by it at once")
    parser.add_argument(
        "--scope", action="append", choices=sorted(Scope), help="what it shows, all if nothing is said; can be repeated"
    )
    parser.add_argument("--remove", metavar="ID", help="let nobody in by this link any more")
    add_place(parser)


def run(arguments: Namespace) -> int:
    """Print the links, make one, or remove one; return 1 where there is none of this id."""
    config = configuration(arguments)
    as_owner(config.state)
    credentials = Credentials(config.state)
    credentials.load()
    if arguments.add:
        return _add(arguments, config, credentials)
    if arguments.remove:
        if not credentials.remove_link(arguments.remove):
            print(f"There is no link {arguments.remove}.", file=sys.stderr)
            return 1
        print("It opens nothing any more; a running node knows it within two seconds.")
        return 0
    rows = [
        (link.id, link.camera, link.name, ", ".join(sorted(link.scopes)), moment(link.expires_at), moment(used))
        for link in credentials.links
        for used in (credentials.used(link.id),)
    ]
    heads = ("id", "camera", "name", "shows", "ends", "last used")
    print_table(heads, rows, empty="There is no link: tripod-node links --add CAMERA --name OctoPrint")
    return 0


def _add(arguments: Namespace, config: NodeConfig, credentials: Credentials) -> int:
    if arguments.add not in {camera.id for camera in config.cameras}:
        raise NoSuchCamera(camera=arguments.add)
    scopes = frozenset(map(Scope, arguments.scope or Scope))
    expires_at = datetime.now(UTC) + timedelta(days=arguments.days) if arguments.days else None
    _, key = credentials.add_link(
        arguments.add, arguments.name, scopes=scopes, expires_at=expires_at, viewers=arguments.viewers
    )
    host = socket.gethostname() if config.host in _EVERYWHERE else config.host
    base = f"http{'s' if config.certificate else ''}://{f'[{host}]' if ':' in host else host}:{config.port}/links/{key}"
    print("This is shown once; who has it can watch.\n")
    for path in ("", "stream.mjpg", "snapshot.jpg", "stream.m3u8", "stream.ts"):
        print(f"  {base}/{path}")
    return 0


def _days(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= MAX_DAYS:
        raise ArgumentTypeError(f"{text} is no number of days")
    return int(text)
