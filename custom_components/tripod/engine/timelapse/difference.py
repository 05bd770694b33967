"""What a picture looks like from afar: a few dots of grey, to tell whether it is dark, or like the one before."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from .. import matroska
from ..errors import TripodError, WorkerFailed
from ..ffmpeg import Ffmpeg, explain
from ..jpeg import dimensions
from ..process import Process
from ..warm_up import BLACK, SIDE, shrink

DOTS = SIDE * SIDE

IDLE = 20.0
"""Seconds that the worker waits for the next picture: to start it costs as much as to shrink ten large ones."""

PATIENCE = 5.0
"""Seconds for one picture, which takes a hundredth of one on a PC; a broken one never comes out."""


@dataclass(frozen=True, slots=True)
class Grey:
    """A picture as dots of grey, row by row."""

    dots: bytes

    @property
    def dark(self) -> bool:
        """Whether it is as good as black."""
        return sum(self.dots) <= BLACK * len(self.dots)

    def difference(self, other: Grey) -> float:
        """Return by how many percent of full brightness the dot that differs most does.

        Noise evens out in a dot, which stands for thousands of pixels, and what moves in a corner does not.
        """
        return max(abs(here - there) for here, there in zip(self.dots, other.dots, strict=True)) / 255 * 100


class Eye:
    """Shrinks pictures, by a worker that stays for a while."""

    def __init__(self, ffmpeg: Ffmpeg, *, idle: float = IDLE, patience: float = PATIENCE) -> None:
        """Let the worker go after `idle` seconds without a picture, and give one `patience` seconds."""
        self._ffmpeg = ffmpeg
        self._idle = idle
        self._patience = patience
        self._asked: asyncio.Queue[tuple[bytes, asyncio.Future[Grey]]] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None

    async def see(self, jpeg: bytes) -> Grey:
        """Return what a picture looks like; raises `TripodError` where nobody can tell."""
        seen: asyncio.Future[Grey] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait((jpeg, seen))
        self._wake()
        return await seen

    async def close(self) -> None:
        """End the worker; whoever waits is told so."""
        while not self._asked.empty():
            self._fail(self._asked.get_nowait()[1], WorkerFailed("closed"))
        if worker := self._worker:
            worker.cancel()
            await asyncio.wait([worker])

    def _wake(self) -> None:
        if self._worker is None and not self._asked.empty():
            self._worker = asyncio.create_task(self._work())
            self._worker.add_done_callback(self._ended)

    def _ended(self, _: asyncio.Task[None]) -> None:
        self._worker = None
        self._wake()

    async def _work(self) -> None:
        """Shrink what is asked for, until nothing is for a while or something goes wrong."""
        shrunk = _Shrunk()
        async with Process(shrink(self._ffmpeg), on_output=shrunk.feed, explain=explain, stdin=True) as child:
            number = 0
            while True:
                try:
                    async with asyncio.timeout(self._idle):
                        jpeg, seen = await self._asked.get()
                except TimeoutError:
                    return
                try:
                    grey = await self._shrink(child, shrunk, jpeg, number)
                except TripodError as error:
                    self._fail(seen, error)
                    return
                except asyncio.CancelledError:
                    self._fail(seen, WorkerFailed("closed"))
                    raise
                number += 1
                if not seen.done():
                    seen.set_result(grey)

    async def _shrink(self, child: Process, shrunk: _Shrunk, jpeg: bytes, number: int) -> Grey:
        """Return what the worker makes of a picture; raises why it makes nothing of it."""
        shown = asyncio.create_task(self._show(child, shrunk, jpeg, number))
        dead = asyncio.create_task(child.wait())
        try:
            await asyncio.wait([shown, dead], timeout=self._patience, return_when=asyncio.FIRST_COMPLETED)
            if shown.done():
                return shown.result()
            if dead.done():
                dead.result()
            raise WorkerFailed("no picture came out")
        finally:
            shown.cancel()
            dead.cancel()
            await asyncio.gather(shown, dead, return_exceptions=True)

    @staticmethod
    async def _show(child: Process, shrunk: _Shrunk, jpeg: bytes, number: int) -> Grey:
        if not number:
            await child.write(matroska.header(*dimensions(jpeg)))
        # twice, for each is held back until the next one comes
        await child.write(matroska.picture(jpeg, number) + matroska.picture(jpeg, number + 0.5))
        return await shrunk.next()

    @staticmethod
    def _fail(seen: asyncio.Future[Grey], error: TripodError) -> None:
        if not seen.done():
            seen.set_exception(error)


class _Shrunk:
    """What comes out of the worker, where of each two pictures the first counts."""

    def __init__(self) -> None:
        self._output = bytearray()
        self._pictures: deque[Grey] = deque()
        self._count = 0
        self._came = asyncio.Event()

    def feed(self, data: bytes) -> None:
        self._output += data
        while len(self._output) >= DOTS:
            if self._count % 2 == 0:
                self._pictures.append(Grey(bytes(self._output[:DOTS])))
                self._came.set()
            self._count += 1
            del self._output[:DOTS]

    async def next(self) -> Grey:
        while not self._pictures:
            self._came.clear()
            await self._came.wait()
        return self._pictures.popleft()
