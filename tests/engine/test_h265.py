"""H.265 as libx265 writes it: sequence parameter sets."""

from hypothesis import given, strategies as st
import pytest

from custom_components.tripod.engine.h264 import nal_units
from custom_components.tripod.engine.h265 import SPS, picture_size

from .media import ffmpeg


def sps_of(size: str, pixels: str = "yuv420p") -> bytes:
    source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=10", "-frames:v", "1", "-pix_fmt", pixels)
    stream = ffmpeg(*source, "-c:v", "libx265", "-x265-params", "log-level=error", "-f", "hevc")
    return next(unit for unit in nal_units(stream) if unit[0] >> 1 & 0x3F == SPS)


@pytest.mark.parametrize(
    ("size", "pixels"), [("1920x1080", "yuv420p"), ("322x242", "yuv422p"), ("334x246", "yuv444p"), ("160x120", "gray")]
)
def test_size(size: str, pixels: str) -> None:
    width, height = picture_size(sps_of(size, pixels))
    assert f"{width}x{height}" == size


@given(st.binary(max_size=80))
def test_anything_else_is_refused_or_makes_a_size(data: bytes) -> None:
    for sps in (data, bytes((SPS << 1, 1)) + data):
        try:
            width, height = picture_size(sps)
        except ValueError:
            continue
        assert width > 0
        assert height > 0
