"""Why a node cannot be used: each step on the way to it, and how far one comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from yarl import URL

from ...errors import NotANode, TlsFailed, TripodError, Unpaired, Unreachable
from ..address import Place, Resolve, find, resolve
from ..http import FIRST_BYTE_TIMEOUT, connection_error
from .access import NodeAccess
from .client import NodeClient
from .remote_errors import failure


class Step(StrEnum):
    """What must go well, in this order."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    NODE = "node"
    """Whether a node answers, of our protocol, and the one that is meant."""
    TOKEN = "token"  # noqa: S105 - a step's name
    CAMERA = "camera"
    """Whether the node has the camera, and the camera works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """How far one comes on the way to a node."""

    passed: tuple[Step, ...]
    failed: Step | None = None
    error: TripodError | None = None
    """Why that step fails; the steps after it were not tried."""


async def diagnose(access: NodeAccess, camera: str = "", *, resolve: Resolve = resolve) -> Diagnosis:
    """Try each step on the way to a node, and to `camera` where one is named; takes a minute at most."""
    passed: list[Step] = []
    async with NodeClient(access, resolve=resolve) as client:
        way = _Way(access, camera, client, resolve)
        for step, attempt in way.steps.items():
            try:
                await attempt()
            except TripodError as error:
                failed = Step.TOKEN if isinstance(error, Unpaired) else step
                return Diagnosis(passed=tuple(passed), failed=failed, error=error)
            passed.append(step)
    return Diagnosis(passed=tuple(passed))


class _Way:
    """The steps to one node."""

    def __init__(self, access: NodeAccess, camera: str, client: NodeClient, resolve: Resolve) -> None:
        self._access = access
        self._camera = camera
        self._client = client
        self._resolve = resolve
        self._url = URL(access.url)
        self.steps: dict[Step, Callable[[], Awaitable[object]]] = {Step.DNS: self._find, Step.TCP: self._connect}
        if self._url.scheme == "https":
            self.steps[Step.TLS] = self._encrypt
        self.steps |= {Step.NODE: self._meet, Step.TOKEN: client.facts}
        if camera:
            self.steps[Step.CAMERA] = self._look

    async def _find(self) -> Place:
        return await find(self._url.raw_host or "", resolve=self._resolve)

    async def _connect(self) -> None:
        place = await self._find()
        failure: TripodError = Unreachable(place.host)
        for address in place.addresses:
            try:
                async with asyncio.timeout(FIRST_BYTE_TIMEOUT):
                    _, writer = await asyncio.open_connection(address, self._url.port)
            except TimeoutError:
                failure = Unreachable(place.host)
            except OSError as error:
                failure = connection_error(error, place.host)
            else:
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()
                return
        raise failure

    async def _encrypt(self) -> None:
        try:
            await self._client.identity()
        except TlsFailed:
            raise
        except TripodError:
            return  # what answers is for the next step to tell

    async def _meet(self) -> None:
        found = await self._client.identity()
        if self._access.node not in ("", found.id):
            raise NotANode(f"{self._url.host} is another node than the one that was paired")
        await self._client.prove()

    async def _look(self) -> None:
        if error := failure(await self._client.camera(self._camera)):
            raise error
