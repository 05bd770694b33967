"""Who is watching: admission, and what each viewer gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
import time

from .errors import TooManyViewers
from .meter import RateMeter
from .status import ViewerStatistics


@dataclass(frozen=True, slots=True)
class Client:
    """On whose behalf viewers come: a link, a dashboard, the loopback listener."""

    id: str
    name: str
    limit: int | None = None
    """How many viewers it may have at once; None for any number."""


@dataclass(slots=True, eq=False)
class Viewer:
    """One consumer at the other end of a connection."""

    number: int
    client: Client
    kind: str
    """`mjpeg`, `ts` or `hls`."""
    remote: str
    since: float
    """Unix time."""
    pictures: int = 0
    dropped: int = 0
    bytes: int = 0
    rate: RateMeter = field(default_factory=RateMeter)

    def sent(self, size: int, pictures: int = 1) -> None:
        """Count what went out: `size` bytes that hold `pictures` frames or segments."""
        self.bytes += size
        self.pictures += pictures
        self.rate.add(pictures)


@dataclass(slots=True)
class Sent:
    """What went out to viewers of one kind."""

    pictures: int = 0
    dropped: int = 0
    bytes: int = 0

    def add(self, viewer: Viewer) -> None:
        """Add one viewer's share."""
        self.pictures += viewer.pictures
        self.dropped += viewer.dropped
        self.bytes += viewer.bytes


class Viewers:
    """All viewers of one camera, within its limit and each client's."""

    def __init__(self, limit: int | None = None) -> None:
        """Admit at most `limit` viewers at once."""
        self.limit = limit
        self.present: list[Viewer] = []
        self._gone: dict[str, Sent] = {}

    def __len__(self) -> int:
        """Return how many are watching."""
        return len(self.present)

    @contextmanager
    def admit(self, client: Client, kind: str, remote: str) -> Iterator[Viewer]:
        """Let one viewer in for the time of the context; raises `TooManyViewers`."""
        self._check(self.limit, len(self.present))
        self._check(client.limit, sum(viewer.client.id == client.id for viewer in self.present))
        viewer = Viewer(self._free_number(), client, kind, remote, time.time())
        self.present.append(viewer)
        try:
            yield viewer
        finally:
            self.present.remove(viewer)
            self._gone.setdefault(kind, Sent()).add(viewer)

    def statistics(self) -> tuple[ViewerStatistics, ...]:
        """Return each one's share at this moment."""
        return tuple(
            ViewerStatistics(
                number=viewer.number,
                client=viewer.client.name,
                kind=viewer.kind,
                remote=viewer.remote,
                since=viewer.since,
                pictures=viewer.pictures,
                dropped=viewer.dropped,
                bytes=viewer.bytes,
                rate=viewer.rate.rate,
            )
            for viewer in self.present
        )

    def sent(self) -> dict[str, Sent]:
        """Return what went out to all viewers there ever were, by kind."""
        found = {kind: replace(sent) for kind, sent in self._gone.items()}
        for viewer in self.present:
            found.setdefault(viewer.kind, Sent()).add(viewer)
        return found

    def _free_number(self) -> int:
        """Return the lowest number that nobody has: who counts by it must not count for ever."""
        taken = {viewer.number for viewer in self.present}
        return next(number for number in count(1) if number not in taken)

    @staticmethod
    def _check(limit: int | None, count: int) -> None:
        if limit is not None and count >= limit:
            raise TooManyViewers(limit=str(limit))
