"""H.264 that can be joined: the same parameters each time, every file beginning anew, no frame out of order."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import NoVideo, TripodError
from ..ffmpeg import Ffmpeg, filter_value
from .frames import STEP, Flaw, FrameFile, Offered
from .look import Look
from .overlay import Overlay
from .worker import THREADS, FrameCounter, work

GOP = 50
"""Frames from one key frame to the next: a player finds any moment within two seconds of video."""

TIMESCALE = 90_000
"""Ticks of a second in the files: all usual rates are a whole number of them."""

TOLERANCE = 0.5
"""Part of the pictures that must succeed, or the decoder is too strict: those of some cameras are never quite right."""

COLOURS = "out_color_matrix=bt709:out_range=tv"

TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
"""Says so; else the encoder would repeat what the frames said of themselves."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How everything of one look and one job is encoded."""

    look: Look
    width: int
    height: int

    def filters(self, *effects: str) -> str:
        """Return the filters: into the box, the shape kept, in the colours of HD video, then `effects`.

        Frames may change their size at any time: what depends on it is worked out for each.
        """
        box = f"w={self.width}:h={self.height}"
        filters = [
            f"scale={box}:force_original_aspect_ratio=decrease:force_divisible_by=2:{COLOURS}:eval=frame",
            "format=yuv420p",
            f"pad={box}:x=-1:y=-1:eval=frame",
            "setsar=1",
            *effects,
            TAGS,
        ]
        return ",".join(filters)

    @property
    def output(self) -> list[str]:
        """The options of the encoder and its file."""
        constant_rate_factor = round(40 - 0.24 * self.look.quality)
        return [
            *("-fps_mode", "passthrough", "-threads:v", THREADS, "-c:v", "libx264", "-preset", "veryfast"),
            *("-crf", str(constant_rate_factor), "-bf", "0", "-g", str(GOP), "-profile:v", "high"),
            *("-video_track_timescale", str(TIMESCALE), "-f", "mp4"),
        ]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One file, and what is in it."""

    path: Path
    times: Sequence[int]
    """When each frame was captured: milliseconds of Unix time."""
    flaws: Mapping[Flaw, int]
    """What was wrong with frames that were to be in it."""


class Encoder:
    """Encodes one timelapse's frames, or parts of its chunks, by workers of low priority."""

    def __init__(self, ffmpeg: Ffmpeg, encoding: Encoding, *, camera: str, job: str) -> None:
        """Work with `ffmpeg`; `camera` and `job` are names for the overlay."""
        self._ffmpeg = ffmpeg
        self._encoding = encoding
        self._overlay = Overlay(encoding.look.overlay, camera=camera, job=job)

    async def frames(
        self, frames: Callable[[], Iterable[FrameFile]], target: Path, on_frame: Callable[[], object]
    ) -> Encoded:
        """Encode the frames `frames()`, which may block; calls `on_frame` for each that is read.

        Raises the worker's failure, but never for what a frame is.
        """
        overlay = self._overlay if await self._draws() else None
        offered = Offered(frames, overlay)
        kept = await self._offer(offered, target, on_frame, strict=True)
        if len(kept) < len(offered.times) * TOLERANCE:
            kept = await self._offer(offered, target, int, strict=False)
        flaws = offered.flaws
        flaws[Flaw.UNDECODABLE] = len(offered.times) - len(kept)
        flaws[Flaw.NO_OVERLAY] = len(kept) if overlay is None and self._encoding.look.overlay else 0
        return Encoded(target, array("q", (offered.times[number] for number in kept)), +flaws)

    async def _draws(self) -> bool:
        return bool(self._encoding.look.overlay) and "drawtext" in await self._ffmpeg.filters()

    async def _offer(
        self, offered: Offered, target: Path, on_frame: Callable[[], object], *, strict: bool
    ) -> Sequence[int]:
        """Return the numbers of those that became frames of the video."""
        effects = ["deflicker"] if self._encoding.look.deflicker else []
        if offered.overlay:
            effects.append(offered.overlay.filter(self._encoding.width, self._encoding.height))
        try:
            await work(
                self._ffmpeg,
                [
                    *("-threads", THREADS, "-err_detect", "explode" if strict else "ignore_err"),
                    *("-max_error_rate", "1", "-reinit_filter", "0", "-protocol_whitelist", "pipe"),
                    *("-f", "matroska", "-i", "pipe:0", "-vf", self._encoding.filters(*effects)),
                    *(*self._encoding.output, f"file:{target}"),
                ],
                folder=target.parent,
                pictures=offered.stream(on_frame),
            )
        except TripodError:
            if offered.times:
                raise
            return []  # it complains that there was nothing
        return await self._numbers(target)

    async def cut(self, chunk: Path, choice: str, target: Path, on_count: Callable[[int], None]) -> int:
        """Encode those frames of a chunk anew that the expression `choice` selects; return how many there are."""
        counter = FrameCounter(on_count)
        await work(
            self._ffmpeg,
            [
                *("-threads", THREADS, *FrameCounter.ARGUMENTS, "-protocol_whitelist", "file", "-i", f"file:{chunk}"),
                *("-vf", f"select={filter_value(choice)},{self._encoding.filters()}"),
                *(*self._encoding.output, f"file:{target}"),
            ],
            folder=target.parent,
            on_output=counter,
        )
        return len(await self._numbers(target))

    async def _numbers(self, path: Path) -> Sequence[int]:
        """Return where each frame of a finished file stands, in `STEP`s: what a decoder dropped has left a gap."""
        numbers = array("q")
        lines = LineReader(lambda line: numbers.append(_number(line)) if line.startswith(b"0,") else None)
        with suppress(NoVideo):
            await work(
                self._ffmpeg,
                ["-protocol_whitelist", "file", "-i", f"file:{path}", "-c", "copy", "-f", "framecrc", "pipe:1"],
                folder=path.parent,
                on_output=lines,
            )
        return numbers


class LineReader:
    """Cuts output into lines."""

    def __init__(self, on_line: Callable[[bytes], object]) -> None:
        """Call `on_line` for each."""
        self._on_line = on_line
        self._partial = b""

    def __call__(self, data: bytes) -> None:
        """Take the next bytes."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._on_line(line)


def _number(line: bytes) -> int:
    presentation_time = int(line.split(b",")[2])
    return round(presentation_time / TIMESCALE / STEP)
