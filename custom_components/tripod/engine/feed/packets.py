"""A bounded ring of MPEG-TS that begins with a key frame wherever somebody may join.

A reader is a position in the ring, so any number of readers costs no memory, and one may start in the past (pre-roll).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import time
from typing import Self

from .. import h265
from ..h264 import SequenceParameters
from ..meter import RateMeter
from ..mpegts import CLOCK_RATE, Chunk, Parser
from .backlog import BACKLOG_LIMIT, Backlog
from .segment import Segment
from .waiters import Waiters

MIN_SEGMENT = 0.9
"""Seconds before a key frame begins a new segment: GOPs of a second stay whole, shorter ones are joined."""

MAX_SEGMENT = 10.0
"""Seconds after which a segment is cut at a frame although no key frame came, so that the ring can let go of it."""

KEEP_FOR_HLS = 10
"""Target durations that the ring keeps while playlists are served: four listed, and as RFC 8216, 6.2.2 wants, one that
was taken off the list for as long as a listing lasts."""

MAX_LAG = 5.0
"""Seconds that a live reader may fall behind before it rejoins at the newest key frame."""

READ_SIZE = 256 * 1024
"""Bytes after which one read of a packet reader ends, so that a catching-up reader stays interruptible."""

WRAP = 1 << 33
"""Ticks after which MPEG-TS time stamps begin again: 26.5 hours."""

APART = 0.5
"""Seconds between the newest picture of a worker and the first of the next: sound may be that far ahead of it."""

ROUNDING = CLOCK_RATE // 500
"""Ticks by which a time stamp may differ after a worker rounded it to milliseconds."""


class PacketFeed:
    """A bounded ring of MPEG-TS segments, for any number of readers."""

    def __init__(
        self,
        *,
        keep_seconds: float = 8.0,
        keep_bytes: int = 16 * 2**20,
        first_sequence: int = 0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the last `keep_seconds` of whole segments, but never more than `keep_bytes`.

        `clock` tells Unix time, which may be set; `monotonic` goes on evenly, and says how long ago something was.
        """
        self.keep_seconds = keep_seconds
        self.keep_bytes = keep_bytes
        self.segments: deque[Segment] = deque()
        self.size = 0
        self.frame_meter = RateMeter()
        self.bytes_meter = RateMeter()
        self.parser = Parser()
        self.last_frame_at: float | None = None
        self.frames = 0
        """Frames since the feed began."""
        self.monotonic = monotonic
        self._clock = clock
        self._sequence = self._first_sequence = first_sequence
        self._discontinuities = 0
        self._broken = False
        self._sps: bytes | None = None
        self._longest = MAX_SEGMENT
        self._keep_for_hls = 0.0
        self.closed = False
        self.waiters = Waiters()
        self.interrupts = 0
        self._arrivals: deque[tuple[int, float]] = deque(maxlen=512)
        self._backlogs: list[Backlog] = []

    def publish(self, data: bytes) -> None:
        """Take the next bytes of the stream, cut anywhere."""
        chunks = self.parser.feed(data)
        if not chunks:
            return
        self.bytes_meter.add(sum(len(chunk.data) for chunk in chunks))
        for chunk in chunks:
            self._add(chunk)
        self.waiters.wake()

    def restart(self) -> None:
        """Expect another worker's stream: what follows begins at its first key frame, marked as a discontinuity."""
        self.parser = Parser()
        self._close(None)
        self._broken = self._sequence > self._first_sequence
        self.frame_meter.reset()
        self.bytes_meter.reset()

    def clear(self) -> None:
        """Forget the past, so that nobody is handed the stream of a capture that has ended."""
        self.restart()
        while self.segments:
            self._forget_oldest()
        self.last_frame_at = None
        self.interrupt()

    def close(self) -> None:
        """End every reader's iteration; `next` returns None from now on."""
        self.closed = True
        self.waiters.wake()

    def interrupt(self) -> None:
        """Let every reader's `next` return None once, so that it looks at the camera's state."""
        self.interrupts += 1
        self.waiters.wake()

    def reader(self, pre_roll: float = 0.0) -> PacketReader:
        """Return a reader that begins at the key frame at or before `pre_roll` seconds ago, or the oldest one kept."""
        return PacketReader(self, pre_roll)

    @contextmanager
    def backlog(self, pre_roll: float = 0.0, limit: int = BACKLOG_LIMIT) -> Iterator[Backlog]:
        """Keep what comes for a recorder, from the key frame at or before `pre_roll` seconds ago on.

        It keeps `limit` bytes at most of what the ring lets go of.
        """
        wanted = self.monotonic() - pre_roll
        segments = self._since(wanted, self.start_of(pre_roll))
        index = 0
        if segments:
            chunks = enumerate(segments[0].chunks)
            index = max((at for at, chunk in chunks if chunk.key and segments[0].time_of(chunk) <= wanted), default=0)
        backlog = Backlog(segments, index, limit)
        self._backlogs.append(backlog)
        try:
            yield backlog
        finally:
            self._backlogs.remove(backlog)

    def _since(self, wanted: float, start: Segment | None) -> list[Segment]:
        """Return the segments from `start` on, without what was over long before `wanted` when the camera was away."""
        segments = [] if start is None else list(self.segments)[self.segments.index(start) :]
        while segments and segments[0].complete and segments[0].arrived + segments[0].duration < wanted:
            if len(segments) > 1 and not segments[1].discontinuity:
                break
            del segments[0]
        while segments and not segments[0].key:
            del segments[0]
        return segments

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height of the video, where its parameters tell."""
        if not self.parser.sps:
            return None
        try:
            if self.parser.video_codec == "hevc":
                return h265.picture_size(self.parser.sps)
            parameters = SequenceParameters.parse(self.parser.sps)
        except ValueError:
            return None
        return parameters.width, parameters.height

    @property
    def complete(self) -> list[Segment]:
        """The finished segments in the ring, oldest first."""
        return [segment for segment in self.segments if segment.complete]

    def hold_target_duration(self) -> int:
        """Return the whole seconds that no segment exceeds from now on (RFC 8216, 4.3.3.1: EXTINF, rounded).

        The first call fixes the value, from what the source's GOPs last; a longer GOP is cut at a frame from then on,
        until `release_target_duration`.
        """
        if not self._keep_for_hls:
            longest = max((segment.duration for segment in self.segments), default=1.0)
            self._longest = max(1.0, float(int(longest + 0.5)))
            self._keep_for_hls = KEEP_FOR_HLS * self._longest
        return int(self._longest)

    def release_target_duration(self) -> None:
        """Let segments last as long as the source's GOPs again: nobody reads playlists any more."""
        self._longest = MAX_SEGMENT
        self._keep_for_hls = 0.0

    def arrival(self, pts_seconds: float) -> float | None:
        """Return the Unix time at which the frame with this time stamp arrived, if it is a recent one."""
        wanted = round(pts_seconds * CLOCK_RATE)
        for ticks, at in reversed(self._arrivals):
            # modulo the wrap: a worker that started after it counts from zero
            if (ticks - wanted + ROUNDING) % WRAP <= 2 * ROUNDING:
                return at
        return None

    def free_from(self, seconds: float) -> float:
        """Return the first time stamp, at or after `seconds`, that another worker's stream may begin with.

        What a stream began with may have come in one go, so that it ran ahead of the time that passed.
        """
        if not self._arrivals:
            return seconds
        ahead = (self._arrivals[-1][0] - round(seconds * CLOCK_RATE) + WRAP // 2) % WRAP - WRAP // 2
        return seconds + max(0.0, ahead / CLOCK_RATE + APART)

    def start_of(self, pre_roll: float) -> Segment | None:
        """Return the segment where a reader begins that wants the last `pre_roll` seconds."""
        wanted = self.monotonic() - pre_roll
        found: Segment | None = None
        for segment in reversed(self.segments):
            if segment.key:
                found = segment
                if segment.arrived <= wanted:
                    break
        return found

    def _add(self, chunk: Chunk) -> None:
        segment = self.segments[-1] if self.segments and not self.segments[-1].complete else None
        now = self._clock()
        if chunk.starts_frame:
            self.frame_meter.add()
            self.frames += 1
            self.last_frame_at = now
            if chunk.pts is not None:
                self._arrivals.append((chunk.pts, now))
        if segment is None:
            if not chunk.key:
                return  # nothing can be decoded before the first key frame
            segment = self._open(chunk, now)
        elif chunk.starts_frame and self._is_cut(segment, chunk):
            if self._is_break(segment, chunk):
                self._close(None)
                self._broken = True
            else:
                self._close(chunk.pts)
            segment = self._open(chunk, now)
        segment.append(chunk)
        self.size += len(chunk.data)
        self._trim()

    def _is_cut(self, segment: Segment, chunk: Chunk) -> bool:
        lasted = segment.duration if chunk.pts is None else (chunk.pts - segment.pts) / CLOCK_RATE
        if chunk.key:
            return lasted >= MIN_SEGMENT or lasted < 0 or not segment.key or chunk.sps != self._sps
        # One more frame like the last would round up beyond the target duration.
        step = 0.0 if chunk.pts is None else (chunk.pts - segment.last_pts) / CLOCK_RATE
        return lasted + step >= self._longest + 0.5 or segment.size > self.keep_bytes // 2

    def _is_break(self, segment: Segment, chunk: Chunk) -> bool:
        """Tell whether the source's clock went back, or left a hole that no segment may cover."""
        lasted = 0.0 if chunk.pts is None else (chunk.pts - segment.pts) / CLOCK_RATE
        return lasted < 0 or lasted >= self._longest + 0.5

    def _open(self, chunk: Chunk, now: float) -> Segment:
        if chunk.key:
            if self._sps is not None and chunk.sps != self._sps:
                self._broken = True  # another size or profile: players must begin anew
            self._sps = chunk.sps
        if self._broken:
            self._discontinuities += 1
        segment = Segment(
            sequence=self._sequence,
            key=chunk.key,
            discontinuity=self._broken,
            discontinuities=self._discontinuities,
            started_at=now,
            arrived=self.monotonic(),
            pts=chunk.pts or 0,
            last_pts=chunk.pts or 0,
        )
        self._broken = False
        self._sequence += 1
        if self.segments:
            self.segments[-1].next = segment
        self.segments.append(segment)
        for backlog in self._backlogs:
            backlog.add(segment)
        return segment

    def _close(self, next_pts: int | None) -> None:
        if self.segments and not self.segments[-1].complete:
            self.segments[-1].close(next_pts)

    def _trim(self) -> None:
        begin = self.monotonic() - max(self.keep_seconds, self._keep_for_hls)
        while len(self.segments) > 1 and (self.size > self.keep_bytes or self.segments[1].arrived < begin):
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        segment = self.segments.popleft()
        segment.overtaken = True
        segment.next = None  # else a reader that stands here would keep everything after it alive
        self.size -= segment.size
        for backlog in self._backlogs:
            backlog.bound()


class PacketReader:
    """One consumer's place in a `PacketFeed`."""

    def __init__(self, feed: PacketFeed, pre_roll: float) -> None:
        """Begin at the key frame at or before `pre_roll` seconds ago."""
        self.dropped = 0
        """How often the reader fell behind and rejoined."""
        self.frames = 0
        """Frames read so far."""
        self._feed = feed
        self._max_lag = pre_roll + MAX_LAG
        self._segment = feed.start_of(pre_roll)
        self._index = 0
        self._interrupts = feed.interrupts

    @property
    def discontinuities(self) -> int:
        """How many discontinuities the feed had up to what was read last."""
        return self._segment.discontinuities if self._segment else 0

    async def next(self, timeout: float | None = None) -> bytes | None:
        """Return the stream's next bytes; None after `timeout` seconds, or when the feed was interrupted."""
        while not self._feed.closed:
            if data := self._take():
                return data
            if self._interrupts != self._feed.interrupts:
                self._interrupts = self._feed.interrupts
                return None
            if not await self._feed.waiters.wait(timeout):
                return None
        return None

    def _take(self) -> bytes:
        self._rejoin_if_lost()
        return b"".join(self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        size = 0
        while self._segment is not None and size < READ_SIZE:
            while self._index < len(self._segment.chunks) and size < READ_SIZE:
                chunk = self._segment.chunks[self._index]
                self._index += 1
                self.frames += chunk.starts_frame
                size += len(chunk.data)
                yield chunk.data
            following = self._segment.next
            if self._index < len(self._segment.chunks) or following is None or (size and following.discontinuity):
                return
            self._segment, self._index = following, 0

    def _rejoin_if_lost(self) -> None:
        segment = self._segment
        if segment is None:
            self._segment, self._index = self._feed.start_of(0), 0
            return
        newest = self._feed.segments[-1] if self._feed.segments else segment
        if segment.overtaken or newest.arrived - segment.arrived > self._max_lag:
            self.dropped += self._index < len(segment.chunks)
            self._segment, self._index = self._feed.start_of(0), 0

    def __aiter__(self) -> Self:
        """Iterate over the stream's bytes until the feed is closed."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes, however long it takes."""
        while not self._feed.closed:
            if (data := await self.next()) is not None:
                return data
        raise StopAsyncIteration
