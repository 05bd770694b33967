"""The camera itself, as Home Assistant knows cameras."""

from asyncio import Lock
from typing import override

from aiohttp import web
from homeassistant.components.camera import Camera, CameraEntityDescription, CameraEntityFeature
from homeassistant.components.stream import Stream
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import dashboard_hls
from .const import CONF_CODEC
from .data import TripodConfigEntry
from .engine.errors import TripodError
from .engine.status import State
from .engine.viewers import Client
from .engine.web import Scope
from .entity import BRAND, MODELS, TripodEntity
from .sentences import translated
from .settings import offers_video
from .shared import SHARED, tools

PARALLEL_UPDATES = 0

CAMERA = CameraEntityDescription(key="camera", name=None)

DASHBOARD = Client("dashboard", "Dashboard")


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the camera."""
    async_add_entities([TripodCamera(entry, hass.data[SHARED].listener.url(entry.entry_id))])


class TripodCamera(TripodEntity, Camera):
    """Pictures from the pipeline: MJPEG and stills from its frames, HLS from its ring, TS for whatever else asks."""

    _attr_brand = BRAND

    def __init__(self, entry: TripodConfigEntry, url: str) -> None:
        """Serve the camera of `entry`, whose MPEG-TS is at `url`."""
        super().__init__(entry, CAMERA)
        Camera.__init__(self)
        self._url = url
        self._creating = Lock()
        self._attr_model = MODELS[self.pipeline.source.kind]
        self._attr_is_streaming = self.status.state is State.STREAMING
        self._offer_video()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what is found out about encoders, and what is recorded."""
        await super().async_added_to_hass()
        self.async_on_remove(self.entry.runtime_data.camera.listen(self._show_recording))

        @callback
        def look() -> None:
            self._offer_video()
            self.async_write_ha_state()

        self.async_on_remove(tools(self.hass).encoders.listen(look))

    def _offer_video(self) -> None:
        """Offer video where it is right to, and not take it back from those who watch because an encoder fails."""
        if offers_video(self.entry, self.pipeline.source, self.pipeline.tools.encoders.chosen):
            self._attr_supported_features = CameraEntityFeature.STREAM

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._attr_is_streaming = self.status.state is State.STREAMING
        super()._handle_coordinator_update()

    @callback
    def _show_recording(self) -> None:
        recording = bool(self.entry.runtime_data.camera.recordings)
        if recording != self.is_recording:
            self._attr_is_recording = recording
            self.async_write_ha_state()

    @override
    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        """Return the newest picture; core scales it."""
        try:
            return (await self.pipeline.snapshot()).data
        except TripodError as error:
            raise translated(error) from error

    @override
    async def handle_async_mjpeg_stream(self, request: web.Request) -> web.StreamResponse | None:
        """Serve the frames as they come."""
        endpoints = self.entry.runtime_data.endpoints
        return await endpoints.handle(request, "stream.mjpg", DASHBOARD, frozenset({Scope.STREAM}))

    @override
    async def stream_source(self) -> str | None:
        """Return where core and go2rtc fetch the video; asking starts nothing."""
        return self._url

    @override
    async def async_create_stream(self) -> Stream | None:
        """Return the stream whose HLS is our own; core's where browsers take H.265 only in core's MP4."""
        async with self._creating:
            if self.stream is None and self.codec != "hevc":
                self.stream = await dashboard_hls.async_create(
                    self.hass, self.entity_id, self._url, self.entry.runtime_data
                )
        return self.stream or await super().async_create_stream()

    @property
    def codec(self) -> str | None:
        """What the camera delivers, as far as is known."""
        codec: str | None = self.status.codec or self.entry.data.get(CONF_CODEC)
        return codec

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Keep everything running: nothing here depends on the name (2026.11 asks; 2026.10 adds the entity again)."""

    @override
    async def async_will_remove_from_hass(self) -> None:
        """End core's stream, which core leaves running."""
        if self.stream:
            await dashboard_hls.async_close(self.stream)
            self.stream = None
        await super().async_will_remove_from_hass()
