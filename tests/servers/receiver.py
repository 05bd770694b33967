"""Real servers that take video: ffmpeg listening by RTMP, SRT or RTSP, and GStreamer's RTSP server; each tells of what
comes, frame by frame.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import json
import signal
import socket
import subprocess
from typing import NamedTuple

from .start import SERVERS, SYSTEM_PYTHON, free_port, wait_for_port

LISTENERS = {
    "rtmp": ["-listen", "1", "-f", "flv"],
    "rtsp": ["-rtsp_flags", "listen", "-f", "rtsp"],
    "srt": ["-f", "mpegts"],
}
QUICKLY = ("-analyzeduration", "300000", "-fpsprobesize", "0")
PATHS = {"rtmp": "/live/secret-key", "rtsp": "/live", "srt": "?mode=listener"}


class Packet(NamedTuple):
    """What came."""

    stream: int
    time: float
    """Decoding time in seconds."""
    size: int


class Receiver:
    """A server under way."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, *, reports: bool) -> None:
        self.port = port
        self.packets: list[Packet] = []
        self.streams: dict[int, str] = {}
        """The codec of each, by ffmpeg's name."""
        self.process = process
        self.words = ""
        """What it had to say."""
        self._json = reports
        self._changed = asyncio.Event()
        self._reading = asyncio.gather(self._read(), self._listen())

    def of(self, stream: int = 0) -> list[Packet]:
        """Return what came of one stream."""
        return [packet for packet in self.packets if packet.stream == stream]

    async def until(self, count: int, stream: int = 0) -> list[Packet]:
        """Wait until so many packets of a stream came."""
        async with asyncio.timeout(20):
            while len(self.of(stream)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.of(stream)

    async def more(self, count: int) -> list[Packet]:
        """Wait for so many more packets."""
        return await self.until(len(self.of()) + count)

    async def ended(self) -> None:
        """Wait until it has ended by itself."""
        async with asyncio.timeout(20):
            await self.process.wait()

    def freeze(self) -> None:
        """Let it take nothing any more, as a machine does that hangs."""
        self.process.send_signal(signal.SIGSTOP)

    async def close(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._reading

    async def _listen(self) -> None:
        if self.process.stderr:
            async for line in self.process.stderr:
                self.words += line.decode(errors="replace")

    async def _read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            if self._json:
                report = json.loads(line)
                self.packets.append(Packet(0, report["time"], report["size"]))
            elif line.startswith(b"#codec_id"):
                number, codec = line.removeprefix(b"#codec_id ").split(b":")
                self.streams[int(number)] = codec.decode().strip()
            elif not line.startswith(b"#"):
                stream, time, _, _, size, *_ = line.split(b",")
                self.packets.append(Packet(int(stream), int(time) / 1000, int(size)))
            self._changed.set()


@asynccontextmanager
async def listener(scheme: str, query: str = "", port: int = 0) -> AsyncIterator[Receiver]:
    """Let ffmpeg wait for one publisher, and copy what comes."""
    kind = socket.SOCK_DGRAM if scheme == "srt" else socket.SOCK_STREAM
    port = port or free_port(kind)
    url = f"{scheme}://127.0.0.1:{port}{PATHS[scheme]}{query}"
    # each packet by its time in milliseconds, however the input counts
    copy = ["-map", "0", "-c", "copy", "-copyts", "-time_base", "1:1000", "-enc_time_base", "1:1000"]
    argv = [
        "ffmpeg",
        "-v",
        "warning",
        "-nostdin",
        "-fflags",
        "nobuffer",
        *QUICKLY,
        *LISTENERS[scheme],
        "-i",
        url,
        *copy,
    ]
    process = await asyncio.create_subprocess_exec(
        *argv, "-flush_packets", "1", "-f", "framecrc", "pipe:1", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    receiver = Receiver(process, port, reports=False)
    try:
        await asyncio.to_thread(wait_for_port, port, kind)
        yield receiver
    finally:
        await receiver.close()


@asynccontextmanager
async def record_server(*options: str) -> AsyncIterator[Receiver]:
    """Run `publish_server.py` with options of its command line."""
    process = await asyncio.create_subprocess_exec(
        SYSTEM_PYTHON,
        str(SERVERS / "publish_server.py"),
        *options,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    receiver = Receiver(process, json.loads(await process.stdout.readline())["port"], reports=True)
    try:
        yield receiver
    finally:
        await receiver.close()
