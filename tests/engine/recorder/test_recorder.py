"""Recordings of a camera that runs: where they begin, where they end, and what is in them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
import os
from pathlib import Path
import random
import time

import pytest

from custom_components.tripod.engine.archive import Kind
from custom_components.tripod.engine.errors import (
    InvalidName,
    InvalidRequest,
    LowSpace,
    NothingRecorded,
    NotRecording,
    Stopped,
    TooManyJobs,
)
from custom_components.tripod.engine.events import Failed, RecordingReady
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.recorder import Container, Recorded, Recording, RecordingState, recording as module

from .judge import judge
from .reel import GOP, RATE, Reel, numbers, pictures
from .studio import ZONE, studio

TRIALS = int(os.environ.get("TRIPOD_TRIALS", "8"))

SLACK = 0.15
"""Seconds by which a busy machine may be late."""


@pytest.fixture(autouse=True, scope="module")
def _films() -> None:
    """Make them before a test's time begins."""
    for size in ("160x120", "320x240"):
        pictures(size)


def check(reel: Reel, recorded: Recorded) -> list[int]:
    """Return the frames of an unbroken recording, in which none is missing."""
    verdict, shown = judge(recorded.item.path), numbers(recorded.item.path)
    assert shown == [number % 600 for number in range(shown[0], shown[0] + len(shown))]
    assert verdict.duration == pytest.approx(len(shown) / RATE, abs=0.01)
    assert recorded.details["duration"] == pytest.approx(verdict.duration, abs=0.01)
    assert verdict.widest_gap < 1.5 / RATE
    assert reel.taken[shown[0]]
    return shown


async def test_never_begins_later_than_asked_and_at_most_a_gop_earlier(tmp_path: Path) -> None:
    reel, chance = Reel(), random.Random(4)  # noqa: S311 - no secret
    trials: list[tuple[float, float, float, Recording]] = []
    async with studio(reel, tmp_path, pre_roll=3, recorder={"limit": TRIALS}) as here:
        await here.filled(1.7)
        for _ in range(TRIALS):
            await asyncio.sleep(chance.uniform(0, 2 / TRIALS))
            asked, pre_roll, duration = time.monotonic(), chance.uniform(0, 1.2), chance.uniform(0.2, 0.8)
            trials.append((asked, pre_roll, duration, await here.recorder.start(duration=duration, pre_roll=pre_roll)))
        recorded = [(await recording.done())[0] for *_, recording in trials]
        assert not here.parts
        assert not here.failures
    for (asked, pre_roll, duration, recording), made in zip(trials, recorded, strict=True):
        shown = check(reel, made)
        early = asked - pre_roll - reel.taken[shown[0]]
        assert 0 <= early <= GOP / RATE + SLACK
        assert recording.pre_roll == pytest.approx(pre_roll + early, abs=SLACK)
        end = reel.taken[shown[-1]] + 1 / RATE - asked
        assert duration - SLACK < end < duration + SLACK


async def test_what_is_known_of_a_finished_recording(tmp_path: Path) -> None:
    reel = Reel()
    async with studio(reel, tmp_path, pre_roll=3) as here:
        changes: list[tuple[RecordingState, ...]] = []
        here.recorder.listen(lambda: changes.append(tuple(one.state for one in here.recorder.recordings)))
        await here.filled(1.5)
        before = datetime.now(ZONE)
        recording = await here.recorder.start(duration=0.3, pre_roll=1, name="door/bell")
        assert here.recorder.recordings == (recording,)
        (recorded,) = await recording.done()
        item = recorded.item
        assert recording.state is RecordingState.DONE
        assert not here.recorder.recordings
        assert here.told == [RecordingReady(item, recorded.details)]
        assert here.archive.details(item) == recorded.details
        thumbnail = here.archive.thumbnail(item)
    assert thumbnail is not None
    assert dimensions(thumbnail.read_bytes()) == (320, 240)
    assert (item.kind, item.path.parts[-2:], item.size) == (
        Kind.RECORDING,
        ("door", "bell.mp4"),
        item.path.stat().st_size,
    )
    assert item.captured_at.utcoffset() == before.utcoffset()
    assert timedelta(seconds=1) <= before - item.captured_at < timedelta(seconds=1.7)
    verdict = judge(item.path)
    assert datetime.fromisoformat(verdict.tags["creation_time"]) == item.captured_at.replace(microsecond=0)
    details = dict(recorded.details)
    assert details.pop("duration") == pytest.approx(recording.pre_roll + 0.3, abs=0.1)
    assert details.pop("pre_roll") == pytest.approx(recording.pre_roll, abs=0.01)
    assert datetime.fromisoformat(details.pop("asked_at")) - before < timedelta(seconds=0.1)
    assert details == {
        "width": 160,
        "height": 120,
        "video_codec": "h264",
        "audio_codec": None,
        "gaps": [],
        "recovered": False,
    }
    assert [RecordingState.WAITING] in [list(states) for states in changes]
    assert [RecordingState.FINISHING] in [list(states) for states in changes]
    assert changes[-1] in ((RecordingState.DONE,), ())


