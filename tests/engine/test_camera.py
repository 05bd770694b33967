"""A camera with all that it keeps, without Home Assistant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from custom_components.tripod.engine import camera as module
from custom_components.tripod.engine.archive import Archive, Kind, Limits, Retention
from custom_components.tripod.engine.camera import Camera
from custom_components.tripod.engine.errors import ArchiveMissing, NotWritable
from custom_components.tripod.engine.events import Event, Failed, Pruned, RecordingReady
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.keeper import Keeper
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.recorder import RecordingState
from custom_components.tripod.engine.sources import TestPattern, Tools
from custom_components.tripod.engine.timelapse import RenderQueue, render

from .media import jpegs

PICTURE = jpegs(frames=1)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Home:
    """What several cameras share, and what they tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keeper = Keeper()
        self.renders = RenderQueue(folder / "renders.json", Ffmpeg(), render)
        self.events: list[Event] = []

    @asynccontextmanager
    async def camera(
        self,
        name: str = "yard",
        *,
        known: bool = False,
        retention: Retention | None = None,
        permit: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[Camera]:
        source = TestPattern(width=320, height=240, rate=10)
        pipeline = Pipeline(source, Tools(ffmpeg=Ffmpeg()), name=name)
        archive = Archive(self.folder / name, name, zone=UTC, floor=0, known=known)
        camera = Camera(pipeline, archive, keeper=self.keeper, renders=self.renders, retention=retention, permit=permit)
        camera.hear(self.events.append)
        pipeline.open()
        camera.open()
        try:
            yield camera
        finally:
            await camera.close()
            await pipeline.close()

    def put(self, camera: Camera, age: timedelta) -> None:
        camera.archive.publish(Kind.SNAPSHOT, NOW - age, PICTURE, suffix=".jpg")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY", 0.05)
    monkeypatch.setattr(module, "PAUSE", 0.05)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home(tmp_path)
    await home.renders.open()
    yield home
    await home.renders.close()


async def _until(camera: Camera, holds: Callable[[], object]) -> None:
    changed = asyncio.Event()
    unlisten = camera.listen(changed.set)
    async with asyncio.timeout(20):
        while not holds():
            await changed.wait()
            changed.clear()
            changed.clear()
    unlisten()


async def test_a_disk_that_is_missing_is_told_once_and_awaited(home: Home) -> None:
    async with home.camera(known=True) as camera:
        for _ in range(3):
            with pytest.raises(ArchiveMissing):
                await camera.ready()
            with pytest.raises(ArchiveMissing):
                await camera.readable()
        assert [event.what for event in home.events if isinstance(event, Failed)] == ["archive"]
        assert not camera.archive.root.exists()
        other = Archive(camera.archive.root, "yard", zone=UTC, floor=0)
        other.open()
        other.publish(Kind.SNAPSHOT, NOW, PICTURE, suffix=".jpg")
        other.close()
        await _until(camera, lambda: camera.present and camera.kept.newest)
        assert camera.error is None
        assert camera.kept.newest[Kind.SNAPSHOT].captured_at == NOW
        assert camera.kept.size == len(PICTURE)


async def test_a_disk_that_goes_while_it_is_used_is_begun_anew_only_on_the_users_word(home: Home) -> None:
    async with home.camera() as camera:
        await camera.ready()
        camera.archive.root.rename(home.folder / "unplugged")
        await camera.look()
        assert isinstance(camera.error, ArchiveMissing)
        assert not camera.present
        assert camera.kept.usage == {}
        await camera.begin_anew()
        assert camera.present
        await camera.ready()


async def test_a_folder_that_is_not_permitted_is_not_made(home: Home) -> None:
    def permit() -> None:
        raise NotWritable("not allowed", path="/x")

    async with home.camera(permit=permit) as camera:
        with pytest.raises(NotWritable):
            await camera.ready()
        assert not camera.archive.root.exists()


async def test_what_goes_is_told_to_the_camera_whose_it_was(home: Home) -> None:
    retention = Retention({Kind.SNAPSHOT: Limits(max_count=2)})
    async with home.camera("yard", retention=retention) as yard, home.camera("hall") as hall:
        for camera in (yard, hall):
            await camera.ready()
            for minutes in range(4):
                home.put(camera, timedelta(minutes=minutes))
        assert await home.keeper.plan(hall.archive) == []
        planned = await home.keeper.plan(yard.archive)
        assert home.events == []
        heard: list[Event] = []
        hall.hear(heard.append)
        gone = await home.keeper.prune(hall.archive)
        assert (gone, heard) == ([], [])
        assert [removal.item.captured_at for removal in planned] == [
            NOW - timedelta(minutes=minutes) for minutes in (3, 2)
        ]
        assert home.events == [Pruned(count=2, size=2 * len(PICTURE), kinds={Kind.SNAPSHOT: 2})]


async def test_limits_for_all_cameras_together(home: Home) -> None:
    home.keeper = Keeper(lambda: 3 * len(PICTURE))
    async with home.camera("yard") as yard, home.camera("hall") as hall:
        for age, camera in enumerate((yard, hall, yard, hall, yard, hall)):
            await camera.ready()
            home.put(camera, timedelta(minutes=age))
        await home.keeper.prune(yard.archive)
        left = {camera.archive.camera: camera.archive.usage()[Kind.SNAPSHOT, ""].count for camera in (yard, hall)}
        assert left == {"yard": 2, "hall": 1}


async def test_limits_that_change_apply_at_once(home: Home) -> None:
    async with home.camera() as camera:
        await camera.ready()
        for minutes in range(3):
            home.put(camera, timedelta(minutes=minutes))
        camera.limit(Retention({Kind.SNAPSHOT: Limits(max_count=1)}), floor=0)
        assert len(await home.keeper.prune(camera.archive)) == 2


async def test_a_recording_ends_with_the_camera(home: Home) -> None:
    async with home.camera() as camera:
        await camera.ready()
        recording = await camera.recorder.start(duration=None)
        await _until(camera, lambda: recording.state is RecordingState.RECORDING)
        assert camera.recordings == (recording,)
    [ready] = [event for event in home.events if isinstance(event, RecordingReady)]
    assert ready.item.path.exists()


async def test_parts_of_no_use_are_removed_at_the_start(home: Home) -> None:
    before = Archive(home.folder / "yard", "yard", zone=UTC, floor=0)
    before.open()
    part = before.new_part("chunk")
    (part / "half.mp4").write_bytes(b"half")
    before.close()
    async with home.camera() as camera:
        await camera.ready()
        await _until(camera, lambda: not part.exists())
