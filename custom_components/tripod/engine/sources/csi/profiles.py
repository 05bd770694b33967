"""What suits a camera on each Raspberry Pi, the cheapest good one first.

Pi 0 to 4 encode H.264 up to 1080p30 in hardware; the Pi 5 has no encoder and does it on its four fast cores. The small
picture comes scaled from the image processor, so only its JPEG encoding costs.
"""

from __future__ import annotations

from typing import NamedTuple

from .boards import Board
from .camera import CsiCamera
from .source import Csi

FULL_VIEW = 1.5
"""Width by height below which a sensor is a 4:3 one, of which a 16:9 picture shows only a part."""


class _Profile(NamedTuple):
    width: int
    height: int
    rate: float
    bit_rate: int
    lores_width: int
    jpeg_rate: float


_HD = _Profile(1280, 720, 30, 3_000_000, 640, 10)
_FULL_HD = _Profile(1920, 1080, 30, 6_000_000, 640, 10)
_WHOLE_SENSOR = _Profile(1280, 960, 30, 4_000_000, 640, 10)
_SMALL = _Profile(640, 480, 15, 1_000_000, 320, 5)
_SLOW_HD = _Profile(1280, 720, 25, 2_000_000, 640, 5)

_PROFILES = {
    Board.ZERO: (_SLOW_HD, _SMALL),
    Board.PI_3: (_SLOW_HD, _FULL_HD._replace(rate=25, bit_rate=5_000_000, jpeg_rate=5), _SMALL),
    Board.PI_4: (_HD, _FULL_HD),
    Board.PI_5: (_HD, _FULL_HD),
    Board.UNKNOWN: (_HD, _SMALL),
}


def profiles(camera: CsiCamera, board: Board = Board.UNKNOWN) -> list[Csi]:
    """Return ways to run `camera` on this board; the first is the one to suggest."""
    suited = list(_PROFILES[board])
    if camera.sizes and camera.sizes[0][0] / camera.sizes[0][1] < FULL_VIEW:
        suited.insert(1, _WHOLE_SENSOR._replace(rate=suited[0].rate, jpeg_rate=suited[0].jpeg_rate))
    return [
        Csi(
            camera=camera.id,
            width=profile.width,
            height=profile.height,
            rate=profile.rate,
            bit_rate=profile.bit_rate,
            lores_width=profile.lores_width,
            lores_height=round(profile.lores_width * profile.height / profile.width / 2) * 2,
            jpeg_rate=profile.jpeg_rate,
            program=camera.program,
        )
        for profile in suited
    ]
