"""A range of a timelapse becomes a video: finished days are copied from their chunks, only the rest is encoded."""

from __future__ import annotations

from array import array
import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from itertools import compress, groupby
from pathlib import Path
import secrets
import time

from ..archive import Archive, Item, Kind
from ..errors import InvalidRequest, NothingFound
from ..ffmpeg import Ffmpeg
from .chunk import SUFFIX, Chunks
from .encode import Encoded, Encoder, Encoding
from .frames import Flaw, FrameFile
from .join import join, poster
from .plan import Portion, Survey, Thinning, Way
from .progress import Meter
from .request import DEFAULT_FPS, FASTEST_FPS, SLOWEST_FPS, RenderRequest
from .scratch import scratch
from .span import Span

COSTS = {Way.COPY: 0.0, Way.CHUNK: 1.0, Way.FRAMES: 1.0, Way.CUT: 0.3}
"""Of a frame, before the join; 1 for encoding one. Of a chunk that is cut most are only decoded."""

JOIN_COST = 0.005

JOB_IN_NAME = 100
"""Bytes of a job's name in the name of its video, which has to hold more."""

DENOMINATOR = 1001
"""The largest of a frame rate: the usual rates have no larger one."""


async def render(
    request: RenderRequest,
    archive: Archive,
    ffmpeg: Ffmpeg,
    progress: Callable[[float], None] = lambda _: None,
    *,
    clock: Callable[[], float] = time.time,
) -> Item:
    """Make the video, publish it and return it; `progress` hears from 0 to 1.

    Raises `NothingFound`, `InvalidRange`, `InvalidRequest`, what `Archive.check` raises, and the worker's failure.
    Cancelled, it leaves nothing but chunks that were finished.
    """
    span = Span.of(request.start, request.end, archive.zone)
    await asyncio.to_thread(archive.check)
    now = datetime.fromtimestamp(clock(), archive.zone)
    with ExitStack() as holding:
        chunks = Chunks(archive, request.job, request.look)
        survey = Survey(archive, chunks, request.job, span, holding)
        plan = await asyncio.to_thread(survey.plan, now.date())
        if not plan:
            raise NothingFound(f"{request.job}, {request.start} to {request.end}")
        async with scratch(archive, "render") as part:
            video = await _video(request, plan, survey, chunks, _Tools(ffmpeg, part, progress))
            item = await _published(archive, request, video, now)
    progress(1.0)
    return item


@dataclass(frozen=True, slots=True)
class _Tools:
    """What a video is made with."""

    ffmpeg: Ffmpeg
    part: Path
    progress: Callable[[float], None]


@dataclass(slots=True)
class _Pieces:
    """The files that a video is joined from, in order."""

    paths: list[Path] = field(default_factory=list)
    frames: int = 0
    first: int = 0
    """When the first frame was captured: milliseconds of Unix time."""
    last: int = 0
    flaws: Counter[Flaw] = field(default_factory=Counter)

    def add(self, piece: Encoded) -> None:
        self.flaws.update(piece.flaws)
        if piece.times:
            self.first = self.first if self.paths else piece.times[0]
            self.last = piece.times[-1]
            self.paths.append(piece.path)
            self.frames += len(piece.times)


@dataclass(frozen=True, slots=True)
class _Video:
    """What is to be published."""

    path: Path
    poster: bytes
    encoding: Encoding
    fps: Fraction
    pieces: _Pieces


async def _video(
    request: RenderRequest, plan: Sequence[Portion], survey: Survey, chunks: Chunks, tools: _Tools
) -> _Video:
    total = sum(portion.count for portion in plan)
    thinning = _thinning(request, total)
    if thinning.wanted < total:
        plan = [portion.thinned() for portion in plan]
    cost = sum(COSTS[portion.way] * portion.count for portion in plan) * thinning.wanted / total
    meter = Meter(cost + JOIN_COST * thinning.wanted, tools.progress)
    encoding = await asyncio.to_thread(chunks.encoding, lambda: chunks.frames(plan[0].day), tools.part, plan[0].chunk)
    encoder = Encoder(tools.ffmpeg, encoding, camera=request.camera, job=request.job)
    making = _Making(tools.ffmpeg, encoder, survey, chunks, request.camera, thinning, meter)
    pieces = _Pieces()
    number = 0
    for portions in _grouped(plan):
        target = tools.part / f"{number}{SUFFIX}"
        pieces.add(await making.piece(portions, number, target))
        number += sum(portion.count for portion in portions)
    if not pieces.frames:
        raise NothingFound(f"{request.job}: {total} frames, none of them a picture")
    fps = _fps(request, pieces.frames)
    path = tools.part / f"video{SUFFIX}"
    await join(tools.ffmpeg, pieces.paths, path, frames=pieces.frames, fps=fps, on_count=meter.counter(JOIN_COST))
    last = max(0.0, float((pieces.frames - Fraction(3, 2)) / fps))  # the first frame from then on is the last one
    return _Video(path, await poster(tools.ffmpeg, path, last), encoding, fps, pieces)


