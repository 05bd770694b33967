"""Whether a server takes what it is sent."""

import pytest

from custom_components.tripod.engine.errors import Unreachable
from custom_components.tripod.engine.publisher.progress import Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    return Progress(connect=20, stall=10, monotonic=clock)


def _feed(progress: Progress, frames: int) -> None:
    progress.feeding(frames, 1000)
    progress.fed()


def test_reports_are_read_however_they_are_cut(progress: Progress) -> None:
    begun: list[int] = []
    progress.on_begin = lambda: begun.append(progress.frames)
    for byte in b"frame=0\nfps=0.0\nframe=12\ntotal_size=N/A\nprogress=continue\nframe=N/A\nframe=30\n":
        progress.feed(bytes([byte]))
    assert begun == [12]
    assert progress.frames == 30


def test_bytes_count_once_the_server_takes_them(progress: Progress) -> None:
    _feed(progress, 1)
    assert progress.bytes == 0
    progress.feed(b"frame=1\n")
    assert progress.bytes == 1000


def test_a_server_that_takes_no_first_picture(progress: Progress, clock: Clock) -> None:
    _feed(progress, 1)
    clock.now = 19
    progress.check()
    clock.now = 20
    with pytest.raises(Unreachable, match="20 seconds"):
        progress.check()


def test_a_server_that_takes_nothing_more(progress: Progress, clock: Clock) -> None:
    progress.feed(b"frame=10\n")
    for second in range(1, 10):
        clock.now = second
        _feed(progress, 10 + 15 * second)
        progress.check()
    clock.now = 12
    with pytest.raises(Unreachable, match="10 seconds"):
        progress.check()


def test_a_camera_that_delivers_nothing_is_no_fault_of_the_server(progress: Progress, clock: Clock) -> None:
    _feed(progress, 30)
    progress.feed(b"frame=28\n")
    clock.now = 100
    progress.check()
    _feed(progress, 60)
    progress.check()
    clock.now = 109
    progress.check()


def test_a_worker_that_takes_nothing_is_held_up_by_the_server(progress: Progress, clock: Clock) -> None:
    progress.feed(b"frame=10\n")
    clock.now = 5
    progress.feeding(11, 500_000)
    clock.now = 14
    progress.check()
    clock.now = 15
    with pytest.raises(Unreachable):
        progress.check()
    progress.fed()
    progress.check()
