"""Runs in the virtual machine: a camera with a real sound card for a microphone, which goes and comes back.

What is played to the card Loopback's device 0 is recorded from its device 1. Prints what it saw as one JSON object.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

import engine.audio  # type: ignore[import-not-found]
from engine.audio import AudioState
from engine.encoders import SOFTWARE, Encoders  # type: ignore[import-not-found]
from engine.errors import TripodError  # type: ignore[import-not-found]
from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.options import Options  # type: ignore[import-not-found]
from engine.pipeline import Pipeline  # type: ignore[import-not-found]
from engine.sources.alsa import list_microphones  # type: ignore[import-not-found]
from engine.sources.base import Tools  # type: ignore[import-not-found]
from engine.sources.v4l2 import V4l2  # type: ignore[import-not-found]
import engine.transcode  # type: ignore[import-not-found]

PATIENCE = 240
"""Seconds, in an emulated machine."""

TRIES = 10
SILENT = -60
"""Decibels."""

MICROPHONE = "plughw:CARD=Loopback,DEV=1"
JPEGS = V4l2(device="/dev/video0", input_format="yuyv422", width=320, height=180, rate=5, microphone=MICROPHONE)
H264 = V4l2(device="/dev/video10", input_format="h264", width=320, height=180, rate=5, microphone=MICROPHONE)
TONE = ("-re", "-f", "lavfi", "-i", "sine=frequency=440")
PLAYED = ("-f", "alsa", "plughw:CARD=Loopback,DEV=0")
PICTURES = ("-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=5")
ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "5")
DRIVER = Path("/sys/bus/platform/drivers/snd_aloop")
PROGRAM = Ffmpeg()
TOOLS = Tools(ffmpeg=PROGRAM, encoders=Encoders(PROGRAM, ladder=(SOFTWARE,)))


async def run(*command: str, data: bytes = b"") -> str:
    """Run a program to its end and return what it said."""
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    said, _ = await program.communicate(data)
    return said.decode()


@asynccontextmanager
async def playing(*arguments: str) -> AsyncIterator[None]:
    """Let an ffmpeg run for the time of the context."""
    player = await asyncio.create_subprocess_exec("ffmpeg", "-v", "error", "-nostdin", *arguments)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            player.kill()
        await player.wait()


async def until(pipeline: Any, condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds after a change of the pipeline."""
    changed = asyncio.Event()
    unlisten = pipeline.listen(changed.set)
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                changed.clear()
                await changed.wait()
    finally:
        unlisten()


async def heard(pipeline: Any, seconds: float = 3) -> dict[str, Any]:
    """Say what is in the next seconds of a pipeline's packets."""
    feed, data, began = pipeline.packet_feed, b"", None
    async with pipeline.packets() as packets, asyncio.timeout(PATIENCE):
        while began is None or feed.segments[-1].last_pts - began < seconds * 90_000:
            data += await packets.next() or b""
            if began is None and data:
                began = feed.segments[-1].last_pts
    look = ("-i", "pipe:0", "-map", "0:a", "-af", "volumedetect", "-f", "null", "-")
    said = await run("ffmpeg", "-hide_banner", *look, data=data)
    volume = said.partition("max_volume:")[2].split()
    parser = feed.parser
    return {
        "codecs": [parser.video_codec, parser.audio_codec],
        "decibels": float(volume[0]) if volume else None,
        "state": pipeline.state,
        "audio": pipeline.status.audio.state,
        "cause": getattr(pipeline.status.audio.error, "cause", None),
    }


async def listen(pipeline: Any, *, loud: bool) -> dict[str, Any]:
    """Say what is heard, once that is what is wanted: here sound may come many seconds after its moment."""
    for _ in range(TRIES):
        report = await heard(pipeline)
        volume = report["decibels"]
        if volume is not None and (volume > SILENT) is loud:
            break
    return report


async def use(source: Any, seen: dict[str, Any]) -> None:
    """Listen to a camera while its microphone goes and comes back."""
    pipeline = Pipeline(source, TOOLS, Options(stall_limit=PATIENCE, warm_up=0))
    pipeline.open()

    def audio(state: AudioState) -> bool:
        return bool(pipeline.status.audio.state is state)

    try:
        async with pipeline.packets():
            async with playing(*TONE, *PLAYED):
                await until(pipeline, lambda: audio(AudioState.STREAMING))
                seen["plugged"] = await listen(pipeline, loud=True)
            (DRIVER / "unbind").write_text("snd_aloop.0")
            await until(pipeline, lambda: audio(AudioState.RETRYING))
            seen["unplugged"] = await listen(pipeline, loud=False)
            (DRIVER / "bind").write_text("snd_aloop.0")
            async with playing(*TONE, *PLAYED):
                await until(pipeline, lambda: audio(AudioState.STREAMING))
                seen["again"] = await listen(pipeline, loud=True)
        seen["restarts"] = pipeline.status.restarts
    finally:
        await pipeline.close()


async def started() -> None:
    """Wait until ffmpeg was started once: the first time may take longer here than the engine waits."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(TripodError):
                await PROGRAM.version()
                return


def be_patient() -> None:
    """Let nothing count as frozen that is only slow, as everything is in an emulated machine."""
    engine.audio.FROZEN = engine.transcode.SILENCE = PATIENCE


async def main() -> dict[str, Any]:
    """Use the sound card, and say what happened."""
    be_patient()
    await started()
    seen: dict[str, Any] = {
        "microphones": [asdict(found) for found in await list_microphones()],
        "jpegs": {},
        "h264": {},
    }
    await use(JPEGS, seen["jpegs"])
    async with playing(*PICTURES, *ENCODED, "-f", "v4l2", H264.device):
        await use(H264, seen["h264"])
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
