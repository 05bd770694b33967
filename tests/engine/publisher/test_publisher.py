"""A camera's packets at real servers, and every way in which these may fail."""

from functools import partial
from itertools import pairwise
import logging
from pathlib import Path
import socket

import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.backoff import Backoff
from custom_components.tripod.engine.publisher import PublisherState
from custom_components.tripod.engine.publisher.progress import Progress
from custom_components.tripod.engine.sources import Medium, TestPattern
from custom_components.tripod.engine.status import State
from tests.engine.media import TESTSRC
from tests.engine.test_pipeline import children, in_state, pipeline, until as until_camera
from tests.servers.certificate import Certificates
from tests.servers.receiver import Packet, listener, record_server
from tests.servers.start import free_port

from .made import VIDEO, WITH_SOUND, Made, failed, publishing, state, until

PASSPHRASE = "0123456789-secret"


def _rises(packets: list[Packet]) -> bool:
    times = [packet.time for packet in packets]
    return all(before < after for before, after in pairwise(times))


def _command_line() -> str:
    """Return that of the publishing worker."""
    lines = [Path(f"/proc/{child}/cmdline").read_text() for child in children()]
    [found] = [line for line in lines if "-progress" in line]
    return found


@pytest.mark.parametrize(
    ("scheme", "query", "url"),
    [
        ("rtmp", "", "rtmp://127.0.0.1:{port}/live/secret-key"),
        ("srt", f"&passphrase={PASSPHRASE}", f"srt://127.0.0.1:{{port}}?streamid=secret-key&passphrase={PASSPHRASE}"),
    ],
)
async def test_video_and_sound_arrive(scheme: str, query: str, url: str) -> None:
    async with pipeline(Made(options=WITH_SOUND)) as camera, listener(scheme, query) as server:
        async with publishing(camera, url.format(port=server.port)) as publisher:
            assert _rises(await server.until(20))
            await server.until(10, stream=1)
            await state(publisher, PublisherState.PUBLISHING)
            assert "secret" not in _command_line()
            status = publisher.status
            assert status.error is None
            assert status.frames > 0
            assert status.bytes > 0
        await server.ended()  # it was told of the end
        assert server.streams == {0: "h264", 1: "aac"}
        assert "Unexpected stream" not in server.words  # the stream key came


async def test_a_camera_of_jpegs_with_silence() -> None:
    jpegs = TestPattern(width=320, height=240, rate=15, format="mjpeg")
    async with pipeline(jpegs) as camera, listener("rtmp") as server:
        async with publishing(camera, f"rtmp://127.0.0.1:{server.port}/live/key", sound="silence"):
            assert _rises(await server.until(20))
            await server.until(20, stream=1)
        await server.ended()  # the silence ends with the video
        assert server.streams == {0: "h264", 1: "aac"}


async def test_a_wrong_passphrase() -> None:
    async with (
        pipeline(Made()) as camera,
        listener("srt", f"&passphrase={PASSPHRASE}") as server,
        publishing(camera, f"srt://127.0.0.1:{server.port}?passphrase=another-secret") as publisher,
    ):
        assert isinstance(await failed(publisher), errors.Unauthorized)


async def test_a_server_that_hangs() -> None:
    fast = Made(options=("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25", *VIDEO[4:], "-qp", "4"))
    async with pipeline(fast) as camera, record_server() as server:
        url = f"rtsp://127.0.0.1:{server.port}/live"
        async with publishing(camera, url, progress=partial(Progress, stall=0.5)) as publisher:
            await server.until(5)
            await state(publisher, PublisherState.PUBLISHING)
            server.freeze()
            error = await failed(publisher)
            assert isinstance(error, errors.Unreachable)
            assert "took nothing" in str(error)


async def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with pipeline(Made()) as camera:
            url = f"rtmp://127.0.0.1:{server.getsockname()[1]}/live/key"
            async with publishing(camera, url, progress=partial(Progress, connect=1)) as publisher:
                assert isinstance(await failed(publisher), errors.Unreachable)


