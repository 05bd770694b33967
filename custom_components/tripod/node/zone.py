"""The time zone of this machine, in which days begin."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, tzinfo
import os
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

LOCALTIME = Path("/etc/localtime")


class FileZone(ZoneInfo):
    """A zone that a file describes and nobody names, as in a container; Python's own cannot be copied."""

    def __deepcopy__(self, _: object) -> Self:
        """Return the zone itself, which never changes."""
        return self


def local_zone(localtime: Path = LOCALTIME) -> tzinfo:
    """Return the zone that TZ or the system says, with its summer time; blocks.

    Where neither is to be had, the offset of now stands in for it.
    """
    linked = localtime.resolve().as_posix().partition("zoneinfo/")[2]
    for name in (os.environ.get("TZ", "").lstrip(":"), linked):
        with suppress(OSError, LookupError, ValueError):  # none of that name, a folder, a path
            if name:
                return ZoneInfo(name)
    with suppress(OSError, ValueError), localtime.open("rb") as file:
        return FileZone.from_file(file)
    return datetime.now().astimezone().tzinfo or UTC
