"""What happens is told as it happens; who listens with a token is present."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
import json
from typing import Any

from aiohttp import ClientResponse
import pytest

from custom_components.tripod.node import events

from .site import DOOR, QUICK, YARD, Serve, Site


class Ear:
    """Listens."""

    def __init__(self, answer: ClientResponse) -> None:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        self._answer = answer

    async def next(self) -> tuple[str, dict[str, Any]]:
        """Return the next event and what it says; a comment is one without either."""
        lines: list[str] = []
        async with asyncio.timeout(20):
            while line := (await self._answer.content.readline()).decode():
                if line == "\n":
                    break
                lines.append(line.rstrip("\n"))
            else:
                raise EOFError
        if lines == [":"]:
            return "", {}
        event, data = lines
        return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    async def until(self, event: str, **facts: object) -> dict[str, Any]:
        """Return what the next of these events says that has these facts."""
        while True:
            name, data = await self.next()
            if name == event and facts.items() <= data.items():
                return data


async def test_all_that_happens_is_told(serve: Serve) -> None:
    site = await serve(cameras=(DOOR, YARD))
    async with site.open("GET", "/events") as answer:
        ear = Ear(answer)
        first = [await ear.next() for _ in range(2)]
        assert [(event, data["camera"], data["state"]) for event, data in first] == [
            ("status", "door", "idle"),
            ("status", "yard", "idle"),
        ]
        assert first[0][1] == {"camera": "door", **(await site.ask("GET", "/node")).data["cameras"][0]}
        await site.ask("GET", "/cameras/yard/snapshot.jpg")
        told = await ear.until("status", camera="yard", state="streaming", width=320)
        assert (told["codec"], told["height"]) == ("mjpeg", 240)
        kept = (await site.ask("POST", "/cameras/door/snapshot", {})).data
        assert await ear.until("item") == {"camera": "door", "item": kept}
        begun = (await site.ask("POST", "/cameras/door/recordings", {"duration": 0.5})).data
        item = (await ear.until("item"))["item"]
        assert (item["kind"], item["suffix"], item["thumbnail"]) == ("recordings", ".mp4", True)
        assert begun["state"] == "waiting"
        await site.ask("POST", "/cameras/door/stop")
        await ear.until("status", camera="door", state="stopped")
        # nobody who is trusted by where he is counts as the one who takes over
        assert not site.node.presence


async def test_who_listens_with_a_token_is_present(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE", 0.3)
    monkeypatch.setattr(events, "LOOK", 0.1)
    token = site.token("Home")
    async with site.open("GET", "/events", token=token) as one, site.open("GET", "/events", token=token):
        ear = Ear(one)
        assert (await ear.next())[0] == "status"
        assert await ear.next() == ("", {})
        assert await ear.next() == ("", {})
        (client,) = (await site.ask("GET", "/clients", token=token)).data["clients"]
        assert client["connected"] is True
    await site.until(lambda: not site.node.presence)
    (client,) = (await site.ask("GET", "/clients", token=token)).data["clients"]
    assert client["connected"] is False


async def test_listeners_are_bounded_and_so_is_what_waits_for_them(
    trusting: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LISTENERS", 1)
    async with trusting.open("GET", "/events") as answer:
        ear = Ear(answer)
        await ear.next()
        refused = await trusting.ask("GET", "/events")
        assert (refused.status, refused.cause) == (503, "too_many_viewers")
        for number in range(events.BACKLOG + 1):
            trusting.node.events._say("failed", {"number": number})
        with pytest.raises(EOFError):
            await ear.until("nothing")
    await trusting.until(lambda: not trusting.node.events._ears)
    async with trusting.open("GET", "/events") as again:
        assert (await Ear(again).next())[0] == "status"


async def test_it_records_while_nobody_is_there(serve: Serve) -> None:
    site = await serve(cameras=(replace(DOOR, record_while_away=True),), rhythm=QUICK)
    token, recorder = site.token(), site.node.cameras["door"].camera.recorder
    archive = site.folder / "archive/door/recordings"
    await site.until(lambda: len(list(archive.rglob("*.mp4"))) >= 2)
    async with site.open("GET", "/events", token=token) as answer:
        ear = Ear(answer)
        await site.until(lambda: not recorder.recordings)
        found = (await site.ask("GET", "/cameras/door/items?kind=recordings")).data["items"]
        # the pieces overlap rather than leave a gap
        ends = [item["details"]["duration"] for item in found]
        begins = [datetime.fromisoformat(item["captured_at"]) for item in found]
        for (begin, end), following in zip(zip(begins, ends, strict=True), begins[1:], strict=False):
            assert (following - begin).total_seconds() <= end
        assert (await ear.next())[0] == "status"
        await asyncio.sleep(0.5)
        assert not any(recording.under_way for recording in recorder.recordings)
    await site.until(lambda: bool(recorder.recordings))
    await site.ask("POST", "/cameras/door/stop")
    await site.until(lambda: not recorder.recordings)
    await site.ask("POST", "/cameras/door/start")
    await site.until(lambda: bool(recorder.recordings))
