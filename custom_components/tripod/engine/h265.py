"""H.265: what a sequence parameter set says about the picture's size.

Facts: ITU-T H.265, 7.3.1.2, 7.3.2.2 and 7.3.3.
"""

from __future__ import annotations

from .h264 import Bits

SPS = 33

_NAL_HEADER = 2
_GENERAL_PROFILE = 88
_LEVEL = 8
_CROP_UNITS = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}  # by chroma_format_idc


def picture_size(sps: bytes) -> tuple[int, int]:
    """Return width and height that one SPS NAL unit tells. Raises `ValueError` for anything else."""
    if len(sps) <= _NAL_HEADER or sps[0] >> 1 & 0x3F != SPS:
        raise ValueError("not a sequence parameter set")
    bits = Bits(sps[_NAL_HEADER:].replace(b"\x00\x00\x03", b"\x00\x00"))
    bits.take(4)  # sps_video_parameter_set_id
    sub_layers = bits.take(3)
    bits.take(1)  # sps_temporal_id_nesting_flag
    _profile_tier_level(bits, sub_layers)
    bits.golomb()  # sps_seq_parameter_set_id
    chroma = bits.golomb()
    if chroma not in _CROP_UNITS:
        raise ValueError("no such chroma format")
    if chroma == 3:
        bits.take(1)  # separate_colour_plane_flag
    width, height = bits.golomb(), bits.golomb()
    if bits.take(1):
        unit_x, unit_y = _CROP_UNITS[chroma]
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y
    if width <= 0 or height <= 0:
        raise ValueError("the sequence parameter set leaves no picture")
    return width, height


def _profile_tier_level(bits: Bits, sub_layers: int) -> None:
    bits.take(_GENERAL_PROFILE + _LEVEL)
    present = [(bits.take(1), bits.take(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.take(2 * (8 - sub_layers))
    for profile, level in present:
        bits.take(_GENERAL_PROFILE * profile + _LEVEL * level)
