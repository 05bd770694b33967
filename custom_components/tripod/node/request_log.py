"""What is logged of each request: its route, how it ended and how long it took, and the id by which others know it.

Never its path or query: these may hold a link's key.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Final

from aiohttp import web

_LOGGER = logging.getLogger(__name__)

HEADER: Final = "X-Request-ID"
"""Who asks may name its request by it, as reverse proxies do; the answer says the name."""

_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_OWN_BYTES = 8


class RequestLog:
    """The log of one request, which takes as long as the context."""

    def __init__(self, request: web.Request) -> None:
        """Begin; `id` is what the request is called, here and by who sent it."""
        given = request.headers.get(HEADER, "")
        self.id = given if _GIVEN.fullmatch(given) else secrets.token_hex(_OWN_BYTES)
        self._request = request
        self._began = time.monotonic()

    def end(self, status: int | None) -> None:
        """Log that it was answered with `status`; None for one that was broken off."""
        if not _LOGGER.isEnabledFor(logging.DEBUG):
            return
        resource = self._request.match_info.route.resource
        facts = {
            "request": self.id,
            "method": self._request.method,
            "route": resource.canonical if resource else "none",
            "status": status,
            "seconds": round(time.monotonic() - self._began, 3),
        }
        words = "%(method)s %(route)s: %(status)s after %(seconds)s s, request %(request)s"
        _LOGGER.debug(words, facts, extra={"facts": facts})
