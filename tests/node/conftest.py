"""Nodes that serve, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import ClientSession, TCPConnector
import pytest

from custom_components.tripod.node.away import Rhythm
from custom_components.tripod.node.node import Node

from .site import Serve, Site, configuration


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Serve a node; when the test is over nothing of it may be left."""
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:

        async def begin(*, rhythm: Rhythm | None = None, **given: object) -> Site:
            node = Node(configuration(tmp_path, **given), rhythm=rhythm)
            stack.push_async_callback(node.close)
            await node.open()
            session = ClientSession(connector=TCPConnector(force_close=True))
            await stack.enter_async_context(session)
            return Site(node, session, tmp_path)

        yield begin
    for _ in range(5):  # what was cancelled ends in the next turns
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if not task.done()]
    assert not left, left


@pytest.fixture
async def site(serve: Serve) -> Site:
    """Serve a node with one camera, to those alone that have a credential."""
    return await serve(trust_loopback=False)


@pytest.fixture
async def trusting(serve: Serve) -> Site:
    """Serve a node with one camera that trusts its own machine."""
    return await serve()
