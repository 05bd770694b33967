"""JPEG boundaries, on what ffmpeg writes, what cameras send, and what nobody should."""

from functools import cache
import io
from typing import Any

from hypothesis import given, strategies as st
from PIL import Image
import pytest

from custom_components.tripod.engine.errors import NotAPicture
from custom_components.tripod.engine.jpeg import MAX_DESCRIPTION, USUAL_TABLES, JpegSplitter, described, dimensions

from .media import jpegs


def pictures() -> list[bytes]:
    return JpegSplitter().feed(jpegs())


def split(stream: bytes, size: int) -> tuple[JpegSplitter, list[bytes]]:
    splitter = JpegSplitter()
    return splitter, [jpeg for at in range(0, len(stream), size) for jpeg in splitter.feed(stream[at : at + size])]


def with_thumbnail(jpeg: bytes) -> bytes:
    """Put a whole small JPEG into an EXIF segment, as cameras do."""
    exif = b"Exif\x00\x00" + JpegSplitter().feed(jpegs(frames=1, size="64x48"))[0]
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


def without_huffman_tables(jpeg: bytes) -> bytes:
    """Leave the DHT segments out, as UVC cameras do."""
    kept, position = jpeg[:2], 2
    while jpeg[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
        kept += jpeg[position:end] if jpeg[position + 1] != 0xC4 else b""
        position = end
    return kept + jpeg[position:]


def encoded(**options: Any) -> bytes:
    """Return a picture by libjpeg, which knows more forms than ffmpeg."""
    file = io.BytesIO()
    Image.effect_noise((48, 32), 80).convert("RGB").save(file, "jpeg", **options)
    return file.getvalue()


def pixels(jpeg: bytes) -> bytes:
    return Image.open(io.BytesIO(jpeg)).convert("RGB").tobytes()


@cache
def progressive() -> bytes:
    """Return a picture of several scans, with tables between them."""
    return encoded(progressive=True)


def multipart(frames: list[bytes]) -> bytes:
    head = "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n"
    return b"".join(head.format(len(frame)).encode() + frame + b"\r\n" for frame in frames)


def test_joined_pictures_come_apart() -> None:
    splitter, found = split(jpegs(), 4096)
    assert len(found) == 5
    assert b"".join(found) == jpegs()
    assert (splitter.discarded, splitter.garbage) == (0, 0)


def test_multipart_comes_apart_whatever_its_headers_say() -> None:
    stream = multipart(pictures()).replace(b"Content-Length: ", b"Content-Length: 9")
    splitter, found = split(stream, 1000)
    assert found == pictures()
    assert splitter.discarded == 0


def test_thumbnails_are_not_pictures() -> None:
    frames = [with_thumbnail(frame) for frame in pictures()]
    assert split(b"".join(frames), 777)[1] == frames
    assert dimensions(frames[0]) == (320, 240)


@pytest.mark.parametrize("size", [1, 777, 1 << 20])
def test_pictures_without_huffman_tables_get_the_usual_ones(size: int) -> None:
    frames = JpegSplitter().feed(jpegs("-huffman", "default"))
    bare = [without_huffman_tables(frame) for frame in frames]
    found = split(b"".join(bare), size)[1]
    assert [frame.replace(USUAL_TABLES, b"") for frame in found] == bare
    assert [pixels(frame) for frame in found] == [pixels(frame) for frame in frames]


def test_pictures_among_those_without_tables_stay_as_they_are() -> None:
    bare = without_huffman_tables(pictures()[0])
    found = split(pictures()[0] + bare + progressive() + pictures()[1], 100)[1]
    assert [found[0], *found[2:]] == [pictures()[0], progressive(), pictures()[1]]
    assert found[1] == bare.replace(b"\xff\xda", USUAL_TABLES + b"\xff\xda", 1)


def test_only_baseline_pictures_get_tables() -> None:
    bare = without_huffman_tables(progressive())
    assert split(bare, 100)[1] == [bare]


def test_progressive_pictures() -> None:
    assert progressive().count(b"\xff\xda") > 1
    assert split(progressive() * 3, 50)[1] == [progressive()] * 3
    assert dimensions(progressive()) == (48, 32)


def test_restart_markers_are_part_of_a_scan() -> None:
    frame = encoded(restart_marker_blocks=1)
    assert b"\xff\xd3" in frame
    assert split(frame * 2, 100)[1] == [frame] * 2


def test_fill_bytes_before_a_marker() -> None:
    frame = pictures()[0]
    filled = frame[:2] + b"\xff\xff" + frame[2:-2] + b"\xff\xff\xff\xd9"
    assert split(filled * 2, 100)[1] == [filled] * 2
    assert dimensions(filled) == (320, 240)


@given(st.integers(0, 9000), st.integers(1, 5000))
def test_a_truncated_picture_costs_only_itself(cut: int, size: int) -> None:
    first, second, third, *_ = pictures()
    scan = second.index(b"\xff\xda") + 14
    splitter, found = split(first + second[: min(scan + cut, len(second) - 1)] + third, size)
    assert found == [first, third]
    assert splitter.discarded == 1


@given(st.integers(3, 345), st.integers(1, 5000))
def test_a_cut_in_the_header_costs_what_the_cut_segment_may_hold(cut: int, size: int) -> None:
    """What is missing of a segment is taken from what follows: a cut in its length leads up to 64 KiB on."""
    first, second, third, *_ = pictures()
    following = [third] * (2**16 // len(third) + 5)
    _, found = split(first + second[:cut] + b"".join(following), size)
    assert found[0] == first
    assert found[-3:] == following[-3:]


def test_a_cut_between_the_bytes_of_a_marker() -> None:
    first, second, *_ = pictures()
    assert split(first[:-1] + second, 1 << 20)[1] == [second]
    splitter, found = split(first[:-1] + b"\r\n--frame\r\n" + second, 1 << 20)
    assert (found, splitter.discarded) == ([second], 1)


def test_oversized_pictures_are_dropped() -> None:
    second = pictures()[1]
    big = with_thumbnail(pictures()[-1])
    splitter = JpegSplitter(max_bytes=len(big) - 1)
    assert splitter.feed(second + big + second) == [second, second]
    assert splitter.discarded == 1
    assert JpegSplitter(max_bytes=len(big)).feed(big) == [big]


def test_a_picture_that_never_ends_is_given_up() -> None:
    splitter = JpegSplitter(max_bytes=100_000)
    head = pictures()[0][:-2]
    splitter.feed(head)
    for _ in range(100):
        assert splitter.feed(b"\x11" * 10_000) == []
        assert splitter.garbage + len(splitter._buffer) >= 10_000
        assert len(splitter._buffer) <= 110_000
    assert splitter.discarded == 1
    assert splitter.feed(pictures()[1]) == [pictures()[1]]
    assert splitter.garbage == 0


def test_garbage_is_counted() -> None:
    splitter = JpegSplitter()
    splitter.feed(b"<html>" * 1000)
    assert 5990 < splitter.garbage <= 6000
    assert len(splitter._buffer) < 10


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html></html>",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x01rest",
        b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x00\x00\x00\x01",
        b"\xff\xd8\xff\xc0\x00\x0b\x08",
        b"\xff\xd8\xff\x01\xff\xda\x00\x08",
    ],
)
def test_no_picture_no_dimensions(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        dimensions(data)


def test_empty_pictures_are_discarded() -> None:
    splitter = JpegSplitter()
    assert splitter.feed(
        b"\xff\xd8\xff\xd9" + b"\xff\xd8\xff\xff\xd9" + b"\xff\xd8\xff\xe0\x00\x01" + pictures()[0]
    ) == [pictures()[0]]
    assert splitter.discarded == 3


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20), st.data())
def test_any_cut_of_damaged_streams_gives_the_same(sizes: list[int], data: st.DataObject) -> None:
    stream = bytearray(multipart([*pictures(), with_thumbnail(pictures()[0]), progressive()]))
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(stream)))
        stream[at : at + data.draw(st.integers(0, 300))] = data.draw(st.binary(max_size=300))
    limit = data.draw(st.sampled_from([9000, 13000, 1 << 24]))
    whole = JpegSplitter(limit)
    expected = whole.feed(bytes(stream))
    splitter, at, found = JpegSplitter(limit), 0, []
    while at < len(stream):
        size = sizes[at % len(sizes)]
        found += splitter.feed(bytes(stream[at : at + size]))
        at += size
    assert found == expected
    assert splitter.discarded == whole.discarded


