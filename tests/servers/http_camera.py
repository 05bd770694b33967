"""A real HTTP camera with every habit, good and bad, that cameras have.

Serves JPEGs that ffmpeg drew once, and live MPEG-TS and HLS that ffmpeg draws on demand. Prints one line of JSON with
its port once it listens, and ends when its stdin closes. `GET /control?...` changes what it does while it runs.

    /stream.mjpg    multipart; ?length=0 leaves Content-Length out, ?raw=1 boundaries too, ?type= claims another type,
                    ?frames= ends it after so many
    /still.jpg      a still that changes every --period seconds, with ETag and Last-Modified; ?plain=1 leaves these out
    /bad/...        html.jpg, html.mjpg, truncated.mjpg, truncated.jpg, cut.mjpg, huge.jpg, endless.mjpg, silent.jpg,
                    resize.mjpg, png.jpg, empty.jpg, status/<n>; flickering.jpg is truncated every other time,
                    fading.jpg always but the first time
    /redirect       ?to=<address>, ?code=302
    /live.ts /live.flv /hls/live.m3u8    H.264 with AAC; /live-hevc.ts, /live-audio.ts, /live-wrap.ts, /live-resize.ts
    /basic/... /digest/...               all of these behind user and password
    /control        ?stall=1|0 freezes every stream and still, ?drop=1 cuts every connection; answers with counters
"""

import argparse
import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import formatdate
import hashlib
import json
from pathlib import Path
import secrets
import ssl
import subprocess
import sys
import tempfile
import time
from typing import TypeAlias

from aiohttp import web
from aiohttp.helpers import parse_http_date

# run by its path, beside which Python looks
sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.servers.application import serve as serve_application

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

BOUNDARY = b"--picture\r\n"
MULTIPART = "multipart/x-mixed-replace; boundary=picture"
HTML = "<!DOCTYPE html><html><body>Please log in</body></html>"
REALM = "camera"
SECONDS = 2  # that the drawn pictures last before they repeat


