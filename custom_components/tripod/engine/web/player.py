"""The player page: one file, and hls.js from here, never from a CDN.

hls.js 1.7.4 is the npm package's dist/hls.light.min.js, unchanged; its licence lies beside it.
"""

from __future__ import annotations

import asyncio
from html import escape
from pathlib import Path

from aiohttp import web

FILES = Path(__file__).with_name("player")

PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-cache",
    # the page's address is the link's secret
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; connect-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        "script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; worker-src blob:"
    ),
}
SCRIPT_HEADERS = {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=86400"}


class Player:
    """The page and its script."""

    SCRIPT = "hls.light.min.js"

    def __init__(self, title: str) -> None:
        """Show `title`, which is plain text."""
        self._title = title
        self._files: dict[str, str] = {}

    async def page(self, _: web.Request) -> web.Response:
        """Answer with the page."""
        text = await self._read("index.html")
        return web.Response(text=text.replace("{{title}}", escape(self._title)), headers=PAGE_HEADERS)

    async def script(self, _: web.Request) -> web.Response:
        """Answer with hls.js."""
        return web.Response(text=await self._read(self.SCRIPT), headers=SCRIPT_HEADERS)

    async def _read(self, name: str) -> str:
        if name not in self._files:
            self._files[name] = await asyncio.to_thread((FILES / name).read_text, "utf-8")
        return self._files[name]
