"""Viewers that are no browsers."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
import subprocess
from threading import Event, Thread
from urllib.request import urlopen


class MjpegViewer:
    """A program that watches an MJPEG stream for as long as it is served."""

    def __init__(self, url: str) -> None:
        """Begin to watch."""
        self.frames = 0
        self.no_signal: str | None = None
        """The cause that the newest part's header names, where it is no picture of the camera."""
        self.ended = Event()
        self._answer = urlopen(url, timeout=20)
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        with suppress(OSError, HTTPException, ValueError):
            while line := self._answer.readline():
                name, _, value = line.decode("latin-1").strip().partition(": ")
                if name == "Content-Length":
                    length = int(value)
                elif name == "X-Tripod-No-Signal":
                    self.no_signal = value
                elif name == "X-Sequence":
                    self.no_signal = None
                elif not name and len(self._answer.read(length)) == length:
                    self._answer.readline()
                    self.frames += 1
        self.ended.set()

    def close(self) -> None:
        """Go away."""
        self._answer.close()


@contextmanager
def watching(url: str) -> Iterator[MjpegViewer]:
    """Watch an MJPEG stream."""
    viewer = MjpegViewer(url)
    try:
        yield viewer
    finally:
        viewer.close()


def play(url: str, seconds: float = 3) -> int:
    """Play so much of an address with ffmpeg, at its pace; return how many frames were decoded."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", url, "-t", str(seconds), "-map", "0:v"]
    command += ["-f", "null", "-progress", "pipe:1", "-"]
    played = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert played.returncode == 0, played.stderr
    counts = [line.removeprefix("frame=") for line in played.stdout.splitlines() if line.startswith("frame=")]
    return int(counts[-1])
