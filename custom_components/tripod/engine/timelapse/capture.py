"""One frame of a camera at the right moment, though the camera may be off between two of them.

A camera that runs on demand takes seconds to start and to settle, so it is wanted early enough. Between frames it rests
where that is worth it: switched off and on again within a minute it would hardly rest, and wear out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass

from ..errors import NoFreshPicture, Stopped, TripodError
from ..pipeline import ENCODER_LINGER, Pipeline
from ..sources.base import Medium
from ..status import State

FIRST_START, FIRST_TRANSCODING = 5.0, 2.0
"""Seconds that a camera, or a transcoder of its video, is expected to take to the first picture, until it has been
seen starting."""

SHORTEST_LEAD, LONGEST_LEAD = 1.0, 60.0
"""Seconds that a camera is wanted early, however fast it was, and at most."""

STARTS = 8
"""Starts whose times are remembered, the longest of which counts."""

MARGIN = 1.25
"""By how much more time a start is given than the longest one took."""

REST = 2.0
"""A camera is let go between frames if they are as many times further apart than it takes to start and to linger: it
then rests for at least half of the time."""

SLOW = 2.0
"""Seconds between two pictures of the source past which nobody waits for the next one: the newest is as good."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture, at the time for which it stands."""

    data: bytes
    captured_at: float
    """Unix time."""


class Starts:
    """How long something takes to start."""

    def __init__(self, expected: float) -> None:
        """Expect so many seconds until it has been seen."""
        self._expected = expected
        self._times: deque[float] = deque(maxlen=STARTS)

    def add(self, seconds: float) -> None:
        """Note that it took so long."""
        self._times.append(seconds)

    @property
    def lead(self) -> float:
        """Seconds before a frame at which it must be wanted."""
        if not self._times:
            return self._expected
        return min(max(max(self._times) * MARGIN, SHORTEST_LEAD), LONGEST_LEAD)


class Shutter:
    """Takes the frames of one camera, for all its jobs."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Take them from `pipeline`."""
        self.pipeline = pipeline
        self.camera = Starts(FIRST_START + pipeline.options.warm_up)
        """To a settled picture."""
        self.transcoder = Starts(FIRST_TRANSCODING)
        """To a picture, where the camera runs and delivers video only."""
        self._watching: asyncio.Task[None] | None = None

    def wanted(self, left: float, interval: float) -> frozenset[Medium]:
        """Return the media to want while the next frame is due in `left` seconds, and others every `interval`."""
        options, native = self.pipeline.options, self.pipeline.source.native
        media = {native} if left <= _reach(self.camera.lead, options.linger, interval) else set()
        if native is Medium.FRAMES:
            return frozenset(media)
        lead = self.transcoder.lead if self._runs else self.camera.lead
        if left <= _reach(lead, ENCODER_LINGER, interval):
            media.add(Medium.FRAMES)
        return frozenset(media)

    def next_look(self, left: float) -> float:
        """Return in how many of the `left` seconds to a frame something else may be wanted."""
        leads = (self.camera.lead, self.transcoder.lead)
        return min((left - lead for lead in leads if left > lead), default=left)

    @property
    def _runs(self) -> bool:
        return self.pipeline.state is State.STREAMING

    def watch_start(self) -> None:
        """Measure how long what was just wanted takes to the first settled picture."""
        if self._watching is None and (not self._runs or self.pipeline.frame_feed.latest is None):
            starts = self.transcoder if self._runs else self.camera
            self._watching = asyncio.create_task(self._measure(starts))
            self._watching.add_done_callback(self._measured)

    async def _measure(self, starts: Starts) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            await self.pipeline.snapshot(wait=LONGEST_LEAD)
        except TripodError:
            return  # what is away says nothing about how long it takes
        starts.add(clock() - began)

    def _measured(self, _: asyncio.Task[None]) -> None:
        self._watching = None

    async def close(self) -> None:
        """End what still waits for a start."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    async def take(self, after: float, patience: float) -> Shot:
        """Return a settled picture captured at `after` (Unix time) or later, waiting up to `patience` seconds.

        Of a source that is meant to be slow, or says that its picture has not changed, that is the one there is.
        Raises `Stopped`, `NoFreshPicture` or the error that keeps the camera away: never an old picture.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + patience
        slow = self.pipeline.source.interval
        after -= slow if slow > SLOW else 0.001  # that of the very instant counts, too
        failure: TripodError | None = None
        with self.pipeline.demand(Medium.FRAMES):
            while True:
                left = max(deadline - clock(), 0.0)
                try:
                    frame = await self.pipeline.snapshot(after=after, wait=min(left, slow + SLOW) if slow else left)
                except NoFreshPicture as error:
                    if slow and (shot := self._unchanged()):
                        return shot
                    if clock() >= deadline:
                        raise failure or error from None
                except Stopped:
                    raise
                except TripodError as error:
                    failure = error
                    if not await self._changed(deadline):
                        raise
                else:
                    return Shot(frame.data, frame.captured_at)

    def _unchanged(self) -> Shot | None:
        """Return the last picture of stills that do not change, as that of now: the source was asked, and said so."""
        frame = self.pipeline.frame_feed.latest
        if frame is None or self.pipeline.state is not State.STREAMING:
            return None
        now = self.pipeline.clock()
        fresh = 0 <= now - frame.captured_at <= self.pipeline.picture_age_limit
        return Shot(frame.data, frame.captured_at if fresh else now)

    async def _changed(self, deadline: float) -> bool:
        """Wait for a change of the camera's state; return whether one came before `deadline`."""
        changed = asyncio.Event()
        unlisten = self.pipeline.listen(changed.set)
        try:
            async with asyncio.timeout_at(deadline):
                await changed.wait()
        except TimeoutError:
            return False
        finally:
            unlisten()
        return True


class Holds:
    """What one job wants of the camera between its frames."""

    def __init__(self, shutter: Shutter) -> None:
        """Begin with nothing."""
        self._shutter = shutter
        self._held: dict[Medium, ExitStack] = {}

    def want(self, media: AbstractSet[Medium]) -> None:
        """Want these, and no others any longer."""
        if media - self._held.keys():
            self._shutter.watch_start()
        for medium in media - self._held.keys():
            self._held[medium] = ExitStack()
            self._held[medium].enter_context(self._shutter.pipeline.demand(medium))
        for medium in self._held.keys() - media:
            self._held.pop(medium).close()


def _reach(lead: float, linger: float, interval: float) -> float:
    """Return for how many seconds before a frame something is wanted: all the time, where it would hardly rest."""
    return interval if interval <= REST * (lead + linger) else lead
