"""What every source is: configured, frozen, able to look at what is there and to capture it."""

from __future__ import annotations

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from ..audio import ALSA, Audio
from ..controls import Controls
from ..encoders import Encoders
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


class Wanted:
    """The media that somebody wants now: a source that delivers both need only make these."""

    def __init__(self, media: Iterable[Medium] = ()) -> None:
        """Begin with `media`."""
        self.ordered = False
        """Whether the user started the camera, which one that is switched off elsewhere obeys; it then unsets this."""
        self._media = set(media)
        self._change = asyncio.Event()

    def __contains__(self, medium: Medium) -> bool:
        """Whether `medium` is wanted."""
        return medium in self._media

    def add(self, medium: Medium) -> None:
        """Want `medium`."""
        self._media.add(medium)
        self._change.set()

    def discard(self, medium: Medium) -> None:
        """Want `medium` no longer."""
        self._media.discard(medium)
        self._change.set()

    async def changed(self) -> None:
        """Wait until something else is wanted than at the last return of this; for one waiter."""
        await self._change.wait()
        self._change.clear()


class Sink(Protocol):
    """Where a running capture puts what it gets. Calls are cheap and never wait."""

    timestamp_offset: float
    """Seconds since the pipeline began, or more: time stamps start here, so that time never goes back."""

    wanted: Wanted
    """What to deliver, for a source that delivers both media."""

    controls: Controls | None
    """What `Source.controls` made for this pipeline; the capture puts the user's settings back by its `apply`."""

    audio: Audio | None
    """The microphone whose sound a capture of packets puts beside them; None for none."""

    still: Callable[[], Awaitable[bytes]] | None
    """Set by a capture that can take one JPEG of the sensor's full size while it streams smaller."""

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
    python: str = "/usr/bin/python3"
    """The system's Python, for which libcamera's binding is built."""
    rpicam_vid: str = "rpicam-vid"
    audio_input: Sequence[str] = ALSA
    """ffmpeg's input options for microphones."""
    encoders: Encoders = None  # type: ignore[assignment]  # until __post_init__
    """Those of `ffmpeg`, unless others are given."""

    def __post_init__(self) -> None:
        """Take the encoders of `ffmpeg` where no others are given."""
        if self.encoders is None:
            object.__setattr__(self, "encoders", Encoders(self.ffmpeg))


class Source(ABC):
    """Where pictures come from, as the user configured it. Subclasses are frozen dataclasses."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def native(self) -> Medium:
        """The medium that arrives without transcoding."""

    @property
    def delivers(self) -> frozenset[Medium]:
        """All media that arrive without transcoding; `native` is the chief one."""
        return frozenset({self.native})

    @property
    def microphone(self) -> str:
        """The ALSA device whose sound goes with the video; empty for none."""
        return ""

    @property
    def warms_up(self) -> bool:
        """Whether this is a bare sensor, whose first pictures after a start may be black or unsettled."""
        return False

    @property
    def takes_stills(self) -> bool:
        """Whether it can take a picture of the sensor's full size while it streams smaller."""
        return False

    def controls(self, wanted: Mapping[str, float]) -> Controls | None:
        """Return new controls that remember what the user `wanted`, by key; None where there are none."""
        return None

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
