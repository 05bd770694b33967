"""A camera led by hand: a real source, whose pictures and failures come when the test says so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, ClassVar

from custom_components.tripod.engine.errors import TripodError
from custom_components.tripod.engine.sources import Found, Medium, Sink, Source, Tools


class Lead:
    """What the test holds of the camera."""

    def __init__(self) -> None:
        self.sink: Sink | None = None
        self.refuse: TripodError | None = None
        self.captures = 0
        self._began = asyncio.Event()
        self._failed: asyncio.Future[None] | None = None

    async def wanted(self) -> Sink:
        """Wait until the camera is captured from."""
        await self._began.wait()
        assert self.sink
        return self.sink

    def fail(self, error: TripodError) -> None:
        """End the running capture, and refuse all that follow, until `heal`."""
        self.refuse = error
        if self._failed and not self._failed.done():
            self._failed.set_exception(error)

    def heal(self) -> None:
        self.refuse = None

    async def capture(self, sink: Sink) -> None:
        self.captures += 1
        if self.refuse:
            raise self.refuse
        self.sink = sink
        self._failed = asyncio.get_running_loop().create_future()
        self._began.set()
        try:
            await self._failed
        finally:
            self._began.clear()
            self.sink = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand(Source):
    """A source of `medium`."""

    kind: ClassVar[str] = "hand"

    medium: Medium = Medium.FRAMES
    every: float = 0.0
    lead: Lead = field(default_factory=Lead)

    @property
    def native(self) -> Medium:
        return self.medium

    @property
    def address(self) -> str:
        return "the test"

    @property
    def interval(self) -> float:
        return self.every

    async def probe(self, tools: Tools) -> Found:
        raise NotImplementedError

    async def capture(self, tools: Tools, sink: Sink) -> None:  # noqa: ARG002
        await self.lead.capture(sink)

    def as_dict(self) -> dict[str, Any]:
        raise NotImplementedError
