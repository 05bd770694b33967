"""What a camera has while it is set up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry

from .camera_controls import CameraControls
from .coordinator import TripodCoordinator
from .engine.pipeline import Pipeline
from .engine.web import CameraEndpoints
from .exposure import CameraExposure

type TripodConfigEntry = ConfigEntry[TripodData]


@dataclass(frozen=True, slots=True)
class TripodData:
    """The running parts of one camera."""

    pipeline: Pipeline
    endpoints: CameraEndpoints
    coordinator: TripodCoordinator
    controls: CameraControls | None
    """What can be turned on the camera; None where it has nothing of the kind."""
    exposure: CameraExposure | None
    applied: tuple[Mapping[str, Any], Mapping[str, Any]]
    """The entry's data and options that the camera runs with."""
