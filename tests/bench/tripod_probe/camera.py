"""Tripod's camera once more, as core plays any camera: the same `stream_source`, but core's own HLS."""

from typing import override

from homeassistant.components.camera import PLATFORM_SCHEMA as CAMERA, Camera, CameraEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType
import voluptuous as vol

OF = "camera.bench"
"""The camera of Tripod's that is played."""

PLATFORM_SCHEMA = CAMERA.extend({vol.Required("names"): cv.ensure_list})


async def async_setup_platform(
    hass: HomeAssistant,
    config: ConfigType,
    async_add_entities: AddEntitiesCallback,
    discovery_info: DiscoveryInfoType | None = None,
) -> None:
    """Set up as many as are named: each plays once, because core keeps a stream warm for 30 s."""
    async_add_entities([CoreCamera(name) for name in config["names"]])


class CoreCamera(Camera):
    """One of Tripod's cameras, played by core."""

    _attr_supported_features = CameraEntityFeature.STREAM

    def __init__(self, name: str) -> None:
        """Be `name`."""
        super().__init__()
        self._attr_name = name

    @override
    async def stream_source(self) -> str | None:
        """Return the other camera's."""
        camera: Camera | None = self.hass.data["camera"].get_entity(OF)
        return await camera.stream_source() if camera else None

    @override
    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        """Return nothing: only the video is looked at."""
        return None
