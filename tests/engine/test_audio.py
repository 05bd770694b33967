"""The sound of a microphone beside the video: real ffmpeg, with a tone where no sound card is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import logging
import os
from pathlib import Path, PosixPath
import re
import shutil
import subprocess
import threading
from typing import ClassVar

import pytest

from custom_components.tripod.engine.audio import Audio, AudioState
from custom_components.tripod.engine.encoders import SOFTWARE, Encoders
from custom_components.tripod.engine.feed import FrameFeed, PacketFeed
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.hls import master_playlist
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pcm import RATE
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import TestPattern, Tools
from custom_components.tripod.engine.status import State
from custom_components.tripod.engine.transcode import frames_to_packets
from tests.engine.media import ffmpeg

TONE = ("-re", "-f", "lavfi")
"""Input options with which a microphone's name is a tone of lavfi's: no machine of the tests has a sound card."""

PIPED = ("-f", "s16le", "-ar", str(RATE), "-ac", "1", "-probesize", "32", "-analyzeduration", "0")
"""Input options with which a microphone's name is a named pipe: what a test writes is what it hears."""

PATIENCE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Singer(TestPattern):
    """A camera with a microphone."""

    width: int = 320
    height: int = 240
    format: str = "mjpeg"  # type: ignore[assignment]
    microphone: str = "sine=frequency=440"


class Pipe:
    """A microphone that is a named pipe: it works while somebody writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)

    @asynccontextmanager
    async def plugged(self) -> AsyncIterator[Callable[[bytes], None]]:
        """Let it work for the time of the context, whose value takes samples; the kernel keeps 64 KiB of them."""
        while True:
            with suppress(OSError):  # nobody reads yet
                file = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
                break
            await asyncio.sleep(0.02)

        def write(pcm: bytes) -> None:
            with suppress(BlockingIOError):
                os.write(file, pcm)

        try:
            yield write
        finally:
            os.close(file)


@pytest.fixture
def pipe(tmp_path: Path) -> Pipe:
    return Pipe(tmp_path / "microphone")


async def noise(write: Callable[[bytes], None]) -> None:
    """Be loud in real time, for ever."""
    while True:
        write(b"\x00\x40\x00\xc0" * (RATE // 100))
        await asyncio.sleep(0.02)


@asynccontextmanager
async def running(source: TestPattern, audio_input: tuple[str, ...] = TONE) -> AsyncIterator[Pipeline]:
    program = Ffmpeg()
    encoders = Encoders(program, ladder=(SOFTWARE,))
    pipeline = Pipeline(source, Tools(ffmpeg=program, encoders=encoders, audio_input=audio_input), name="Hall")
    pipeline.open()
    try:
        yield pipeline
    finally:
        await pipeline.close()


async def until(pipeline: Pipeline, state: AudioState) -> None:
    """Wait until the microphone is in `state`."""
    assert pipeline.audio is not None
    changed = asyncio.Event()
    unlisten = pipeline.listen(changed.set)
    async with asyncio.timeout(PATIENCE):
        while pipeline.audio.status.state is not state:
            changed.clear()
            await changed.wait()
    unlisten()


async def read(pipeline: Pipeline, seconds: float) -> bytes:
    """Return the next seconds of a pipeline's packets, by its time stamps."""
    feed = pipeline.packet_feed
    data, began = b"", None
    async with pipeline.packets() as packets, asyncio.timeout(PATIENCE):
        while began is None or feed.segments[-1].last_pts - began < seconds * 90_000:
            data += await packets.next() or b""
            if began is None and data:
                began = feed.segments[-1].last_pts
    return data


def asked(ts: bytes, program: str, *options: str) -> str:
    """Return what `program` (ffmpeg or ffprobe) says about a stream."""
    command = (shutil.which(program) or program, "-hide_banner", *options)
    run = subprocess.run(command, input=ts, check=True, capture_output=True, timeout=60)
    return (run.stdout + run.stderr).decode()


def codecs(ts: bytes) -> list[str]:
    """Return the codecs in a stream; fails on any complaint of ffprobe."""
    entries = "stream=codec_name,sample_rate,channels"
    options = ("-v", "error", "-show_entries", entries, "-of", "csv=p=0", "-i", "pipe:0")
    return list(dict.fromkeys(asked(ts, "ffprobe", *options).split()))  # each stream is told twice, of its program too


