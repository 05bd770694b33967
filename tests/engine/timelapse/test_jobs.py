"""Timelapses as they run: the real pipeline, archive and files, and a clock that the test turns."""

import asyncio
from datetime import datetime, time, timedelta
import json
from pathlib import Path
import shutil

import pytest

from custom_components.tripod.engine.archive import Kind
from custom_components.tripod.engine.errors import (
    ArchiveMissing,
    InvalidJob,
    JobExists,
    LowSpace,
    NoSuchJob,
    NotAPicture,
    Stopped,
    TooManyJobs,
)
from custom_components.tripod.engine.events import Failed
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Medium, TestPattern
from custom_components.tripod.engine.status import State
from custom_components.tripod.engine.timelapse import Finished, Job, Look, Sun
from custom_components.tripod.engine.timelapse.capture import FIRST_START, SHORTEST_LEAD, Shutter
from custom_components.tripod.engine.timelapse.memory import FILE
from custom_components.tripod.engine.timelapse.queue import LIMIT

from .studio import BERLIN, START, Stage, Time, picture, stage

GARDEN = Job(name="garden", interval=300)
PRINT = Job(name="print")

HOUR = 3600.0


def captured(on: Stage, job: str = "garden") -> list[str]:
    days = on.archive.days(Kind.FRAME, job)
    return [f"{item.captured_at:%H:%M:%S}" for day in days for item in on.archive.items(Kind.FRAME, day.date, job)]


def running(on: Stage) -> dict[str, bool]:
    return {status.job.name: status.running for status in on.timelapses.jobs}


class Scene:
    """What the camera shows."""

    def __init__(self, luma: int = 120) -> None:
        self.luma = luma
        self.error: Exception | None = None

    def __call__(self) -> bytes:
        if self.error:
            raise self.error
        return picture(self.luma)


# --- when ------------------------------------------------------------------------------------------------------------