MARKERS = st.sampled_from(
    [b"\xff\xd8", b"\xff\xd9", b"\xff\xda\x00\x02", b"\xff\xc0\x00\x04ab", b"\xff\xe1\x00\x10", b"\xff"]
)


@given(st.lists(MARKERS | st.binary(max_size=20)), st.integers(1, 50))
def test_wild_markers_never_raise(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    _, found = split(stream, size)
    assert found == JpegSplitter().feed(stream)
    for jpeg in found:
        assert jpeg.replace(USUAL_TABLES, b"", 1) in stream


@pytest.mark.parametrize("text", ["", "x", "19:05 Gr\u00fc\u00dfe \U0001f600", "\ud800", "long " * 10_000])
def test_a_description_takes_the_place_of_what_others_wrote(text: str) -> None:
    (plain,) = JpegSplitter().feed(jpegs(frames=1))
    foreign = b"\xff\xe1" + (2 + 6).to_bytes(2, "big") + b"Exif\0\0"
    picture = described(plain[:2] + foreign + plain[2:], text)
    assert JpegSplitter().feed(picture) == [picture]
    assert dimensions(picture) == dimensions(plain)
    assert picture.count(b"Exif\0\0") == bool(text)
    assert text.encode(errors="replace")[:MAX_DESCRIPTION] in picture
    assert described(picture, "") == described(plain, "")
