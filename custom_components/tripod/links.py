"""Links: named, revocable credentials, each for one outside client of one camera."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
import secrets
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_time
from homeassistant.util import dt as dt_util

from .const import CONF_EXPIRES, CONF_KEY, CONF_LIMIT, CONF_SCOPES, SUBENTRY_LINK
from .engine.viewers import Client
from .engine.web import Scope
from .storage import Storage

KEY_BYTES = 32

KEY_PATTERN = "[A-Za-z0-9_-]{43}"
"""What a key looks like in a URL: 32 bytes in base64url (RFC 4648) without padding."""


def new_key() -> str:
    """Return a key that nobody can guess."""
    return secrets.token_urlsafe(KEY_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One outside client's credential."""

    id: str
    camera: str
    """The config entry's id."""
    key: str = field(repr=False)
    client: Client
    scopes: frozenset[Scope]
    expires_at: datetime | None

    @classmethod
    def of(cls, entry: ConfigEntry, subentry: ConfigSubentry) -> Link:
        """Return the link that a config subentry describes."""
        data = subentry.data
        limit = data.get(CONF_LIMIT)
        return cls(
            id=subentry.subentry_id,
            camera=entry.entry_id,
            key=data[CONF_KEY],
            client=Client(subentry.subentry_id, subentry.title, int(limit) if limit else None),
            scopes=frozenset(map(Scope, data.get(CONF_SCOPES, Scope))),
            expires_at=_end_of(data),
        )

    @property
    def expired(self) -> bool:
        """Whether its last day is over."""
        return self.expires_at is not None and dt_util.utcnow() >= self.expires_at


def _end_of(data: Any) -> datetime | None:
    """Return the end of a link's last day, where it has one."""
    if not (text := data.get(CONF_EXPIRES)):
        return None
    return dt_util.as_utc(dt_util.start_of_local_day(date.fromisoformat(text) + timedelta(days=1)))


class Links:
    """All links of the cameras that are set up, by key."""

    def __init__(self, hass: HomeAssistant, storage: Storage, cut: Callable[[Link], None]) -> None:
        """Begin with none; `cut` ends all that a link's client is watching."""
        self._hass = hass
        self._cut = cut
        self._storage = storage
        self._by_digest: dict[bytes, Link] = {}
        self._by_id: dict[str, Link] = {}
        self._expiries: dict[str, CALLBACK_TYPE] = {}

    def find(self, key: str) -> Link | None:
        """Return the link that `key` opens."""
        # By digest, because the time that a dictionary takes would tell how much of a wrong key is right.
        link = self._by_digest.get(_digest(key))
        return link if link and secrets.compare_digest(link.key.encode(), key.encode()) else None

    @callback
    def update(self, entry: ConfigEntry) -> None:
        """Take over the links of a camera as they are configured now."""
        links = {item.subentry_id: Link.of(entry, item) for item in entry.get_subentries_of_type(SUBENTRY_LINK)}
        for known in [link for link in self._by_id.values() if link.camera == entry.entry_id]:
            if known.id not in links:
                self._remove(known)
                self._cut(known)
                self._storage.forget_link(known.id)
            elif known != links[known.id]:
                self._remove(known)
                if _opens(known) != _opens(links[known.id]):
                    self._cut(known)
        for link in links.values():
            if link.id not in self._by_id:
                self._add(link)

    @callback
    def remove(self, entry: ConfigEntry) -> None:
        """Let nobody in to a camera that is no longer set up."""
        for link in [link for link in self._by_id.values() if link.camera == entry.entry_id]:
            self._remove(link)

    def _add(self, link: Link) -> None:
        self._by_id[link.id] = self._by_digest[_digest(link.key)] = link
        if link.expires_at and not link.expired:

            @callback
            def expire(_now: datetime) -> None:
                del self._expiries[link.id]
                self._cut(link)

            self._expiries[link.id] = async_track_point_in_time(self._hass, expire, link.expires_at)

    def _remove(self, link: Link) -> None:
        del self._by_id[link.id]
        del self._by_digest[_digest(link.key)]
        if unsubscribe := self._expiries.pop(link.id, None):
            unsubscribe()


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _opens(link: Link) -> tuple[str, frozenset[Scope], datetime | None]:
    """Return what a client that is watching must not outlive."""
    return link.key, link.scopes, link.expires_at
