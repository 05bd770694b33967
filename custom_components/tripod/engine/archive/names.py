"""Names of files: a capture time that sorts and keeps its offset, or what the user chose, on any file system."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import PurePosixPath
import re

from ..errors import InvalidName

CAPTURE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)_(\d\d)-(\d\d)-(\d\d)\.(\d{3})([+-]\d{4}(?:\d\d)?)")

DAY = re.compile(r"\d{4}-\d\d-\d\d")

FORBIDDEN = frozenset('<>:"/\\|?*\x7f') | {chr(code) for code in range(32)}
"""Characters that FAT, exFAT, NTFS or SMB do not store: an archive may lie on a stick or a NAS."""

RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))]
)
"""Names that are devices to Windows, whatever their suffix."""

MAX_LENGTH = 200
"""Bytes of a name: file systems take 255, and what lies beside a file carries a longer name."""

MAX_DEPTH = 4
"""Folders and file name of what the user chose."""


def file_name(captured_at: datetime, suffix: str) -> str:
    """Return the name of what was captured then, such as `2026-11-21_14-05-09.123+0100.jpg`."""
    return f"{captured_at:%Y-%m-%d_%H-%M-%S}.{captured_at.microsecond // 1000:03}{captured_at:%z}{suffix}"


def parse(name: str) -> datetime | None:
    """Return the capture time in a file's name; None where there is none."""
    match = CAPTURE_TIME.fullmatch(name.rpartition(".")[0])
    if not match:
        return None
    day, hour, minute, second, millisecond, offset = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second}.{millisecond}{offset}")
    except ValueError:
        return None


def parse_day(name: str) -> date | None:
    """Return the day that a folder is named by; None where it is not."""
    if not DAY.fullmatch(name):
        return None
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def confined(name: str, suffixes: Iterable[str]) -> PurePosixPath:
    """Return what the user chose as a relative path that stays where it is put; raises `InvalidName`.

    It may hold folders, ends with one of `suffixes`, and can be stored on any file system.
    """
    parts = name.split("/")
    if len(parts) > MAX_DEPTH:
        raise InvalidName(f"{name} has more than {MAX_DEPTH - 1} folders")
    for part in parts:
        folder_name(part)
    path = PurePosixPath(*parts)
    if path.suffix.lower() not in (allowed := tuple(suffixes)):
        raise InvalidName(f"{name} does not end with {' or '.join(allowed)}")
    return path


def is_folder_name(name: str) -> bool:
    """Return whether every file system can store `name`."""
    try:
        folder_name(name)
    except InvalidName:
        return False
    return True


def folder_name(name: str) -> str:
    """Return `name` if every file system can store it as the name of one folder or file; raises `InvalidName`."""
    if not name:
        raise InvalidName("it is empty, or has an empty part")
    if bad := sorted(FORBIDDEN.intersection(name)):
        raise InvalidName(f"{name!r} has a character that not every disk can store: {bad[0]!r}")
    if name.startswith(".") or name != name.strip() or name.endswith("."):
        raise InvalidName(f"{name!r} begins with a dot or a space, or ends with one")
    if name.partition(".")[0].rstrip().lower() in RESERVED:
        raise InvalidName(f"{name} is the name of a device on Windows")
    try:
        length = len(name.encode())
    except UnicodeEncodeError as error:
        raise InvalidName(f"{name!a} is not text") from error
    if length > MAX_LENGTH:
        raise InvalidName(f"it is longer than {MAX_LENGTH} bytes")
    return name
