"""A camera of a node."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, NoReturn

from ...errors import InvalidSource
from ..base import Found, Medium, Sink, Source, Tools
from ..look import TIMEOUT, look
from .access import NodeAccess
from .capture import NodeCapture
from .client import NodeClient
from .controls import NodeControls
from .facts import CAMERA_ID, CameraFacts

MAX_INTERVAL = 3600.0
"""Seconds between pictures."""

MIN_LOOK = 5.0
"""Seconds that are left to see pictures in, however long the node took to say what it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSource(NodeAccess, Source):
    """One camera of a node; a probe finds out what it delivers."""

    kind: ClassVar[str] = "node"

    camera: str
    """The camera's id on its node."""
    frames: bool = True
    packets: bool = True
    """Which media are asked of the node; the one that is not is made here of the other."""
    chief: Medium = Medium.PACKETS
    """Which of both is native to the camera."""
    adjustable: bool = False
    """Whether it has controls."""
    bare_sensor: bool = False
    """Whether its first pictures after a start may be black or unsettled."""
    picture_interval: float = 0.0
    """Seconds between pictures, where they come slowly; 0 for a stream."""
    has_still: bool = False
    """Whether it takes pictures of the sensor's full size."""

    def __post_init__(self) -> None:
        """Raise `InvalidSource` for what is no camera of a node."""
        NodeAccess.__post_init__(self)
        if not CAMERA_ID.fullmatch(self.camera):
            raise InvalidSource(f"camera {self.camera[:80]!r}")
        if not self.frames and not self.packets:
            raise InvalidSource("neither frames nor packets")
        if self.chief not in tuple(Medium):
            raise InvalidSource(f"medium {self.chief!r}")
        if not 0 <= self.picture_interval <= MAX_INTERVAL:
            raise InvalidSource(f"an interval of {self.picture_interval} s")

    @property
    def native(self) -> Medium:
        """The camera's own medium, where it is asked for."""
        chief = Medium(self.chief)
        return chief if chief in self.delivers else next(iter(self.delivers))

    @property
    def delivers(self) -> frozenset[Medium]:
        """What is asked of the node."""
        asked = {Medium.FRAMES: self.frames, Medium.PACKETS: self.packets}
        return frozenset(medium for medium, wanted in asked.items() if wanted)

    @property
    def interval(self) -> float:
        """Seconds between pictures; 0 for a stream."""
        return self.picture_interval

    @property
    def warms_up(self) -> bool:
        """Whether the node's camera is a bare sensor."""
        return self.bare_sensor

    @property
    def takes_stills(self) -> bool:
        """Whether the node's camera does."""
        return self.has_still

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token."""
        return (self.token,) if self.token else ()

    @property
    def address(self) -> str:
        """The node's address and the camera's id there."""
        return f"{self.url}/cameras/{self.camera}"

    def controls(self, wanted: Mapping[str, float]) -> NodeControls | None:
        """Return the camera's controls on the node, which remembers itself what is `wanted` of them."""
        return NodeControls(self, self.camera) if self.adjustable else None

    async def probe(self, tools: Tools) -> Found:
        """Ask the node about the camera, and look at what comes."""
        clock = asyncio.get_running_loop().time
        began = clock()
        async with NodeClient(self, resolve=tools.resolve) as client:
            await client.facts()  # that it is a node, the right one, and of our time
            learned = _learned(await client.camera(self.camera))
        found = await look(replace(self, **learned), tools, max(MIN_LOOK, TIMEOUT - (clock() - began)))
        return replace(found, learned=learned)

    async def capture(self, tools: Tools, sink: Sink) -> NoReturn:
        """Take from the node what is wanted, until cancelled."""
        async with NodeClient(self, resolve=tools.resolve) as client:
            await NodeCapture(self, client, sink).run()

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON-able data."""
        return {"kind": self.kind, **asdict(self)}


def _learned(facts: CameraFacts) -> dict[str, Any]:
    delivers = facts.delivers or {facts.native}
    return {
        "frames": Medium.FRAMES in delivers,
        "packets": Medium.PACKETS in delivers,
        "chief": facts.native,
        "adjustable": facts.controls,
        "bare_sensor": facts.warms_up,
        "picture_interval": min(max(0.0, facts.interval), MAX_INTERVAL),
        "has_still": facts.still,
    }
