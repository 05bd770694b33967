"""All checks, in the order in which one would look oneself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from ...engine.sources import Tools
from ..config import NodeConfig
from . import cameras, machine, network
from .finding import Finding


async def every(config: NodeConfig, path: Path | None, tools: Tools, *, look: bool = True) -> AsyncIterator[Finding]:
    """Look at everything that `config`, read from `path`, needs; without `look` no camera is opened."""
    running = await network.running(config)
    for found in (
        await asyncio.to_thread(lambda: [*machine.file(path, config), *machine.folders(config), *machine.clock()]),
        await machine.ffmpeg(config, tools),
        await asyncio.to_thread(lambda: [*network.port(config, running=running), *network.certificate(config)]),
        list(network.discovery(config)),
        await network.broker(config.mqtt),
        await network.announce(config.announce),
    ):
        for finding in found:
            yield finding
    if look:
        for finding in await cameras.cameras(config, tools, running=running):
            yield finding
