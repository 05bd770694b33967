"""Recordings of what real cameras send: sound, H.265, JPEG."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from custom_components.tripod.engine.errors import FormatNotSupported
from custom_components.tripod.engine.ffmpeg import mpegts_output
from custom_components.tripod.engine.recorder import Container, Recorded
from custom_components.tripod.engine.sources import Found, Medium, Sink, Source, TestPattern, Tools
from custom_components.tripod.engine.sources.workers import capture_packets

from .judge import judge
from .studio import studio

RATE = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded(Source):
    """A moving picture with sound, encoded by ffmpeg as told."""

    encoder: tuple[str, ...]

    @property
    def native(self) -> Medium:
        return Medium.PACKETS

    @property
    def address(self) -> str:
        return "encoded"

    async def probe(self, tools: Tools) -> Found:  # noqa: ARG002
        raise FormatNotSupported

    async def capture(self, tools: Tools, sink: Sink) -> None:
        video = ("-re", "-f", "lavfi", "-i", f"testsrc2=size=160x120:rate={RATE}")
        sound = ("-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000")
        output = mpegts_output(sink.timestamp_offset)
        await capture_packets(tools.ffmpeg.argv(*video, *sound, *self.encoder, "-c:a", "aac", *output), sink)

    def as_dict(self) -> dict[str, Any]:
        return {}


H265 = Encoded(encoder=("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=15:log-level=error"))
B_FRAMES = Encoded(encoder=("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "15", "-pix_fmt", "yuv420p"))
JPEG = TestPattern(width=160, height=120, rate=RATE, format="mjpeg")


async def record(
    source: Source, root: Path, container: Container = Container.MP4, *, broken: bool = False, **options: Any
) -> Recorded:
    async with studio(source, root, **options) as here:
        if options:
            await here.filled(1.1)
        recording = await here.recorder.start(duration=2.5 if broken else 1, pre_roll=1, container=container)
        if broken:
            await here.until(lambda: recording.duration > recording.pre_roll + 0.3)
            await here.pipeline.restart()
        (recorded,) = await recording.done()
        assert not here.failures
        return recorded


async def test_what_cameras_send_is_kept_as_it_is(tmp_path: Path) -> None:
    hevc, sound, matroska, jpeg = await asyncio.gather(
        record(H265, tmp_path / "hevc"),
        record(B_FRAMES, tmp_path / "sound", pre_roll=3.0, broken=True),
        record(B_FRAMES, tmp_path / "matroska", Container.MKV),
        record(JPEG, tmp_path / "jpeg", pre_roll=3.0),
    )
    verdict = judge(hevc.item.path)
    assert (verdict.video["codec_name"], verdict.video["codec_tag_string"]) == ("hevc", "hvc1")
    assert (hevc.details["width"], hevc.details["height"]) == (160, 120)
    assert [len(one.details["gaps"]) for one in (hevc, sound, matroska, jpeg)] == [0, 1, 0, 0]
    for one in (hevc, sound, matroska):
        verdict = judge(one.item.path)
        assert verdict.audio
        assert verdict.audio["codec_name"] == one.details["audio_codec"] == "aac"
        assert float(verdict.audio.get("duration", verdict.duration)) == pytest.approx(verdict.duration, abs=0.3)
        assert verdict.widest_gap < 2.5 / RATE  # a break may leave out a frame that is shown before one already sent
        assert verdict.duration == pytest.approx(one.details["duration"], abs=0.3)
    verdict = judge(jpeg.item.path)
    assert (verdict.video["codec_name"], verdict.audio) == ("h264", None)
    assert jpeg.details["pre_roll"] >= 1
    assert verdict.duration == pytest.approx(jpeg.details["duration"], abs=0.1)
    assert verdict.duration > 1.5
