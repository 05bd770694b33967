"""One ffmpeg that works on files at low priority, to its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import partial
import os
from pathlib import Path
import re

from .. import errors
from ..errors import TripodError
from ..ffmpeg import Ffmpeg, explain
from ..process import LOW_PRIORITY, Process

THREADS = str(max(1, (os.cpu_count() or 1) // 2))
"""Of each decoder and encoder: half of the machine stays free, whatever its scheduler makes of low priority."""

OVERWRITE = "-y"

_MEANINGS: dict[type[TripodError], str] = {
    errors.DiskFull: r"no space left|disk quota exceeded",
    errors.NotWritable: r"read-only file system|permission denied|input/output error|operation not permitted",
    errors.ArchiveMissing: r"no such file or directory|stale file handle|no such device|transport endpoint",
}
"""What ffmpeg's words mean where it reads and writes files, not cameras."""

_FRAME = re.compile(rb"^frame=\s*(\d+)", re.MULTILINE)


async def work(
    ffmpeg: Ffmpeg,
    arguments: Sequence[str],
    *,
    folder: Path,
    pictures: AsyncGenerator[bytes] | None = None,
    on_output: Callable[[bytes], object] = len,
) -> None:
    """Run ffmpeg with `arguments` until it is done, `pictures` into its stdin; raises what explains its failure.

    `folder` is where it writes, for the sentence that says so.
    """
    async with Process(
        ffmpeg.argv(OVERWRITE, *arguments),
        on_output=on_output,
        explain=partial(_explain, folder),
        stdin=pictures is not None,
        nice=LOW_PRIORITY,
    ) as child:
        try:
            if pictures is not None:
                async with aclosing(pictures):
                    async for picture in pictures:
                        await child.write(picture)
                child.close_stdin()
            await child.wait()
        except TripodError:
            if child.returncode != 0:
                raise


class FrameCounter:
    """Reads what `-progress pipe:1` says, and passes on how many frames are done."""

    ARGUMENTS = ("-progress", "pipe:1", "-stats_period", "0.5")

    def __init__(self, on_count: Callable[[int], object]) -> None:
        """Call `on_count` about twice a second."""
        self._on_count = on_count
        self.frames = 0

    def __call__(self, data: bytes) -> None:
        """Take the next bytes."""
        if found := _FRAME.findall(data):
            self.frames = int(found[-1])
            self._on_count(self.frames)


def _explain(folder: Path, lines: Sequence[str], returncode: int) -> TripodError:
    for error, pattern in _MEANINGS.items():
        for line in lines:
            if re.search(pattern, line, re.IGNORECASE):
                return error(line, path=str(folder))
    return explain(lines, returncode)
