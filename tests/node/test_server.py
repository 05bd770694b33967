"""The listening end: who is slow, too many, too large or cut off, and how it ends."""

from __future__ import annotations

import asyncio
import socket

import pytest

from custom_components.tripod.engine.errors import InvalidConfiguration
from custom_components.tripod.node import fields, server

from .site import DOOR, YARD, Serve, Site


async def connect(site: Site) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", site.node.port)


async def test_who_says_nothing_is_let_go(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "FIRST_REQUEST", 0.3)
    site = await serve()
    silent, slow, good = [await connect(site) for _ in range(3)]
    slow[1].write(b"GET /health HTTP/1.1\r\nHost: loc")
    good[1].write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(10):
        assert b"200" in await good[0].readline()
        for reader, _ in (silent, slow):
            with pytest.raises((ConnectionError, AssertionError)):
                assert await reader.read()
    good[1].write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"ok" in await good[0].readuntil(b"}")
    for _, writer in (silent, slow, good):
        writer.close()


async def test_there_are_never_too_many(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST", 4)
    site = await serve()
    held = [await connect(site) for _ in range(4)]
    reader, writer = await connect(site)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
        held[3][1].write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" in await held[3][0].readline()
    for _, each in held:
        each.close()
    writer.close()

    async def is_served() -> bool:
        reader, writer = await connect(site)
        writer.write(b"GET /health HTTP/1.0\r\n\r\n")
        answered = b"200" in await reader.readline()
        writer.close()
        return answered

    async with asyncio.timeout(10):
        while not await is_served():  # noqa: ASYNC110 - the others are on their way out
            await asyncio.sleep(0.02)


async def test_bodies_are_small_and_come_soon(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LINGER", 0.0)
    site = await serve()
    large = await site.ask("POST", "/pair", b"x" * (fields.MAX_BODY + 1))
    assert large.status == 413
    monkeypatch.setattr(fields, "PATIENCE", 0.2)
    reader, writer = await connect(site)
    writer.write(b'POST /pair HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"code"')
    async with asyncio.timeout(10):
        assert b"400" in await reader.readline()
    writer.close()
    # which would be a gigabyte
    zipped = await site.ask("POST", "/pair", b"\x1f\x8b" * 100, Content_Encoding="gzip")
    assert zipped.status == 400


async def test_it_ends_soon_whoever_watches(serve: Serve) -> None:
    site = await serve(cameras=(DOOR, YARD))
    addresses = ["/stream.mjpg", "/stream.ts", "/cameras/yard/stream.mjpg", "/events"]
    viewers = [await connect(site) for _ in addresses]
    for (reader, writer), address in zip(viewers, addresses, strict=True):
        writer.write(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert b"200" in await reader.readline()
    stalled = socket.create_connection(("127.0.0.1", site.node.port))
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await site.ask("POST", "/cameras/door/recordings", {})
    door = site.node.cameras["door"]
    await site.until(lambda: len(door.pipeline.viewers) == 3 and door.camera.recorder.recordings[0].duration > 0.5)
    began = asyncio.get_running_loop().time()
    await site.node.close()
    assert asyncio.get_running_loop().time() - began < 8
    for reader, writer in viewers:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1 << 30)
        writer.close()
    stalled.close()
    recordings = list((site.folder / "archive/door/recordings").rglob("*.mp4"))
    assert len(recordings) == 1


async def test_an_address_that_is_taken(serve: Serve) -> None:
    site = await serve()
    with pytest.raises(InvalidConfiguration, match="cannot listen"):
        await serve(port=site.node.port)
    with pytest.raises(InvalidConfiguration, match="cannot listen"):
        await serve(host="192.0.2.1")
