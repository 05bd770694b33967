"""What a camera has while it is set up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry

from .coordinator import TripodCoordinator
from .engine.pipeline import Pipeline
from .engine.web import CameraEndpoints

type TripodConfigEntry = ConfigEntry[TripodData]


@dataclass(frozen=True, slots=True)
class TripodData:
    """The running parts of one camera."""

    pipeline: Pipeline
    endpoints: CameraEndpoints
    coordinator: TripodCoordinator
    applied: tuple[Mapping[str, Any], Mapping[str, Any]]
    """The entry's data and options that the camera runs with."""