def _grouped(plan: Sequence[Portion]) -> Iterator[list[Portion]]:
    """Yield what is encoded at once: days of frames that follow each other, and each other day alone."""
    for way, group in groupby(plan, key=lambda portion: portion.way):
        portions = list(group)
        yield from [portions] if way is Way.FRAMES else [[portion] for portion in portions]


@dataclass(frozen=True, slots=True)
class _Making:
    """How the pieces of one video are made."""

    ffmpeg: Ffmpeg
    encoder: Encoder
    survey: Survey
    chunks: Chunks
    camera: str
    thinning: Thinning
    meter: Meter

    async def piece(self, portions: Sequence[Portion], number: int, target: Path) -> Encoded:
        """Return the file for `portions`, whose first frame has this number in the range."""
        portion = portions[0]
        match portion.way:
            case Way.FRAMES:
                return await self.encoder.frames(lambda: self._frames(portions, number), target, self.meter.add)
            case Way.CHUNK:
                made = await self.chunks.make(self.ffmpeg, portion.day, camera=self.camera, on_frame=self.meter.add)
                await asyncio.to_thread(self.survey.hold, portion.day)
                return made
            case Way.CUT:
                return await self._cut(portion, number, target)
        assert portion.chunk is not None
        return Encoded(portion.chunk.item.path, portion.chunk.times, portion.chunk.flaws)

    def _frames(self, portions: Sequence[Portion], number: int) -> Iterator[FrameFile]:
        for portion in portions:
            for place, frame in enumerate(self.survey.frames(portion.day), number):
                if self.thinning.takes(place):
                    yield frame
            number += portion.count

    async def _cut(self, portion: Portion, number: int, target: Path) -> Encoded:
        chunk = portion.chunk
        assert chunk is not None
        last = portion.first + portion.count - 1
        choice = f"between(n,{portion.first},{last})*{self.thinning.expression(number - portion.first)}"
        times = array(
            "q", compress(chunk.times[portion.first :], map(self.thinning.takes, range(number, number + portion.count)))
        )
        got = await self.encoder.cut(chunk.item.path, choice, target, self.meter.counter(COSTS[Way.CUT]))
        flaws = {Flaw.UNDECODABLE: len(times) - got, Flaw.OTHER_LOOK: got if portion.foreign else 0}
        return Encoded(target, times[:got], +Counter(flaws))


def _thinning(request: RenderRequest, total: int) -> Thinning:
    if request.length is None:
        return Thinning(total, total)
    if total < request.length * SLOWEST_FPS:
        longest = total / SLOWEST_FPS
        raise InvalidRequest(f"{total} frames cannot last {request.length:g} seconds, {longest:g} at most")
    return Thinning(total, min(total, max(1, int(request.length * FASTEST_FPS))))


def _fps(request: RenderRequest, frames: int) -> Fraction:
    fps = Fraction(request.fps or DEFAULT_FPS) if request.length is None else frames / Fraction(request.length)
    return min(Fraction(FASTEST_FPS), fps).limit_denominator(DENOMINATOR)


async def _published(archive: Archive, request: RenderRequest, video: _Video, now: datetime) -> Item:
    """Publish a video to the end; cancelled meanwhile, take it back."""
    publishing = asyncio.create_task(asyncio.to_thread(_publish, archive, request, video, now))
    try:
        return await asyncio.shield(publishing)
    except asyncio.CancelledError:
        await asyncio.wait([publishing])
        if not publishing.exception():
            await asyncio.to_thread(archive.remove, publishing.result())
        raise


def _publish(archive: Archive, request: RenderRequest, video: _Video, now: datetime) -> Item:
    pieces = video.pieces
    details = {
        "job": request.job,
        "start": _captured(pieces.first, archive),
        "end": _captured(pieces.last, archive),
        "frames": pieces.frames,
        "fps": round(float(video.fps), 3),
        "duration": round(float(pieces.frames / video.fps), 3),
        "width": video.encoding.width,
        "height": video.encoding.height,
        "flaws": {flaw.value: count for flaw, count in (+pieces.flaws).items()},
        "look": request.look.as_dict(),
    }
    job = request.job.encode()[:JOB_IN_NAME].decode(errors="ignore").strip(" .")
    name = f"{job}_{_day(request.start)}_{_day(request.end)}_{request.id or secrets.token_hex(4)}{SUFFIX}"
    return archive.publish(
        Kind.VIDEO,
        now,
        video.path,
        suffix=SUFFIX,
        job=request.job,
        name=name,
        details=details,
        thumbnail=video.poster,
    )


def _captured(moment: int, archive: Archive) -> str:
    return datetime.fromtimestamp(moment / 1000, archive.zone).isoformat(timespec="milliseconds")


def _day(when: date | datetime) -> date:
    return when.date() if isinstance(when, datetime) else when
