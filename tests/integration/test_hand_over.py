"""What a node kept on its own comes into our archive, whole and once, and is then gone there; with a real node."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
import subprocess
from typing import Any

from homeassistant.components.media_source import async_browse_media
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine.archive import Item, Kind
from custom_components.tripod.engine.errors import StreamEnded
from custom_components.tripod.engine.sources.node import NodeClient, client as node_client
from custom_components.tripod.hand_over import HandOver

from .conftest import act, until_state
from .node import Machine, add, cameras

AT = datetime(2026, 11, 20, 12, 30, 5, tzinfo=UTC)

LEFT = "sensor.bench_files_left_on_the_node"


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a short video by real ffmpeg."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10", "-t", "1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-c:v", "libx264", str(path)], check=True)  # noqa: S607
    return path.read_bytes()


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a JPEG by real ffmpeg."""
    path = tmp_path_factory.mktemp("picture") / "picture.jpg"
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, str(path)], check=True)  # noqa: S607
    return path.read_bytes()


@pytest.fixture
async def machine(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[Machine]:
    """Run a node with two cameras."""
    machine = Machine(tmp_path / "machine", cameras=cameras("bench", "door"))
    await machine.start()
    for camera in machine.node.cameras.values():
        await camera.camera.ready()
    yield machine
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await machine.stop()


async def keep(machine: Machine, data: bytes, kind: Kind = Kind.RECORDING, camera: str = "bench", **more: Any) -> Item:
    """Let a node have a file."""
    archive = machine.node.cameras[camera].archive
    suffix = ".jpg" if kind is Kind.SNAPSHOT else ".mp4"
    at = more.pop("at", AT)
    return await asyncio.to_thread(lambda: archive.publish(kind, at, data, suffix=suffix, **more))


def kept(machine: Machine, camera: str = "bench") -> list[Item]:
    """Return what a node has."""
    archive = machine.node.cameras[camera].archive
    found = ((kind, day) for kind in (Kind.RECORDING, Kind.SNAPSHOT, Kind.VIDEO) for day in archive.days(kind))
    return [item for kind, day in found for item in archive.items(kind, day.date)]


def here(entry: MockConfigEntry, kind: Kind) -> list[Item]:
    """Return what came."""
    archive = entry.runtime_data.archive
    return [item for day in archive.days(kind) for item in archive.items(kind, day.date)]


async def until(entry: MockConfigEntry, holds: Callable[[HandOver], bool]) -> HandOver:
    """Wait until `holds`, looking after each file and failure."""
    hand_over: HandOver = entry.runtime_data.hand_over
    changed = asyncio.Event()
    unlisten = hand_over.listen(changed.set)
    try:
        async with asyncio.timeout(20):
            while not holds(hand_over):
                await changed.wait()
                changed.clear()
    finally:
        unlisten()
    return hand_over


async def test_all_that_a_node_kept_comes_with_what_is_known_of_it(
    hass: HomeAssistant, machine: Machine, clip: bytes, picture: bytes
) -> None:
    await async_setup_component(hass, "media_source", {})
    details = {"duration": 1.0, "gaps": []}
    recorded = await keep(machine, clip, details=details, thumbnail=picture)
    await asyncio.to_thread(machine.node.cameras["bench"].archive.pin, recorded.key)
    await keep(machine, clip, name="night/fox.mp4")
    await keep(machine, clip, Kind.VIDEO, job="garden")
    await keep(machine, picture, Kind.SNAPSHOT)
    events = async_capture_events(hass, "state_changed")
    entry = await add(hass, machine)
    hand_over = await until(entry, lambda hand_over: hand_over.taken == 4 and not hand_over.waiting)
    assert (hand_over.error, hand_over.refused, kept(machine)) == (None, 0, [])
    archive = entry.runtime_data.archive
    fox, first = sorted(here(entry, Kind.RECORDING), key=lambda item: "fox" not in item.key)
    assert fox.key.endswith("night/fox.mp4")
    assert (first.captured_at, first.path.read_bytes()) == (AT, clip)
    assert archive.details(first) == {**details, "origin": f"{machine.node.id}/bench/{recorded.key}"}
    assert archive.thumbnail(first).read_bytes() == picture
    assert archive.pinned(first.key)
    [video] = here(entry, Kind.VIDEO)
    assert video.job == "garden"
    [snapshot] = here(entry, Kind.SNAPSHOT)
    assert snapshot.path.read_bytes() == picture
    assert list((archive.root / ".parts").iterdir()) == [], "nothing is left of the downloads"
    await hass.async_block_till_done()
    fired = [event.data["new_state"] for event in events if event.data["entity_id"].startswith("event.bench")]
    types = [state.attributes["event_type"] for state in fired if state and state.attributes.get("event_type")]
    assert sorted(kind for kind in types if kind.endswith("_ready")) == ["recording_ready"] * 2 + ["timelapse_ready"]
    folder = await async_browse_media(
        hass, f"media-source://tripod/{entry.entry_id}/recordings/{first.key.split('/')[1]}"
    )
    assert {child.media_content_id.rpartition("recordings/")[2] for child in folder.children} == {
        item.key.removeprefix("recordings/") for item in (fox, first)
    }
    state = await until_state(hass, LEFT, lambda state: state.attributes.get("taken") == 4)
    assert (state.state, state.attributes["refused"]) == ("0", 0)


async def test_what_a_node_keeps_from_now_on_comes_as_well(hass: HomeAssistant, machine: Machine) -> None:
    entry = await add(hass, machine)
    async with machine.client() as client:
        await until(entry, lambda _: hass.data[DOMAIN].nodes.watches[0].connected)
        await client._connection.ask("POST", "/cameras/bench/snapshot", {})
        await until(entry, lambda hand_over: hand_over.taken == 1 and not hand_over.waiting)
    assert kept(machine) == []


async def test_nothing_comes_twice_though_we_die_before_it_is_deleted_there(
    hass: HomeAssistant, machine: Machine, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(machine, clip)
    delete, asked = NodeClient.delete, asyncio.Event()

    async def hang(self: NodeClient, camera: str, key: str) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(NodeClient, "delete", hang)
    entry = await add(hass, machine)
    async with asyncio.timeout(20):
        await asked.wait()
    assert len(here(entry, Kind.RECORDING)) == 1
    await hass.config_entries.async_unload(entry.entry_id)
    assert len(kept(machine)) == 1
    monkeypatch.setattr(NodeClient, "delete", delete)
    downloads = _count(monkeypatch, "download")
    await hass.config_entries.async_setup(entry.entry_id)
    await until(entry, lambda _: not kept(machine))
    assert (downloads, len(here(entry, Kind.RECORDING))) == ([], 1)


def _count(monkeypatch: pytest.MonkeyPatch, method: str) -> list[str]:
    """Note each call of a method of the client."""
    calls: list[str] = []
    own: Callable[..., Awaitable[Any]] = getattr(NodeClient, method)

    async def noted(self: NodeClient, *given: Any) -> Any:
        calls.append(method)
        return await own(self, *given)

    monkeypatch.setattr(NodeClient, method, noted)
    return calls


async def test_a_damaged_file_stays_and_the_others_come(
    hass: HomeAssistant, machine: Machine, clip: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await keep(machine, clip[: len(clip) // 2])
    await keep(machine, clip, at=AT + timedelta(minutes=1))
    entry = await add(hass, machine)
    hand_over = await until(entry, lambda hand_over: hand_over.taken == 1 and hand_over.refused == 1)
    assert [item.size for item in kept(machine)] == [len(clip) // 2]
    assert "came damaged" in caplog.text
    hand_over.look()
    await keep(machine, clip, at=AT + timedelta(minutes=2))
    hand_over.look()
    await until(entry, lambda hand_over: hand_over.taken == 2 and not hand_over.waiting)
    assert caplog.text.count("came damaged") == 1
    assert list((entry.runtime_data.archive.root / ".parts").iterdir()) == []


async def test_a_full_disk_deletes_nothing_and_goes_on_when_there_is_room(
    hass: HomeAssistant, machine: Machine, clip: bytes
) -> None:
    await keep(machine, clip)
    entry = await add(hass, machine)
    entry.runtime_data.archive.floor = 1 << 60
    hand_over = await until(entry, lambda hand_over: hand_over.error is not None)
    assert (hand_over.error.cause, hand_over.waiting, len(kept(machine))) == ("low_space", 1, 1)
    state = await until_state(hass, LEFT, lambda state: "reason" in state.attributes)
    assert state.state == "1"
    entry.runtime_data.archive.floor = 0
    hand_over.look()
    await until(entry, lambda hand_over: hand_over.taken == 1 and not hand_over.waiting)
    assert kept(machine) == []


async def test_a_download_that_is_cut_goes_on_where_it_was(
    hass: HomeAssistant, machine: Machine, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip += (1 << 20).to_bytes(4, "big") + b"free".ljust((1 << 20) - 4, b"\0")
    await keep(machine, clip)
    piece, pieces = node_client._piece, [True, False]
    begun: list[int] = []
    fetch = NodeClient._fetch

    async def cut(answer: Any) -> bytes:
        if pieces and not pieces.pop(0):
            raise StreamEnded("the cable")
        return await piece(answer)

    async def noted(self: NodeClient, path: str, file: Any, begin: int, size: int) -> None:
        begun.append(begin)
        await fetch(self, path, file, begin, size)

    monkeypatch.setattr(node_client, "_piece", cut)
    monkeypatch.setattr(NodeClient, "_fetch", noted)
    entry = await add(hass, machine)
    hand_over = await until(entry, lambda hand_over: hand_over.error is not None)
    assert hand_over.error.cause == "stream_ended"
    hand_over.look()
    await until(entry, lambda hand_over: hand_over.taken == 1 and not hand_over.waiting)
    assert begun[0] == 0
    assert begun[1] > 0
    assert here(entry, Kind.RECORDING)[0].path.read_bytes() == clip


async def test_one_file_at_a_time_over_all_cameras(
    hass: HomeAssistant, machine: Machine, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for camera in ("bench", "door"):
        for minute in range(3):
            await keep(machine, clip, camera=camera, at=AT + timedelta(minutes=minute))
    under_way, most = 0, 0
    download = NodeClient.download

    async def noted(self: NodeClient, *given: Any) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await download(self, *given)
        under_way -= 1

    monkeypatch.setattr(NodeClient, "download", noted)
    for entry in [await add(hass, machine, name) for name in ("bench", "door")]:
        await until(entry, lambda hand_over: hand_over.taken == 3 and not hand_over.waiting)
    assert most == 1


async def test_a_user_may_leave_everything_on_the_node(hass: HomeAssistant, machine: Machine, clip: bytes) -> None:
    await keep(machine, clip)
    entry = await add(hass, machine, take_over=False)
    assert entry.runtime_data.hand_over is None
    assert hass.states.get(LEFT) is None
    assert len(kept(machine)) == 1


async def test_a_camera_of_a_node_is_kept_here_as_any_other(hass: HomeAssistant, machine: Machine) -> None:
    entry = await add(hass, machine)
    answer = await act(hass, "snapshot", "camera.bench")
    assert answer["media_content_id"].startswith(f"media-source://tripod/{entry.entry_id}/snapshots/")
    assert (len(here(entry, Kind.SNAPSHOT)), kept(machine)) == (1, [])