async def test_frames_come_when_they_are_due(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(660)
        assert captured(on) == ["12:00:00", "12:05:00", "12:10:00"]
        status = on.status()
        assert (status.frames, status.frames_today, status.missed, status.skipped) == (3, 3, 0, 0)
        assert status.started_at == START
        assert status.last_frame_at == START + timedelta(minutes=10, seconds=2)
        assert status.next_at == START + timedelta(minutes=15, seconds=2)


async def test_several_jobs_of_one_camera_have_their_own_frames(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.timelapses.start(Job(name="fence", interval=120))
        await on.time.run(660, sleepers=3)
        assert captured(on) == ["12:00:00", "12:05:00", "12:10:00"]
        assert captured(on, "fence") == ["12:00:00", "12:02:00", "12:04:00", "12:06:00", "12:08:00", "12:10:00"]
        assert len(on.camera.runs) < 9


async def test_frames_of_a_second_are_all_there(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(Job(name="garden", interval=1))
        await on.time.run(60)
        assert len(captured(on)) == 60


async def test_whoever_listens_is_told_once_a_frame(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        told: list[int] = []
        on.timelapses.listen(lambda: told.append(on.status().frames))
        await on.time.run(600)
        assert told == [2, 3]


async def test_a_window_and_a_gate(tmp_path: Path) -> None:
    open_gate = [True]
    async with stage(tmp_path, allowed=lambda _: open_gate[0]) as on:
        await on.timelapses.start(Job(name="garden", interval=600, start_time=time(12), end_time=time(12, 30)))
        await on.time.run(900)
        open_gate[0] = False
        switched_on = len(on.camera.runs)
        await on.time.run(600)
        assert len(on.camera.runs) == switched_on
        open_gate[0] = True
        await on.time.run(3000)
        assert captured(on) == ["12:00:00", "12:10:00", "12:30:00"]
        assert on.status().missed == 0
        assert on.status().next_at == datetime(2026, 11, 22, 12, tzinfo=BERLIN)


async def test_a_clock_that_is_set_back_brings_no_frame_twice_and_goes_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        on.time.jump(-60)
        await on.time.run(180)  # 12:02:08
        assert captured(on) == ["12:00:00"]
        on.time.jump(-3 * HOUR)
        await on.time.run(300)
        assert captured(on) == ["09:05:00", "12:00:00"]


async def test_a_clock_that_begins_in_1970_is_set_when_the_network_is_there(tmp_path: Path) -> None:
    async with stage(tmp_path, time=Time(30.0)) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(300)
        on.time.jump(START.timestamp() - 330)
        await on.time.run(310)
        days = [day.date.year for day in on.archive.days(Kind.FRAME, "garden")]
        assert days == [1970, 2026]
        assert captured(on)[1:] == ["12:05:00"]
        assert on.status().missed == 0
        assert on.status().frames_today == 1


async def test_a_machine_that_slept_does_not_make_up_for_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(60)
        on.time.jump(5 * HOUR + 100)
        await on.time.run(300)
        assert captured(on) == ["12:00:00", "17:05:00"]


async def test_a_day_is_counted_by_the_day(tmp_path: Path) -> None:
    async with stage(tmp_path, time=Time(datetime(2026, 11, 21, 23, 54, tzinfo=BERLIN).timestamp())) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(120)
        assert on.status().frames_today == 1
        await on.time.run(600)
        assert on.status().frames_today == 2
        assert on.status().frames == 3
        on.time.jump(24 * HOUR)
        assert on.status().frames_today == 0


# --- the camera ------------------------------------------------------------------------------------------------------


async def test_an_on_demand_camera_rests_between_frames_and_is_ready_in_time(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        on.time.jump(10)
        await on.timelapses.start(Job(name="garden", interval=3600))
        await on.time.run(HOUR - 60)
        assert on.camera.runs == []
        await on.time.run(60)
        (began,) = on.camera.runs
        assert (START + timedelta(hours=1, seconds=2)).timestamp() - began == pytest.approx(FIRST_START + 3)
        assert captured(on) == ["13:00:00"]
        assert not on.pipeline._capture.wanted
        await on.time.run(HOUR)
        # by now it is known how fast it starts
        assert (START + timedelta(hours=2, seconds=2)).timestamp() - on.camera.runs[1] == pytest.approx(SHORTEST_LEAD)
        assert captured(on) == ["13:00:00", "14:00:00"]


@pytest.mark.parametrize(("interval", "rests"), [(5, False), (60, False), (300, True)])
async def test_a_camera_is_let_go_only_where_it_is_worth_it(tmp_path: Path, interval: float, *, rests: bool) -> None:
    async with stage(tmp_path, linger=30) as on:
        await on.timelapses.start(Job(name="garden", interval=interval))
        await on.time.run(302 + interval / 2)
        assert on.pipeline._capture.wanted is not rests


async def test_a_transcoder_rests_sooner_than_the_camera(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        camera = Pipeline(TestPattern(format="h264"), on.pipeline.tools, Options())
        shutter = Shutter(camera)
        assert shutter.wanted(40, 45) == {Medium.PACKETS}
        assert shutter.wanted(7, 45) == {Medium.PACKETS, Medium.FRAMES}
        assert shutter.wanted(9, 10) == {Medium.PACKETS, Medium.FRAMES}
        assert shutter.wanted(200, 300) == set()
        assert [shutter.next_look(left) for left in (300, 5, 1)] == [292, 3, 1]
        camera.condition.set(State.STREAMING)
        assert shutter.wanted(7, 45) == {Medium.PACKETS}
        assert shutter.wanted(2, 45) == {Medium.PACKETS, Medium.FRAMES}
        await camera.close()


async def test_a_camera_that_is_away_is_counted_and_told_once(tmp_path: Path) -> None:
    scene = Scene()
    async with stage(tmp_path, shows=scene, patience=0.05) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        scene.error = NotAPicture("text/html")
        await on.time.run(900)
        status = on.status()
        assert (status.frames, status.missed) == (1, 3)
        assert isinstance(status.error, NotAPicture)
        assert [(event.what, event.name) for event in on.events if isinstance(event, Failed)] == [("frame", "garden")]
        scene.error = None
        await on.time.run(300)
        assert on.status().error is None
        assert on.status().frames == 2
        assert len(on.events) == 1


async def test_a_camera_that_comes_back_in_time_is_waited_for(tmp_path: Path) -> None:
    scene = Scene()
    scene.error = NotAPicture("text/html")
    async with stage(tmp_path, shows=scene) as on:
        await on.timelapses.start(GARDEN)

        def comes_back() -> None:
            if len(on.camera.runs) > 2:
                scene.error = None

        on.pipeline.listen(comes_back)
        await on.time.run(10)
        assert captured(on) == ["12:00:00"]
        assert on.events == []


async def test_a_camera_that_the_user_stopped_is_told_so_and_stays_stopped(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.pipeline.stop()
        await on.timelapses.start(GARDEN)
        await on.time.run(600)
        assert on.status().missed == 2
        assert isinstance(on.status().error, Stopped)
        assert on.camera.runs == []
        assert len(on.events) == 1


# --- which pictures --------------------------------------------------------------------------------------------------


async def test_unchanged_pictures_are_left_out_but_for_the_first_of_a_day(tmp_path: Path) -> None:
    scene = Scene()
    late = Time(datetime(2026, 11, 21, 23, 44, tzinfo=BERLIN).timestamp())
    async with stage(tmp_path, time=late, shows=scene) as on:
        await on.timelapses.start(Job(name="garden", interval=300, skip_unchanged=True))
        await on.time.run(1500)
        assert captured(on) == ["23:45:00", "00:00:00"]
        scene.luma = 124  # by less than is worth a frame
        await on.time.run(300)
        scene.luma = 140
        await on.time.run(600)
        assert captured(on) == ["23:45:00", "00:00:00", "00:15:00"]
        assert on.status().skipped == 5


async def test_any_change_counts_where_no_difference_is_asked_for(tmp_path: Path) -> None:
    scene = Scene()
    async with stage(tmp_path, shows=scene) as on:
        await on.timelapses.start(Job(name="garden", interval=300, skip_unchanged=True, difference=0))
        await on.time.run(600)
        scene.luma = 121
        await on.time.run(600)
        assert captured(on) == ["12:00:00", "12:10:00"]


async def test_dark_pictures_are_left_out(tmp_path: Path) -> None:
    scene = Scene(luma=4)
    async with stage(tmp_path, shows=scene) as on:
        await on.timelapses.start(Job(name="garden", interval=300, skip_dark=True))
        await on.time.run(600)
        scene.luma = 90
        await on.time.run(300)
        assert captured(on) == ["12:10:00"]
        assert on.status().skipped == 2


# --- on request ------------------------------------------------------------------------------------------------------


async def test_frames_on_request(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(PRINT)
        for _ in range(3):
            on.time.jump(20)
            item = await on.timelapses.frame("print")
            assert item.captured_at.timestamp() == on.time.now
        assert captured(on, "print") == ["12:00:18", "12:00:38", "12:00:58"]
        assert on.status("print").next_at is None
        assert len(on.camera.runs) == 1  # it is kept ready for the next layer


async def test_a_request_is_met_though_the_picture_is_unchanged_and_dark(tmp_path: Path) -> None:
    async with stage(tmp_path, shows=Scene(luma=4)) as on:
        await on.timelapses.start(Job(name="print", skip_dark=True, skip_unchanged=True))
        for _ in range(2):
            on.time.jump(1)
            await on.timelapses.frame("print")
        assert len(captured(on, "print")) == 2


async def test_a_request_that_fails_says_why(tmp_path: Path) -> None:
    scene = Scene()
    async with stage(tmp_path, shows=scene, patience=0.05) as on:
        with pytest.raises(NoSuchJob, match="print"):
            await on.timelapses.frame("print")
        await on.timelapses.start(PRINT)
        scene.error = NotAPicture("text/html")
        on.time.jump(1)
        with pytest.raises(NotAPicture):
            await on.timelapses.frame("print")
        assert on.status("print").missed == 1


# --- start and stop --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "../print"},
        {"name": "/print"},
        {"name": "a" * 101},
        {"interval": 0},
        {"interval": -5},
        {"interval": 0.5},
        {"interval": 90000},
        {"interval": float("nan")},
        {"weekdays": frozenset()},
        {"weekdays": frozenset([7])},
        {"difference": 101},
        {"fps": 25.0, "length": 10.0},
        {"fps": 0.0},
        {"sun_margin": float("inf")},
    ],
)
def test_a_job_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidJob):
        Job(**{"name": "garden", **wrong})  # type: ignore[arg-type]


def test_a_job_outlives_json() -> None:
    job = Job(
        name="Baustelle, Süd",
        interval=60,
        start_time=time(7, 30),
        end_time=time(18),
        weekdays=frozenset([0, 4]),
        sun=Sun.UP,
        sun_margin=-600,
        condition="switch.printer",
        skip_unchanged=True,
        look=Look(width=1280),
        length=30.0,
    )
    assert Job.from_dict(json.loads(json.dumps(job.as_dict()))) == job
    assert Job.from_dict({"name": "garden", "unknown": 1}) == Job(name="garden")


async def test_two_jobs_of_one_name(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        results = await asyncio.gather(
            *(on.timelapses.start(GARDEN) for _ in range(5)),
            return_exceptions=True,
        )
        assert sum(isinstance(result, JobExists) for result in results) == 4
        assert len(on.timelapses.jobs) == 1


async def test_a_run_that_is_stopped_becomes_a_video_of_exactly_its_frames(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(60)
        finished = await on.timelapses.stop("garden", render=False)
        assert finished.render is None
        assert on.timelapses.jobs == ()
        await on.timelapses.start(GARDEN)
        await on.time.run(600)
        finished = await on.timelapses.stop("garden")
        assert finished.status.frames == 2
        assert not finished.status.running
        assert finished.render
        request = finished.render.request
        frames = on.archive.items(Kind.FRAME, START.date(), "garden")
        assert [item for item in frames if request.start <= item.captured_at <= request.end] == frames[1:]
        with pytest.raises(NoSuchJob):
            await on.timelapses.stop("garden")


async def test_a_run_that_is_stopped_twice_at_once_becomes_one_video(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        results = await asyncio.gather(*(on.timelapses.stop("garden") for _ in range(3)), return_exceptions=True)
        assert [type(result) for result in results] == [Finished, NoSuchJob, NoSuchJob]
        assert len(on.queue.renders) == 1


async def test_a_run_through_the_hour_that_comes_twice_has_all_its_frames(tmp_path: Path) -> None:
    late = datetime(2026, 10, 25, 2, 44, tzinfo=BERLIN)
    async with stage(tmp_path, time=Time(late.timestamp())) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(1800)
        finished = await on.timelapses.stop("garden")
        assert finished.render
        request = finished.render.request
        assert (f"{request.start:%H:%M%z}", f"{request.end:%H:%M%z}") == ("02:45+0200", "02:10+0100")
        items = on.archive.items(Kind.FRAME, late.date(), "garden")
        assert len(items) == 6
        assert [f"{item.captured_at:%H:%M}" for item in items] == [
            *("02:45", "02:50", "02:55"),
            *("02:00", "02:05", "02:10"),
        ]


async def test_a_run_without_frames_becomes_no_video(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(PRINT)
        assert (await on.timelapses.stop("print", render=True)).render is None


async def test_a_run_goes_on_where_no_video_can_be_asked_for(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        for _ in range(LIMIT):
            await on.queue.add("away", GARDEN.request(START.date(), START.date()))
        with pytest.raises(TooManyJobs):
            await on.timelapses.stop("garden", render=True)
        await on.time.run(300)
        assert captured(on) == ["12:00:00", "12:05:00"]


async def test_standing_jobs_stay_and_remember_whether_they_run(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.add(GARDEN)
        await on.timelapses.add(Job(name="fence", interval=60), running=False)
        await on.time.run(10)
        await on.timelapses.stop("garden", render=False)
        await on.timelapses.resume("fence")
        assert running(on) == {"fence": True, "garden": False}
        assert on.status().frames_today == 1
    async with stage(tmp_path) as on:
        assert on.timelapses.jobs == ()
        await on.timelapses.add(GARDEN)
        await on.timelapses.add(Job(name="fence", interval=60))
        assert running(on) == {"fence": True, "garden": False}
        assert on.status().frames_today == 1
        await on.timelapses.remove("fence")
        with pytest.raises(NoSuchJob):
            await on.timelapses.resume("fence")
        with pytest.raises(JobExists):
            await on.timelapses.start(GARDEN)


async def test_a_changed_standing_job_goes_on_counting(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.add(GARDEN)
        await on.time.run(10)
        await on.timelapses.add(Job(name="garden", interval=60))
        await on.time.run(60)
        assert on.status().frames == 2
        assert captured(on) == ["12:00:00", "12:01:00"]


# --- what the machine does -------------------------------------------------------------------------------------------


async def test_running_jobs_go_on_after_a_restart(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.timelapses.start(PRINT)
        await on.time.run(310)
        # what is on the disk at this instant is what a kill -9 leaves
        shutil.copytree(tmp_path, tmp_path / "killed", ignore=shutil.ignore_patterns("killed"))
    later = Time(START.timestamp() + HOUR)
    async with stage(tmp_path / "killed", time=later) as on:
        assert [status.job for status in on.timelapses.jobs] == [GARDEN, PRINT]
        assert on.status().started_at == START
        assert on.status().frames_today == 2
        await on.time.run(310)
        assert captured(on) == ["12:00:00", "12:05:00", "13:00:00", "13:05:00"]
        finished = await on.timelapses.stop("garden", render=True)
        assert finished.render
        assert finished.render.request.end == START + timedelta(hours=1, minutes=5, seconds=2)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"jobs": 5}', '{"jobs": [{"name": "x", "standing": false}]}'])
async def test_a_file_that_cannot_be_read_stops_nothing(tmp_path: Path, text: str) -> None:
    async with stage(tmp_path):
        pass
    (tmp_path / "garden" / FILE).write_text(text)
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        assert captured(on) == ["12:00:00"]


async def test_a_disk_that_is_away_is_counted_and_told_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        (tmp_path / "garden").rename(tmp_path / "unplugged")
        switched_on = len(on.camera.runs)
        await on.time.run(600)
        assert isinstance(on.status().error, ArchiveMissing)
        assert on.status().missed == 2
        assert len(on.events) == 1
        assert not (tmp_path / "garden").exists()
        with pytest.raises(ArchiveMissing):
            await on.timelapses.start(Job(name="fence", interval=60))
        assert [status.job.name for status in on.timelapses.jobs] == ["garden"]
        (tmp_path / "unplugged").rename(tmp_path / "garden")
        await on.time.run(300)
        assert captured(on) == ["12:00:00", "12:15:00"]
        assert on.status().error is None
        assert switched_on


async def test_nothing_is_written_under_a_disk_that_is_away(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        (tmp_path / "garden").rename(tmp_path / "unplugged")
        (tmp_path / "garden").mkdir()  # the empty mount point
        await on.timelapses.stop("garden", render=False)
        assert list((tmp_path / "garden").iterdir()) == []


async def test_a_full_disk_stops_no_job(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        on.archive.floor = 1 << 60
        await on.time.run(610)
        assert isinstance(on.status().error, LowSpace)
        assert len(on.events) == 1
        with pytest.raises(LowSpace):
            await on.timelapses.start(PRINT)
        on.archive.floor = 0
        await on.time.run(300)
        assert captured(on) == ["12:15:00"]


async def test_a_job_that_ends_while_its_frame_is_written_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        began, publish = asyncio.Event(), on.archive.publish
        loop = asyncio.get_running_loop()

        def slow(*args: object, **options: object) -> object:
            loop.call_soon_threadsafe(began.set)
            return publish(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(on.archive, "publish", slow)
        running = asyncio.create_task(on.time.run(10))
        await began.wait()
        finished = await on.timelapses.stop("garden", render=True)
        running.cancel()
        assert len(captured(on)) == finished.status.frames


async def test_standing_jobs_that_are_named_before_the_disk_is_there_wait_for_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.timelapses.add(GARDEN)
        await on.timelapses.add(Job(name="fence", interval=60), running=False)
        await on.timelapses.start(PRINT)
    async with stage(tmp_path, recovered=False) as on:
        await on.timelapses.add(GARDEN)
        await on.timelapses.add(Job(name="fence", interval=60))
        assert running(on) == {"fence": False, "garden": False}
    async with stage(tmp_path, recovered=False) as on:
        await on.timelapses.add(Job(name="fence", interval=60))
        await on.timelapses.add(GARDEN)
        await on.timelapses.recover()
        await on.timelapses.recover()
        assert running(on) == {"fence": False, "garden": True, "print": True}
