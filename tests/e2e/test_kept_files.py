"""What is kept, when Home Assistant is killed in mid-everything and started again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
import json
import os
from pathlib import Path
import random
import re
import shutil
from threading import Event
import time

from home_assistant import HomeAssistantError
import pytest

from tests.kept import Judge, began, ended, pictures

from . import server
from .server import HomeAssistant
from .waiting import until

KILLS = int(os.environ.get("TRIPOD_KILLS_OF_ALL", "0"))
"""At random moments in all kinds of work, besides one in each."""

LONGEST_LIFE = 4.0
"""Seconds until one of these."""

LOST = 1.0
"""Seconds of a recording that a power cut may cost."""

DAYS = 2
"""That were captured while nobody was there to encode them."""

FRAMES = 200
"""Of each of these days."""

JOB = "site"


class Household:
    """A Home Assistant that records, takes pictures and makes timelapses of one camera until it is killed."""

    def __init__(self, home: HomeAssistant) -> None:
        """Begin."""
        self.home = home
        camera = home.add_test_camera("Yard", format="h264")
        self.camera = camera.entity_id
        self.kept = Judge(home.config / "media/tripod/yard")
        self.home.ask("start_timelapse", self.camera, job=JOB, interval=1)
        until(lambda: self.frames, "the first frame")
        entries = home.config / ".storage/core.config_entries"  # which Home Assistant writes a second late
        until(lambda: entries.exists() and camera.entry_id in entries.read_text(), "the camera is remembered")

    def let_days_pass(self) -> None:
        """Make it look as if the timelapse had begun days ago, while nobody runs."""
        remembered = self.kept.root / ".jobs.json"
        jobs = json.loads(remembered.read_text())
        [job] = jobs["jobs"]
        long_ago = datetime.fromisoformat(job["counts"]["started_at"]) - timedelta(days=DAYS + 1)
        job["counts"]["started_at"] = long_ago.isoformat()
        remembered.write_text(json.dumps(jobs))
        frame = self.frames[-1]
        today = began(frame).replace(hour=12, minute=0, second=0, microsecond=0)
        for at in (today - timedelta(days=day) for day in range(1, DAYS + 1)):
            folder = frame.parent.with_name(f"{at:%Y-%m-%d}")
            folder.mkdir(exist_ok=True)
            for number in range(FRAMES):
                moment = at + timedelta(seconds=number)
                shutil.copyfile(frame, folder / f"{moment:%Y-%m-%d_%H-%M-%S}.000{moment:%z}.jpg")

    def record(self) -> None:
        """Begin a recording, and wait until something of it is on the disk."""
        self.home.ask("record", self.camera)
        until(lambda: any(part.stat().st_size for part in self.parts("recording", "*.ts")), "a recording on the disk")

    @contextmanager
    def taking_snapshots(self) -> Iterator[None]:
        """Take one after the other all the while."""
        over = Event()

        def take() -> None:
            with suppress(HomeAssistantError, OSError):  # it is killed
                while not over.is_set():
                    self.home.ask("snapshot", self.camera, after_now=True)

        with ThreadPoolExecutor(1) as pool:
            pool.submit(take)
            try:
                yield
            finally:
                over.set()

    def parts(self, owner: str, name: str) -> list[Path]:
        """Return files that are being written."""
        return list((self.kept.root / ".parts").glob(f"{owner}-*/{name}"))

    def kill(self) -> float:
        """End it by kill -9, and look at what is left; return when."""
        at = time.time()
        self.home.kill()
        until(lambda: not self.home.processes(), "no process is left behind")
        self.kept.look()
        return at

    def kill_at_random(self) -> float:
        """Kill it soon; return when."""
        time.sleep(random.uniform(0, LONGEST_LIFE))  # noqa: S311 - no secret
        return self.kill()

    def kill_in(self, work: str) -> None:
        """Wait until `work` is under way, and kill it there."""
        deadline = time.monotonic() + 60
        while not self.parts(work, "*"):  # over in a moment
            assert time.monotonic() < deadline, f"no {work}"
            time.sleep(0.001)
        self.kill()

    def start(self) -> None:
        """Start it again, and see that the timelapse goes on."""
        before = self.frames
        self.home.start()
        until(lambda: len(self.frames) > len(before), "the timelapse goes on")

    def expect_recording(self, count: int, killed_at: float) -> None:
        """Wait for so many recordings, the last of which is cut short by little."""
        until(lambda: len(self.kept.files("recordings")) >= count, "the recording is finished")
        lost = killed_at - ended(self.kept.files("recordings")[-1]).timestamp()
        print(f"{lost:.2f} s of the recording are lost")
        assert lost <= LOST

    @property
    def frames(self) -> list[Path]:
        """The pictures of the timelapse."""
        return self.kept.files(f"timelapse/{JOB}/frames")


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    """Run one until the end of the test."""
    with server.running(tmp_path) as home:
        yield Household(home)


@pytest.mark.timeout(300 + 60 * KILLS)  # on a busy machine; alone it takes a sixth of that
def test_nothing_is_half_there_and_all_goes_on(household: Household) -> None:
    kept = household.kept
    household.record()
    with household.taking_snapshots():
        killed_at = household.kill_at_random()
    household.let_days_pass()
    household.start()
    household.expect_recording(1, killed_at)

    household.kill_in("chunk")
    household.start()
    until(lambda: len(kept.files(f"timelapse/{JOB}/chunks")) >= DAYS, "all days are encoded", timeout=60)
    household.home.ask("timelapse", household.camera, job=JOB)
    household.kill_in("render")
    household.start()
    (video,) = until(lambda: kept.files("videos"), "the video is made after all", timeout=60)
    assert pictures(video) >= DAYS * FRAMES

    for number in range(KILLS):
        household.record()
        with household.taking_snapshots():
            household.home.ask("timelapse", household.camera, job=JOB, overlay=str(number), width=64)
            killed_at = household.kill_at_random()
        household.start()
        household.expect_recording(number + 2, killed_at)
    until(lambda: len(kept.files("videos")) == 1 + KILLS, "all videos are made", timeout=60)
    household.record()
    household.home.stop()
    kept.look()
    assert len(kept.files("recordings")) == 2 + KILLS
    assert not household.parts("*", "*")
    assert household.home.processes() == []
    complaints = [line for line in household.home.log.splitlines() if re.search("ERROR|Traceback|blocking call", line)]
    assert complaints == []
