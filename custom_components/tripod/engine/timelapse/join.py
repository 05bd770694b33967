"""Chunks and pieces become one video by copying: nothing is encoded, only when each frame is shown is told anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from ..archive import files
from ..errors import WorkerFailed
from ..ffmpeg import Ffmpeg
from .worker import FrameCounter, work

INDEX_BASE = 1 << 14
INDEX_OF_FRAME = 40
"""Bytes of a video's index (`moov`), at most. So much room is left for it at the beginning, where players look for it;
ffmpeg's other way, `faststart`, writes the whole video once more to make room."""

POSTER_WIDTH = 640
"""Pixels, at most."""

POSTER_QUALITY = "4"
"""ffmpeg's -q:v (2 best, 31 worst)."""


async def join(
    ffmpeg: Ffmpeg,
    pieces: Sequence[Path],
    target: Path,
    *,
    frames: int,
    fps: Fraction,
    on_count: Callable[[int], object],
) -> None:
    """Make one video of `pieces`, which hold so many `frames`; raises the worker's failure.

    `target` lies in a folder for what is being made.
    """
    script = target.with_suffix(".ffconcat")
    await asyncio.to_thread(_list, pieces, script)
    counter = FrameCounter(on_count)
    await work(
        ffmpeg,
        [
            *(*FrameCounter.ARGUMENTS, "-protocol_whitelist", "file", "-safe", "0", "-f", "concat"),
            *("-i", f"file:{script}", "-map", "0:v:0", "-map_metadata", "-1", "-c", "copy"),
            *("-bsf:v", f"setts=ts=round(N/({fps}*TB)):duration=round(1/({fps}*TB))"),
            *("-moov_size", str(INDEX_BASE + INDEX_OF_FRAME * frames), "-f", "mp4", f"file:{target}"),
        ],
        folder=target.parent,
        on_output=counter,
    )
    if counter.frames != frames:
        raise WorkerFailed(f"{counter.frames} of {frames} frames could be joined")


def _list(pieces: Sequence[Path], script: Path) -> None:
    lines = ["ffconcat version 1.0\n", *(f"file {_quoted(f'file:{path}')}\n" for path in pieces)]
    with files.explained(script.parent):
        script.write_text("".join(lines))


async def poster(ffmpeg: Ffmpeg, video: Path, at: float) -> bytes:
    """Return a JPEG of a video's first frame from `at` seconds on; raises `WorkerFailed` where it has none."""
    picture = bytearray()
    await work(
        ffmpeg,
        [
            *("-protocol_whitelist", "file", "-ss", f"{at:.6f}", "-i", f"file:{video}", "-frames:v", "1"),
            *("-vf", f"scale=min({POSTER_WIDTH}\\,iw):-2:out_color_matrix=bt601:out_range=full,format=yuvj420p"),
            *("-c:v", "mjpeg", "-q:v", POSTER_QUALITY, "-f", "mjpeg", "pipe:1"),
        ],
        folder=video.parent,
        on_output=picture.extend,
    )
    if not picture:
        raise WorkerFailed("the video that was made cannot be read")
    return bytes(picture)


def _quoted(text: str) -> str:
    """Return a path as ffmpeg's lists take it, whatever it holds: https://ffmpeg.org/ffmpeg-utils.html, 2.1."""
    return "'" + text.replace("'", r"'\''") + "'"
