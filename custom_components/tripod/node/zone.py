"""The time zone of this machine, in which days begin."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, tzinfo
import os
from pathlib import Path
from zoneinfo import ZoneInfo

LOCALTIME = Path("/etc/localtime")


def local_zone(localtime: Path = LOCALTIME) -> tzinfo:
    """Return the zone that TZ or the system says, with its summer time; blocks.

    Where neither is to be had, the offset of now stands in for it.
    """
    if name := os.environ.get("TZ", "").lstrip(":"):
        with suppress(OSError, ValueError):  # ValueError: a name that leads elsewhere
            return ZoneInfo(name)
    with suppress(OSError, ValueError), localtime.open("rb") as file:
        return ZoneInfo.from_file(file, key=localtime.resolve().as_posix().partition("zoneinfo/")[2] or None)
    zone = datetime.now().astimezone().tzinfo
    return zone or UTC
