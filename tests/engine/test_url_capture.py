"""Captures from real network cameras, with all that happens to them."""

import asyncio
from dataclasses import replace
import gc
from itertools import pairwise
import os
from pathlib import Path

import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.h264 import SequenceParameters
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.mpegts import CLOCK_RATE
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import UrlSource
from tests.servers import start
from tests.servers.start import Server

from .capture import TOOLS, Collector, capturing
from .media import decoded_frames, jpegs


def children() -> list[str]:
    """Return the command lines of this process's children."""
    task = Path(f"/proc/{os.getpid()}/task")
    pids = [pid for thread in task.iterdir() for pid in (thread / "children").read_text().split()]
    lines = [Path(f"/proc/{pid}/cmdline") for pid in pids]
    return [line.read_text() for line in lines if line.exists()]


@pytest.fixture(autouse=True)
def nothing_left() -> object:
    """No worker outlives its capture."""
    yield
    assert not [line for line in children() if "ffmpeg" in line]


# --- JPEG over HTTP --------------------------------------------------------------------------------------------------


async def test_pictures_come_untouched(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("stream.mjpg"), delivery="frames")) as capture:
        sink = await capture.until(lambda sink: len(sink.pictures) > 20)
        assert children() == [] or not any("ffmpeg" in line for line in children())
    assert len(set(sink.pictures)) > 15
    assert {dimensions(picture) for picture in sink.pictures} == {(320, 240)}


async def test_truncated_pictures_are_left_out(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("bad/truncated.mjpg"), delivery="frames")) as capture:
        sink = await capture.until(lambda sink: len(sink.pictures) > 5)
    assert len(set(sink.pictures)) == 1
    assert sink.pictures[0].endswith(b"\xff\xd9")


async def test_a_cut_in_mid_frame_ends_the_stream(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("bad/cut.mjpg"), delivery="frames")) as capture:
        assert isinstance(await capture.end(), errors.StreamEnded)
        assert len(capture.sink.pictures) == 5


async def test_a_change_of_size(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("bad/resize.mjpg"), delivery="frames")) as capture:
        sink = await capture.until(lambda sink: len(sink.pictures) > 12)
    assert {dimensions(picture) for picture in sink.pictures} == {(320, 240), (160, 120)}


async def test_a_frozen_stream_goes_on_when_it_may(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("stream.mjpg"), delivery="frames")) as capture:
        await capture.until(lambda sink: len(sink.pictures) > 3)
        await asyncio.to_thread(http_camera.control, stall=1)
        frozen = len(capture.sink.pictures)
        await asyncio.to_thread(http_camera.control, stall=0)
        await capture.until(lambda sink: len(sink.pictures) > frozen + 5)


async def test_pictures_that_come_at_once_reach_every_reader() -> None:
    picture = jpegs(frames=1)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=picture\r\n\r\n"

    async def burst(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head + 20 * (b"--picture\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n"))

    async with await asyncio.start_server(burst, "127.0.0.1") as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        pipeline = Pipeline(UrlSource(url=address, delivery="frames"), TOOLS)
        pipeline.open()
        async with asyncio.timeout(20), pipeline.frames() as reader:
            seen = [(await anext(reader)).sequence for _ in range(20)]
        await pipeline.close()
    assert seen == list(range(1, 21))


async def test_dropped_connections(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("stream.mjpg"), delivery="frames")) as capture:
        await capture.until(lambda sink: len(sink.pictures) > 3)
        await asyncio.to_thread(http_camera.control, drop=1)
        assert isinstance(await capture.end(), errors.StreamEnded)


async def test_leaving_closes_the_connection(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("stream.mjpg"), delivery="frames")) as capture:
        await capture.until(lambda sink: len(sink.pictures) > 3)
        assert (await asyncio.to_thread(http_camera.control))["streams"] == 1
    async with asyncio.timeout(5):
        while (await asyncio.to_thread(http_camera.control))["streams"]:
            pass
    gc.collect()  # an unclosed session complains here


