"""H.264 as libx264 writes it: sequence parameter sets, access units."""

from hypothesis import given, strategies as st
import pytest

from custom_components.tripod.engine.h264 import AUD, IDR, SPS, AccessUnits, SequenceParameters, nal_type, nal_units

from .media import ffmpeg


def ue(value: int) -> str:
    """Return Exp-Golomb bits."""
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


def sps_of(size: str, *options: str, pixels: str = "yuv420p") -> bytes:
    source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=10", "-frames:v", "1", "-pix_fmt", pixels)
    stream = ffmpeg(*source, "-c:v", "libx264", *options, "-f", "h264")
    return next(unit for unit in nal_units(stream) if unit[0] & 0x1F == SPS)


@pytest.mark.parametrize(
    ("size", "options", "pixels", "codec"),
    [
        ("320x240", ("-profile:v", "baseline"), "yuv420p", "avc1.42C0"),
        ("1920x1080", ("-profile:v", "main"), "yuv420p", "avc1.4D40"),
        ("1280x720", ("-profile:v", "high", "-level", "4.1"), "yuv420p", "avc1.640029"),
        ("322x242", (), "yuv422p", "avc1.7A00"),
        ("334x246", (), "yuv444p", "avc1.F400"),
        ("720x576", ("-flags", "+ilme+ildct", "-x264-params", "interlaced=1"), "yuv420p", "avc1.6400"),
        ("640x480", ("-x264-params", "cqm=jvt"), "yuv420p", "avc1.6400"),
        ("642x482", ("-pix_fmt", "gray"), "gray", "avc1.6400"),
    ],
)
def test_size_and_codec(size: str, options: tuple[str, ...], pixels: str, codec: str) -> None:
    found = SequenceParameters.parse(sps_of(size, *options, pixels=pixels))
    assert f"{found.width}x{found.height}" == size
    assert found.codec.startswith(codec)
    assert len(found.codec) == len("avc1.PPCCLL")


def high_sps(scaling: str = "0", order: str = "1", size: str = ue(19) + ue(14), cropping: str = "0") -> bytes:
    """Write the fields of a High profile set after the standard's syntax, those too that libx264 never writes."""
    bits = ue(0) + ue(1) + ue(0) + ue(0) + "0" + scaling + ue(0) + order + ue(1) + "0" + size + "11" + cropping
    bits += "1" + "0" * (-(len(bits) + 1) % 8)
    return bytes((0x67, 100, 0, 31)) + int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize(
    "scaling",
    ["1" + "0" * 8, "1" + "1" + ue(0) * 16 + "0" * 7, "1" + "1" + ue(16) + "0" * 5 + "1" + ue(0) * 64 + "0"],
    ids=["absent", "flat", "stopped"],
)
@pytest.mark.parametrize("order", [ue(0) + ue(4), ue(1) + "0" + ue(1) + ue(2) + ue(2) + ue(3) + ue(4), ue(2)])
def test_fields_that_come_before_the_size(scaling: str, order: str) -> None:
    found = SequenceParameters.parse(high_sps(scaling, order))
    assert (found.width, found.height, found.codec) == (320, 240, "avc1.64001F")


def test_cropping_that_leaves_no_picture() -> None:
    with pytest.raises(ValueError, match="no picture"):
        SequenceParameters.parse(high_sps(cropping="1" + ue(200) + ue(0) * 3))


def test_unknown_chroma_format() -> None:
    with pytest.raises(ValueError, match="chroma"):
        SequenceParameters.parse(bytes((0x67, 100, 0, 31, 0b10010100)))


def test_truncated() -> None:
    with pytest.raises(ValueError, match="truncated"):
        SequenceParameters.parse(sps_of("320x240", "-profile:v", "baseline")[:6])


@given(st.binary(max_size=80))
def test_anything_else_is_a_value_error(data: bytes) -> None:
    try:
        found = SequenceParameters.parse(b"\x67" + data)
    except ValueError:
        return
    assert found.width > 0
    assert found.height > 0


def test_other_units_are_refused() -> None:
    with pytest.raises(ValueError, match="not a sequence"):
        SequenceParameters.parse(b"\x68\xee\x3c\x80\x00")


@given(st.lists(st.binary(min_size=1, max_size=20).map(lambda unit: b"\x65" + unit.replace(b"\x00", b"\x01"))))
def test_units_are_found_between_start_codes(units: list[bytes]) -> None:
    stream = b"".join(
        (b"\x00\x00\x00\x01" if index % 2 else b"\x00\x00\x01") + unit for index, unit in enumerate(units)
    )
    assert list(nal_units(b"junk" + stream)) == units


# --- access units ----------------------------------------------------------------------------------------------------

END = b"\x00\x00\x00\x01\x09\xf0\x00"
"""With the beginning of the next one, a unit is known to be whole."""


def stream_of(*options: str, frames: int = 20) -> bytes:
    source = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10", "-frames:v", str(frames))
    return ffmpeg(*source, "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", *options, "-f", "h264")


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-x264-params", "slices=4"),
        ("-bsf:v", "h264_metadata=aud=insert"),
        ("-bsf:v", "dump_extra"),
        ("-tune", "zerolatency"),
    ],
    ids=["plain", "slices", "delimiters", "parameter sets", "zero latency"],
)
def test_each_picture_is_one_access_unit(options: tuple[str, ...]) -> None:
    stream = stream_of(*options)
    units = AccessUnits().feed(stream + END)
    assert len(units) == 20
    assert b"".join(unit for unit, _ in units) == stream
    assert [index for index, (_, key) in enumerate(units) if key] == [0, 10]
    for unit, key in units:
        assert any(nal[0] & 0x1F == IDR for nal in nal_units(unit)) == key


@given(st.lists(st.integers(1, 3000), max_size=60))
def test_access_units_do_not_depend_on_where_the_pipe_cuts(cuts: list[int]) -> None:
    stream = stream_of() + END
    whole = AccessUnits().feed(stream)
    parts = AccessUnits()
    found = []
    for cut in cuts:
        found += parts.feed(stream[:cut])
        stream = stream[cut:]
    assert found + parts.feed(stream) == whole


@given(st.lists(st.one_of(st.binary(max_size=200), st.just(b"\x00\x00\x01\x65\x88"), st.just(b"\x00\x00\x01"))))
def test_any_bytes_come_out_as_they_went_in_or_are_waited_for(pieces: list[bytes]) -> None:
    units = AccessUnits(max_bytes=1 << 20)
    found = [unit for piece in pieces for unit, _ in units.feed(piece)]
    assert b"".join(pieces).startswith(b"".join(found))


def test_what_has_no_end_is_given_up() -> None:
    units = AccessUnits(max_bytes=1000)
    assert units.feed(b"\x00\x00\x01\x65\x88" + b"\xab" * 2000) == []
    assert len(units.feed(stream_of() + END)) == 20


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x00\x00\x00\x01\x09\xf0", AUD),
        (b"\x00\x00\x01\x67\x42", SPS),
        (b"\x00\x00\x00\x01", None),
        (b"hello \x00\x00\x01\x67", None),
        (b"", None),
    ],
)
def test_the_first_unit_says_what_it_is(data: bytes, expected: int | None) -> None:
    assert nal_type(data) == expected
