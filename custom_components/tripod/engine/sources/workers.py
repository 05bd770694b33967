"""Captures that are one ffmpeg process: run it, fill the sink, say why it died."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NoReturn

from ..audio import beside
from ..ffmpeg import explain
from ..jpeg import JpegSplitter
from ..process import Process
from .base import Sink


async def capture_packets(
    argv: Sequence[str], sink: Sink, secrets: Sequence[str] = (), *, zero: float | None = None
) -> NoReturn:
    """Run a worker that writes MPEG-TS to its stdout.

    With `zero`, the moment (by the monotonic clock) at which its time stamps are 0, the sink's microphone is heard.
    """
    sound = beside(sink.audio, sink.packets, zero) if zero is not None else nullcontext(sink.packets)
    async with sound as deliver, Process(argv, on_output=deliver, explain=explain, secrets=secrets) as child:
        await child.wait()


async def capture_frames(argv: Sequence[str], sink: Sink, secrets: Sequence[str] = ()) -> NoReturn:
    """Run a worker that writes JPEG after JPEG to its stdout."""
    splitter = JpegSplitter()

    def deliver(data: bytes) -> None:
        for jpeg in splitter.feed(data):
            sink.frame(jpeg)

    async with Process(argv, on_output=deliver, explain=explain, secrets=secrets) as child:
        await child.wait()
