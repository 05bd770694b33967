"""How long it takes to prune, list and find in an archive of two years, beside one of a week."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from custom_components.tripod.engine.archive import Archive, Governor, Kind, Limits, Retention, file_name

from .harness import Benchmark, Key, Values
from .wire import milliseconds

FRAMES = 210_240
"""Two years, one each five minutes."""

FEW = 2_000

INTERVAL = timedelta(minutes=5)
JOB = "site"
END = datetime(2026, 11, 21, tzinfo=UTC)
PICTURE = b"\xff\xd8 as good as any \xff\xd9"

ROUNDS = 9
"""The median of so many counts."""

NEW = 12
"""Frames that come, and so go, between two prunings: an hour's."""


def _run() -> Values:
    with _archive(FEW) as few:
        small = _measured(few, FEW)
    with _archive(FRAMES) as many:
        large = _measured(many, FRAMES)
    ratios = {f"{name}_ratio": large[f"{name}_ms"] / small[f"{name}_ms"] for name in ("prune", "latest", "browse")}
    return {**large, **ratios}


@contextmanager
def _archive(frames: int) -> Iterator[Path]:
    """Make an archive of so many frames."""
    with TemporaryDirectory(prefix="tripod-bench-") as folder:
        root = Path(folder)
        _opened(root).close()
        for number in range(frames):
            at = END - (frames - number) * INTERVAL
            day = root / f"timelapse/{JOB}/frames/{at.date()}"
            if (not at.hour and not at.minute) or not number:
                day.mkdir(parents=True)
            (day / file_name(at, ".jpg")).write_bytes(PICTURE)
        yield root


def _opened(root: Path) -> Archive:
    archive = Archive(root, "bench", zone=UTC, floor=0, clock=END.timestamp)
    archive.open()
    return archive


def _measured(root: Path, frames: int) -> dict[str, float]:
    first_open = milliseconds(lambda: _opened(root).close())
    archive = _opened(root)
    days = archive.days(Kind.FRAME, JOB)

    def latest() -> float:
        opened = _opened(root)
        return milliseconds(lambda: opened.latest(Kind.FRAME, JOB))

    def browse() -> float:
        day = days[len(days) // 2].date
        return milliseconds(lambda: (archive.days(Kind.FRAME, JOB), archive.items(Kind.FRAME, day, JOB)))

    def prune() -> float:
        governor = Governor({archive: Retention({Kind.FRAME: Limits(max_count=frames)})})
        for number in range(NEW):
            archive.publish(Kind.FRAME, END - INTERVAL + number * INTERVAL / NEW, PICTURE, suffix=".jpg", job=JOB)
        return milliseconds(lambda: _expect(len(governor.prune()), NEW))

    return {
        "prune_ms": _median(prune),
        "latest_ms": _median(latest),
        "browse_ms": _median(browse),
        "open_ms": _median(lambda: milliseconds(lambda: _opened(root))),
        "first_open_ms": first_open,
    }


def _median(measure: Callable[[], float]) -> float:
    return median(measure() for _ in range(ROUNDS))


def _expect(found: int, expected: int) -> None:
    if found != expected:
        raise RuntimeError(f"{found} were pruned instead of {expected}")


BENCHMARK = Benchmark(
    name="archive",
    text="two years of frames, one each five minutes, beside a week of them",
    keys={
        "prune_ms": Key(text="the governor removes what is over a limit", unit="ms", at_most=50),
        "prune_ratio": Key(text="times as long as with few frames", at_most=3),
        "latest_ms": Key(text="the latest frame, asked for the first time", unit="ms", at_most=50),
        "latest_ratio": Key(text="times as long as with few frames", at_most=3),
        "browse_ms": Key(text="the list of days and the frames of one", unit="ms", at_most=50),
        "browse_ratio": Key(text="times as long as with few frames", at_most=3),
        "open_ms": Key(text="opened with what was written down of it", unit="ms"),
        "first_open_ms": Key(text="opened with nothing known: each file is looked at", unit="ms"),
    },
    run=_run,
)
