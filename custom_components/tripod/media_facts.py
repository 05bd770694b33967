"""What actions and events say of a file: where it is, how to show it, and from when."""

from collections.abc import Mapping
from typing import Any

from .const import DOMAIN
from .data import TripodConfigEntry
from .engine.archive import Item
from .engine.errors import NoSuchItem
from .media_files import MEDIA_URL, THUMBNAIL_URL, url

DETAILS = ("duration", "width", "height")
"""What is known of a video or picture beside its file, where it is."""


def facts(entry: TripodConfigEntry, item: Item, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an automation can use of a file of a camera."""
    return {
        "media_content_id": f"{_prefix(entry)}{item.key}",
        "path": str(item.path),
        "url": url(MEDIA_URL, entry, item.key),
        "thumbnail": url(THUMBNAIL_URL, entry, item.key),
        "captured_at": item.captured_at.isoformat(),
        "size": item.size,
        **{key: details[key] for key in DETAILS if key in details},
    }


def key(entry: TripodConfigEntry, media_content_id: str) -> str:
    """Return the key of a file of this camera; raises `NoSuchItem` for one that is not of this camera."""
    found = media_content_id.removeprefix(_prefix(entry))
    if "://" in found:
        raise NoSuchItem(item=media_content_id)
    return found


def _prefix(entry: TripodConfigEntry) -> str:
    return f"media-source://{DOMAIN}/{entry.entry_id}/"
