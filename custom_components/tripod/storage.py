"""What is remembered besides the configuration: the user's stops, a link's last use, what the encoders showed."""

from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN

VERSION = 1

SAVE_DELAY = 60
"""Seconds that a link's last use may wait to be written: SD cards wear out."""

GRAIN = timedelta(seconds=10)
"""Uses of a link closer together than this are one: a player asks for a segment each second."""


class _Data(TypedDict):
    stopped: dict[str, bool]
    used: dict[str, str]
    encoders: NotRequired[dict[str, Any]]
    """Missing from files that were written before encoders were tried."""


class Storage:
    """A small file of facts about cameras and links."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; `load` reads the file."""
        self._store: Store[_Data] = Store(hass, VERSION, DOMAIN)
        self._stopped: dict[str, bool] = {}
        self._used: dict[str, datetime] = {}
        self._encoders: dict[str, Any] = {}

    async def load(self) -> None:
        """Read what was remembered."""
        if data := await self._store.async_load():
            self._stopped = data["stopped"]
            self._used = {link: at for link, text in data["used"].items() if (at := dt_util.parse_datetime(text))}
            self._encoders = data.get("encoders", {})

    @property
    def encoders(self) -> dict[str, Any]:
        """What the encoders showed when they were tried."""
        return self._encoders

    def note_encoders(self, remembered: dict[str, Any]) -> None:
        """Remember what the encoders showed."""
        if remembered != self._encoders:
            self._encoders = remembered
            self._store.async_delay_save(self._data, SAVE_DELAY)

    def stopped(self, camera: str, default: bool) -> bool:  # noqa: FBT001
        """Return whether the user's last word on `camera` was stop; `default` where there was none."""
        return self._stopped.get(camera, default)

    async def set_stopped(self, camera: str, stopped: bool) -> None:  # noqa: FBT001
        """Remember the user's last word on `camera`, on the disk before this returns."""
        self._stopped[camera] = stopped
        await self._store.async_save(self._data())

    def used(self, link: str) -> datetime | None:
        """Return when `link` was last used."""
        return self._used.get(link)

    def note_use(self, link: str) -> None:
        """Remember that `link` is used now."""
        now = dt_util.utcnow()
        if (last := self._used.get(link)) is None or now - last > GRAIN:
            self._used[link] = now
            self._store.async_delay_save(self._data, SAVE_DELAY)

    def forget_link(self, link: str) -> None:
        """Forget a link that is gone."""
        if self._used.pop(link, None):
            self._store.async_delay_save(self._data, SAVE_DELAY)

    def forget_camera(self, camera: str) -> None:
        """Forget a camera that is gone."""
        if self._stopped.pop(camera, None) is not None:
            self._store.async_delay_save(self._data, SAVE_DELAY)

    def _data(self) -> _Data:
        return {
            "stopped": self._stopped,
            "used": {link: at.isoformat() for link, at in self._used.items()},
            "encoders": self._encoders,
        }
