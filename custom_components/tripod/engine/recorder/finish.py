"""From what a recording left on the disk to items of the archive, each made and published once, whatever is cut off.

An item is packed, then its facts are written down, then it is published, which moves it. So facts without their file
mean an item that is in the archive already, and a file without facts is packed anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
import json
from pathlib import Path, PurePosixPath
import shutil
from typing import Any

from ..archive import Archive, Item, Kind, files
from ..errors import NothingRecorded, TripodError
from ..ffmpeg import Ffmpeg, explain, mjpeg
from ..process import LOW_PRIORITY, Process
from .disk import reason
from .notes import Notes
from .stretch import Stretch, scan

SEAM = 0.002
"""Seconds by which stretches that follow each other may seem apart: their names are in milliseconds."""

THUMBNAIL_WIDTH = 320
THUMBNAIL_QUALITY = 75
"""Percent."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished recording."""

    item: Item
    details: Mapping[str, Any]
    """`duration`, `width`, `height`, `video_codec`, `audio_codec`, `asked_at`, `pre_roll`, `gaps`, `recovered`."""


class Finisher:
    """Packs and publishes what recordings left."""

    def __init__(self, archive: Archive, ffmpeg: Ffmpeg) -> None:
        """Publish in `archive`."""
        self._archive = archive
        self._ffmpeg = ffmpeg

    async def finish(self, folder: Path, *, whole: bool) -> list[Recorded]:
        """Return what became of a recording's folder, which is gone then.

        Unless it is known to be `whole`, it may end with half a frame, which is cut off. Raises `NothingRecorded`, and,
        with the folder left as it is, `DiskFull`, `NotWritable`, `ArchiveMissing`, or the packer's death.
        """
        try:
            recorded = await self._items(folder, whole=whole)
        except (OSError, TripodError) as error:
            raise await asyncio.to_thread(reason, error, self._archive, folder) from error
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        if not recorded:
            raise NothingRecorded
        return recorded

    async def _items(self, folder: Path, *, whole: bool) -> list[Recorded]:
        notes = await asyncio.to_thread(Notes.load, folder)
        groups = await asyncio.to_thread(scan, folder, whole=whole)
        recorded: list[Recorded] = []
        if notes:
            for number, group in enumerate(groups):
                item = _Item(folder, number, notes, group, recovered=not whole)
                if not await asyncio.to_thread(item.facts.exists):
                    await self._pack(item)
                if published := await asyncio.to_thread(self._publish, item):
                    recorded.append(published)
        return recorded

    async def _pack(self, item: _Item) -> None:
        await asyncio.to_thread(item.list.write_text, item.concatenation())
        await self._run(*item.pack())
        thumbnail = b""
        with suppress(TripodError):  # a picture that cannot be decoded is no reason to keep the recording back
            thumbnail = await self._run(*item.picture())
        await asyncio.to_thread(item.thumbnail.write_bytes, thumbnail)
        await asyncio.to_thread(files.sync_file, item.file)
        await asyncio.to_thread(files.write, item.facts, json.dumps(item.details()).encode())

    def _publish(self, item: _Item) -> Recorded | None:
        """Return what became of an item; None where it is in the archive since an earlier run of the program."""
        if not item.file.exists():
            return None
        details = json.loads(item.facts.read_bytes())
        thumbnail = item.thumbnail.read_bytes()
        published = self._archive.publish(
            Kind.RECORDING,
            item.captured_at,
            item.file,
            suffix=item.file.suffix,
            name=item.name,
            details=details,
            thumbnail=thumbnail or None,
        )
        return Recorded(published, details)

    async def _run(self, *arguments: str) -> bytes:
        output = bytearray()
        argv = self._ffmpeg.argv(*arguments)
        async with Process(argv, on_output=output.extend, explain=explain, nice=LOW_PRIORITY) as child:
            try:
                await child.wait()
            except TripodError:
                if child.returncode != 0:
                    raise
        return bytes(output)


class _Item:
    """One file that is to be."""

    def __init__(
        self, folder: Path, number: int, notes: Notes, stretches: Sequence[Stretch], *, recovered: bool
    ) -> None:
        self.folder = folder
        self.file = folder / f"item-{number}{notes.container.suffix}"
        self.list = self.file.with_suffix(".ffconcat")
        self.facts = self.file.with_suffix(".json")
        self.thumbnail = self.file.with_suffix(".jpg")
        self.captured_at = notes.started_at + timedelta(seconds=stretches[0].offset)
        self._number = number
        self._notes = notes
        self._stretches = stretches
        self._recovered = recovered

    @property
    def name(self) -> str | None:
        """What the user chose, numbered from the second one on."""
        if self._notes.name is None or not self._number:
            return self._notes.name
        path = PurePosixPath(self._notes.name)
        return str(path.with_stem(f"{path.stem}-{self._number + 1}"))

    @property
    def pre_roll(self) -> float:
        """Seconds that it began before it was asked for."""
        return max(0.0, self._notes.pre_roll - self._stretches[0].offset)

    def details(self) -> dict[str, Any]:
        """Return what is to be known of it."""
        first = self._stretches[0]
        return {
            "duration": round(sum(stretch.duration for stretch in self._stretches), 3),
            "width": first.format.width,
            "height": first.format.height,
            "video_codec": first.format.codec,
            "audio_codec": first.audio_codec,
            "asked_at": self._notes.asked_at.isoformat(),
            "pre_roll": round(self.pre_roll, 3),
            "gaps": self._gaps(),
            "recovered": self._recovered,
        }

    def _gaps(self) -> list[dict[str, float]]:
        """Return where in the file something is missing, and how many seconds of it.

        That is known to a fraction of a second, as a camera that starts is late with its first pictures: 0 is little.
        """
        gaps, position = [], 0.0
        for before, after in zip(self._stretches, self._stretches[1:], strict=False):
            position += before.duration
            if abs(missing := after.offset - before.end) > SEAM:
                gaps.append({"at": round(position, 3), "missing": round(max(0.0, missing), 3)})
        return gaps

    def concatenation(self) -> str:
        """Return the script that closes the gaps: https://ffmpeg.org/ffmpeg-formats.html#concat-1."""
        lines = [f"file '{stretch.path.name}'\nduration {stretch.duration:.6f}" for stretch in self._stretches]
        return "\n".join(["ffconcat version 1.0", *lines, ""])

    def pack(self) -> list[str]:
        """Return ffmpeg's arguments that make the file."""
        began = self.captured_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return [
            *("-y", "-protocol_whitelist", "file", "-f", "concat", "-i", str(self.list)),
            *("-map", "0:v:0", "-map", "0:a:0?", "-c", "copy", "-metadata", f"creation_time={began}"),
            *self._notes.container.options(self._stretches[0].format.codec),
            str(self.file),
        ]

    def picture(self) -> list[str]:
        """Return ffmpeg's arguments that draw the moment for which the recording was asked."""
        return [
            *("-protocol_whitelist", "file,pipe", "-noaccurate_seek", "-ss", f"{self.pre_roll:.3f}"),
            *("-i", str(self.file), "-map", "0:v:0", "-frames:v", "1", "-vf", f"scale={THUMBNAIL_WIDTH}:-2"),
            *mjpeg(THUMBNAIL_QUALITY),
            *("-f", "mjpeg", "pipe:1"),
        ]
