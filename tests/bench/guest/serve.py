"""The engine alone, as on a node: one V4L2 camera with its web endpoints.

serve.py DEVICE WIDTH HEIGHT RATE PORT
"""

from __future__ import annotations

import asyncio
import logging
import sys

from aiohttp import web
from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.options import Options, Start  # type: ignore[import-not-found]
from engine.pipeline import Pipeline  # type: ignore[import-not-found]
from engine.sources.base import Tools  # type: ignore[import-not-found]
from engine.sources.v4l2 import V4l2  # type: ignore[import-not-found]
from engine.viewers import Client  # type: ignore[import-not-found]
from engine.web import CameraEndpoints  # type: ignore[import-not-found]

CLIENT = Client("bench", "Benchmark")


async def main(device: str, width: str, height: str, rate: str, port: str) -> None:
    camera = V4l2(device=device, input_format="mjpeg", width=int(width), height=int(height), rate=float(rate))
    pipeline = Pipeline(camera, Tools(ffmpeg=Ffmpeg()), Options(start=Start.ALWAYS))
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
