"""Byggeplass Kamera: stills of web cameras, fetched again and again, for years."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
import re

from ..archive import Kind, Limits, Retention
from ..errors import InvalidJob, InvalidSource, NotUnderstood
from ..sources import UrlSource
from ..timelapse import Job
from . import environment, values
from .account import Account
from .base import Adoption, Import, Imported

WHAT = "Byggeplass Kamera's settings"

DEFAULT_INTERVAL = 3600.0

GENTLE = 60.0
"""Seconds between two requests while somebody watches: longer than a capture lingers, so that a frame costs one."""

_RETRIES = "Tripod waits and tries again by rules of its own"
_NOT_NEEDED = {
    "TIMEOUT_SECONDS": _RETRIES,
    "RETRY_COUNT": _RETRIES,
    "RETRY_BACKOFF_FACTOR": _RETRIES,
    "LOG_LEVEL": "each failure is counted in a sensor, and logged once",
    "TZ": "the system's time zone counts",
}
_READ_TOGETHER = frozenset({"SOURCES", "IMAGE_URL", "SOURCE_ID", "STORAGE_DIR", "STORAGE_ROOT", "INTERVAL_SECONDS"})


@dataclass(frozen=True, slots=True)
class _Place:
    """One web camera, and the folders where its pictures may be."""

    id: str
    url: str
    folders: tuple[Path, ...]


def read(text: str, beside: Mapping[str, str] | None = None, *, pictures: Path | None = None) -> Import:
    """Read a `.env` or a compose file; raises `NotUnderstood`."""
    return convert(environment.read(text, beside), pictures=pictures)


def convert(variables: Mapping[str, str], *, pictures: Path | None = None) -> Import:
    """Return what the variables of one fetcher become.

    `pictures` is where its storage is on this host: in the variables stands what a container calls it.
    """
    account = Account()
    places = _places(variables, pictures)
    if not places:
        raise NotUnderstood("neither SOURCES nor IMAGE_URL names a camera", what=WHAT)
    interval = _number(variables, "INTERVAL_SECONDS", DEFAULT_INTERVAL, account)
    account_interval = f"a timelapse takes a frame each {interval:g} s"
    if "INTERVAL_SECONDS" in variables:
        account.understood("INTERVAL_SECONDS", variables["INTERVAL_SECONDS"], account_interval)
    retention = _retention(variables, account)
    cameras = [_camera(place, interval, retention, account) for place in places]
    _storage(variables, pictures, account)
    for name, value in variables.items():
        if why := _NOT_NEEDED.get(name):
            account.not_needed(name, value, why)
        elif name not in _READ_TOGETHER and name not in ("MAX_FILES", "MAX_AGE_DAYS"):
            account.not_understood(name, value)
    return account.result(*(camera for camera in cameras if camera))


def _camera(place: _Place, interval: float, retention: Retention, account: Account) -> Imported | None:
    name = values.title(place.id, "Camera")
    try:
        source = UrlSource(url=place.url, delivery="stills", still_interval=max(0.1, min(interval, GENTLE)))
        job = Job(name=place.id, interval=interval, render=False)
    except (InvalidSource, InvalidJob) as error:
        account.not_understood(place.id, place.url, error.placeholders["detail"])
        return None
    account.understood(place.id, source.address, f"a camera called {name}, with a timelapse called {job.name}")
    there = tuple(Adoption(folder=folder, job=job.name) for folder in place.folders)
    return Imported(source=source, title=name, retention=retention, jobs=(job,), adopt=there)


def _places(variables: Mapping[str, str], pictures: Path | None) -> list[_Place]:
    storage_dir = Path(variables.get("STORAGE_DIR") or "/data/images")
    root = pictures or Path(variables.get("STORAGE_ROOT") or storage_dir.parent)
    if several := variables.get("SOURCES", "").strip():
        parts = [part.strip() for part in re.split(r"[,;]", several) if part.strip()]
        found = [_named(part, number) for number, part in enumerate(parts, 1)]
        return [_Place(name, url, (root / name / "images",)) for name, url in found]
    if url := variables.get("IMAGE_URL", "").strip():
        name = _slug(variables.get("SOURCE_ID") or storage_dir.name) or "camera"
        # its first versions put the pictures of the one camera right there
        return [_Place(name, url, (root / name / "images", root / storage_dir.name))]
    return []


def _named(part: str, number: int) -> tuple[str, str]:
    """Return id and URL of `id=url` or of a URL alone."""
    name, equals, url = part.partition("=")
    if equals and "://" not in name:
        return _slug(name.strip()) or f"camera_{number}", url.strip()
    host = part.rpartition("//")[2].partition("/")[0]
    return _slug(host.rpartition("@")[2]) or f"camera_{number}", part


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in text)


def _number(variables: Mapping[str, str], name: str, otherwise: float, account: Account) -> float:
    text = variables.get(name, "")
    value = values.number(text) if text else otherwise
    if value is None or value < 0:
        account.not_understood(name, text, f"this is not a number; {otherwise:g} is taken")
        return otherwise
    return value


def _retention(variables: Mapping[str, str], account: Account) -> Retention:
    count = _number(variables, "MAX_FILES", 0, account)
    age = _number(variables, "MAX_AGE_DAYS", 0, account)
    if "MAX_FILES" in variables:
        meaning = f"the newest {count:g} frames stay" if count else "frames are not counted"
        account.understood("MAX_FILES", variables["MAX_FILES"], meaning)
    if "MAX_AGE_DAYS" in variables:
        meaning = f"frames stay {age:g} days" if age else "frames stay at any age"
        account.understood("MAX_AGE_DAYS", variables["MAX_AGE_DAYS"], f"{meaning}; videos are not removed with them")
    return Retention({Kind.FRAME: Limits(age, int(count))} if age or count else {})


def _storage(variables: Mapping[str, str], pictures: Path | None, account: Account) -> None:
    for name in ("SOURCES", "IMAGE_URL", "SOURCE_ID"):
        if name in variables:
            account.understood(name, variables[name], "the cameras above")
    for name in ("STORAGE_ROOT", "STORAGE_DIR"):
        if name in variables:
            where = f"the pictures are looked for in {pictures}" if pictures else "the pictures are looked for there"
            account.understood(name, variables[name], f"{where}, and become frames of the timelapse without a copy")
