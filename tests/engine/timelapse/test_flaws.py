"""Frames that are not what they should be: the video is made of the others, and those are counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import pstdev

import pytest

from custom_components.tripod.engine.errors import NothingFound
from custom_components.tripod.engine.timelapse import Look, due_days, make_chunk
from custom_components.tripod.engine.timelapse.encode import Encoder, Encoding
from custom_components.tripod.engine.timelapse.frames import FrameFile
from tests.engine.media import jpegs

from .footage import HOUR, JOB, MIDNIGHT, NOW, Site, brightness, greys, probed, seen

DAY, NEXT, TODAY = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21)

WHOLE = greys()


def damaged(jpeg: bytes) -> bytes:
    """Return a JPEG with whole markers and nonsense between them."""
    begin = jpeg.index(b"\xff\xda") + 14
    return jpeg[:begin] + b"\xfe" * (len(jpeg) - begin - 2) + jpeg[-2:]


def enormous(jpeg: bytes) -> bytes:
    """Return a JPEG that says it is 65535 pixels wide and high, which would take gigabytes to decode."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + b"\xff\xff\xff\xff" + jpeg[at + 4 :]


FLAWS = {
    "an HTML page": (b"<!DOCTYPE html><html><body>Please log in</body></html>", "unreadable"),
    "empty": (b"", "unreadable"),
    "cut off": (WHOLE[2][: len(WHOLE[2]) // 2], "unreadable"),
    "another format": (b"\x89PNG\r\n\x1a\n" + bytes(200), "unreadable"),
    "enormous": (enormous(WHOLE[2]), "unreadable"),
    "damaged within": (damaged(WHOLE[2]), "undecodable"),
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "yard", NOW)


async def test_frames_that_are_no_pictures_are_left_out_and_counted(site: Site) -> None:
    for number, (content, _) in enumerate(FLAWS.values()):
        site.add(MIDNIGHT + 2 * number * HOUR, content)
        site.add(MIDNIGHT + (2 * number + 1) * HOUR, WHOLE[number])
    item = await site.render(DAY, DAY)
    assert seen(item.path) == list(range(len(FLAWS)))
    assert site.facts(item)["flaws"] == {"unreadable": 5, "undecodable": 1}
    chunk = await make_chunk(site.archive, site.ffmpeg, JOB, DAY, Look())
    assert list(chunk.times) == [
        round((MIDNIGHT + (2 * number + 1) * HOUR).timestamp() * 1000) for number in range(len(FLAWS))
    ]


async def test_a_camera_whose_pictures_are_never_quite_right_is_taken_as_it_is(site: Site) -> None:
    for number in range(4):
        site.add(MIDNIGHT + number * HOUR, damaged(WHOLE[number]))
    item = await site.render(DAY, DAY)
    assert site.facts(item)["frames"] == 4
    assert probed(item.path)["nb_read_frames"] == "4"


async def test_a_day_without_a_picture_spoils_no_range(site: Site) -> None:
    site.add(MIDNIGHT, b"<html>")
    site.fill(MIDNIGHT + 24 * HOUR, 2)
    with pytest.raises(NothingFound):
        await site.render(DAY, DAY)
    item = await site.render(DAY, NEXT)
    assert seen(item.path) == [0, 1]
    assert site.facts(item)["flaws"] == {"unreadable": 1}
    assert (probed(item.path)["width"], due_days(site.archive, JOB, Look(), TODAY)) == (160, [])
    assert site.leftovers() == []


async def test_frames_of_other_sizes_and_formats_keep_their_shape_in_the_box(site: Site) -> None:
    sizes = ["160x120", "321x241", "160x120", "60x120", "160x120", "641x121", "160x120"]
    for number, size in enumerate(sizes):
        site.add(MIDNIGHT + number * HOUR, greys(size)[5])
    for number, sampling in enumerate(("yuvj422p", "yuvj444p", "yuvj420p"), len(sizes)):
        site.add(MIDNIGHT + number * HOUR, jpegs("-pix_fmt", sampling, frames=1, size="160x120"))
    item = await site.render(DAY, DAY)
    stream = probed(item.path)
    assert (stream["width"], stream["height"], stream["nb_read_frames"]) == (160, 120, str(len(sizes) + 3))
    assert seen(item.path)[: len(sizes)] == [5] * len(sizes)
    left_edge = brightness(item.path, "8:8:0:(ih-8)/2")[: len(sizes)]
    assert [value < 20 for value in left_edge] == [size == "60x120" for size in sizes]


async def test_chunks_of_days_with_other_sizes_join(site: Site) -> None:
    site.fill(MIDNIGHT, 3, size="321x241")
    site.fill(MIDNIGHT + 24 * HOUR, 3, size="160x120")
    site.fill(MIDNIGHT + 48 * HOUR, 3, size="120x160")
    item = await site.render(DAY, TODAY)
    assert (probed(item.path)["width"], probed(item.path)["height"]) == (320, 240)
    assert seen(item.path) == [0, 1, 2] * 3


async def test_a_look_may_settle_the_size(site: Site) -> None:
    site.fill(MIDNIGHT, 2)
    item = await site.render(DAY, DAY, look=Look(width=101))
    assert (probed(item.path)["width"], probed(item.path)["height"]) == (100, 76)


async def test_a_frame_that_goes_while_the_others_are_read_is_counted(site: Site, tmp_path: Path) -> None:
    items = site.fill(MIDNIGHT, 5)

    def going() -> Iterator[FrameFile]:
        for number, item in enumerate(items):
            if number in (1, 3):
                site.archive.remove(item)
            yield FrameFile(item.path, item.captured_at)

    encoder = Encoder(site.ffmpeg, Encoding(Look(), 160, 120), camera="", job=JOB)
    encoded = await encoder.frames(going, tmp_path / "day.mp4", int)
    assert seen(encoded.path) == [0, 2, 4]
    assert encoded.flaws == {"gone": 2}
    assert len(encoded.times) == 3


async def test_flicker_is_evened_out(site: Site) -> None:
    for number in range(12):
        shades = greys("320x240") if number % 3 else WHOLE
        site.add(MIDNIGHT + number * HOUR, shades[10 + 2 * (number % 2)])
    plain = await site.render(DAY, DAY)
    calm = await site.render(DAY, DAY, look=Look(deflicker=True))
    assert len(brightness(calm.path)) == 12
    assert pstdev(brightness(calm.path)) < pstdev(brightness(plain.path)) / 2


async def test_a_chunk_without_its_index_is_made_anew(site: Site) -> None:
    site.fill(MIDNIGHT, 3)
    await make_chunk(site.archive, site.ffmpeg, JOB, DAY, Look())
    (chunk,) = site.chunks()
    chunk.with_suffix(".json").write_text("{}")
    assert due_days(site.archive, JOB, Look(), TODAY) == [DAY]
    assert seen((await site.render(DAY, DAY)).path) == [0, 1, 2]
    assert due_days(site.archive, JOB, Look(), TODAY) == []
