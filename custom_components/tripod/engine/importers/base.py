"""What a set-up of another program becomes here, and an account of every setting of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..archive import Retention
from ..options import Options
from ..sources import Source
from ..timelapse import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One setting that was read."""

    name: str
    """What it is called where it was read, such as `MIO_FPS` or `FFMPEG_ARGS -framerate`."""
    value: str = ""
    """What it is set to, for people: secrets in it are masked."""
    meaning: str = ""
    """What becomes of it here, or why nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """Pictures of before that become frames of a timelapse, where they lie."""

    folder: Path
    """The folder that holds them."""
    job: str
    """The name of the job that they become frames of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One camera that was understood."""

    source: Source
    title: str
    options: Options = field(default_factory=Options)
    retention: Retention = field(default_factory=Retention)
    jobs: tuple[Job, ...] = ()
    controls: Mapping[str, float] = field(default_factory=dict)
    """Wanted values of the camera's controls, by key."""
    adopt: tuple[Adoption, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user has to know before using it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What was read: each setting stands in exactly one of the three lists."""

    cameras: tuple[Imported, ...] = ()
    understood: tuple[Line, ...] = ()
    not_needed: tuple[Line, ...] = ()
    not_understood: tuple[Line, ...] = ()
    node: Mapping[str, Any] = field(default_factory=dict)
    """Settings that are not one camera's: top-level keys of a node's configuration (`host`, `port`, `cors`)."""

    def __add__(self, other: Import) -> Import:
        """Return both; where both set something of the node, the later one wins."""
        return replace(
            self,
            cameras=self.cameras + other.cameras,
            understood=self.understood + other.understood,
            not_needed=self.not_needed + other.not_needed,
            not_understood=self.not_understood + other.not_understood,
            node={**self.node, **other.node},
        )