async def test_an_encrypted_connection(certificates: Certificates) -> None:
    async with pipeline(Made()) as camera, record_server("--certificate", str(certificates.server)) as server:
        url = f"rtsps://127.0.0.1:{server.port}/live"
        async with publishing(camera, url) as publisher:
            assert isinstance(await failed(publisher), errors.TlsFailed)
        async with publishing(camera, url, verify_tls=False):
            await server.until(5)


async def test_a_name_that_leads_to_this_machine_is_not_followed() -> None:
    async def resolve(_: str) -> list[str]:
        return ["127.0.0.1"]

    async with pipeline(Made()) as camera:
        object.__setattr__(camera.tools, "resolve", resolve)
        async with publishing(camera, "rtmp://evil.example.net/live/key") as publisher:
            assert isinstance(await failed(publisher), errors.AddressNotAllowed)


async def test_it_keeps_the_camera_awake_and_leaves_it_alone_afterwards() -> None:
    async with pipeline(Made(), linger=0) as camera:
        async with publishing(camera, f"rtmp://127.0.0.1:{free_port()}/live/key") as publisher:
            await failed(publisher)
            assert camera._media[Medium.PACKETS].wanted
        assert not camera._media[Medium.PACKETS].wanted
        await until_camera(camera, in_state(camera, State.IDLE))


async def test_h265_by_rtsp() -> None:
    options = (*TESTSRC, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=15")
    async with (
        pipeline(Made(options=options)) as camera,
        listener("rtsp") as server,
        publishing(camera, f"rtsp://127.0.0.1:{server.port}/live"),
    ):
        await server.until(5)
        assert server.streams == {0: "hevc"}


async def test_a_wrong_password_is_told_once_and_nowhere_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with pipeline(Made()) as camera, record_server("--user", "me", "--password", "p@ss word") as server:
        async with publishing(camera, f"rtsp://me:hush@127.0.0.1:{server.port}/live") as publisher:
            await until(publisher, lambda: publisher.status.restarts >= 2)
            error = await failed(publisher)
        async with publishing(camera, f"rtsp://me:p%40ss%20word@127.0.0.1:{server.port}/live"):
            await server.until(5)
    assert isinstance(error, errors.Unauthorized)
    assert "hush" not in caplog.text + str(error) + repr(publisher.status)
    assert caplog.text.count("WARNING") == 1


async def test_a_server_that_is_not_there_and_comes_and_dies() -> None:
    url = f"rtsp://127.0.0.1:{(port := free_port())}/live"
    async with pipeline(Made()) as camera, publishing(camera, url) as publisher:
        assert isinstance(await failed(publisher), errors.Refused)
        assert publisher.status.bytes == 0
        async with record_server("--port", str(port)) as server:
            await server.until(5)
            await state(publisher, PublisherState.PUBLISHING)
            assert publisher.status.error is None
            server.process.kill()
            await failed(publisher)


async def test_a_restart_of_the_camera_passes_through_and_its_stop_ends_the_connection() -> None:
    async with (
        pipeline(Made()) as camera,
        listener("rtmp") as server,
        publishing(camera, f"rtmp://127.0.0.1:{server.port}/live/key") as publisher,
    ):
        before = len(await server.until(10))
        await camera.restart()
        assert _rises(await server.until(before + 20))
        await camera.stop()
        await state(publisher, PublisherState.WAITING)
        await server.ended()
        assert isinstance(publisher.status.error, errors.Stopped)
        assert publisher.status.restarts == 0


async def test_a_camera_that_stays_away_ends_the_connection_and_begins_another() -> None:
    port = free_port()
    async with pipeline(Made(options=("-t", "3", *VIDEO))) as camera, listener("rtmp", port=port) as first:
        camera._supervision._backoff = Backoff()
        async with publishing(camera, f"rtmp://127.0.0.1:{port}/live/key", away=0.3) as publisher:
            await first.until(5)
            await state(publisher, PublisherState.WAITING)
            await first.ended()
            assert isinstance(publisher.status.error, errors.StreamEnded)
            async with listener("rtmp", port=port) as second:
                await second.until(5)
