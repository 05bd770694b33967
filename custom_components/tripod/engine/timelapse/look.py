"""How a timelapse looks: what all its chunks have in common, so that they can be joined without encoding anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
import hashlib
import json
from typing import Any, Self

from ..errors import InvalidRequest

ENCODING = 1
"""Counts the ways of encoding: chunks of another one cannot be joined with those of today."""

SMALLEST, LARGEST = 16, 8192
"""Pixels of a side: below, the encoder fails; above, no H.264 level has room."""

LONGEST_OVERLAY = 500
"""Characters of a template: more than fill any picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Raises `InvalidRequest` for what cannot be."""

    width: int = 0
    """Pixels, made even; 0 for as wide as the frames, or as the height asks for."""
    height: int = 0
    """Pixels, made even; 0 for as high as the frames, or as the width asks for."""
    overlay: str = ""
    """A template of text at the bottom left, such as `{time:%Y-%m-%d %H:%M} {camera}`; none where it is empty."""
    deflicker: bool = False
    """Even out the brightness of neighbouring frames."""
    quality: int = 75
    """Percent."""

    def __post_init__(self) -> None:
        """Refuse what ffmpeg would refuse, or what would fill the memory."""
        for side in (self.width, self.height):
            if side and not SMALLEST <= side <= LARGEST:
                raise InvalidRequest(f"a video of {self.width}x{self.height} pixels")
        if not 1 <= self.quality <= 100:
            raise InvalidRequest(f"a quality of {self.quality} percent")
        if len(self.overlay) > LONGEST_OVERLAY:
            raise InvalidRequest(f"an overlay text of more than {LONGEST_OVERLAY} characters")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the video's width and height for frames of these; even, for colour has half as many pixels."""
        wanted_width, wanted_height = self.width, self.height
        if not wanted_width:
            wanted_width = round(wanted_height * width / height) if wanted_height else width
        if not wanted_height:
            wanted_height = round(wanted_width * height / width)
        return _even(wanted_width), _even(wanted_height)

    @property
    def key(self) -> str:
        """The name of the set of chunks that look like this."""
        facts = json.dumps([ENCODING, self.as_dict()], sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        """Return the look as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the look that `as_dict` described; what this version does not know is left out."""
        return cls(**{field.name: data[field.name] for field in fields(cls) if field.name in data})


def _even(side: int) -> int:
    return min(max(side // 2 * 2, SMALLEST), LARGEST)
