"""A camera that is controlled, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.tripod.engine.camera import Camera
from custom_components.tripod.engine.mqtt import MqttControl, Unsent, control

from .rig import controlled

PREFIX = "yard/cam"


class Talk:
    """What is said to a camera, and what it says; the broker may be away."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.said: list[tuple[str, str, bool]] = []
        self.away = False
        self.now = 0.0
        self.control = MqttControl(camera, PREFIX, self._publish, title="Yard", clock=lambda: self.now)
        self._news = asyncio.Event()

    async def _publish(self, topic: str, payload: str, retain: bool) -> None:  # noqa: FBT001
        if self.away:
            raise Unsent
        self.said.append((topic.removeprefix(f"{PREFIX}/"), payload, retain))
        self._news.set()

    def do(self, text: str | bytes, *, to: str = "action", retained: bool = False) -> None:
        payload = text if isinstance(text, bytes) else text.encode()
        self.control.take(f"{PREFIX}/control/{to}", payload, retained=retained)

    @property
    def replies(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for topic, payload, _ in self.said if topic == "reply"]

    @property
    def texts(self) -> list[str]:
        return [payload for topic, payload, _ in self.said if topic == "status"]

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads([text for topic, text, _ in self.said if topic == "status/json"][-1])
        return found

    async def until(self, holds: Callable[[], Any]) -> Any:
        async with asyncio.timeout(20):
            while not (found := holds()):
                self._news.clear()
                await self._news.wait()
        return found

    async def ask(self, text: str | bytes, **more: Any) -> dict[str, Any]:
        """Give a command and return the first reply to it."""
        before = len(self.replies)
        self.do(text, **more)
        await self.until(lambda: len(self.replies) > before)
        return self.replies[before]


@pytest.fixture
async def camera(tmp_path: Path) -> AsyncIterator[Camera]:
    """Return a camera with a real picture, and with controls in memory."""
    async with controlled(tmp_path) as camera:
        yield camera


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "REPORT_INTERVAL", 0.05)


@pytest.fixture
async def talk(camera: Camera) -> AsyncIterator[Talk]:
    """Return a conversation with the camera, whose broker is there."""
    talk = Talk(camera)
    talk.control.open()
    talk.control.connected()
    yield talk
    await talk.control.close()
