"""One recording: from when it is asked for to the files that came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import inf
from pathlib import Path

from ..archive import Archive
from ..errors import Cancelled, LowSpace, NothingRecorded, NotRecording, NotWritable, TripodError
from ..feed import Backlog, Piece
from ..mpegts import CLOCK_RATE, Chunk
from ..pipeline import Pipeline
from ..sources.base import Medium
from ..status import State
from . import stretch
from .container import Container
from .disk import reason
from .finish import Recorded
from .notes import Notes
from .spool import Part, Spool

WRITE_INTERVAL = 0.5
"""Seconds between two writes: what a crash of the program may cost, with the frame that is arriving."""

WRITE_SIZE = 4 * 2**20
"""Bytes of one write, about: what is in flight stays in memory whatever becomes of it."""

RETRY_INTERVAL = 1.0
"""Seconds between two tries to write to a disk that refuses."""

CHECK_INTERVAL = 5.0
"""Seconds between two looks at the room that is left: the floor is far larger than what is written meanwhile."""

PATIENCE = 20.0
"""Seconds that a recording waits for the first picture, where it is shorter itself: cameras wake up slowly."""

LAST_FRAME = 1.0
"""Seconds to wait for the frame after the end, which tells that the last one is whole."""

LAST_TRY = 10.0
"""Seconds after the end in which a disk that refuses may still take what memory holds."""

LONGEST_STRETCH = 6 * 3600.0
"""Seconds after which a new file is begun: in a quarter of their range time stamps wrap at most once."""


class RecordingState(StrEnum):
    """What a recording is doing."""

    WAITING = "waiting"
    """For the camera's first key frame."""
    RECORDING = "recording"
    FINISHING = "finishing"
    """It is being packed and published."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for."""

    asked_at: datetime
    asked: float
    """The same on the ring's clock."""
    duration: float | None
    container: Container
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a recording works with."""

    pipeline: Pipeline
    archive: Archive
    backlog: Backlog
    spool: Spool
    folder: Path
    thread: Executor
    """In which all is written, one thing after the other."""


class Recording:
    """A recording under way; what it has come to can be read at any time."""

    def __init__(
        self, request: Request, desk: Desk, changed: Callable[[], None], failed: Callable[[TripodError], None]
    ) -> None:
        """Prepare a recording. `changed` is called when its state does, `failed` for what is lost."""
        self.folder = desk.folder
        """Where it is written."""
        self.id = desk.folder.name.rpartition("-")[2]
        self.asked_at = request.asked_at
        self.name = request.name
        self.container = request.container
        self.state = RecordingState.WAITING
        self.started_at: datetime | None = None
        """When its first picture, a key frame, was taken; None before it came."""
        self.lost = 0.0
        """Seconds that could not be written."""
        self._desk = desk
        self._changed = changed
        self._failed = failed
        self._asked = request.asked
        self._duration = inf if request.duration is None else request.duration
        self._stopped = inf  # when it was told to
        self._over = False
        self._wake = asyncio.Event()
        self._trouble: TripodError | None = None
        self._first: float | None = None
        self._reached = self._kept = 0.0
        self._stretch = ""
        self._stretch_pts = 0
        self._stretch_offset = 0.0
        self._checked = request.asked
        self._noted = False
        self._outcome: asyncio.Future[list[Recorded]] = asyncio.get_running_loop().create_future()

    @property
    def pre_roll(self) -> float:
        """Seconds from the first picture to the asking; 0 where it came later."""
        return 0.0 if self._first is None else max(0.0, self._asked - self._first)

    @property
    def duration(self) -> float:
        """Seconds recorded so far, from the first picture on."""
        return 0.0 if self._first is None else self._reached - self._first

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._desk.spool.size

    @property
    def whole(self) -> bool:
        """Whether all that was written is known to end with a whole frame."""
        return self._trouble is None

    @property
    def under_way(self) -> bool:
        """Whether it still takes what comes."""
        return not self._over and self.state in (RecordingState.WAITING, RecordingState.RECORDING)

    def extend(self, seconds: float) -> None:
        """Let it end so many seconds later; one that runs until it is stopped stays so. Raises `NotRecording`."""
        if not self.under_way or self._stopped < inf:
            raise NotRecording
        self._duration += seconds
        self._wake.set()

    def stop(self) -> None:
        """End it now; what there is will be published."""
        self._stopped = min(self._stopped, self._now())
        self._wake.set()

    async def done(self) -> list[Recorded]:
        """Wait for the end and return what came of it: more than one file where the picture changed its size.

        Raises `NothingRecorded`, or why it could not be finished: `DiskFull`, `NotWritable`, `ArchiveMissing`.
        """
        await asyncio.wait([self._outcome])
        return self._outcome.result()

    async def run(self, finish: Callable[[], Awaitable[list[Recorded]]]) -> None:
        """Record to the end, then `finish`; what that raises, `done` does."""
        try:
            await self._record()
            self._enter(RecordingState.FINISHING)
            recorded = await finish()
        except NothingRecorded:
            self._fail(NothingRecorded(str(self._desk.pipeline.failure(Medium.PACKETS) or "")))
        except TripodError as error:
            self._fail(error)
        else:
            self._outcome.set_result(recorded)
            self._enter(RecordingState.DONE)
        finally:
            if not self._outcome.done():  # the program ends; the next run of it finishes what there is
                self._end_with(Cancelled())

    def _fail(self, error: TripodError) -> None:
        self._failed(error)
        self._end_with(error)

    def _end_with(self, error: TripodError) -> None:
        self._outcome.set_exception(error)
        self._outcome.exception()  # nobody need be waiting
        self._enter(RecordingState.FAILED)

    def _enter(self, state: RecordingState) -> None:
        self.state = state
        self._changed()

    @property
    def _end(self) -> float:
        """When the last picture is taken; the duration counts from the first one where the camera had to wake up."""
        if self._first is None:
            return self._stopped
        return min(self._stopped, max(self._asked, self._first) + self._duration)

    async def _record(self) -> None:
        while not self._over:
            parts: list[Part] = []
            if self._trouble:
                await self._write(parts)
            if not self._trouble:
                parts = self._accept(self._desk.backlog.take(WRITE_SIZE))
            if parts:
                await self._write(parts)
            elif self._is_over():
                break
            else:
                await self._rest()
        await self._close()

    def _accept(self, pieces: Sequence[Piece]) -> list[Part]:
        """Return what is to be written of what came, up to the end."""
        parts: list[Part] = []
        for piece in pieces:
            begins = piece.broken
            chunks: list[bytes] = []
            for chunk in piece.chunks:
                if chunk.starts_frame:
                    at = piece.segment.time_of(chunk)
                    if at >= self._end:
                        self._over = True
                        return parts + self._part(chunks)
                    if begins or (chunk.key and self._is_long(chunk)):
                        parts += self._part(chunks)
                        chunks = []
                        self._begin_stretch(chunk, at, broken=begins)
                        begins = False
                    self._reached = max(self._reached, at)
                chunks.append(chunk.data)
            parts += self._part(chunks)
        return parts

    def _part(self, chunks: list[bytes]) -> list[Part]:
        return [Part(self._stretch, chunks)] if chunks else []

    def _is_long(self, chunk: Chunk) -> bool:
        return chunk.pts is not None and chunk.pts - self._stretch_pts > LONGEST_STRETCH * CLOCK_RATE

    def _begin_stretch(self, chunk: Chunk, at: float, *, broken: bool) -> None:
        """Begin another file: after a break where the clock says, else where the stream does."""
        pts = chunk.pts or 0
        if self._first is None:
            self._begin(at)
            offset = 0.0
        elif broken:
            offset = max(at - self._first, self._reached - self._first + 0.001)
        else:
            offset = self._stretch_offset + (pts - self._stretch_pts) / CLOCK_RATE
        self._stretch, self._stretch_pts, self._stretch_offset = stretch.name(offset), pts, offset

    def _begin(self, at: float) -> None:
        pipeline = self._desk.pipeline
        self._first = self._reached = self._kept = at
        began = pipeline.clock() - (self._now() - at)
        self.started_at = datetime.fromtimestamp(began, self._desk.archive.zone)
        self._enter(RecordingState.RECORDING)

    async def _write(self, parts: Sequence[Part]) -> None:
        """Write; a disk that refuses is noted, and tried again."""
        reached = self._reached
        self._desk.spool.add(parts)
        try:
            await self._in_thread(self._put)
        except LowSpace as error:
            self._over = True
            self._failed(error)
        except TripodError as error:
            self._trouble = error
        else:
            self._trouble = None
            self._kept = reached
        self._note_lost(self._desk.backlog.lost)

    def _put(self) -> None:
        """Write in the recorder's thread."""
        if not self._noted:
            self._notes.save(self._desk.folder)
            self._noted = True
        self._desk.spool.write()
        if self._now() - self._checked >= CHECK_INTERVAL:
            self._checked = self._now()
            self._check()

    @property
    def _notes(self) -> Notes:
        assert self.started_at is not None
        return Notes(asked_at=self.asked_at, started_at=self.started_at, container=self.container, name=self.name)

    def _check(self) -> None:
        """Raise `LowSpace` once the floor is reached, or there would be no room left to pack what was written."""
        desk = self._desk
        desk.archive.check()
        if desk.archive.free() < desk.spool.size:
            raise LowSpace(str(desk.folder), floor=f"{desk.spool.size >> 20} MB", path=str(desk.folder))

    def _note_lost(self, seconds: float) -> None:
        if seconds > self.lost:
            first = not self.lost
            self.lost = seconds
            if first:
                self._failed(self._trouble or NotWritable("the disk is too slow", path=str(self._desk.folder)))

    async def _close(self) -> None:
        """Bring everything onto the disk, or give up what it does not take."""
        try:
            await self._in_thread(self._desk.spool.close)
        except TripodError as error:
            self._trouble = error
            self._note_lost(self._desk.backlog.lost + max(0.0, min(self._now(), self._end) - self._kept))

    def _is_over(self) -> bool:
        """Tell whether nothing more is to come."""
        pipeline, now = self._desk.pipeline, self._now()
        if pipeline.state is State.STOPPED or pipeline.packet_feed.closed:
            self.stop()
            return not self._trouble or now >= self._end + LAST_TRY
        if self._first is None:
            return now >= min(self._end, self._asked + max(self._duration, PATIENCE))
        return now >= self._end + (LAST_TRY if self._trouble else LAST_FRAME)

    async def _rest(self) -> None:
        """Wait until there is something to be written, or until the end, or until told otherwise."""
        left = self._end - self._now()
        if left <= 0 and not self._trouble:
            await self._desk.pipeline.packet_feed.waiters.wait(LAST_FRAME)
            return
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(RETRY_INTERVAL if self._trouble else min(left, WRITE_INTERVAL)):
                await self._wake.wait()

    async def _in_thread(self, work: Callable[[], None]) -> None:
        """Do what blocks; raises why the disk refused."""
        loop, desk = asyncio.get_running_loop(), self._desk
        try:
            await loop.run_in_executor(desk.thread, work)
        except OSError as error:
            raise await loop.run_in_executor(desk.thread, reason, error, desk.archive, desk.folder) from error

    def _now(self) -> float:
        return self._desk.pipeline.packet_feed.monotonic()