async def test_several_at_once_each_with_its_own_end(tmp_path: Path) -> None:
    reel = Reel()
    async with studio(reel, tmp_path, pre_roll=2, recorder={"limit": 4}) as here:
        await here.filled(1)
        start = here.recorder.start
        short, extended, stopped = [await start(duration=length) for length in (0.4, 0.4, 30)]
        endless = await start(duration=None, pre_roll=0.5)
        with pytest.raises(TooManyJobs, match="4"):
            await start(duration=1)
        extended.extend(0.6)
        endless.extend(1)
        lengths = [len(check(reel, *await short.done()))]
        assert await here.recorder.stop(stopped.id) == [stopped]
        with pytest.raises(NotRecording):
            stopped.extend(1)
        lengths += [len(check(reel, *await one.done())) for one in (stopped, extended)]
        assert lengths[2] - lengths[0] == pytest.approx(0.6 * RATE, abs=GOP)
        assert await here.recorder.stop() == [endless]
        check(reel, *await endless.done())
        for wrong in (None, "nonsense", short.id):
            with pytest.raises(NotRecording):
                await here.recorder.stop(wrong)
        with pytest.raises(NotRecording):
            short.extend(1)
        assert len(here.items) == 4


async def test_camera_that_has_to_wake_up_still_records_as_long_as_asked(tmp_path: Path) -> None:
    reel = Reel()
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=0.6)
        assert (recording.state, recording.started_at, recording.duration) == (RecordingState.WAITING, None, 0)
        shown = check(reel, *await recording.done())
        assert len(shown) == pytest.approx(0.6 * RATE, abs=2)
        assert recording.pre_roll == 0
        await here.until(lambda: here.pipeline.state.value == "idle")  # nobody else wants it


async def test_gap_of_a_restart_is_closed_and_noted(tmp_path: Path) -> None:
    reel = Reel(away=0.5)
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=1.6)
        await here.until(lambda: recording.duration > 0.3)
        reel.orders.append("end")
        (recorded,) = await recording.done()
    shown, verdict = numbers(recorded.item.path), judge(recorded.item.path)
    (jump,) = [at for at in range(1, len(shown)) if shown[at] != shown[at - 1] + 1]
    assert shown[jump] % GOP == 0
    missing = (shown[jump] - shown[jump - 1] - 1) / RATE
    assert recorded.details["gaps"] == [
        {"at": pytest.approx(jump / RATE, abs=0.01), "missing": pytest.approx(missing, abs=SLACK)}
    ]
    assert missing >= 0.5
    assert verdict.widest_gap < 1.5 / RATE
    assert recorded.details["duration"] == pytest.approx(len(shown) / RATE, abs=0.01)


async def test_size_that_changes_within_begins_another_file(tmp_path: Path) -> None:
    reel = Reel(sizes=["160x120", "320x240"])
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=1.5, name="both.mp4")
        await here.until(lambda: recording.duration > 0.5)
        reel.orders.append("end")
        small, large = await recording.done()
    assert [one.item.path.name for one in (small, large)] == ["both.mp4", "both-2.mp4"]
    assert [(one.details["width"], one.details["height"]) for one in (small, large)] == [(160, 120), (320, 240)]
    assert judge(small.item.path).video["width"] == 160
    assert judge(large.item.path).video["width"] == 320
    first, second = numbers(small.item.path), numbers(large.item.path, "320x240")
    began = (second[0] - first[0]) / RATE
    assert (large.item.captured_at - small.item.captured_at).total_seconds() == pytest.approx(began, abs=SLACK)
    assert large.details["gaps"] == []


async def test_a_stopped_recording_is_listed_until_its_file_is_there(tmp_path: Path) -> None:
    reel = Reel()
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=None)
        await here.until(lambda: recording.duration > 0.5)
        gone_early = False

        def look() -> None:
            nonlocal gone_early
            gone_early |= not here.recorder.recordings and recording.state is not RecordingState.DONE

        here.recorder.listen(look)
        recording.stop()
        while recording.state is not RecordingState.DONE:
            look()
            await asyncio.sleep(0)
        assert not gone_early
        await recording.done()