def loudness(ts: bytes) -> float:
    """Return the loudest moment of a stream's sound, in decibels below the most."""
    said = asked(ts, "ffmpeg", "-nostdin", "-i", "pipe:0", "-map", "0:a", "-af", "volumedetect", "-f", "null", "-")
    return float(said.partition("max_volume:")[2].split()[0])


async def test_a_camera_of_jpegs_has_video_with_sound() -> None:
    async with running(Singer()) as pipeline:
        data = await read(pipeline, 3)
        assert pipeline.status.audio is not None
        assert pipeline.status.audio.state is AudioState.STREAMING
        assert pipeline.packet_feed.parser.audio_codec == "aac"
        assert ",mp4a.40.2" in master_playlist(pipeline.packet_feed, "media.m3u8")
        *_, whole = pipeline.packet_feed.complete
        assert codecs(whole.data) == ["h264", "aac,48000,1"]
    assert codecs(data) == ["h264", "aac,48000,1"]
    assert loudness(data) > -30


async def test_a_microphone_is_open_only_while_video_is_wanted() -> None:
    async with running(Singer()) as pipeline:
        await pipeline.snapshot(wait=PATIENCE)
        assert pipeline.status.audio is not None
        assert pipeline.status.audio.state is AudioState.IDLE
        await read(pipeline, 1)
        assert pipeline.status.audio.state is not AudioState.IDLE
    assert pipeline.status.audio.state is AudioState.IDLE


async def test_without_a_microphone_there_is_no_sound() -> None:
    async with running(Singer(microphone="")) as pipeline:
        assert codecs(await read(pipeline, 1)) == ["h264"]
        assert pipeline.status.audio is None


async def test_a_missing_microphone_is_named_once_and_video_goes_on_with_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(Singer(microphone="plughw:CARD=Nowhere,DEV=0"), ("-f", "alsa")) as pipeline:
        async with pipeline.packets():
            await until(pipeline, AudioState.RETRYING)
        data = await read(pipeline, 3)
        assert pipeline.status.audio is not None
        assert pipeline.status.audio.error is not None
        assert pipeline.status.audio.error.cause == "device_missing"
        assert (pipeline.state, pipeline.error, pipeline.status.restarts) == (State.STREAMING, None, 0)
    assert codecs(data) == ["h264", "aac,48000,1"]
    assert loudness(data) < -80
    assert [record.message for record in caplog.records if "no sound" in record.message] == [
        "Hall: no sound: The device is not there: cannot open audio device plughw:CARD=Nowhere,DEV=0 (No such device)"
    ]


