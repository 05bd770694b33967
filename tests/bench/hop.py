"""What a node between a camera and its pipeline adds: the same camera, attached directly, and through a node.

The camera, the node and the pipeline are three processes, all on this machine. Latency is told by frames that are the
same, byte for byte, in two pipelines that run at once: the picture of the one was there so much later than that of the
other. CPU is that of all processes but the camera's, first with the one pipeline, then with the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
import json
import os
from pathlib import Path
import socket
from statistics import median, quantiles
import subprocess
import sys
from tempfile import TemporaryDirectory
import time

from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.mpegts import PACKET_SIZE, Parser
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.psi import payload
from custom_components.tripod.engine.sources import NodeSource, Source, Tools, UrlSource
from tests.hardware import machine
from tests.node_process import NodeProcess, free_port, node_process

from .harness import Benchmark, Key, Values
from .processes import Process

RATE = 25
SETTLE = 3.0
"""Seconds until all have taken up their pace."""

WATCHED = 10.0
"""Seconds in which frames are compared."""

WINDOW = 6.0
"""Seconds that one figure of CPU is measured over."""

ROUNDS = 3
PATIENCE = 30.0
GUEST = Path(__file__).parent / "guest"

CAMERA = """
[[camera]]
id = "bench"

[camera.source]
kind = "url"
url = "{url}"
delivery = "{delivery}"

[camera.options]
linger = 0
"""


@dataclass(frozen=True)
class Way:
    """One medium from the camera to the pipeline."""

    delivery: str
    path: str
    format: str


FRAMES, PACKETS = Way("frames", "stream.mjpg", "mjpeg"), Way("packets", "stream.ts", "h264")


def _run() -> Values:
    frames, packets = (_measure(way) for way in (FRAMES, PACKETS))
    return {
        "added_ms": max(frames["ms"], packets["ms"]),
        "added_cpu": max(frames["cpu"], packets["cpu"]),
        **{f"mjpeg_{name}": value for name, value in frames.items()},
        **{f"ts_{name}": value for name, value in packets.items()},
    }


def _measure(way: Way) -> dict[str, float]:
    with (
        _camera(way) as (camera, url),
        TemporaryDirectory() as folder,
        node_process(Path(folder), CAMERA.format(url=url, delivery=way.delivery)) as node,
    ):
        return asyncio.run(_compare(way, camera, url, node))


@contextmanager
def _camera(way: Way) -> Iterator[tuple[Process, str]]:
    """Serve a moving picture; yield the process, and where the medium is."""
    source = {"kind": "test_pattern", "width": 1280, "height": 720, "rate": RATE, "format": way.format}
    port = free_port()
    command = [sys.executable, str(GUEST / "serve.py"), json.dumps(source), str(port)]
    environment = {**os.environ, "PYTHONPATH": str(machine.ENGINE)}
    with subprocess.Popen(command, env=environment, cwd=machine.ROOT) as program:
        try:
            _until_answers(port)
            yield Process(program.pid), f"http://127.0.0.1:{port}/{way.path}"
        finally:
            program.terminate()


def _until_answers(port: int) -> None:
    due = time.monotonic() + PATIENCE
    while time.monotonic() < due:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError("the camera does not answer")


async def _compare(way: Way, camera: Process, url: str, node: NodeProcess) -> dict[str, float]:
    direct: Source = UrlSource(url=url, delivery=way.delivery)  # type: ignore[arg-type]
    through: Source = NodeSource(url=node.url, camera="bench", frames=way is FRAMES, packets=way is PACKETS)
    async with _watching(way, direct) as first, _watching(way, through) as second:
        await asyncio.sleep(SETTLE + WATCHED)
    began = min(second.seen.values()) + SETTLE
    late = [(at - first.seen[frame]) * 1000 for frame, at in second.seen.items() if frame in first.seen and at > began]
    if len(late) < WATCHED * RATE / 2:
        raise RuntimeError(f"only {len(late)} frames came both ways")
    rounds = [(await _cpu(way, direct, camera), await _cpu(way, through, camera)) for _ in range(ROUNDS)]
    return {
        "ms": median(late),
        "p95_ms": quantiles(late, n=20)[-1],
        "cpu": median(with_node - without for without, with_node in rounds),
        "direct_cpu": median(without for without, _ in rounds),
    }


async def _cpu(way: Way, source: Source, camera: Process) -> float:
    """Return the cores that all but the camera take with one consumer."""
    me = Process(os.getpid())

    def used() -> float:
        return me.cpu_seconds() - camera.cpu_seconds()

    async with _watching(way, source):
        await asyncio.sleep(SETTLE)
        began, before = time.monotonic(), used()
        await asyncio.sleep(WINDOW)
        return (used() - before) / (time.monotonic() - began)


@dataclass
class Seen:
    """The frames that a pipeline delivered."""

    seen: dict[bytes, float] = field(default_factory=dict)
    """By what is in them; when they were whole."""

    def note(self, frame: bytes, at: float) -> None:
        self.seen[blake2b(frame, digest_size=16).digest()] = at


@asynccontextmanager
async def _watching(way: Way, source: Source) -> AsyncIterator[Seen]:
    """Consume what a pipeline of `source` delivers."""
    pipeline, seen = Pipeline(source, Tools(ffmpeg=Ffmpeg()), Options(linger=0)), Seen()
    pipeline.open()
    reading = asyncio.create_task((_read_frames if way is FRAMES else _read_packets)(pipeline, seen.note))
    try:
        yield seen
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        await pipeline.close()


async def _read_frames(pipeline: Pipeline, note: Callable[[bytes, float], None]) -> None:
    async with pipeline.frames() as reader:
        async for frame in reader:
            note(frame.data, time.monotonic())


async def _read_packets(pipeline: Pipeline, note: Callable[[bytes, float], None]) -> None:
    parser, frame, at = Parser(), b"", 0.0
    async with pipeline.packets() as reader:
        async for data in reader:
            for chunk in parser.feed(data):
                if chunk.starts_frame and frame:
                    note(frame, at)
                    frame = b""
                frame += _elementary(chunk.data, parser.video_pid)
                at = time.monotonic()


def _elementary(packets: bytes, pid: int) -> bytes:
    """Return the video in these packets, without all that tells of time."""
    found = []
    for position in range(0, len(packets), PACKET_SIZE):
        packet = packets[position : position + PACKET_SIZE]
        if (packet[1] & 0x1F) << 8 | packet[2] == pid:
            data = payload(packet)
            found.append(data[9 + data[8] :] if packet[1] & 0x40 else data)
    return b"".join(found)


BENCHMARK = Benchmark(
    name="hop",
    text=f"a node between a camera of 1280x720 at {RATE}/s and its pipeline, on one machine",
    keys={
        "added_ms": Key(text="that a frame comes later, the worse of both media", unit="ms", at_most=1000 / RATE),
        "added_cpu": Key(text="that it takes, the node's process counted in", unit="core"),
        "mjpeg_ms": Key(text="JPEG: later", unit="ms"),
        "mjpeg_p95_ms": Key(text="JPEG: later, of 19 frames in 20", unit="ms"),
        "mjpeg_cpu": Key(text="JPEG: added", unit="core"),
        "mjpeg_direct_cpu": Key(text="JPEG: attached directly", unit="core"),
        "ts_ms": Key(text="H.264: later", unit="ms"),
        "ts_p95_ms": Key(text="H.264: later, of 19 frames in 20", unit="ms"),
        "ts_cpu": Key(text="H.264: added", unit="core"),
        "ts_direct_cpu": Key(text="H.264: attached directly", unit="core"),
    },
    run=_run,
)
