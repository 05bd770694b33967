"""What a camera keeps, a page at a time: whoever takes it over asks for what came after the last that it has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from ..engine.archive import Archive, Item, Kind
from ..engine.archive.names import parse, parse_day
from ..engine.errors import InvalidCommand
from .facts import item_facts
from .fields import SHOWN

LISTED = (Kind.RECORDING, Kind.SNAPSHOT, Kind.VIDEO)
"""What can be taken over: frames become videos here, and chunks are parts of these."""

LONGEST_LIST = 100
"""Items of one page."""


def page(archive: Archive, kind: Kind, after: str | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Return up to `limit` items that come after the key `after`, oldest first, and whether there are more; blocks.

    Where the item of that key is gone and was not named by its time, its whole day is listed again.
    """
    found = list(islice(_after(archive, kind, after), limit + 1))
    return [item_facts(archive, item) for item in found[:limit]], len(found) > limit


def _after(archive: Archive, kind: Kind, after: str | None) -> Iterator[Item]:
    first = _day(after) if after else ""
    for day in archive.days(kind):
        name = day.date.isoformat()
        if name < first:
            continue
        items = sorted(archive.items(kind, day.date), key=_order)
        yield from _rest(items, after) if after and name == first else items


def _rest(items: list[Item], after: str) -> list[Item]:
    """Return the items of one day that come after a key."""
    for index, item in enumerate(items):
        if item.key == after:
            return items[index + 1 :]
    at = parse(after.rpartition("/")[2])  # of one that is gone
    return [item for item in items if at is None or (item.captured_at, item.key) > (at, after)]


def _day(key: str) -> str:
    """Return the day in whose folder the item of a key is; raises `InvalidCommand`."""
    parts = key.split("/")
    if len(parts) < 3 or parse_day(parts[1]) is None:
        raise InvalidCommand(f"after={key[:SHOWN]!a} is the key of nothing")
    return parts[1]


def _order(item: Item) -> tuple[datetime, str]:
    return item.captured_at, item.key
