"""What a camera has while it is set up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry

from .camera_controls import CameraControls
from .coordinator import TripodCoordinator
from .engine.archive import Archive
from .engine.camera import Camera
from .engine.pipeline import Pipeline
from .engine.recorder import Recorder
from .engine.timelapse import Timelapses
from .engine.web import CameraEndpoints
from .exposure import CameraExposure
from .hand_over import HandOver

if TYPE_CHECKING:
    from .mqtt_control import MqttBridge

type TripodConfigEntry = ConfigEntry[TripodData]


@dataclass(frozen=True, slots=True)
class TripodData:
    """The running parts of one camera."""

    camera: Camera
    """The pipeline, and all that is kept of it."""
    endpoints: CameraEndpoints
    coordinator: TripodCoordinator
    controls: CameraControls | None
    """What can be turned on the camera; None where it has nothing of the kind."""
    exposure: CameraExposure | None
    hand_over: HandOver | None
    """What takes over what the camera's node keeps; None where there is no node, or nothing shall come."""
    mqtt: MqttBridge
    """What lets MQTT control the camera, if anything does."""
    applied: tuple[Mapping[str, Any], Mapping[str, Any]]
    """The entry's data and options that the camera runs with, but for those that need no restart."""

    @property
    def pipeline(self) -> Pipeline:
        """What delivers the pictures."""
        return self.camera.pipeline

    @property
    def archive(self) -> Archive:
        """Where files are kept; open while `camera.present`."""
        return self.camera.archive

    @property
    def recorder(self) -> Recorder:
        """What records."""
        return self.camera.recorder

    @property
    def timelapses(self) -> Timelapses:
        """What takes timelapses."""
        return self.camera.timelapses
