"""H.264: the NAL walk, and what a sequence parameter set says.

Facts: ITU-T H.264, 7.3.2.1.1 and annex B; the codec string is RFC 6381, 3.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

START_CODE = b"\x00\x00\x01"
SLICES = range(1, 6)
IDR = 5
SPS = 7
PPS = 8
AUD = 9
"""NAL unit type of an access unit delimiter."""

_BEFORE_SLICES = range(6, 10)  # messages, parameter sets and delimiters stand before an access unit's first slice

_HIGH_PROFILES = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
_CROP_UNITS = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}  # by chroma_format_idc


def nal_units(annex_b: bytes) -> Iterator[bytes]:
    """Yield each NAL unit, without start code and trailing zeros."""
    position = annex_b.find(START_CODE)
    while position >= 0:
        position += len(START_CODE)
        following = annex_b.find(START_CODE, position)
        unit = annex_b[position : following if following >= 0 else len(annex_b)].rstrip(b"\x00")
        if unit:
            yield unit
        position = following


def nal_type(annex_b: bytes) -> int | None:
    """Return the type of the first NAL unit; None where no start code stands in front."""
    position = annex_b.find(START_CODE, 0, len(START_CODE) + 1) + len(START_CODE)
    return annex_b[position] & 0x1F if len(START_CODE) <= position < len(annex_b) else None


class AccessUnits:
    """Cut a byte stream in Annex B form into access units, which is clear where the next one begins (7.4.1.2.3)."""

    def __init__(self, max_bytes: int = 8 * 2**20) -> None:
        """Give up what is longer than `max_bytes`."""
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._position = 0
        self._slices = self._key = False

    def feed(self, data: bytes) -> list[tuple[bytes, bool]]:
        """Take the next bytes; return the access units that they complete, and whether each is a key frame."""
        self._buffer += data
        units: list[tuple[bytes, bool]] = []
        # two bytes tell: the unit's type, and whether it is the first slice of a picture
        while 0 <= (found := self._buffer.find(START_CODE, self._position)) < len(self._buffer) - 4:
            kind = self._buffer[found + 3] & 0x1F
            first = kind in SLICES and self._buffer[found + 4] & 0x80
            if self._slices and (first or kind in _BEFORE_SLICES):
                begin = found - (found > 0 and self._buffer[found - 1] == 0)
                units.append((bytes(memoryview(self._buffer)[:begin]), self._key))
                del self._buffer[:begin]
                found -= begin
                self._slices = self._key = False
            self._slices |= kind in SLICES
            self._key |= kind == IDR
            self._position = found + 3
        if found < 0:
            self._position = max(self._position, len(self._buffer) - 2)
        if len(self._buffer) > self._max_bytes:
            self._buffer.clear()
            self._position = 0
            self._slices = self._key = False
        return units


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """What players must know before they decode."""

    width: int
    height: int
    codec: str
    """RFC 6381's `avc1.PPCCLL`: profile, constraints and level."""

    @classmethod
    def parse(cls, sps: bytes) -> SequenceParameters:
        """Read one SPS NAL unit. Raises `ValueError` for anything else."""
        if len(sps) < 5 or sps[0] & 0x1F != SPS:
            raise ValueError("not a sequence parameter set")
        bits = Bits(sps[4:].replace(b"\x00\x00\x03", b"\x00\x00"))
        bits.golomb()  # seq_parameter_set_id
        chroma = _high_profile_fields(bits) if sps[1] in _HIGH_PROFILES else 1
        bits.golomb()  # log2_max_frame_num_minus4
        _picture_order(bits)
        bits.golomb()  # max_num_ref_frames
        bits.take(1)  # gaps_in_frame_num_value_allowed_flag
        width, height = _size(bits, chroma)
        return cls(width, height, f"avc1.{sps[1:4].hex().upper()}")


class Bits:
    """Read fixed-length and Exp-Golomb fields."""

    def __init__(self, data: bytes) -> None:
        """Begin with the first bit of `data`, which holds no emulation prevention any more."""
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        """Return the next `count` bits; raises `ValueError` past the end."""
        if count > self._left:
            raise ValueError("the sequence parameter set is truncated")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def golomb(self) -> int:
        """Return the next ue(v); raises `ValueError` past the end."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_golomb(self) -> int:
        """Return the next se(v); raises `ValueError` past the end."""
        code = self.golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def _high_profile_fields(bits: Bits) -> int:
    """Pass the fields that only High profiles have; return chroma_format_idc."""
    chroma = bits.golomb()
    if chroma not in _CROP_UNITS:
        raise ValueError("no such chroma format")
    if chroma == 3:
        bits.take(1)  # separate_colour_plane_flag
    bits.golomb()  # bit_depth_luma_minus8
    bits.golomb()  # bit_depth_chroma_minus8
    bits.take(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.take(1):
        for index in range(8 if chroma != 3 else 12):
            if bits.take(1):
                _scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _scaling_list(bits: Bits, size: int) -> None:
    last = scale = 8
    for _ in range(size):
        if scale:
            scale = (last + bits.signed_golomb()) % 256
        last = scale or last


def _picture_order(bits: Bits) -> None:
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.take(1)  # delta_pic_order_always_zero_flag
        bits.golomb()  # offset_for_non_ref_pic
        bits.golomb()  # offset_for_top_to_bottom_field
        for _ in range(bits.golomb()):
            bits.golomb()


def _size(bits: Bits, chroma: int) -> tuple[int, int]:
    width = (bits.golomb() + 1) * 16
    map_units = bits.golomb() + 1
    fields = 2 - bits.take(1)  # 1 with frame_mbs_only_flag
    height = map_units * 16 * fields
    if fields == 2:
        bits.take(1)  # mb_adaptive_frame_field_flag
    bits.take(1)  # direct_8x8_inference_flag
    if bits.take(1):
        unit_x, unit_y = _CROP_UNITS[chroma]
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y * fields
    if width <= 0 or height <= 0:
        raise ValueError("the sequence parameter set leaves no picture")
    return width, height
