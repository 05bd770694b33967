"""A piece of the packet ring."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..mpegts import CLOCK_RATE, Chunk


@dataclass(slots=True, eq=False)
class Segment:
    """A run of MPEG-TS that lasts about a second or more and normally begins with a key frame."""

    sequence: int
    key: bool
    """Whether decoding can begin here."""
    discontinuity: bool
    """Whether another worker's stream begins here."""
    discontinuities: int
    """How many discontinuities the feed had up to and with this segment."""
    started_at: float
    """Unix time at which the first packet arrived."""
    arrived: float
    """The same on a clock that nobody sets."""
    pts: int
    """Time stamp of the first frame, in 90 kHz ticks that never wrap."""
    last_pts: int
    """Time stamp of the newest frame."""
    chunks: list[Chunk] = field(default_factory=list, repr=False)
    size: int = 0
    frames: int = 0
    duration: float = 0.0
    """Seconds; final once `complete`."""
    complete: bool = False
    overtaken: bool = False
    """Whether the ring has let go of it: a reader that stands here must rejoin."""
    next: Segment | None = field(default=None, repr=False)

    @property
    def data(self) -> bytes:
        """The whole segment, as MPEG-TS that begins with PAT and PMT."""
        return b"".join(chunk.data for chunk in self.chunks)

    def time_of(self, chunk: Chunk) -> float:
        """Return when a frame was taken, at the latest, on the clock of `arrived`: no connection carries it faster."""
        return self.arrived if chunk.pts is None else self.arrived + (chunk.pts - self.pts) / CLOCK_RATE

    def append(self, chunk: Chunk) -> None:
        """Add the next chunk."""
        self.chunks.append(chunk)
        self.size += len(chunk.data)
        if chunk.starts_frame:
            self.frames += 1
            if chunk.pts is not None:
                self.last_pts = chunk.pts
                self.duration = max(self.duration, (chunk.pts - self.pts) / CLOCK_RATE)

    def close(self, next_pts: int | None) -> None:
        """Set the final duration: up to the next segment's first frame, or one frame more where there is none."""
        if next_pts is not None and next_pts > self.pts:
            self.duration = (next_pts - self.pts) / CLOCK_RATE
        elif self.frames > 1:
            self.duration *= self.frames / (self.frames - 1)
        self.complete = True
