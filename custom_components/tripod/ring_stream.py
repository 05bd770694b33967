"""HLS for dashboards, from the camera's own ring instead of core's decode worker.

Core's own HLS shows its first picture after about six seconds, because its playlist waits for a second segment. The
ring holds finished segments already. What is asked of core's `Stream` besides HLS (recordings, stills) stays core's.
"""

from annotationlib import Format
from contextlib import AsyncExitStack
import inspect
from operator import attrgetter
import secrets
from typing import override

from homeassistant.components import stream as core
from homeassistant.components.camera import DynamicStreamSettings
from homeassistant.components.stream.const import (
    ATTR_STREAMS,
    HLS_PROVIDER,
    OUTPUT_IDLE_TIMEOUT,
    OUTPUT_STARTUP_TIMEOUT,
)
from homeassistant.components.stream.core import IdleTimer, StreamOutput, StreamSettings
from homeassistant.core import HomeAssistant

from .const import DASHBOARD_HLS_URL
from .data import TripodData
from .engine.viewers import Client
from .shared import SHARED

MASTER = "stream.m3u8"

_EXPECTED = {
    "Stream": ("hass", "source", "pyav_options", "stream_settings", "dynamic_stream_settings", "stream_label"),
    "Stream.add_provider": ("self", "fmt", "timeout"),
    "Stream.endpoint_url": ("self", "fmt"),
    "Stream.start": ("self",),
    "Stream.stop": ("self",),
    "Stream._stop": ("self",),
    "Stream.outputs": ("self",),
    "Stream.async_get_image": ("self", "width", "height", "wait_for_next_keyframe"),
    "StreamOutput": ("hass", "idle_timer", "stream_settings", "dynamic_stream_settings", "deque_maxlen"),
    "IdleTimer": ("hass", "timeout", "idle_callback", "startup_timeout"),
    "IdleTimer.awake": ("self",),
    "_convert_stream_options": ("hass", "stream_source", "stream_options"),
}
"""The parts of core that `RingStream` is built on, with their parameters as of 2026.10 and 2026.11."""


def core_is_as_expected() -> bool:
    """Return whether core's streams are built the way that `RingStream` needs."""
    try:
        parts = {name: attrgetter(name)(core) for name in _EXPECTED}
    except AttributeError:
        return False
    return all(
        tuple(inspect.signature(part, annotation_format=Format.FORWARDREF).parameters) == _EXPECTED[name]
        for name, part in parts.items()
    )


class RingStream(core.Stream):
    """Core's stream of one camera, whose `hls` output is served from the pipeline's ring."""

    def __init__(
        self,
        hass: HomeAssistant,
        source: str,
        *,
        camera: TripodData,
        stream_settings: StreamSettings,
        pyav_options: dict[str, str],
        dynamic_stream_settings: DynamicStreamSettings,
        stream_label: str,
    ) -> None:
        """Offer `camera`'s ring as HLS, and `source` to core's worker for all else."""
        super().__init__(hass, source, pyav_options, stream_settings, dynamic_stream_settings, stream_label)
        self.camera = camera
        self.token: str | None = None
        self._ring: StreamOutput | None = None
        self._demand = AsyncExitStack()

    @property
    def client(self) -> Client:
        """On whose behalf the dashboards' players come."""
        return Client(f"dashboard:{self.token}", "Dashboard")

    @override
    def add_provider(self, fmt: str, timeout: int | None = None) -> StreamOutput:
        """Add an output; ours for HLS."""
        if fmt != HLS_PROVIDER:
            return super().add_provider(fmt, timeout)
        if self._ring is None:
            timer = IdleTimer(
                self.hass, timeout or OUTPUT_IDLE_TIMEOUT, self._on_idle, timeout or OUTPUT_STARTUP_TIMEOUT
            )
            self._ring = StreamOutput(self.hass, timer, self._stream_settings, self.dynamic_stream_settings)
        return self._ring

    @override
    async def start(self) -> None:
        """Want the camera's packets; start core's worker only for core's own outputs."""
        if self._ring is not None and self.token is None:
            self.token = secrets.token_hex()
            self.hass.data[SHARED].streams[self.token] = self
            self._ring.idle_timer.start()
            await self._demand.enter_async_context(self.camera.pipeline.packets())
        if self.outputs():
            await super().start()

    @override
    async def stop(self) -> None:
        """End core's worker also where the camera is preloaded, which here is about the ring."""
        await super().stop()
        await self._stop()

    @override
    def endpoint_url(self, fmt: str) -> str:
        """Return the master playlist's URL."""
        if fmt != HLS_PROVIDER:
            return super().endpoint_url(fmt)
        if self.token is None:
            raise ValueError("The stream is not started")
        return DASHBOARD_HLS_URL.format(token=self.token, path=MASTER)

    @override
    async def async_get_image(
        self, width: int | None = None, height: int | None = None, wait_for_next_keyframe: bool = False
    ) -> bytes | None:
        """Return a still, which takes core's own worker and output."""
        super().add_provider(HLS_PROVIDER)
        await super().start()
        return await self._keyframe_converter.async_get_image(
            width=width, height=height, wait_for_next_keyframe=wait_for_next_keyframe
        )

    def awake(self) -> None:
        """Note that a player asked for something."""
        if self._ring:
            self._ring.idle_timer.awake()

    async def _on_idle(self) -> None:
        if not self.dynamic_stream_settings.preload_stream:
            await self.end_hls()

    async def end_hls(self) -> None:
        """Let the players go, and the camera as far as they are concerned."""
        if self._ring:
            self._ring.cleanup()
            self._ring = None
        if self.token:
            self.camera.endpoints.disconnect(self.client.id)
            del self.hass.data[SHARED].streams[self.token]
            self.token = None
        await self._demand.aclose()


def create(
    hass: HomeAssistant, entity_id: str, source: str, camera: TripodData, settings: DynamicStreamSettings
) -> RingStream:
    """Return a stream for a camera entity, made as core's `create_stream` makes its own."""
    pyav_options, stream_settings = core._convert_stream_options(hass, source, {})  # noqa: SLF001
    stream = RingStream(
        hass,
        source,
        camera=camera,
        stream_settings=stream_settings,
        pyav_options=pyav_options,
        dynamic_stream_settings=settings,
        stream_label=entity_id,
    )
    hass.data[core.DOMAIN][ATTR_STREAMS].append(stream)
    return stream
