"""Renders: real frames, real ffmpeg; ffprobe and the decoded pictures judge what comes out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from custom_components.tripod.engine.archive import Kind
from custom_components.tripod.engine.errors import InvalidRange, InvalidRequest, NothingFound
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.timelapse import Look, RenderRequest, due_days, make_chunk

from .footage import BERLIN, HOUR, JOB, LEVELS, MIDNIGHT, NOW, Site, atoms, probed, seen

FIRST, SECOND, TODAY = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21)
PER_DAY = 6
"""Frames: one every four hours."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Two finished days, and one that is not over."""
    site = Site(tmp_path / "yard", NOW)
    site.fill(MIDNIGHT, 2 * PER_DAY + 3, 4 * HOUR)
    return site


async def test_a_range_of_days_becomes_a_video_with_both_ends_in_it(site: Site) -> None:
    item = await site.render(FIRST, TODAY)
    assert seen(item.path) == list(range(15))
    assert [path.stem for path in site.chunks()] == ["2026-11-19", "2026-11-20"]
    stream = probed(item.path)
    assert (stream["codec_name"], stream["profile"], stream["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert (stream["width"], stream["height"]) == (160, 120)
    assert {stream[f"color_{what}"] for what in ("space", "transfer", "primaries")} == {"bt709"}
    assert stream["color_range"] == "tv"
    assert stream["has_b_frames"] == 0
    assert (stream["nb_read_frames"], stream["avg_frame_rate"]) == ("15", "25/1")
    assert float(stream["duration"]) == pytest.approx(15 / 25, abs=0.001)
    assert atoms(item.path)[:2] == ["ftyp", "moov"]
    assert site.progress == sorted(site.progress)
    assert (site.progress[0], site.progress[-1]) == (0, 1)
    assert len(set(site.progress)) > 10
    assert site.leftovers() == []


async def test_what_is_published_says_what_it_shows(site: Site) -> None:
    item = await site.render(FIRST, SECOND, fps=10)
    assert item.kind is Kind.VIDEO
    assert item.path.name.startswith("site_2026-11-19_2026-11-20_")
    facts = site.facts(item)
    assert facts["look"] == Look().as_dict()
    assert {name: facts[name] for name in ("frames", "fps", "duration", "width", "height", "flaws")} == {
        "frames": 12,
        "fps": 10,
        "duration": 1.2,
        "width": 160,
        "height": 120,
        "flaws": {},
    }
    assert (facts["start"], facts["end"]) == ("2026-11-19T00:00:00.000+01:00", "2026-11-20T20:00:00.000+01:00")
    poster = site.archive.thumbnail(item)
    assert poster
    assert dimensions(poster.read_bytes()) == (160, 120)
    assert seen(poster) == [11]


@pytest.mark.parametrize("pruned", [False, True], ids=["from frames", "cut out of chunks"])
async def test_a_range_of_times_takes_parts_of_days(site: Site, *, pruned: bool) -> None:
    if pruned:
        await site.render(FIRST, SECOND)
        site.prune(FIRST)
        site.prune(SECOND)
    item = await site.render(datetime(2026, 11, 19, 12, 0, 0), datetime(2026, 11, 21, 4, 0, tzinfo=BERLIN))  # noqa: DTZ001
    assert seen(item.path) == list(range(3, 14))
    assert site.leftovers() == []
    assert site.facts(item)["start"] == "2026-11-19T12:00:00.000+01:00"


async def test_the_second_that_is_named_is_in_the_range(site: Site) -> None:
    site.add(datetime(2026, 11, 20, 20, 0, 7, 999000, BERLIN), b"no picture")
    late = site.fill(datetime(2026, 11, 20, 21, 0, 7, 999000, BERLIN), 1)
    end = late[0].captured_at.replace(microsecond=0)
    item = await site.render(datetime(2026, 11, 20, 21, tzinfo=BERLIN), end)
    assert site.facts(item)["frames"] == 1


async def test_a_chunk_stays_what_it_is_when_its_frames_are_gone(site: Site) -> None:
    await site.render(FIRST, SECOND)
    chunks = {path: path.read_bytes() for path in site.chunks()}
    site.prune(FIRST)
    item = await site.render(FIRST, TODAY)
    assert seen(item.path) == list(range(15))
    assert {path: path.read_bytes() for path in site.chunks()} == chunks


async def test_a_chunk_is_made_anew_when_frames_came_after_it(site: Site) -> None:
    heard: list[float] = []
    chunk = await make_chunk(site.archive, site.ffmpeg, JOB, FIRST, Look(), progress=heard.append)
    assert list(chunk.times) == [round((MIDNIGHT + 4 * number * HOUR).timestamp() * 1000) for number in range(PER_DAY)]
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0, 1)
    assert due_days(site.archive, JOB, Look(), TODAY) == [SECOND]
    site.fill(datetime(2026, 11, 19, 22, tzinfo=BERLIN), 1)
    assert due_days(site.archive, JOB, Look(), TODAY) == [FIRST, SECOND]
    item = await site.render(FIRST, FIRST)
    assert seen(item.path) == [0, 1, 2, 3, 4, 5, 0]
    assert due_days(site.archive, JOB, Look(), TODAY) == [SECOND]


@pytest.mark.parametrize(
    ("length", "frames", "rate"),
    [(7.0, 15, "15/7"), (0.001, 1, "60/1"), (150.0, 15, "1/10")],
)
async def test_a_length_is_met_by_the_rate_and_by_fewer_frames(
    site: Site, length: float, frames: int, rate: str
) -> None:
    item = await site.render(FIRST, TODAY, length=length)
    stream = probed(item.path)
    assert stream["nb_read_frames"] == str(frames)
    assert stream["avg_frame_rate"] == rate
    assert float(stream["duration"]) == pytest.approx(max(length, 1 / 60), rel=0.01)


async def test_fewer_frames_are_taken_evenly_from_frames_and_chunks(site: Site) -> None:
    await site.render(FIRST, SECOND)
    site.prune(FIRST)
    item = await site.render(FIRST, TODAY, length=5 / 60)
    assert seen(item.path) == [2, 5, 8, 11, 14]


async def test_a_length_that_would_be_a_still_is_refused(site: Site) -> None:
    with pytest.raises(InvalidRequest, match="15 frames cannot last 200 seconds, 150 at most"):
        await site.render(FIRST, TODAY, length=200)
    assert site.leftovers() == []


@pytest.mark.parametrize(
    "wishes",
    [
        {"fps": 0.0},
        {"fps": -1.0},
        {"fps": 61.0},
        {"fps": float("nan")},
        {"length": 0.0},
        {"length": -5.0},
        {"length": float("inf")},
        {"length": float("nan")},
        {"fps": 25.0, "length": 10.0},
    ],
)
def test_a_rate_or_length_that_cannot_be_is_refused_at_once(wishes: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest):
        RenderRequest(job=JOB, start=FIRST, end=SECOND, **wishes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (SECOND, FIRST),
        (MIDNIGHT + HOUR, MIDNIGHT),
        (SECOND, MIDNIGHT),
        (MIDNIGHT + 25 * HOUR, FIRST),
        (datetime(2026, 11, 19, 1), datetime(2026, 11, 18, 23, 30, tzinfo=UTC)),  # noqa: DTZ001
    ],
)
async def test_an_end_before_the_start_is_refused(site: Site, start: date, end: date) -> None:
    with pytest.raises(InvalidRange):
        await site.render(start, end)


