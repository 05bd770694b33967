"""The engine alone, as on a node: one camera with its web endpoints.

    serve.py SOURCE PORT [PYTHON]

SOURCE is a camera's configuration as JSON, PYTHON the system's one, for a CSI camera.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys

from aiohttp import web
from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.options import Options  # type: ignore[import-not-found]
from engine.pipeline import Pipeline  # type: ignore[import-not-found]
from engine.sources import Tools, load  # type: ignore[import-not-found]
from engine.viewers import Client  # type: ignore[import-not-found]
from engine.web import CameraEndpoints  # type: ignore[import-not-found]

CLIENT = Client("bench", "Benchmark")


async def main(source: str, port: str, python: str = "/usr/bin/python3") -> None:
    pipeline = Pipeline(load(json.loads(source)), Tools(ffmpeg=Ffmpeg(), python=python), Options(linger=0))
    pipeline.open()
    endpoints = CameraEndpoints(pipeline, title="Benchmark")

    async def answer(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await endpoints.handle(request, request.match_info["path"], CLIENT)
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(port)).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig()
    asyncio.run(main(*sys.argv[1:]))
