"""What every source is: configured, frozen, able to look at what is there and to capture it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from ..ffmpeg import Ffmpeg
from .address import Resolve, resolve


class Medium(StrEnum):
    """What a feed carries: JPEG frames, or an MPEG-TS packet stream."""

    FRAMES = "frames"
    PACKETS = "packets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a live look at a source found."""

    medium: Medium
    codec: str
    """ffmpeg's name: `h264`, `hevc`, `mjpeg`."""
    width: int
    height: int
    rate: float | None = None
    """Frames per second; None where the source does not say and too few came to measure."""
    audio_codec: str | None = None
    picture: bytes | None = None
    """One JPEG frame, where the look brought one."""
    learned: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the source that the look found out; `sources.settle` puts them in."""


class Sink(Protocol):
    """Where a running capture puts what it gets. Calls are cheap and never wait."""

    timestamp_offset: float
    """Seconds since the pipeline began: ffmpeg captures start their timestamps here, so that time never goes back."""

    def frame(self, jpeg: bytes, captured_at: float | None = None) -> None:
        """Take one whole JPEG; `captured_at` is Unix time, now where it is None."""

    def packets(self, data: bytes) -> None:
        """Take the next bytes of an MPEG-TS stream, cut anywhere."""

    def alive(self) -> None:
        """Note that the source answered without a new picture (an unchanged still): it has not stalled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What captures and probes work with; injected, so that tests need no patching."""

    ffmpeg: Ffmpeg
    resolve: Resolve = resolve


class Source(ABC):
    """Where pictures come from, as the user configured it. Subclasses are frozen dataclasses."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def native(self) -> Medium:
        """The medium that arrives without transcoding."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must be masked wherever a worker might echo them."""
        return ()

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the source is, for people and without secrets: a device path, a URL without password."""

    @property
    def interval(self) -> float:
        """Seconds between pictures, where the source is meant to be slow; 0 for a stream."""
        return 0.0

    def attached(self) -> bool:
        """Whether the hardware is plugged in; cheap, but may touch the file system."""
        return True

    @abstractmethod
    async def probe(self, tools: Tools) -> Found:
        """Open the source, say what is there and close it again.

        Raises a `TripodError` that says why it cannot be used; takes 15 s at most.
        """

    @abstractmethod
    async def capture(self, tools: Tools, sink: Sink) -> None:
        """Capture until cancelled, filling `sink`.

        Never returns normally: a live source that ends has failed, so the end is raised as a `TripodError`.
        When this returns or raises, no process and no connection of it is left.
        """

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON-able data; `sources.load` takes it back."""
