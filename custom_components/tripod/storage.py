"""What is remembered across restarts besides the configuration.

The user's stops and settings of controls, what controls a camera has, where a camera's archive is, when a link was last
used, what all archives may take together, and what the encoders showed when they were tried.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, count
from typing import Any, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN

VERSION = 1

SAVE_DELAY = 60
"""Seconds that a link's last use may wait to be written: SD cards wear out."""

SOON = 2
"""Seconds that the user's settings may wait to be written: a slider that is drawn makes many."""

GRAIN = timedelta(seconds=10)
"""Uses of a link closer together than this are one: a player asks for a segment each second."""


class _Data(TypedDict, total=False):
    stopped: dict[str, bool]
    used: dict[str, str]
    controls: dict[str, dict[str, float]]
    known_controls: dict[str, list[dict[str, Any]]]
    exposure: dict[str, str]
    encoders: dict[str, Any]
    archives: dict[str, ArchivePlace]
    unpublished: list[str]
    max_size: int


class ArchivePlace(TypedDict):
    """Where the archive of a camera is."""

    name: str
    """Of its folder, which outlives the name of the camera."""
    root: str
    """Where it was when it was last there; empty before it ever was."""


class Storage:
    """A small file of facts about cameras and links."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; `load` reads the file."""
        self._hass = hass
        self._store: Store[_Data] = Store(hass, VERSION, DOMAIN)
        self._due: float | None = None
        """When the file is written next, on the event loop's clock."""
        self._stopped: dict[str, bool] = {}
        self._used: dict[str, datetime] = {}
        self._controls: dict[str, dict[str, float]] = {}
        self._known_controls: dict[str, list[dict[str, Any]]] = {}
        self._exposure: dict[str, str] = {}
        self._encoders: dict[str, Any] = {}
        self._archives: dict[str, ArchivePlace] = {}
        self._unpublished: set[str] = set()
        self._max_size = 0

    async def load(self) -> None:
        """Read what was remembered."""
        if data := await self._store.async_load():
            self._stopped = data.get("stopped", {})
            used = data.get("used", {})
            self._used = {link: at for link, text in used.items() if (at := dt_util.parse_datetime(text))}
            self._controls = data.get("controls", {})
            self._known_controls = data.get("known_controls", {})
            self._exposure = data.get("exposure", {})
            self._encoders = data.get("encoders", {})
            self._archives = data.get("archives", {})
            self._unpublished = set(data.get("unpublished", []))
            self._max_size = data.get("max_size", 0)

    @property
    def encoders(self) -> dict[str, Any]:
        """What the encoders showed when they were tried."""
        return self._encoders

    def note_encoders(self, remembered: dict[str, Any]) -> None:
        """Remember what the encoders showed."""
        if remembered != self._encoders:
            self._encoders = remembered
            self._save(SAVE_DELAY)

    def stopped(self, camera: str, default: bool) -> bool:  # noqa: FBT001
        """Return whether the user's last word on `camera` was stop; `default` where there was none."""
        return self._stopped.get(camera, default)

    async def set_stopped(self, camera: str, stopped: bool) -> None:  # noqa: FBT001
        """Remember the user's last word on `camera`, on the disk before this returns."""
        self._stopped[camera] = stopped
        await self._store.async_save(self._write())

    def used(self, link: str) -> datetime | None:
        """Return when `link` was last used."""
        return self._used.get(link)

    def note_use(self, link: str) -> None:
        """Remember that `link` is used now."""
        now = dt_util.utcnow()
        if (last := self._used.get(link)) is None or now - last > GRAIN:
            self._used[link] = now
            self._save(SAVE_DELAY)

    def forget_link(self, link: str) -> None:
        """Forget a link that is gone."""
        if self._used.pop(link, None):
            self._save(SAVE_DELAY)

    def unpublished(self, publication: str) -> bool:
        """Return whether the user switched `publication` off."""
        return publication in self._unpublished

    def set_unpublished(self, publication: str, off: bool) -> None:  # noqa: FBT001
        """Remember whether `publication` is switched off."""
        if off != self.unpublished(publication):
            self._unpublished ^= {publication}
            self._save(SOON)

    def controls(self, camera: str) -> dict[str, float]:
        """Return what the user set on `camera`, by key of the control."""
        return dict(self._controls.get(camera, {}))

    def set_controls(self, camera: str, wanted: Mapping[str, float]) -> None:
        """Remember what the user set on `camera`."""
        if self._controls.get(camera, {}) != wanted:
            self._controls[camera] = dict(wanted)
            self._save(SOON)

    def known_controls(self, camera: str) -> Sequence[Mapping[str, Any]]:
        """Return the controls that `camera` had when it was last there, as `set_known_controls` got them."""
        return self._known_controls.get(camera, [])

    def set_known_controls(self, camera: str, controls: Sequence[Mapping[str, Any]]) -> None:
        """Remember what controls `camera` has, as JSON-able data."""
        if self.known_controls(camera) != controls:
            self._known_controls[camera] = [dict(control) for control in controls]
            self._save(SOON)

    def exposure(self, camera: str) -> str | None:
        """Return the exposure mode of `camera`; None where none was set."""
        return self._exposure.get(camera)

    def set_exposure(self, camera: str, mode: str | None) -> None:
        """Remember the exposure mode of `camera`; None forgets it."""
        if self.exposure(camera) == mode:
            return
        if mode is None:
            del self._exposure[camera]
        else:
            self._exposure[camera] = mode
        self._save(SOON)

    def archive(self, camera: str) -> ArchivePlace | None:
        """Return where the archive of `camera` is; None where it has none yet."""
        return self._archives.get(camera)

    def reserve_archive(self, camera: str, name: str) -> ArchivePlace:
        """Return a place for the archive of `camera`, named like no other camera's."""
        taken = {place["name"] for place in self._archives.values()}
        names = chain([name], (f"{name}_{number}" for number in count(2)))
        place = self._archives[camera] = ArchivePlace(name=next(free for free in names if free not in taken), root="")
        self._save(SOON)
        return place

    async def set_archive(self, camera: str, place: ArchivePlace) -> None:
        """Remember where the archive of `camera` is, on the disk before this returns.

        Without that an empty mount point would look like a new archive.
        """
        if self._archives.get(camera) != place:
            self._archives[camera] = place
            await self._store.async_save(self._write())

    @property
    def max_size(self) -> int:
        """What the archives of all cameras may take together, in MiB; 0 for no limit."""
        return self._max_size

    def set_max_size(self, size: int) -> None:
        """Remember what the archives of all cameras may take together, in MiB; 0 for no limit."""
        if size != self._max_size:
            self._max_size = size
            self._save(SOON)

    def forget_camera(self, camera: str) -> None:
        """Forget a camera that is gone."""
        facts: tuple[dict[str, Any], ...] = (
            *(self._stopped, self._controls, self._known_controls),
            *(self._exposure, self._archives),
        )
        if [fact for fact in facts if fact.pop(camera, None) is not None]:
            self._save(SAVE_DELAY)

    def _save(self, delay: float) -> None:
        """Write within `delay` seconds; what is due sooner is not put off, as the store would."""
        due = self._hass.loop.time() + delay
        if self._due is None or due < self._due:
            self._due = due
            self._store.async_delay_save(self._write, delay)

    def _write(self) -> _Data:
        self._due = None
        return self._data()

    def _data(self) -> _Data:
        return {
            "stopped": self._stopped,
            "used": {link: at.isoformat() for link, at in self._used.items()},
            "controls": self._controls,
            "known_controls": self._known_controls,
            "exposure": self._exposure,
            "encoders": self._encoders,
            "archives": self._archives,
            "unpublished": sorted(self._unpublished),
            "max_size": self._max_size,
        }