def draw(size: str, rate: int, count: int) -> list[bytes]:
    """Draw a moving picture."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}"]
    command += ["-frames:v", str(count), "-q:v", "5", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1"]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    return [part + b"\xff\xd9" for part in data.split(b"\xff\xd9")[:-1]]


class Camera:
    """The pictures, and what the control address changes."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.pictures = draw(options.size, options.rate, SECONDS * options.rate)
        self.other_size = draw("160x120", options.rate, options.rate)
        self.running = asyncio.Event()
        self.running.set()
        self.streams: set[asyncio.Transport] = set()
        self.hls: asyncio.subprocess.Process | None = None
        self.hls_folder = tempfile.TemporaryDirectory(prefix="tripod-hls-")
        self.nonce = secrets.token_hex(8)
        self.turns: dict[str, int] = {}
        self.counters = {"requests": 0, "not_modified": 0, "frames": 0}

    # --- pictures --------------------------------------------------------------------------------------------------

    async def stream(
        self, request: web.Request, pictures: list[bytes] | None = None, *, limit: int = -1
    ) -> web.StreamResponse:
        """Send picture after picture, at the camera's rate."""
        with_length, raw = request.query.get("length") != "0", "raw" in request.query
        response = web.StreamResponse(headers={"Content-Type": request.query.get("type", MULTIPART)})
        await response.prepare(request)
        assert request.transport
        self.streams.add(transport := request.transport)
        due, number, limit = time.monotonic(), 0, int(request.query.get("frames", limit))
        pictures = pictures or self.pictures
        try:
            while number != limit:
                await self.running.wait()
                picture = pictures[number % len(pictures)]
                head = BOUNDARY + b"Content-Type: image/jpeg\r\n"
                head += b"Content-Length: %d\r\n\r\n" % len(picture) if with_length else b"\r\n"
                await response.write(picture if raw else head + picture + b"\r\n")
                number += 1
                self.counters["frames"] += 1
                due = max(due + 1 / self.options.rate, time.monotonic() - 1)
                await asyncio.sleep(due - time.monotonic())
        finally:
            self.streams.discard(transport)
        return response

    async def still(self, request: web.Request) -> web.StreamResponse:
        """Send the picture of the moment."""
        await self.running.wait()
        moment = int(time.time() / self.options.period)
        picture = self.pictures[moment % len(self.pictures)]
        if "plain" in request.query:
            return web.Response(body=picture, content_type="image/jpeg")
        changed = moment * self.options.period
        etag = f'"{hashlib.sha1(picture).hexdigest()}"'  # noqa: S324
        headers = {"ETag": etag, "Last-Modified": formatdate(changed, usegmt=True)}
        since = parse_http_date(request.headers.get("If-Modified-Since"))
        known = request.headers.get("If-None-Match")
        if known == etag or (known is None and since and since.timestamp() >= int(changed)):
            self.counters["not_modified"] += 1
            return web.Response(status=304, headers=headers)
        return web.Response(body=picture, content_type="image/jpeg", headers=headers)

    async def bad(self, request: web.Request) -> web.StreamResponse:
        """Do what bad cameras do."""
        name = request.match_info["name"]
        whole, half = self.pictures[0], self.pictures[1][: len(self.pictures[1]) // 2]
        streams: dict[str, Callable[[], Awaitable[web.StreamResponse]]] = {
            "truncated.mjpg": lambda: self.stream(request, [whole, half]),
            "cut.mjpg": lambda: self.cut(request, half),
            "huge.jpg": lambda: self.announce(request, 1 << 40),
            "endless.mjpg": lambda: self.endless(request),
            "resize.mjpg": lambda: self.stream(request, self.pictures[:10] + self.other_size[:10]),
            "silent.jpg": self.silence,
        }
        if name in streams:
            return await streams[name]()
        turn = self.turns[name] = self.turns.get(name, -1) + 1
        answers = {
            "flickering.jpg": (half if turn % 2 else self.pictures[turn], "image/jpeg"),
            "fading.jpg": (half if turn else whole, "image/jpeg"),
            "html.jpg": (HTML.encode(), "text/html"),
            "html.mjpg": (HTML.encode(), "image/jpeg"),
            "truncated.jpg": (half, "image/jpeg"),
            "png.jpg": (b"\x89PNG\r\n\x1a\n" + bytes(100), "image/png"),
            "empty.jpg": (b"", "image/jpeg"),
        }
        if name in answers:
            return web.Response(body=answers[name][0], content_type=answers[name][1])
        return web.Response(status=int(name.removeprefix("status/")))

    async def cut(self, request: web.Request, half: bytes) -> web.StreamResponse:
        """Close the connection in the middle of a picture."""
        response = await self.stream(request, limit=5)
        await response.write(BOUNDARY + b"Content-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n" + half)
        assert request.transport
        request.transport.abort()
        return response

    async def announce(self, request: web.Request, length: int) -> web.StreamResponse:
        """Announce far more than a picture can be."""
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg", "Content-Length": str(length)})
        await response.prepare(request)
        while True:
            await response.write(self.pictures[0][:-2])
            await asyncio.sleep(0.01)

    async def endless(self, request: web.Request) -> web.StreamResponse:
        """Never come to the boundary, nor to a picture."""
        response = web.StreamResponse(headers={"Content-Type": MULTIPART})
        await response.prepare(request)
        while True:
            await response.write(b"\x00" * 65536)

    async def silence(self) -> web.StreamResponse:
        """Never answer."""
        await asyncio.Event().wait()
        raise AssertionError

    async def redirect(self, request: web.Request) -> web.StreamResponse:
        """Lead elsewhere."""
        return web.Response(status=int(request.query.get("code", "302")), headers={"Location": request.query["to"]})

    # --- live video ------------------------------------------------------------------------------------------------

    def live(self, *output: str, audio: bool = True, video: bool = True) -> list[str]:
        """Return ffmpeg's command line for a live stream."""
        size, rate = self.options.size, self.options.rate
        command = ["ffmpeg", "-v", "error", "-nostdin"]
        if video:
            command += ["-re", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}"]
        if audio:
            command += ["-re", "-f", "lavfi", "-i", "sine=frequency=440"]
        coding = [
            *(["-vf", self.options.filter] if video and self.options.filter else []),
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-tune",
            "zerolatency",
            "-g",
            str(rate),
            "-pix_fmt",
            "yuv420p",
        ]
        return [*command, *coding, "-c:a", "aac", *output]

    async def live_stream(self, request: web.Request) -> web.StreamResponse:
        """Send what ffmpeg draws."""
        x265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", f"keyint={self.options.rate}:log-level=none")
        ts = ("-f", "mpegts", "-flush_packets", "1", "-muxdelay", "0", "pipe:1")
        name = request.match_info["name"]
        commands = {
            ".ts": [self.live(*ts)],
            ".flv": [self.live("-f", "flv", "-flush_packets", "1", "pipe:1")],
            "-hevc.ts": [self.live(*x265, *ts)],
            "-audio.ts": [self.live(*ts, video=False)],
            "-wrap.ts": [self.live("-output_ts_offset", "95440", *ts)],
            "-resize.ts": [self.live("-t", "3", *ts), self.live("-s", "160x120", "-output_ts_offset", "3", *ts)],
        }[name]
        kind = request.query.get("type", "video/x-flv" if name == ".flv" else "video/mp2t")
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        assert request.transport
        self.streams.add(transport := request.transport)
        try:
            for command in commands:
                await self.relay(command, response)
        finally:
            self.streams.discard(transport)
        return response

    async def relay(self, command: list[str], response: web.StreamResponse) -> None:
        """Run ffmpeg for one client."""
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout
        try:
            while data := await process.stdout.read(65536):
                await self.running.wait()
                await response.write(data)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def hls_file(self, request: web.Request) -> web.StreamResponse:
        """Serve a live playlist and its segments."""
        await self.running.wait()
        folder = Path(self.hls_folder.name)
        if self.hls is None:
            # ends by itself, should this server be killed
            options = (
                "-t",
                "900",
                "-f",
                "hls",
                "-hls_time",
                "1",
                "-hls_list_size",
                "6",
                "-hls_flags",
                "delete_segments",
            )
            self.hls = await asyncio.create_subprocess_exec(*self.live(*options, str(folder / "live.m3u8")))
        file = folder / request.match_info["file"]
        deadline = time.monotonic() + 10
        while not file.exists():
            if time.monotonic() > deadline or file.suffix != ".m3u8":
                return web.Response(status=404)
            await asyncio.sleep(0.05)
        kind = "application/vnd.apple.mpegurl" if file.suffix == ".m3u8" else "video/mp2t"
        return web.Response(body=file.read_bytes(), content_type=kind)

    # --- who may, and how it goes ----------------------------------------------------------------------------------

    def authorized(self, request: web.Request, kind: str) -> bool:
        """Check user and password as RFC 7617 and RFC 7616 have it."""
        user, password = self.options.user, self.options.password
        given = request.headers.get("Authorization", "")
        if kind == "basic":
            return given == "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        if not given.startswith("Digest "):
            return False
        fields = dict(part.strip().split("=", 1) for part in given.removeprefix("Digest ").split(","))
        fields = {name: value.strip('"') for name, value in fields.items()}

        def md5(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode()).hexdigest()  # noqa: S324

        expected = md5(
            md5(user, REALM, password), self.nonce, fields["nc"], fields["cnonce"], "auth", md5("GET", fields["uri"])
        )
        return fields["uri"] == request.raw_path and fields["response"] == expected

    def protect(self, handler: Handler) -> Handler:
        """Ask for user and password below /basic and /digest."""

        async def protected(request: web.Request) -> web.StreamResponse:
            self.counters["requests"] += 1
            kind = request.match_info.get("auth")
            if kind and not self.authorized(request, kind):
                challenge = {
                    "basic": f'Basic realm="{REALM}"',
                    "digest": f'Digest realm="{REALM}", qop="auth", algorithm=MD5, nonce="{self.nonce}"',
                }[kind]
                return web.Response(
                    status=401, headers={"WWW-Authenticate": challenge}, text=HTML, content_type="text/html"
                )
            with suppress(ConnectionResetError):
                return await handler(request)
            return web.Response()

        return protected

    async def control(self, request: web.Request) -> web.Response:
        """Change what the camera does; say how it goes."""
        if (stall := request.query.get("stall")) is not None:
            (self.running.clear if stall == "1" else self.running.set)()
        if "drop" in request.query:
            for transport in list(self.streams):
                transport.abort()
        return web.json_response({**self.counters, "streams": len(self.streams)})

    def application(self) -> web.Application:
        """Return all addresses."""
        app = web.Application()
        routes: dict[str, Handler] = {
            "/stream.mjpg": self.stream,
            "/still.jpg": self.still,
            "/bad/{name:.+}": self.bad,
            "/redirect": self.redirect,
            "/live{name:.+}": self.live_stream,
            "/hls/{file}": self.hls_file,
        }
        for path, handler in routes.items():
            app.router.add_get(path, self.protect(handler))
            app.router.add_get("/{auth:basic|digest}" + path, self.protect(handler))
        app.router.add_get("/control", self.control)
        return app


async def stdin_closed() -> None:
    """Wait for the end of whoever started this."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def serve(options: argparse.Namespace) -> None:
    """Serve until stdin closes."""
    camera = Camera(options)
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
    runner = await serve_application(camera.application(), options.host, options.port, ssl_context=context)
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await stdin_closed()
    await runner.cleanup()
    if camera.hls:
        camera.hls.kill()
        await camera.hls.wait()
    camera.hls_folder.cleanup()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--rate", type=int, default=15, help="frames per second")
    parser.add_argument("--period", type=float, default=1.0, help="seconds after which the still changes")
    parser.add_argument("--filter", help="what ffmpeg makes of live video")
    parser.add_argument("--user", default="user")
    parser.add_argument("--password", default="p@ss:wörd")
    parser.add_argument("--certificate", help="PEM file with key: speak TLS")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
