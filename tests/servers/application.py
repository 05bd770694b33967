"""An aiohttp server, as every aiohttp starts one: Debian 12's cannot cancel what nobody waits for any more."""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp import web

OLD = tuple(map(int, aiohttp.__version__.split(".")[:2])) < (3, 9)


async def serve(
    app: web.Application, host: str, port: int, *, ending: float = 0.1, cancelling: bool = True, **more: Any
) -> web.AppRunner:
    """Serve `app` until the runner is cleaned up, which takes `ending` seconds at most; `more` is for the site."""
    new: dict[str, Any] = {} if OLD else {"shutdown_timeout": ending, "handler_cancellation": cancelling}
    old: dict[str, Any] = {"shutdown_timeout": ending} if OLD else {}
    runner = web.AppRunner(app, **new)
    await runner.setup()
    await web.TCPSite(runner, host, port, **old, **more).start()
    return runner
