"""Start the test servers as processes of their own, on free ports."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import socket
import subprocess
import sys
import time
from urllib.parse import urlencode
from urllib.request import urlopen

SERVERS = Path(__file__).parent
SYSTEM_PYTHON = "/usr/bin/python3"  # has GStreamer's binding


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: subprocess.Popen[str]
    scheme: str

    def url(self, path: str, *, user: str = "", password: str = "") -> str:
        """Return the address of one of its paths; user and password are to be percent-encoded."""
        userinfo = f"{user}:{password}@" if user else ""
        return f"{self.scheme}://{userinfo}127.0.0.1:{self.port}/{path.lstrip('/')}"

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def control(self, **changes: int) -> dict[str, int]:
        """Tell an HTTP camera what to do; return its counters."""
        address = f"http://127.0.0.1:{self.port}/control?{urlencode(changes)}"
        with urlopen(address, timeout=10) as answer:
            return dict(json.load(answer))


@contextmanager
def _running(scheme: str, *command: str) -> Iterator[Server]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command} did not start: exit status {process.wait()}")
        try:
            yield Server(json.loads(line)["port"], process, scheme)
        finally:
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def rtsp_server(*options: str) -> Iterator[Server]:
    """Run `rtsp_server.py` with options of its command line."""
    scheme = "rtsps" if "--certificate" in options else "rtsp"
    with _running(scheme, SYSTEM_PYTHON, str(SERVERS / "rtsp_server.py"), *options) as server:
        yield server


@contextmanager
def http_camera(*options: str) -> Iterator[Server]:
    """Run `http_camera.py` with options of its command line."""
    scheme = "https" if "--certificate" in options else "http"
    with _running(scheme, sys.executable, str(SERVERS / "http_camera.py"), *options) as server:
        yield server


@contextmanager
def publisher(scheme: str) -> Iterator[str]:
    """Let ffmpeg wait for one viewer over RTMP or SRT; yield its address."""
    kind = socket.SOCK_STREAM if scheme == "rtmp" else socket.SOCK_DGRAM
    port = free_port(kind)
    address = f"{scheme}://127.0.0.1:{port}"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15"]
    command += ["-t", "60", "-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-pix_fmt", "yuv420p"]
    listen = ["-listen", "1", "-f", "flv", f"{address}/live/camera"]
    if scheme == "srt":
        listen = ["-f", "mpegts", f"{address}?mode=listener"]
    with subprocess.Popen([*command, *listen]) as process:
        try:
            wait_for_port(port, kind)
            yield address if scheme == "srt" else f"{address}/live/camera"
        finally:
            process.kill()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of the loopback address that nobody uses."""
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def wait_for_port(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
    """Wait until the port is taken; connecting to see would be taken for the viewer."""
    table = Path("/proc/net/tcp" if kind is socket.SOCK_STREAM else "/proc/net/udp")
    deadline = time.monotonic() + 10
    while f":{port:04X} 00000000:0000" not in table.read_text():
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing listens on {port}")
        time.sleep(0.05)
