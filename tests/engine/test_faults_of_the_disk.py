"""What is kept, on a disk that is full, read-only, not ours to write, or away: real file systems with real faults."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import tempfile
from typing import NamedTuple

import pytest

from custom_components.tripod.engine.archive import Archive, Item, Kind
from custom_components.tripod.engine.camera import Camera
from custom_components.tripod.engine.errors import ArchiveMissing, DiskFull, NotWritable, TripodError
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.keeper import Keeper
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import TestPattern, Tools
from custom_components.tripod.engine.timelapse import Job, RenderQueue, RenderRequest, render
from tests.engine.media import jpegs
from tests.kept import Judge, pictures
from tests.volumes import Volume, disk, needs_root, tmpfs

pytestmark = needs_root

AT = datetime(2026, 11, 21, 14, 5, 9, 123000, UTC)
BLOCK = 4096
NOBODY = 65534
DETAILS = {"width": 320, "height": 240}


@pytest.fixture(scope="module")
def picture() -> bytes:
    return jpegs(frames=1)


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with tmpfs(tmp_path / "disk") as volume:
        yield volume


def archive(root: Path, *, known: bool = False) -> Archive:
    opened = Archive(root, "yard", zone=UTC, floor=0, known=known)
    opened.open()
    return opened


def publish(to: Archive, picture: bytes, at: datetime = AT) -> Item:
    return to.publish(Kind.SNAPSHOT, at, picture, suffix=".jpg", details=DETAILS, thumbnail=picture)


def files(root: Path) -> dict[str, int]:
    """Return all files below `root` with their sizes."""
    return {str(path.relative_to(root)): path.stat().st_size for path in root.rglob("*") if path.is_file()}


@contextmanager
def somebody_else() -> Iterator[None]:
    """Be a user without rights: root may do what the modes of files forbid."""
    os.setresgid(NOBODY, NOBODY, 0)  # the saved one is the way back
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


def test_a_full_disk_leaves_nothing_of_what_could_not_be_published(volume: Volume, picture: bytes) -> None:
    """Room for nothing, for the facts but not the thumbnail, and so on until there is room for all."""
    root = volume.path / "yard"
    empty, kept, failed = files(archive(root).root), {}, 0
    for blocks in range(2 * len(picture) // BLOCK + 8):
        volume.fill(leave=blocks * BLOCK)
        opened = archive(root, known=True)
        try:
            item = publish(opened, picture)
        except DiskFull:
            failed += 1
            assert opened.latest(Kind.SNAPSHOT) is None
            assert files(root) == empty, f"with {blocks} blocks free"
        else:
            kept = {item.key: item.path.read_bytes()}
            break
        finally:
            volume.drain()
    assert failed > 2
    assert list(kept.values()) == [picture]


def test_a_disk_that_has_room_again_is_written_again(volume: Volume, picture: bytes) -> None:
    opened = archive(volume.path / "yard")
    first = publish(opened, picture)
    volume.fill()
    with pytest.raises(DiskFull):
        publish(opened, picture, AT + timedelta(seconds=1))
    volume.drain()
    second = publish(opened, picture, AT + timedelta(seconds=2))
    assert opened.items(Kind.SNAPSHOT, AT.date()) == [first, second]


def test_a_read_only_disk_is_read_and_said(volume: Volume, picture: bytes) -> None:
    opened = archive(volume.path / "yard")
    item = publish(opened, picture)
    opened.close()
    volume.make_read_only()
    opened = archive(volume.path / "yard", known=True)
    with pytest.raises(NotWritable):
        opened.check()
    with pytest.raises(NotWritable):
        publish(opened, picture, AT + timedelta(seconds=1))
    with pytest.raises(NotWritable):
        opened.remove(item)
    with pytest.raises(NotWritable):
        opened.new_part("recording")
    assert opened.latest(Kind.SNAPSHOT) == item
    assert opened.details(item) == DETAILS
    opened.clear_parts()
    opened.close()
    volume.make_writable()
    opened.check()
    publish(opened, picture, AT + timedelta(seconds=1))


def test_a_disk_that_goes_and_comes(tmp_path: Path, picture: bytes) -> None:
    with disk(tmp_path / "disk", tmp_path / "image") as volume:
        root = volume.path / "yard"
        opened = archive(root)
        item = publish(opened, picture)
        volume.unplug()
        with pytest.raises(ArchiveMissing):
            opened.check()
        with pytest.raises(ArchiveMissing):
            publish(opened, picture, AT + timedelta(seconds=1))
        with pytest.raises(ArchiveMissing):
            opened.new_part("recording")
        with pytest.raises(ArchiveMissing):
            archive(root, known=True)
        opened.close()
        assert list(volume.path.iterdir()) == [], "the mount point is filled"
        volume.plug_in()
        opened.check()
        again = publish(opened, picture, AT + timedelta(seconds=1))
        assert opened.items(Kind.SNAPSHOT, AT.date()) == [item, again]
        assert {kept.path.read_bytes() for kept in (item, again)} == {picture}


def test_a_folder_of_somebody_else_is_read_and_said(picture: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:  # one that others may look into, as pytest's are not
        Path(folder).chmod(0o755)
        root = Path(folder) / "yard"
        opened = archive(root)
        item = publish(opened, picture)
        before = files(root)
        with somebody_else():
            opened = archive(root, known=True)
            with pytest.raises(NotWritable):
                opened.check()
            with pytest.raises(NotWritable):
                publish(opened, picture, AT + timedelta(seconds=1))
            with pytest.raises(NotWritable):
                opened.remove(item)
            with pytest.raises(NotWritable):
                opened.pin(item.key)
            with pytest.raises(NotWritable):
                archive(Path(folder) / "street")
            assert opened.find(item.key) == item
            opened.clear_parts()
            opened.close()
        assert files(root) == before


async def test_a_full_disk_leaves_nothing_of_a_video_that_could_not_be_made(volume: Volume, picture: bytes) -> None:
    """Room for nothing, for a part of a day, for the days but not the video, and so on until there is room for all."""
    root = volume.path / "yard"
    opened = archive(root)
    days = [AT + timedelta(days=day) for day in range(2)]
    for at in days:
        for second in range(5):
            opened.publish(Kind.FRAME, at + timedelta(seconds=second), picture, suffix=".jpg", job="site")
    request = RenderRequest(job="site", start=days[0], end=days[-1] + timedelta(days=1))
    failed, blocks = 0, 0
    while True:
        before = {name for name in files(root) if not name.endswith(".json")}
        volume.fill(leave=blocks * BLOCK)
        try:
            video = await render(request, opened, Ffmpeg())
            break
        except DiskFull:
            failed += 1
        finally:
            volume.drain()
        made = {name for name in files(root) if not name.endswith(".json")} - before
        assert all("/chunks/" in name for name in made), f"with {blocks} blocks free"
        blocks = 4 * blocks or 1
    assert failed > 2
    judge = Judge(root)
    judge.look()
    assert pictures(video.path) == 10
    assert judge.files("videos") == [video.path]
    assert not list((root / ".parts").iterdir())


class Fault(NamedTuple):
    """What becomes of a disk, and how it is well again."""

    breaks: Callable[[Volume], None]
    mends: Callable[[Volume], None]
    told: type[TripodError]


FAULTS = {
    "full": Fault(Volume.fill, Volume.drain, DiskFull),
    "read-only": Fault(Volume.fail, Volume.replace, NotWritable),
    "away": Fault(Volume.unplug, Volume.plug_in, ArchiveMissing),
}


@asynccontextmanager
async def running(root: Path) -> AsyncIterator[Camera]:
    """Run a camera that keeps what it is asked to in `root`."""
    ffmpeg = Ffmpeg()
    pipeline = Pipeline(TestPattern(width=320, height=240, rate=15), Tools(ffmpeg=ffmpeg), Options())
    renders = RenderQueue(root.parent.with_suffix(".renders"), ffmpeg, render)
    camera = Camera(pipeline, Archive(root, "yard", zone=UTC, floor=0), keeper=Keeper(), renders=renders)
    pipeline.open()
    await renders.open()
    camera.open()
    try:
        await camera.ready()
        yield camera
    finally:
        await camera.close()
        await renders.close()
        await pipeline.close()


async def until(camera: Camera, condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, looking after each change of what is kept."""
    changed = asyncio.Event()
    unlisten = camera.listen(changed.set)
    try:
        async with asyncio.timeout(30):
            while not condition():
                changed.clear()
                await changed.wait()
    finally:
        unlisten()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_camera_goes_on_when_its_disk_is_well_again(tmp_path: Path, picture: bytes, fault: Fault) -> None:
    with disk(tmp_path / "disk", tmp_path / "image") as volume:
        root = volume.path / "yard"
        judge = Judge(root)
        async with running(root) as camera:
            await camera.timelapses.start(Job(name="site", interval=1))
            recording = await camera.recorder.start(duration=None)
            await until(camera, lambda: recording.duration > 1 and bool(judge.files("timelapse")))
            judge.look()

            fault.breaks(volume)
            with pytest.raises(fault.told):
                await keep_snapshot(camera)
            async with camera.pipeline.frames() as frames:
                for _ in range(10):
                    await anext(frames)
            await camera.look()
            if fault.told is ArchiveMissing:
                assert list(volume.path.iterdir()) == [], "the mount point is filled"
            fault.mends(volume)

            await camera.look()
            assert camera.error is None
            judge.look()
            before = judge.files("timelapse")
            await until(camera, lambda: len(judge.files("timelapse")) > len(before))
            await keep_snapshot(camera)
            with suppress(TripodError):
                await camera.recorder.stop()
            await until(camera, lambda: bool(judge.files("recordings")))
        judge.look()
        assert not list((root / ".parts").iterdir())


async def keep_snapshot(camera: Camera) -> Item:
    """Keep a picture, as the action does."""
    frame = await camera.pipeline.snapshot()
    return await camera.snapshot(frame, frame.data)