async def test_sound_comes_back_by_itself(pipe: Pipe, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with running(Singer(microphone=str(pipe.path)), PIPED) as pipeline, pipeline.packets():
        for _ in range(2):
            async with pipe.plugged() as write:
                singing = asyncio.create_task(noise(write))
                await until(pipeline, AudioState.STREAMING)
                assert loudness(await read(pipeline, 2)) > -20
                singing.cancel()
            await until(pipeline, AudioState.RETRYING)
            assert pipeline.status.frames > 0
        assert (pipeline.state, pipeline.status.restarts) == (State.STREAMING, 0)
        await read(pipeline, 3)  # of which the beginning is still loud
        assert loudness(await read(pipeline, 1)) < -80
    said = [record.message.split(":")[1] for record in caplog.records if "sound" in record.message]
    assert said == [" no sound", " there is sound again", " no sound"]


async def test_a_frozen_microphone_is_started_again(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.audio.FROZEN", 0.5)
    async with running(Singer(microphone=str(pipe.path)), PIPED) as pipeline, pipeline.packets():
        await until(pipeline, AudioState.RETRYING)
        assert pipeline.status.audio is not None
        assert pipeline.status.audio.error is not None
        assert pipeline.status.audio.error.cause == "stalled"
        monkeypatch.undo()  # a busy machine takes longer than that to start the capture
        async with pipe.plugged() as write:
            singing = asyncio.create_task(noise(write))
            await until(pipeline, AudioState.STREAMING)
            singing.cancel()


class Folder(PosixPath):
    """A folder that tells when somebody has looked for something in it."""

    looked: ClassVar[threading.Event] = threading.Event()

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        found = super().exists(follow_symlinks=follow_symlinks)
        self.looked.set()
        return found


@pytest.mark.parametrize(("card", "entry"), [("Nowhere", "Nowhere"), ("7", "card7")])
async def test_a_card_that_comes_back_is_taken_up_without_waiting_for_the_next_try(
    card: str, entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.backoff.FIRST", 1000.0)
    failed = asyncio.Event()

    def on_change() -> None:
        if audio.status.state is AudioState.RETRYING:
            failed.set()

    device = f"plughw:CARD={card},DEV=0"
    audio = Audio(Ffmpeg(), device, on_change=on_change, cards=Folder(tmp_path))
    Folder.looked.clear()
    async with audio.beside(lambda _: None, 0.0), asyncio.timeout(PATIENCE):
        await asyncio.to_thread(Folder.looked.wait, PATIENCE)
        failed.clear()
        (tmp_path / entry).mkdir()
        await failed.wait()


async def test_sound_goes_on_after_the_death_of_its_encoder() -> None:
    async with running(Singer()) as pipeline, pipeline.packets():
        await until(pipeline, AudioState.STREAMING)
        encoders = [pid for pid in children() if "aac" in pid[1]]
        assert len(encoders) == 1
        os.kill(encoders[0][0], 9)
        await until(pipeline, AudioState.RETRYING)
        await until(pipeline, AudioState.STREAMING)
        assert loudness(await read(pipeline, 2)) > -30
        assert pipeline.status.restarts == 0


def children() -> list[tuple[int, str]]:
    """Return process id and command line of this process's children."""
    found = []
    for child in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
        with suppress(OSError):
            found.append((int(child), Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")))
    return found


async def test_nothing_is_left_when_nobody_listens() -> None:
    async with running(Singer()) as pipeline, pipeline.packets():
        await until(pipeline, AudioState.STREAMING)
        assert len(children()) == 4  # the camera, the microphone, two encoders
    assert children() == []


FLASH = 100
"""Which picture is white, and comes with a beep: four seconds of black and silence go before."""


async def test_a_flash_and_a_beep_stay_together(pipe: Pipe) -> None:
    feed, pictures = PacketFeed(keep_seconds=60), FrameFeed()
    black, white = (picture("black"), picture("white"))
    audio = Audio(Ffmpeg(), str(pipe.path), input_options=PIPED)
    encoders = Encoders(Ffmpeg(), ladder=(SOFTWARE,))
    encode = asyncio.create_task(frames_to_packets(encoders, pictures.reader(), Options(), 7.0, feed.publish, audio))
    pictures.publish(black)
    loop = asyncio.get_running_loop()
    async with pipe.plugged() as write, asyncio.timeout(PATIENCE):
        began = loop.time()
        for number in range(FLASH + 50):
            await asyncio.sleep(max(0, began + number / 25 - loop.time()))
            bright = number >= FLASH
            pictures.publish(white if bright else black)
            write((b"\x00\x40\x00\xc0" if bright else bytes(4)) * (RATE // 25 // 2))
    encode.cancel()
    await asyncio.wait([encode])
    stream = b"".join(segment.data for segment in feed.segments)
    difference = flash(stream) - beep(stream)
    print(f"the flash is shown {difference * 1000:+.0f} ms after the beep")
    assert abs(difference) < 0.1


def picture(colour: str) -> bytes:
    source = f"color={colour}:size=320x240"
    return ffmpeg("-f", "lavfi", "-i", source, "-frames:v", "1", "-c:v", "mjpeg", "-f", "image2pipe")


def flash(ts: bytes) -> float:
    """Return the time stamp, in seconds, of the first picture that is not black."""
    look = "blackdetect=d=0.1"
    said = asked(ts, "ffmpeg", "-nostdin", "-copyts", "-i", "pipe:0", "-map", "0:v", "-vf", look, "-f", "null", "-")
    return float(re.findall(r"black_end:([\d.]+)", said)[0])


def beep(ts: bytes) -> float:
    """Return the time stamp, in seconds, at which the sound begins."""
    look = "silencedetect=n=-40dB:d=0.5"
    said = asked(ts, "ffmpeg", "-nostdin", "-copyts", "-i", "pipe:0", "-map", "0:a", "-af", look, "-f", "null", "-")
    return float(re.findall(r"silence_end: ([\d.]+)", said)[0])
