"""What is derived keeps the time of what it was derived from, and its encoder may fail."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import pytest

from custom_components.tripod.engine.encoders import SOFTWARE, Encoders, Outcome
from custom_components.tripod.engine.errors import TripodError
from custom_components.tripod.engine.feed import FrameFeed, PacketFeed
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.jpeg import JpegSplitter
from custom_components.tripod.engine.mpegts import Parser
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import TestPattern, Tools
from custom_components.tripod.engine.transcode import frames_to_packets, packets_to_frames
from tests.engine.media import ffmpeg, jpegs, mpegts

from .hardware_encoders import V4L2M2M, StandIn, good


@pytest.mark.parametrize("offset", ["0", "0.0154", "1.7371"])
async def test_each_picture_is_known_by_its_time_stamp(offset: str) -> None:
    feed = PacketFeed(keep_seconds=60)
    for chunk in Parser().feed(mpegts("-bf", "0", "-r", "25", "-output_ts_offset", offset, seconds=2)):
        feed.publish(chunk.data)
    arrivals: list[float | None] = []
    enough = asyncio.Event()

    def deliver(_: bytes, seconds: float) -> None:
        arrivals.append(feed.arrival(seconds))
        if len(arrivals) >= 12:
            enough.set()

    decoding = asyncio.create_task(packets_to_frames(Ffmpeg(), feed.reader(60), Options(), deliver))
    async with asyncio.timeout(20):
        await enough.wait()
    decoding.cancel()
    with suppress(asyncio.CancelledError):
        await decoding
    assert None not in arrivals


class Encoding:
    """Pictures that come until enough video has come out."""

    def __init__(self, encoders: Encoders, *, size: str = "320x240", interval: float = 0.02, **options: Any) -> None:
        self.feed = PacketFeed(keep_seconds=60)
        self._encoders = encoders
        self.pictures = [jpegs(frames=1, size=size)]
        self._interval = interval
        self._options = Options(**options)

    async def run(self, frames: int) -> None:
        """Encode until so many frames came out; raises the worker's death.

        Nothing may go wrong behind the scenes, such as with what a worker writes while it is stopped.
        """
        pictures, enough = FrameFeed(), asyncio.Event()
        behind: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: behind.append(context))

        def deliver(data: bytes) -> None:
            self.feed.publish(data)
            if self.feed.frames >= frames:
                enough.set()

        async def publish() -> None:
            for picture in cycle(self.pictures):
                pictures.publish(picture)
                await asyncio.sleep(self._interval)

        encode = frames_to_packets(self._encoders, pictures.reader(), self._options, 5.0, deliver)
        tasks = [asyncio.create_task(work) for work in (encode, publish(), enough.wait())]
        try:
            async with asyncio.timeout(30):
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        assert not behind


@pytest.mark.parametrize(("interval", "digits"), [(0.02, 9), (0, 2)])
async def test_each_picture_of_a_fast_camera_has_a_time_of_its_own(
    monkeypatch: pytest.MonkeyPatch, interval: float, digits: int
) -> None:
    """Times in steps of 40 ms would make two frames one for the eye, and a gap of the next.

    On a clock that goes by hundredths of a second, pictures that come in a burst come at the same time.
    """
    loop = asyncio.get_running_loop()
    clock = loop.time
    monkeypatch.setattr(loop, "time", lambda: round(clock(), digits))
    encoding = Encoding(Encoders(Ffmpeg(), ladder=(SOFTWARE,)), size="64x64", interval=interval)
    await encoding.run(60)
    chunks = [chunk for segment in encoding.feed.segments for chunk in segment.chunks]
    times = [chunk.pts for chunk in chunks if chunk.pts is not None]
    assert times[0] == pytest.approx(5 * 90_000, abs=90)
    assert len(times) >= 60
    assert min(after - before for before, after in pairwise(times)) >= 0.0009 * 90_000


async def test_video_has_the_bits_that_are_asked_for() -> None:
    """Where ffmpeg is not told how long pictures last it gave an encoder for 2 Mbit/s a thirtieth of that."""
    encoding = Encoding(Encoders(Ffmpeg(), ladder=(SOFTWARE,)), interval=0.04, h264_bit_rate=400_000)
    encoding.pictures = jpegs_of_noise(75)
    await encoding.run(70)
    segments = encoding.feed.segments
    bits = sum(segment.size for segment in segments) * 8
    seconds = (segments[-1].last_pts - segments[0].pts) / 90_000
    assert bits / seconds > 200_000


def jpegs_of_noise(frames: int) -> list[bytes]:
    """Return pictures of which each needs all the bits that an encoder may take."""
    noise = ("-f", "lavfi", "-i", "nullsrc=size=320x240,geq=random(1)*255:128:128", "-frames:v", str(frames))
    return JpegSplitter().feed(ffmpeg(*noise, "-c:v", "mjpeg", "-q:v", "8", "-f", "image2pipe"))


@pytest.mark.parametrize(
    ("size", "width", "found"),
    [
        ("320x240", 0, (320, 240)),
        ("320x240", 160, (160, 120)),
        ("320x240", 161, (160, 120)),
        ("320x180", 100, (100, 56)),
        ("320x240", 640, (320, 240)),
        ("322x242", 322, (322, 242)),
    ],
)
async def test_video_is_as_wide_as_asked_for_and_never_wider_than_the_picture(
    size: str, width: int, found: tuple[int, int]
) -> None:
    encoding = Encoding(Encoders(Ffmpeg(), ladder=(SOFTWARE,)), size=size, h264_width=width)
    await encoding.run(2)
    assert encoding.feed.picture_size == found


async def test_hardware_is_used_where_it_works(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    encoders = Encoders(stand_in.ffmpeg, ladder=(stand_in.has(V4L2M2M, good()), SOFTWARE))
    await Encoding(encoders).run(2)
    assert encoders.verdicts["h264_v4l2m2m"].works
    assert stand_in.trials == ["h264_v4l2m2m"]


@pytest.mark.parametrize(
    ("in_use", "reason"), [("dies", "VIDIOC_STREAMON failed"), ("hangs", "no video came for 0.5 s")]
)
async def test_an_encoder_that_fails_in_use_is_not_chosen_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_use: str, reason: str
) -> None:
    if in_use == "hangs":
        monkeypatch.setattr("custom_components.tripod.engine.transcode.SILENCE", 0.5)
    stand_in = StandIn(tmp_path)
    encoders = Encoders(stand_in.ffmpeg, ladder=(stand_in.has(V4L2M2M, good(), in_use=in_use), SOFTWARE))
    with pytest.raises(TripodError, match=reason):
        await Encoding(encoders).run(1)
    assert encoders.verdicts["h264_v4l2m2m"].outcome is Outcome.FAILED_IN_USE
    monkeypatch.undo()
    await Encoding(encoders).run(1)


async def test_a_camera_goes_on_with_the_next_encoder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stand_in = StandIn(tmp_path)
    encoders = Encoders(stand_in.ffmpeg, ladder=(stand_in.has(V4L2M2M, good(), in_use="dies"), SOFTWARE))
    source = TestPattern(width=320, height=240, rate=15, format="mjpeg")
    camera = Pipeline(source, Tools(ffmpeg=stand_in.ffmpeg, encoders=encoders), name="Yard")
    camera.open()
    try:
        async with asyncio.timeout(30), camera.packets() as packets:
            assert await anext(packets)
        status = camera.status
    finally:
        await camera.close()
    assert status.last_error is not None
    assert "VIDIOC_STREAMON failed" in str(status.last_error)
    assert status.restarts == 0
    assert "h264_v4l2m2m is left alone" in caplog.text
    assert "libx264 takes over" in caplog.text
    assert "Yard: " in caplog.text


async def test_a_camera_that_rests_is_not_the_encoders_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.transcode.SILENCE", 4.0)
    monkeypatch.setattr("custom_components.tripod.engine.transcode.REPEAT", 0.1)
    pictures, video = FrameFeed(), asyncio.Event()
    encoders = Encoders(Ffmpeg(), ladder=(SOFTWARE,))
    encode = frames_to_packets(encoders, pictures.reader(), Options(), 0, lambda _: video.set())
    encoding = asyncio.create_task(encode)
    pictures.publish(jpegs(frames=1))
    async with asyncio.timeout(20):
        await video.wait()
    pictures.clear()  # as when the capture has ended
    await asyncio.wait([encoding], timeout=5)
    assert not encoding.done()
    encoding.cancel()
    await asyncio.wait([encoding])
