"""A node tells a Home Assistant that it is there: what it sends, how often, and what it says of refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
import logging
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.tripod.node.announce import AGAIN, PATH, REFUSALS, Announcer
from custom_components.tripod.node.config import Announce
from custom_components.tripod.node.identity import Identity

NODE = Identity(id="a" * 32, name="Workshop", host="::", port=8089)

Answers = Callable[[web.Request], Awaitable[web.Response]]


class Sleeper:
    """A clock that tells how long it was asked to sleep, and wakes up when the test says so."""

    def __init__(self) -> None:
        self.slept: asyncio.Queue[float] = asyncio.Queue()
        self._wake = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.slept.put_nowait(seconds)
        await self._wake.acquire()

    async def next(self) -> float:
        """Wait for the next sleep, and end it."""
        async with asyncio.timeout(10):
            seconds = await self.slept.get()
        self._wake.release()
        return seconds


@asynccontextmanager
async def home_assistant(answer: Answers) -> AsyncIterator[str]:
    """Answer announcements as told."""
    app = web.Application()
    app.router.add_post(PATH, answer)
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}/"


@asynccontextmanager
async def announcing(url: str, identity: Identity = NODE) -> AsyncIterator[Sleeper]:
    """Announce a node until the test is done."""
    sleeper = Sleeper()
    announcer = Announcer(Announce(url=url, token="secret"), identity, random=lambda: 0.0, sleep=sleeper)
    announcer.open()
    try:
        yield sleeper
    finally:
        await announcer.close()


async def test_a_node_says_who_and_where_it_is(caplog: pytest.LogCaptureFixture) -> None:
    got: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        got.append((request.headers["Authorization"], await request.json()))
        return web.json_response({"state": "offered"})

    caplog.set_level(logging.INFO)
    async with home_assistant(answer) as url, announcing(url) as sleeper:
        assert [await sleeper.next() for _ in range(2)] == [AGAIN, AGAIN]
    token, facts = got[0]
    assert token == "Bearer secret"
    assert facts == {
        "id": NODE.id,
        "name": "Workshop",
        "protocol": 1,
        "port": 8089,
        "tls": False,
        "addresses": [],  # Home Assistant is on this machine here, and it sees itself where this comes from
    }
    assert len([record for record in caplog.records if "Announced" in record.message]) == 1
    assert "secret" not in caplog.text


async def test_the_address_that_a_node_listens_on_is_told() -> None:
    got: asyncio.Queue[Any] = asyncio.Queue()

    async def answer(request: web.Request) -> web.Response:
        got.put_nowait(await request.json())
        return web.json_response({})

    identity = Identity(id="a" * 32, name="Workshop", host="192.0.2.7", port=8443, tls=True)
    async with home_assistant(answer) as url, announcing(url, identity):
        facts = await got.get()
    assert (facts["addresses"], facts["port"], facts["tls"]) == (["192.0.2.7"], 8443, True)


async def test_a_refusal_is_said_once_and_tries_get_rarer(caplog: pytest.LogCaptureFixture) -> None:
    statuses = [401] * 12 + [200, 503]

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=statuses.pop(0))

    caplog.set_level(logging.INFO)
    async with home_assistant(answer) as url, announcing(url) as sleeper:
        waits = [await sleeper.next() for _ in range(14)]
    assert waits[:12] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert waits[12:] == [AGAIN, 1]
    said = [record.message for record in caplog.records if record.name.endswith("announce")]
    assert len(said) == 3
    assert REFUSALS[401] in said[0]
    assert "Announced" in said[1]
    assert "it answers 503" in said[2]


async def test_a_redirect_is_not_followed_with_the_token() -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization", ""))
        return web.Response()

    async with home_assistant(elsewhere) as other:

        async def answer(_: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(f"{other}api/tripod/nodes")

        async with home_assistant(answer) as url, announcing(url) as sleeper:
            assert await sleeper.next() == 1
    assert asked == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"cause": "refused", "message": "The host refused the connection: 192.0.2.7"}', "The host refused"),
        ("<html>" + "x" * 5000, "it answers 502"),
        ("[]", "it answers 502"),
        ('{"message": "two\\nlines"}', "it answers 502"),
    ],
)
async def test_what_home_assistant_says_of_a_node_that_it_cannot_reach(
    body: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=502, text=body, content_type="application/json")

    async with home_assistant(answer) as url, announcing(url) as sleeper:
        assert await sleeper.next() == 1
    assert said in caplog.text


async def test_home_assistant_away_and_back(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({})

    async with home_assistant(answer) as url:
        pass
    async with announcing(url) as sleeper:
        assert [await sleeper.next() for _ in range(3)] == [1, 2, 4]
    assert len([record for record in caplog.records if "was not told" in record.message]) == 1


async def test_closing_does_not_wait_for_an_answer() -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        asked.set()
        await never.wait()
        return web.Response()

    async with home_assistant(answer) as url:
        async with asyncio.timeout(10), announcing(url):
            await asked.wait()
        never.set()


async def test_a_node_that_listens_on_itself_only_announces_nothing(caplog: pytest.LogCaptureFixture) -> None:
    identity = Identity(id="a" * 32, name="Workshop", host="127.0.0.1", port=8089)
    async with announcing("http://127.0.0.1:9/", identity) as sleeper:
        assert sleeper.slept.empty()
    assert "listens on 127.0.0.1 only" in caplog.text
