"""Network cameras in a pipeline: consumers stay through all that happens to a camera."""

import logging
import signal

import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.sources import UrlSource
from custom_components.tripod.engine.status import State
from tests.servers import start

from .test_pipeline import in_state, pipeline, until


async def test_rtsp_camera_that_freezes() -> None:
    with start.rtsp_server() as server:
        source = UrlSource(url=server.url("h264"))
        async with pipeline(source, stall_limit=1.0) as camera, camera.packets() as packets:
            assert await anext(packets)
            server.process.send_signal(signal.SIGSTOP)
            await until(camera, in_state(camera, State.RETRYING))
            assert isinstance(camera.error, errors.Stalled)
            server.process.send_signal(signal.SIGCONT)
            await until(camera, in_state(camera, State.STREAMING))
            assert await anext(packets)


async def test_http_camera_that_freezes() -> None:
    with start.http_camera() as server:
        source = UrlSource(url=server.url("stream.mjpg"), delivery="frames")
        async with pipeline(source, stall_limit=0.5) as camera, camera.frames() as frames:
            assert (await anext(frames)).data
            server.control(stall=1)
            await until(camera, in_state(camera, State.RETRYING))
            assert isinstance(camera.error, errors.Stalled)
            server.control(stall=0)
            await until(camera, in_state(camera, State.STREAMING))
            assert (await anext(frames)).data


@pytest.mark.parametrize(("path", "delivery"), [("still.jpg", "stills"), ("stream.mjpg", "frames")])
async def test_http_camera_that_restarts(path: str, delivery: str) -> None:
    with start.http_camera() as server:
        source = UrlSource(url=server.url(path), delivery=delivery, still_interval=0.2)  # type: ignore[arg-type]
        async with pipeline(source) as camera, camera.frames() as frames:
            assert (await anext(frames)).data
            server.kill()
            await until(camera, in_state(camera, State.RETRYING))
            with start.http_camera("--port", str(server.port)):
                await until(camera, in_state(camera, State.STREAMING))
                assert (await anext(frames)).data


async def test_rtsp_camera_that_restarts() -> None:
    with start.rtsp_server() as server:
        async with pipeline(UrlSource(url=server.url("h264"))) as camera, camera.packets() as packets:
            assert await anext(packets)
            server.kill()
            await until(camera, in_state(camera, State.RETRYING))
            with start.rtsp_server("--port", str(server.port)):
                await until(camera, in_state(camera, State.STREAMING))
                assert await anext(packets)


async def test_wrong_password_is_said_once_and_never_written_down(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with start.rtsp_server("--user", "user", "--password", "right") as server:
        source = UrlSource(url=server.url("h264", user="user", password="s3cret%3F"))
        async with pipeline(source) as camera, camera.packets():
            tries = 0

            def tried_again() -> bool:
                nonlocal tries
                tries += camera.state is State.RETRYING
                return tries >= 3

            await until(camera, tried_again)
            assert isinstance(camera.error, errors.Unauthorized)
    assert "s3cret" not in caplog.text
    said = [record for record in caplog.records if record.levelno >= logging.WARNING and record.name != "asyncio"]
    assert len(said) == 1