@pytest.mark.parametrize("path", ["live.ts", "hls/live.m3u8", "bad/html.jpg"])
async def test_what_became_of_the_pictures(http_camera: Server, path: str) -> None:
    async with capturing(UrlSource(url=http_camera.url(path), delivery="frames")) as capture:
        assert isinstance(await capture.end(), errors.FormatNotSupported | errors.NotAPicture)
    async with capturing(UrlSource(url=http_camera.url("still.jpg"), delivery="packets")) as capture:
        assert isinstance(await capture.end(), errors.FormatNotSupported)


async def test_unchanged_stills_are_no_new_pictures() -> None:
    with start.http_camera("--period", "0.7") as camera:
        before = camera.control()["not_modified"]
        source = UrlSource(url=camera.url("still.jpg"), delivery="stills", still_interval=0.1)
        async with capturing(source) as capture:
            sink = await capture.until(lambda sink: len(sink.pictures) >= 3 and sink.unchanged > 5)
        assert camera.control()["not_modified"] - before >= sink.unchanged - 1
        assert all(one != other for one, other in pairwise(sink.pictures))


async def test_unchanged_stills_are_known_without_the_cameras_help() -> None:
    with start.http_camera("--period", "0.7") as camera:
        source = UrlSource(url=camera.url("still.jpg?plain=1"), delivery="stills", still_interval=0.1)
        async with capturing(source) as capture:
            await capture.until(lambda sink: len(sink.pictures) >= 2 and sink.unchanged > 3)
        assert camera.control()["not_modified"] == 0


async def test_stills_that_are_truncated_now_and_then() -> None:
    with start.http_camera() as camera:
        source = UrlSource(url=camera.url("bad/flickering.jpg"), delivery="stills", still_interval=0.1)
        async with capturing(source) as capture:
            sink = await capture.until(lambda sink: len(sink.pictures) > 4)
        assert {dimensions(picture) for picture in sink.pictures} == {(320, 240)}
        async with capturing(replace(source, url=camera.url("bad/fading.jpg"))) as capture:
            assert isinstance(await capture.end(), errors.NotAPicture)
            assert len(capture.sink.pictures) == 1


async def test_a_stream_that_ends(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("stream.mjpg?frames=3"), delivery="frames")) as capture:
        assert isinstance(await capture.end(), errors.StreamEnded)
        assert len(capture.sink.pictures) == 3
    async with capturing(UrlSource(url=http_camera.url("bad/html.mjpg"), delivery="frames")) as capture:
        assert isinstance(await capture.end(), errors.NotAPicture)


async def test_stills_from_a_dead_camera() -> None:
    with start.http_camera() as camera:
        source = UrlSource(url=camera.url("still.jpg"), delivery="stills", still_interval=0.1)
        async with capturing(source) as capture:
            await capture.until(lambda sink: bool(sink.pictures))
            camera.kill()
            assert isinstance(await capture.end(), errors.Refused | errors.SourceFailed | errors.StreamEnded)


# --- video over HTTP -------------------------------------------------------------------------------------------------


def decodes(sink: Collector) -> int:
    """Return how many frames decode, from the first key frame to the last whole frame."""
    begin = next(index for index, chunk in enumerate(sink.chunks) if chunk.key)
    last = max(index for index, chunk in enumerate(sink.chunks) if chunk.starts_frame)
    return decoded_frames(b"".join(chunk.data for chunk in sink.chunks[begin:last]))


@pytest.mark.parametrize("path", ["live.ts", "live-hevc.ts", "live.flv", "hls/live.m3u8"])
async def test_video_is_copied(http_camera: Server, path: str) -> None:
    source = UrlSource(url=http_camera.url(path))
    async with capturing(source, timestamp_offset=100) as capture:
        sink = await capture.until(lambda sink: len(sink.frames) > 40)
    stamps = [frame.pts for frame in sink.frames if frame.pts is not None]
    assert stamps == sorted(stamps)
    assert 100 <= stamps[0] / CLOCK_RATE < 102
    assert sum(frame.key for frame in sink.frames) >= 2
    assert decodes(sink) > 35


