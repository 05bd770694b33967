"""What files and folders are called in the media browser: in times of where they were taken, and with durations."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .engine.archive import Item, Kind, parse
from .media_tree import Folder, Place
from .sentences import Phrases

_KINDS: Final = {
    Kind.SNAPSHOT: "kept_snapshots",
    Kind.RECORDING: "kept_recordings",
    Kind.VIDEO: "kept_videos",
    Kind.FRAME: "kept_frames",
}

_WEEKDAYS: Final = ("on_monday", "on_tuesday", "on_wednesday", "on_thursday", "on_friday", "on_saturday", "on_sunday")
"""In the order of `date.weekday`."""


def of_folders(words: Phrases, listed: Sequence[Folder]) -> list[str]:
    """Return the titles of folders that stand side by side."""
    hours = [folder.place.parts[0][:2] for folder in listed if len(folder.place.parts) == 1]
    return [f"{_place(words, folder.place, hours)} ({folder.count})" for folder in listed]


def of_open(words: Phrases, camera: str, place: Place) -> str:
    """Return the title of a folder that is open: where it is, the last step first, as narrow screens cut the rest."""
    steps = [camera]
    if place.kind:
        steps.append(_place(words, Place(place.kind, place.job)))
    if place.day:
        steps.append(_place(words, Place(place.kind, day=place.day)))
    if place.parts:
        steps.append(_place(words, place))
    return " · ".join(reversed(steps))


def _place(words: Phrases, place: Place, hours: Sequence[str] = ()) -> str:
    """Return what tells a folder from those beside it, of which some may be of `hours`."""
    assert place.kind
    if place.day is None:
        return place.job or words.say(_KINDS[place.kind])
    if not place.parts:
        return words.say(_WEEKDAYS[place.day.weekday()], date=place.day.isoformat())
    (hour, offset), minute = (place.parts[0][:2], place.parts[0][2:]), "".join(place.parts[1:]) or "00"
    return f"{hour}:{minute}" + (f" UTC{offset[:3]}:{offset[3:]}" if hours.count(hour) > 1 else "")


def of_item(item: Item, details: Mapping[str, Any]) -> str:
    """Return the title of an item: its timelapse or what the user named it, its time, and how long it lasts."""
    own = "" if parse(item.path.name) else item.job or item.path.stem
    seconds = details.get("duration")
    lasts = duration(seconds) if isinstance(seconds, int | float) else ""
    return " · ".join(filter(None, [own, f"{item.captured_at:%H:%M:%S}", lasts]))


def duration(seconds: float) -> str:
    """Return a duration as players show it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
