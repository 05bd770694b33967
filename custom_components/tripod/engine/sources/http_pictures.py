"""Pictures over HTTP, in this process: a stream of JPEGs, or a still that is asked for again and again."""

from __future__ import annotations

import asyncio
from typing import NoReturn, Protocol

from ..errors import FormatNotSupported, NotAPicture, StreamEnded
from ..jpeg import MAX_BYTES, JpegSplitter, dimensions
from .base import Sink
from .http import Answer, HttpClient, Kind

MAX_GARBAGE = 4 * 1024 * 1024
"""Bytes without a picture after which a stream holds none."""

BAD_STILLS = 3
"""Stills that may come truncated one after the other."""


class FrameSink(Protocol):
    """Where pictures go."""

    def frame(self, jpeg: bytes, captured_at: float | None = None) -> None:
        """Take one whole JPEG, captured now or at a Unix time."""


async def capture_stream(client: HttpClient, sink: FrameSink) -> NoReturn:
    """Pass on each picture of a multipart stream, as it comes."""
    splitter, pictures = JpegSplitter(), 0
    async with client.get() as answer:
        await _expect_pictures(answer)
        while data := await answer.read():
            for jpeg in splitter.feed(data):
                sink.frame(jpeg)
                pictures += 1
                await asyncio.sleep(0)  # every reader sees each picture, though a slow network delivers two at once
            if splitter.garbage > MAX_GARBAGE:
                raise NotAPicture("no JPEG in the stream")
        if not pictures:
            raise NotAPicture(answer.content_type)
        raise StreamEnded(answer.host)


async def capture_stills(client: HttpClient, sink: Sink, interval: float) -> NoReturn:
    """Ask for the still every `interval` seconds and pass on each that is new."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    known, bad = b"", 0
    conditions: dict[str, str] = {}
    while True:
        async with client.get(conditions) as answer:
            jpeg = known if answer.not_modified else await _still(answer)
            if jpeg:
                conditions = conditions if answer.not_modified else _conditions(answer)
        if not jpeg:
            bad += 1
            if bad >= BAD_STILLS or not known:
                raise NotAPicture("the JPEG is truncated")
        elif jpeg == known:
            sink.alive()
        else:
            known, bad = jpeg, 0
            sink.frame(jpeg)
        due = max(due + interval, loop.time())
        await asyncio.sleep(due - loop.time())


async def _expect_pictures(answer: Answer) -> None:
    if (kind := await answer.kind()) not in (Kind.MULTIPART, Kind.JPEG):
        raise FormatNotSupported(f"{kind.value} where pictures were expected")


async def _still(answer: Answer) -> bytes:
    """Return the answer's picture; nothing where it is cut off. Raises `NotAPicture`."""
    await _expect_pictures(answer)
    if (answer.length or 0) > MAX_BYTES:
        raise NotAPicture(f"{answer.length} bytes announced")
    splitter = JpegSplitter()
    while data := await answer.read():
        for jpeg in splitter.feed(data):
            dimensions(jpeg)
            return jpeg
        if splitter.garbage > MAX_GARBAGE or splitter.discarded:
            break
    if splitter.garbage and not splitter.discarded:
        raise NotAPicture(answer.content_type)
    return b""


def _conditions(answer: Answer) -> dict[str, str]:
    """Return what makes the next request conditional (RFC 9110, 13.1)."""
    fields = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
    return {field: answer.headers[said] for field, said in fields.items() if said in answer.headers}
