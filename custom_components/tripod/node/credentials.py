"""Who may do what: tokens of paired clients, who may do all, and links, each for one outside client of one camera.

Both are kept as SHA-256 alone, so that a copy of the files opens nothing. What the command line changes in the files
the running node takes over within two seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
import logging
from pathlib import Path
import secrets
import threading
import time
from typing import Any, TypeVar

from ..engine.errors import InvalidConfiguration, TripodError
from ..engine.listeners import Listeners
from ..engine.viewers import Client
from ..engine.web import Scope
from .state_file import StateFile

_LOGGER = logging.getLogger(__name__)

SECRET_BYTES = 32

FOLLOW = 1.0
"""Seconds between two looks for what the command line changed."""

SAVE_USES = 60.0
"""Seconds that the last use of a credential may wait to be written: SD cards wear out."""

GRAIN = timedelta(seconds=10)
"""Uses closer together than this are one: a player asks for a segment each second."""

ID_LENGTH = 16
"""Hexadecimal digits of a digest that name its credential: enough to tell them apart, useless to get in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a paired client shows; it may do all."""

    name: str
    digest: bytes = field(repr=False)
    created_at: datetime

    @property
    def id(self) -> str:
        """What lists call it, and what a client calls itself when it asks for a proof."""
        return self.digest.hex()[:ID_LENGTH]

    @property
    def client(self) -> Client:
        """On whose behalf it watches."""
        return Client(self.id, self.name)

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is written."""
        return {"name": self.name, "sha256": self.digest.hex(), "created_at": self.created_at.isoformat()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Token:
        """Return what `as_dict` described."""
        return cls(name=data["name"], digest=bytes.fromhex(data["sha256"]), created_at=_moment(data["created_at"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One outside client's credential for one camera."""

    name: str
    camera: str
    digest: bytes = field(repr=False)
    created_at: datetime
    scopes: frozenset[Scope] = frozenset(Scope)
    expires_at: datetime | None = None
    viewers: int | None = None
    """How many may watch by it at once; None for any number."""

    @property
    def id(self) -> str:
        """What lists call it."""
        return self.digest.hex()[:ID_LENGTH]

    @property
    def client(self) -> Client:
        """On whose behalf it watches."""
        return Client(self.id, self.name, self.viewers)

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is written."""
        return {
            "name": self.name,
            "camera": self.camera,
            "sha256": self.digest.hex(),
            "created_at": self.created_at.isoformat(),
            "scopes": sorted(self.scopes),
            "expires_at": self.expires_at and self.expires_at.isoformat(),
            "viewers": self.viewers,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Link:
        """Return what `as_dict` described."""
        return cls(
            name=data["name"],
            camera=data["camera"],
            digest=bytes.fromhex(data["sha256"]),
            created_at=_moment(data["created_at"]),
            scopes=frozenset(map(Scope, data["scopes"])),
            expires_at=_moment(data["expires_at"]) if data["expires_at"] else None,
            viewers=data["viewers"],
        )


_Each = TypeVar("_Each", Token, Link)


class Credentials:
    """All of a node, in its state folder; what adds, removes and loads blocks, what finds does not."""

    def __init__(self, state: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Keep them in the folder `state`; `load` reads them. `clock` tells Unix time."""
        self._tokens_file = StateFile(state / "tokens.json")
        self._links_file = StateFile(state / "links.json")
        self._uses_file = StateFile(state / "uses.json")
        self._clock = clock
        self._lock = threading.RLock()
        self._tokens: dict[bytes, Token] = {}
        self._links: dict[bytes, Link] = {}
        self._uses: dict[str, datetime] = {}
        self._used: dict[str, datetime] = {}
        """Uses that are not written yet."""
        self._stamps: object = None
        """Of the files as they were taken over last."""
        self._live: frozenset[str] = frozenset()
        self._listeners = Listeners()
        self._following: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Read all anew; raises `InvalidConfiguration` for a damaged file."""
        with self._lock:
            self._tokens = _read(self._tokens_file, "tokens", Token.from_dict)
            self._links = _read(self._links_file, "links", Link.from_dict)
            self._uses = {name: _moment(text) for name, text in self._uses_file.read().items()}

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Those of the paired clients, oldest first."""
        return tuple(sorted(self._tokens.values(), key=lambda token: token.created_at))

    @property
    def links(self) -> tuple[Link, ...]:
        """All links, oldest first, also those that have expired."""
        return tuple(sorted(self._links.values(), key=lambda link: link.created_at))

    def token(self, secret: str) -> Token | None:
        """Return what a client shows as its token; None for what is none."""
        # By digest, because the time that a dictionary takes would tell how much of a wrong token is right.
        return _found(self._tokens, secret)

    def link(self, key: str) -> Link | None:
        """Return the link that `key` opens, even one that has expired; None where there is none."""
        return _found(self._links, key)

    def named(self, token_id: str) -> Token | None:
        """Return the token of this id."""
        return next((token for token in self._tokens.values() if token.id == token_id), None)

    def expired(self, link: Link) -> bool:
        """Return whether the time of a link is over."""
        return link.expires_at is not None and self._now() >= link.expires_at

    def add_token(self, name: str) -> str:
        """Let a client in; return its token, which is told this once."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        token = Token(name=name, digest=digest_of(secret), created_at=self._now())
        self._change(self._tokens_file, "tokens", lambda entries: [*entries, token.as_dict()])
        return secret

    def add_link(
        self,
        camera: str,
        name: str,
        *,
        scopes: Collection[Scope] = frozenset(Scope),
        expires_at: datetime | None = None,
        viewers: int | None = None,
    ) -> tuple[Link, str]:
        """Let an outside client see a camera; return the link and its key, which is told this once."""
        key = secrets.token_urlsafe(SECRET_BYTES)
        link = Link(
            name=name,
            camera=camera,
            digest=digest_of(key),
            created_at=self._now(),
            scopes=frozenset(scopes),
            expires_at=expires_at,
            viewers=viewers,
        )
        self._change(self._links_file, "links", lambda entries: [*entries, link.as_dict()])
        return link, key

    def remove_token(self, token_id: str) -> bool:
        """Let the client of this token in no longer; return whether there was one."""
        return self._remove(self._tokens_file, "tokens", token_id)

    def remove_link(self, link_id: str) -> bool:
        """Let nobody in by this link; return whether there was one."""
        return self._remove(self._links_file, "links", link_id)

    def used(self, credential: str) -> datetime | None:
        """Return when the token or link of this id was last used."""
        return self._used.get(credential) or self._uses.get(credential)

    def note_use(self, credential: str) -> None:
        """Remember that it is used now; it is written later."""
        now, last = self._now(), self.used(credential)
        if last is None or abs(now - last) > GRAIN:
            self._used[credential] = now

    @property
    def live(self) -> frozenset[str]:
        """The ids of all that let somebody in now."""
        links = (link for link in self._links.values() if not self.expired(link))
        return frozenset(token.id for token in self._tokens.values()) | frozenset(link.id for link in links)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback`, in the event loop, when `live` has changed; return a function that ends this."""
        return self._listeners.add(callback)

    async def open(self) -> None:
        """Read the files, and follow what others write to them; raises `InvalidConfiguration`."""
        await self.take_over()
        self._following = asyncio.create_task(self._follow(), name="follow the credentials")

    async def close(self) -> None:
        """End; write down the last uses."""
        if self._following:
            self._following.cancel()
            await asyncio.wait([self._following])
        await asyncio.to_thread(self._save_uses)

    async def take_over(self) -> None:
        """Take over now what the files say; raises `InvalidConfiguration`."""
        await asyncio.to_thread(self._load_changed)
        self._tell()

    def _load_changed(self) -> None:
        if (stamps := (self._tokens_file.stamp(), self._links_file.stamp())) != self._stamps:
            self._stamps = stamps  # of before the reading: what comes meanwhile is read again
            self.load()

    def _tell(self) -> None:
        if (live := self.live) != self._live:
            self._live = live
            self._listeners.tell()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + SAVE_USES
        while True:
            await asyncio.sleep(FOLLOW)
            try:
                await self.take_over()
            except InvalidConfiguration as error:
                _LOGGER.warning("What changed about who may come in is not taken over: %s", error)
            if self._used and loop.time() >= due:
                due = loop.time() + SAVE_USES
                await asyncio.to_thread(self._save_uses)

    def _change(
        self, file: StateFile, key: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
    ) -> None:
        with self._lock:
            with file.changing() as held:
                held[key] = change(held.get(key, []))
            self.load()

    def _remove(self, file: StateFile, key: str, credential: str) -> bool:
        found = False

        def rest(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
            nonlocal found
            left = [entry for entry in entries if entry["sha256"][:ID_LENGTH] != credential]
            found = len(left) < len(entries)
            return left

        self._change(file, key, rest)
        return found

    def _save_uses(self) -> None:
        """Write the last uses of what is still there; failing to is no reason to stop."""
        with self._lock:
            if not self._used:
                return
            known = {token.id for token in self._tokens.values()} | {link.id for link in self._links.values()}
            self._uses = {name: at for name, at in {**self._uses, **self._used}.items() if name in known}
            self._used = {}
            try:
                with self._uses_file.changing() as held:
                    held.clear()
                    held.update({name: at.isoformat() for name, at in self._uses.items()})
            except TripodError as error:
                _LOGGER.warning("When credentials were last used cannot be saved: %s", error)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _read(file: StateFile, key: str, make: Callable[[Mapping[str, Any]], _Each]) -> dict[bytes, _Each]:
    try:
        return {each.digest: each for each in map(make, file.read().get(key, []))}
    except (LookupError, TypeError, ValueError) as error:
        raise InvalidConfiguration(f"it is damaged: {error}", where=str(file.path)) from error


def _found(known: Mapping[bytes, _Each], secret: str) -> _Each | None:
    digest = digest_of(secret)
    each = known.get(digest)
    return each if each and secrets.compare_digest(each.digest, digest) else None


def digest_of(secret: str) -> bytes:
    """Return what is kept of a token or key."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
