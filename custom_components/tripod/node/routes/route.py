"""What a row of the table of routes says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from aiohttp import web

from ..call import Call
from ..credentials import SECRET_BYTES
from ..fields import Field, Fields

KEY = f"[A-Za-z0-9_-]{{{(SECRET_BYTES * 8 + 5) // 6}}}"
"""What a link's key looks like: base64url (RFC 4648) without padding."""

PATTERNS = {"id": "[0-9a-f]{1,64}", "item": ".+", "key": KEY, "name": "[^/]+", "path": ".*"}
"""What the parts of a path may hold, where that is not all but a slash."""

Handler = Callable[[Call], Awaitable[web.StreamResponse]]


class Who(Enum):
    """Who may ask."""

    ANYONE = "anyone"
    """What is open holds no facts, or checks who asks by itself."""
    KEY = "key"
    """Whoever has the link's key that stands in the path."""
    VIEWER = "viewer"
    """Who may all, and who has a link of the camera."""
    CONTROLLER = "controller"
    """Who may all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path; guarded, unless it says otherwise."""

    method: str
    path: str
    """As OpenAPI writes it: `/cameras/{camera}/start`."""
    handler: Handler
    summary: str
    who: Who = Who.CONTROLLER
    body: Fields = ()
    values: Field | None = None
    """What the values of the body are, where its keys are free."""
    query: Fields = ()
    own_query: Fields = ()
    """What the handler itself takes from the query, and checks."""
    status: int = 200
    gives: str = "application/json"
    """The media type of the answer, or the name of what it describes in JSON."""
    documented: bool = True

    @property
    def reads(self) -> bool:
        """Whether the request has a body."""
        return bool(self.body or self.values)
