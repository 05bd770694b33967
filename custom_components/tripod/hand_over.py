"""Take over what a node recorded on its own: into our archive first, off the node's only then."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
import logging
from pathlib import Path
from typing import Any, Final

from .engine.archive import Archive, Item, Kind, parse
from .engine.archive.files import explained, remove_folder
from .engine.camera import Camera
from .engine.errors import (
    InvalidName,
    NoSuchItem,
    NotANode,
    NotAPicture,
    SourceFailed,
    TripodError,
)
from .engine.events import Failed
from .engine.listeners import Listeners
from .engine.sources.node import NodeAccess, NodeClient, NodeItem
from .engine.whole import is_whole

_LOGGER = logging.getLogger(__name__)

KINDS: Final = {Kind.RECORDING: "recording", Kind.SNAPSHOT: "frame", Kind.VIDEO: "timelapse"}
"""What is taken over, and what a failure of each is called."""

OWNER: Final = "hand_over"
"""Of the folder in the archive where a file grows."""

ORIGIN: Final = "origin"
"""The fact about a file that says which one of which node it was: by it nothing comes twice, whatever ends us."""

RETRY: Final = 60.0
"""Seconds until the next try after one that failed, unless there is news from the node before."""

PAGE: Final = 100
"""Files that are asked for at once."""

MOST: Final = 100_000
"""Files that one look takes note of; the next look finds the rest."""


class Damaged(SourceFailed):
    """What came is not the file that the node announced."""


_UNUSABLE = (InvalidName, Damaged)
"""What is wrong with one file for good: it stays on the node."""


class HandOver:
    """Takes over what one camera of a node keeps there."""

    def __init__(self, camera: Camera, access: NodeAccess, remote: str, turn: asyncio.Lock) -> None:
        """Keep what the node has of its camera `remote` in the archive of `camera`, a file at each `turn`."""
        self._camera = camera
        self._access = access
        self._remote = remote
        self._turn = turn
        self._listeners = Listeners()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._growing: tuple[str, Path] | None = None
        self._refused: set[str] = set()
        self._origins: dict[tuple[Kind, date], set[str]] = {}
        self.waiting = 0
        """Files that are still on the node."""
        self.taken = 0
        """Files that came since this began."""
        self.error: TripodError | None = None
        """What keeps them from coming."""

    def open(self) -> None:
        """Begin as soon as there is news from the node."""
        self._task = asyncio.create_task(self._keep(), name=f"{self._camera.pipeline.name}: hand over")

    async def close(self) -> None:
        """End; a file that is half there stays on the node, and comes again."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._drop()

    @property
    def refused(self) -> int:
        """How many files stay on the node because they are damaged, or cannot be kept under their names."""
        return len(self._refused)

    def look(self) -> None:
        """Look at what the node keeps: it is there again, or has something new."""
        self._news.set()

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each file and each failure; return a function that ends this."""
        return self._listeners.add(callback)

    async def _keep(self) -> None:
        await self._news.wait()
        while True:
            self._news.clear()
            before, self.error = self.error, None
            try:
                await self._take_all()
            except TripodError as error:
                self.error = error
                if type(error) is not type(before):
                    _LOGGER.warning(
                        "%s: what the node keeps stays there for now: %s", self._camera.pipeline.name, error
                    )
            self._listeners.tell()
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY if self.error else None):
                    await self._news.wait()

    async def _take_all(self) -> None:
        self._origins.clear()
        async with NodeClient(self._access) as client:
            pending = [item for kind in KINDS for item in await self._listed(client, kind)]
            self._tell(len(pending))
            failed: TripodError | None = None
            for item in pending:
                try:
                    async with self._turn:
                        await self._take(client, item)
                except SourceFailed as error:  # it may be about this file alone
                    failed = error
                else:
                    self._tell(self.waiting - 1)
            if failed:
                raise failed

    def _tell(self, waiting: int) -> None:
        if waiting != self.waiting:
            self.waiting = waiting
            self._listeners.tell()

    async def _listed(self, client: NodeClient, kind: Kind) -> list[NodeItem]:
        """Return the files of a kind that may come."""
        found: list[NodeItem] = []
        after, more = "", True
        while more and len(found) < MOST:
            page, more = await client.items(self._remote, kind, after=after, limit=PAGE)
            found += [item for item in page if item.kind == kind and item.key not in self._refused]
            more = more and bool(page) and page[-1].key != after
            after = page[-1].key if page else after
        return found

    async def _take(self, client: NodeClient, item: NodeItem) -> None:
        kind = Kind(item.kind)
        origin = f"{self._access.node}/{self._remote}/{item.key}"
        await self._camera.ready()
        try:
            if not await asyncio.to_thread(self._has, kind, item, origin):
                path = await self._fetch(client, item)
                await self._publish(kind, item, path, origin, await self._thumbnail(client, item))
            await client.delete(self._remote, item.key)
        except NoSuchItem:  # pruned on the node, or taken by another Home Assistant
            await self._drop()
        except _UNUSABLE as error:
            await self._drop()
            self._refused.add(item.key)
            self._camera.tell(Failed(KINDS[kind], item.key, error))

    def _has(self, kind: Kind, item: NodeItem, origin: str) -> bool:
        """Return whether a file is here already, and only could not be deleted there."""
        archive = self._camera.archive
        day = item.captured_at.astimezone(archive.zone).date()
        if (kind, day) not in self._origins:
            facts = (archive.details(kept) for kept in archive.items(kind, day))
            self._origins[kind, day] = {str(fact[ORIGIN]) for fact in facts if ORIGIN in fact}
        return origin in self._origins[kind, day]

    async def _fetch(self, client: NodeClient, item: NodeItem) -> Path:
        """Return a whole file in a folder of its own; what came of it before is not asked for again."""
        if self._growing is None or self._growing[0] != item.key:
            await self._drop()
            folder = await asyncio.to_thread(self._camera.archive.new_part, OWNER)
            self._growing = item.key, folder / f"file{item.suffix}"
        path = self._growing[1]
        await asyncio.to_thread(self._need, path, item.size)
        with explained(path):
            try:
                await client.download(self._remote, item, path)
            except NotANode as error:
                raise Damaged(str(error)) from error
            if not await asyncio.to_thread(is_whole, path):
                raise Damaged(f"{item.key} came damaged")
        return path

    def _need(self, path: Path, size: int) -> None:
        there = path.stat().st_size if path.exists() else 0
        self._camera.archive.need(max(0, size - there))

    async def _thumbnail(self, client: NodeClient, item: NodeItem) -> bytes | None:
        if not item.thumbnail:
            return None
        try:
            return await client.thumbnail(self._remote, item.key)
        except NoSuchItem, NotAPicture:  # the file itself is what counts
            return None

    async def _publish(self, kind: Kind, item: NodeItem, path: Path, origin: str, thumbnail: bytes | None) -> None:
        own = item.key.split("/", maxsplit=2)[-1]
        publish = partial(
            _published,
            kind=kind,
            captured_at=item.captured_at,
            content=path,
            suffix=item.suffix,
            job=item.job,
            name=None if parse(own) else own,
            details={**item.details, ORIGIN: origin},
            thumbnail=thumbnail,
            pinned=item.pinned,
        )
        kept = await self._camera.adopt(publish)
        self._origins[kind, item.captured_at.astimezone(self._camera.archive.zone).date()].add(origin)
        self.taken += 1
        _LOGGER.debug("%s: %s was taken over as %s", self._camera.pipeline.name, item.key, kept.key)
        await self._drop()

    async def _drop(self) -> None:
        """Forget what came of a file, and its folder."""
        if self._growing:
            growing, self._growing = self._growing, None
            await asyncio.to_thread(remove_folder, growing[1].parent)


def _published(archive: Archive, *, pinned: bool, **given: Any) -> Item:
    item = archive.publish(**given)
    if pinned:
        archive.pin(item.key)
    return item
