"""Many clients of one camera that come and go as they like."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
import random
from urllib.parse import urljoin

from aiohttp import ClientError, ClientSession, ClientTimeout

_PATIENCE = ClientTimeout(total=20)
_CHUNK = 1 << 14


async def visit(address: str, paths: Sequence[str], *, viewers: int, seconds: float, seed: int) -> int:
    """Let `viewers` of each kind look at the camera at `address` for a while; return how many were served.

    `paths` are asked for besides, as monitoring does. Some leave politely, some vanish in mid-picture.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    served = 0

    async def one(look: Callable[[ClientSession, str, float], Awaitable[None]], path: str) -> None:
        nonlocal served
        await asyncio.sleep(chance.uniform(0, seconds / 2))
        async with ClientSession(timeout=_PATIENCE) as session:
            # what it asks for may end meanwhile: a worker is killed, a cable is pulled
            with suppress(ClientError, TimeoutError, OSError):
                await look(session, address + path, chance.uniform(0, seconds / 2))
                served += 1

    kinds = ((_watch, "stream.mjpg"), (_watch, "stream.ts"), (_play, "stream.m3u8"), (_take, "snapshot.jpg"))
    visitors = [one(look, path) for look, path in kinds for _ in range(viewers)]
    await asyncio.gather(*visitors, *(one(_take, path) for path in paths))
    return served


async def _watch(session: ClientSession, url: str, seconds: float) -> None:
    """Read a stream for a while, then vanish."""
    async with session.get(url) as answer:
        answer.raise_for_status()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await answer.content.read(_CHUNK):
                    pass
        if answer.connection and answer.connection.transport:
            answer.connection.transport.abort()


async def _take(session: ClientSession, url: str, _seconds: float) -> None:
    """Ask once."""
    async with session.get(url) as answer:
        await answer.read()


async def _play(session: ClientSession, url: str, seconds: float) -> None:
    """Play HLS as a player does."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    playlist = urljoin(url, (await _lines(session, url))[-1])
    while True:
        for segment in await _lines(session, playlist):
            await _take(session, urljoin(playlist, segment), 0)
        if loop.time() > until:
            return
        await asyncio.sleep(1)


async def _lines(session: ClientSession, url: str) -> list[str]:
    """Return what a playlist names."""
    async with session.get(url) as answer:
        answer.raise_for_status()
        return [line for line in (await answer.text()).splitlines() if line and not line.startswith("#")]