async def test_time_goes_on_past_33_bits(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("live-wrap.ts"))) as capture:
        sink = await capture.until(lambda sink: len(sink.frames) > 75)
    stamps = [frame.pts for frame in sink.frames if frame.pts is not None]
    assert all(0 < after - before < CLOCK_RATE for before, after in pairwise(stamps))


async def test_video_that_changes_its_size(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("live-resize.ts"))) as capture:

        def small(sink: Collector) -> bool:
            return bool(sink.parser.sps and SequenceParameters.parse(sink.parser.sps).width == 160)

        sink = await capture.until(lambda sink: bool(sink.parser.sps))
        assert not small(sink)
        await capture.until(small)


async def test_audio_alone(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("live-audio.ts"))) as capture:
        assert isinstance(await capture.end(), errors.NoVideo)


async def test_video_that_ends(http_camera: Server) -> None:
    async with capturing(UrlSource(url=http_camera.url("live.ts"))) as capture:
        await capture.until(lambda sink: bool(sink.frames))
        await asyncio.to_thread(http_camera.control, drop=1)
        assert isinstance(await capture.end(), errors.StreamEnded)


# --- RTSP, RTMP, SRT -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("path", ["h264", "h264-aac", "h265"])
async def test_rtsp(transport: str, path: str) -> None:
    with start.rtsp_server("--transport", transport) as server:
        source = UrlSource(url=server.url(path), rtsp_transport="tcp" if transport == "tcp" else "udp")
        async with capturing(source, timestamp_offset=50) as capture:
            sink = await capture.until(lambda sink: sum(frame.key for frame in sink.frames) >= 3)
    assert sink.frames[0].pts is not None
    assert 50 <= sink.frames[0].pts / CLOCK_RATE < 52
    assert sink.parser.audio_codec == ("aac" if path == "h264-aac" else None)
    assert decodes(sink) >= 29


async def test_rtsp_with_sound_that_players_do_not_know(rtsp_server: Server) -> None:
    async with capturing(UrlSource(url=rtsp_server.url("h264-alaw"), audio="aac")) as capture:
        sink = await capture.until(lambda sink: sum(frame.key for frame in sink.frames) >= 2)
    assert sink.parser.audio_codec == "aac"
    async with capturing(UrlSource(url=rtsp_server.url("h264-alaw"), audio="none")) as capture:
        sink = await capture.until(lambda sink: sum(frame.key for frame in sink.frames) >= 2)
    assert sink.parser.audio_codec is None


async def test_rtsp_jpeg(rtsp_server: Server) -> None:
    async with capturing(UrlSource(url=rtsp_server.url("mjpeg"), delivery="frames")) as capture:
        sink = await capture.until(lambda sink: len(sink.pictures) > 10)
    assert {dimensions(picture) for picture in sink.pictures} == {(320, 240)}
    assert len(set(sink.pictures)) > 5


async def test_rtsp_server_that_dies() -> None:
    with start.rtsp_server() as server:
        async with capturing(UrlSource(url=server.url("h264"))) as capture:
            await capture.until(lambda sink: bool(sink.frames))
            server.kill()
            assert isinstance(await capture.end(), errors.StreamEnded)
        async with capturing(UrlSource(url=server.url("h264"))) as capture:
            assert isinstance(await capture.end(), errors.Refused)


@pytest.mark.parametrize("scheme", ["rtmp", "srt"])
async def test_rtmp_and_srt(scheme: str) -> None:
    with start.publisher(scheme) as url:
        async with capturing(UrlSource(url=url)) as capture:
            sink = await capture.until(lambda sink: len(sink.frames) > 30)
    assert sink.parser.video_codec == "h264"
    assert decodes(sink) > 20