async def test_camera_stopped_within_leaves_what_there_is(tmp_path: Path) -> None:
    reel = Reel()
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=None)
        await here.until(lambda: recording.duration > 0.5)
        await here.pipeline.stop()
        assert len(check(reel, *await recording.done())) > 0.4 * RATE
        with pytest.raises(Stopped):
            await here.recorder.start(duration=1)
        assert not here.parts


async def test_source_that_never_delivers(tmp_path: Path) -> None:
    reel = Reel(orders=["hang"])
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=None)
        await asyncio.sleep(0.1)
        recording.stop()
        with pytest.raises(NothingRecorded):
            await recording.done()
        assert recording.state is RecordingState.FAILED
        (failed,) = here.failures
        assert (failed.what, failed.name) == ("recording", recording.id)
        assert isinstance(failed.error, NothingRecorded)
        assert not here.parts
        assert not here.items


async def test_what_was_over_before_the_asked_second_is_left_out(tmp_path: Path) -> None:
    reel = Reel(away=1.2)
    async with studio(reel, tmp_path, pre_roll=5) as here:
        await here.filled(0.6)
        reel.orders.append("end")
        await here.until(lambda: here.pipeline.condition.restarts > 0)
        await asyncio.sleep(0.6)
        asked = time.monotonic()
        recording = await here.recorder.start(duration=0.3, pre_roll=0.2)
        shown = check(reel, *await recording.done())
        assert reel.taken[shown[0]] > asked


async def test_time_stamps_that_wrap_within(tmp_path: Path) -> None:
    reel = Reel(first_pts=(1 << 33) / 90_000 - 0.6)
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=1.2)
        assert len(check(reel, *await recording.done())) == pytest.approx(1.2 * RATE, abs=2)


async def test_stretch_of_many_hours_is_cut_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_STRETCH", 0.3)
    reel = Reel()
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=1.4)
        await here.until(lambda: recording.duration > 1.2)
        assert len(list(recording.folder.glob("*.ts"))) > 1
        (recorded,) = await recording.done()
        check(reel, recorded)
        assert recorded.details["gaps"] == []


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
async def test_clock_that_jumps_changes_nothing(tmp_path: Path, jump: float) -> None:
    reel, offset = Reel(), [0.0]
    async with studio(reel, tmp_path, pre_roll=3, clock=lambda: time.time() + offset[0]) as here:
        await here.filled(1.1)
        first = await here.recorder.start(duration=0.8)
        await here.until(lambda: first.duration > 0.3)
        offset[0] = jump
        second = await here.recorder.start(duration=0.3, pre_roll=0.7)
        assert len(check(reel, *await first.done())) == pytest.approx(0.8 * RATE, abs=GOP + 2)
        (recorded,) = await second.done()
        assert 0.7 <= second.pre_roll < 1.4
        # what the clock says now is the best that is known of what was before
        age = datetime.now(ZONE) + timedelta(seconds=jump) - recorded.item.captured_at
        assert timedelta(seconds=1) < age < timedelta(seconds=10)
        check(reel, recorded)


async def test_disk_that_reaches_its_floor_ends_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_INTERVAL", 0.5)
    reel = Reel()
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=None)
        await here.until(lambda: recording.duration > 0.3)
        here.archive.floor = 1 << 60
        check(reel, *await recording.done())
        failed, ready = here.told
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, LowSpace)
        assert isinstance(ready, RecordingReady)
        with pytest.raises(LowSpace):
            await here.recorder.start(duration=1)
        assert not here.recorder.recordings


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"duration": 0}, InvalidRequest),
        ({"duration": 1, "pre_roll": -1}, InvalidRequest),
        ({"duration": 1, "name": "../door"}, InvalidName),
        ({"duration": 1, "name": "/etc/door"}, InvalidName),
    ],
)
async def test_what_makes_no_sense(tmp_path: Path, request_: dict[str, object], error: type[Exception]) -> None:
    async with studio(Reel(), tmp_path) as here:
        with pytest.raises(error):
            await here.recorder.start(**request_)  # type: ignore[arg-type]
        assert not here.parts


async def test_closing_publishes_what_runs(tmp_path: Path) -> None:
    reel = Reel()
    async with studio(reel, tmp_path) as here:
        recording = await here.recorder.start(duration=None, container=Container.MKV)
        await here.until(lambda: recording.duration > 0.5)
        await here.recorder.close()
        (item,) = here.items
        assert item.path.suffix == ".mkv"
        assert here.told
        judge(item.path)
        numbers(item.path)
