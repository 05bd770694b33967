"""One camera's files: where they lie, how they get there whole, and how long they stay."""

from .archive import DEFAULT_FLOOR, Archive
from .governor import Governor, Reason, Removal
from .item import Day, Item, Kind, Usage
from .names import confined, file_name, folder_name, parse
from .retention import Limits, Retention

__all__ = [
    "DEFAULT_FLOOR",
    "Archive",
    "Day",
    "Governor",
    "Item",
    "Kind",
    "Limits",
    "Reason",
    "Removal",
    "Retention",
    "Usage",
    "confined",
    "file_name",
    "folder_name",
    "parse",
]