async def test_nothing_in_the_range_is_said_and_leaves_nothing(site: Site) -> None:
    with pytest.raises(NothingFound):
        await site.render(date(2025, 1, 1), date(2025, 12, 31))
    with pytest.raises(NothingFound):
        await site.render(FIRST, SECOND, job="another")
    assert [path.name for path in (site.archive.root / "timelapse").iterdir()] == [JOB]
    assert site.leftovers() == []


async def test_jobs_and_looks_do_not_mix(site: Site) -> None:
    site.fill(MIDNIGHT + 20 * LEVELS * HOUR, 2, job="other")
    site.fill(MIDNIGHT, 2, job="other", size="320x240")
    small = Look(width=80)
    assert seen((await site.render(FIRST, FIRST)).path) == list(range(6))
    assert seen((await site.render(FIRST, FIRST, look=small)).path) == list(range(6))
    assert seen((await site.render(FIRST, FIRST, job="other")).path) == [0, 1]
    assert [probed(path)["width"] for path in site.chunks("other")] == [320]
    assert sorted(probed(path)["width"] for path in site.chunks()) == [80, 160]


async def test_a_new_look_shows_what_only_chunks_of_the_old_one_have(site: Site) -> None:
    await site.render(FIRST, SECOND)
    site.prune(FIRST)
    item = await site.render(FIRST, SECOND, look=Look(width=320, height=120))
    assert seen(item.path) == list(range(12))
    assert (probed(item.path)["width"], site.facts(item)["flaws"]) == (320, {"other_look": 6})


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)], ids=["an hour less", "an hour more"]
)
async def test_a_day_on_which_clocks_change_is_whole(tmp_path: Path, day: date, hours: int) -> None:
    site = Site(tmp_path / "yard", NOW)
    begin = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
    site.fill(begin - 2 * HOUR, hours + 4)
    item = await site.render(day, day)
    assert site.facts(item)["frames"] == hours
    assert len(seen(item.path)) == hours
    three = [begin.replace(hour=4, minute=minute) for minute in (0, 59)]
    part = await site.render(three[0], three[1])
    assert seen(part.path) == [(4 + 2 + hours - 24) % LEVELS]


async def test_frames_in_another_time_zone_are_found_by_their_instant(tmp_path: Path) -> None:
    """As after a move, or where the archive was opened in another zone before."""
    before = Site(tmp_path / "yard", NOW)
    before.fill(MIDNIGHT, 24)
    before.archive.close()
    site = Site(tmp_path / "yard", NOW)
    site.archive.zone = UTC
    start = datetime(2026, 11, 18, 23, tzinfo=UTC)
    item = await site.render(start, start + timedelta(hours=3, minutes=30))
    assert seen(item.path) == [0, 1, 2, 3]
