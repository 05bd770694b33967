"""Tripod: any camera as a Home Assistant camera, with one shared capture for every consumer."""

from functools import partial
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from . import (
    archives,
    brought,
    encoding,
    issues,
    media_views,
    media_zip,
    publications,
    services,
    settings,
    software_encoder,
    timelapse_conditions,
    views,
)
from .camera_controls import CameraControls
from .const import CONF_FOLDER, CONF_MQTT, CONF_STORAGE, CONF_TAKE_OVER, DOMAIN
from .coordinator import TripodCoordinator
from .data import TripodConfigEntry, TripodData
from .discovery import Discovery
from .engine.camera import Camera
from .engine.errors import InvalidSource
from .engine.keeper import Keeper
from .engine.options import Start
from .engine.pipeline import Pipeline
from .engine.timelapse import RenderQueue, render
from .engine.web import CameraEndpoints
from .exposure import CameraExposure
from .hand_over import HandOver
from .links import Link, Links
from .listener import Listener
from .metrics_view import MetricsView
from .mqtt_control import MqttBridge
from .node_forms import access_of
from .node_views import NodesView
from .nodes import Nodes
from .sentences import describe
from .shared import SHARED, Shared, tools
from .storage import Storage
from .timelapse_switch import standing

CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)
"""A line `tripod:` lets nodes announce themselves before there is any camera."""

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CAMERA,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]


RENDERS = f".storage/{DOMAIN}.renders"
"""The file with the renders that wait, in the configuration's directory: no archive's disk must be there for it."""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all cameras share."""
    storage, listener = Storage(hass), Listener()
    await storage.load()
    await listener.start(hass)

    @callback
    def cut(link: Link) -> None:
        entry: TripodConfigEntry | None = hass.config_entries.async_get_entry(link.camera)
        if entry and entry.state is ConfigEntryState.LOADED:
            entry.runtime_data.endpoints.disconnect(link.client.id)

    renders = RenderQueue(Path(hass.config.path(RENDERS)), tools(hass).ffmpeg, render)
    await renders.open()

    async def close(_event: Event) -> None:
        await renders.close()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, close)
    hass.data[SHARED] = Shared(
        storage=storage,
        links=Links(hass, storage, cut),
        listener=listener,
        keeper=Keeper(lambda: storage.max_size * settings.MIB),
        nodes=Nodes(hass),
        renders=renders,
    )
    await encoding.recall(hass, storage)
    views.async_register(hass)
    media_views.async_register(hass)
    hass.http.register_view(media_zip.ZipView())
    hass.http.register_view(MetricsView())
    hass.http.register_view(NodesView())
    services.async_setup_services(hass)
    Discovery(hass).start()
    return True


async def async_setup_entry(hass: HomeAssistant, entry: TripodConfigEntry) -> bool:
    """Set up a camera."""
    shared = hass.data[SHARED]
    brought.begin(hass, entry)
    pipeline, storage = _pipeline(hass, entry), shared.storage
    archive = archives.make(hass, entry)
    camera = Camera(
        pipeline,
        archive,
        keeper=shared.keeper,
        renders=shared.renders,
        retention=settings.retention(entry.options),
        permit=archives.permit(hass, entry, archive),
        allowed=partial(timelapse_conditions.allowed, hass),
    )
    controls = CameraControls(storage, entry.entry_id, pipeline.controls) if pipeline.controls else None
    entry.runtime_data = TripodData(
        camera=camera,
        endpoints=CameraEndpoints(
            pipeline, title=entry.title, archive=archive, describe=partial(describe, hass), cors=False
        ),  # the views see to CORS, with Home Assistant's own means
        coordinator=TripodCoordinator(hass, entry, pipeline),
        controls=controls,
        exposure=CameraExposure(storage, entry.entry_id, controls) if controls else None,
        hand_over=_hand_over(hass, entry, camera),
        mqtt=MqttBridge(hass, entry),
        applied=_configured(entry),
    )
    shared.listener.add(entry.entry_id, entry.runtime_data.endpoints)
    shared.links.update(entry)
    issues.watch(hass, entry)
    issues.watch_archive(hass, entry)
    archives.watch(hass, entry)
    software_encoder.watch(hass, entry)
    encoding.find(hass, entry)
    await issues.check_ffmpeg(hass)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)

    async def close(_event: Event) -> None:
        await _close(hass, entry)

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, close))
    entry.async_on_unload(entry.add_update_listener(_update))
    pipeline.open()
    camera.open()
    await camera.stand(standing(entry))
    await publications.stand(hass, entry)
    brought.take_over(hass, entry)
    if controls:
        _begin_controls(hass, entry, controls)
    if entry.data["kind"] == "node":
        _join_node(hass, entry)
    await entry.runtime_data.mqtt.update()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: TripodConfigEntry) -> bool:
    """Stop a camera and let everybody go."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await _close(hass, entry)
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Forget a camera."""
    issues.forget(hass, entry)
    if shared := hass.data.get(SHARED):
        await shared.renders.forget(entry.entry_id)
        if entry.data["kind"] == "node":
            shared.nodes.forget(entry)
        shared.storage.forget_camera(entry.entry_id)
        for link in entry.subentries:
            shared.storage.forget_link(link)
            shared.storage.set_unpublished(link, off=False)


def _pipeline(hass: HomeAssistant, entry: TripodConfigEntry) -> Pipeline:
    try:
        source = settings.source(entry)
    except InvalidSource as error:
        raise ConfigEntryError(
            translation_domain=DOMAIN, translation_key=error.cause, translation_placeholders=error.placeholders
        ) from error
    options = settings.options(entry.options)
    storage = hass.data[SHARED].storage
    return Pipeline(
        source,
        tools(hass),
        options,
        name=entry.title,
        stopped=storage.stopped(entry.entry_id, options.start is Start.MANUAL),
        controls=storage.controls(entry.entry_id),
    )


@callback
def _begin_controls(hass: HomeAssistant, entry: TripodConfigEntry, controls: CameraControls) -> None:
    """Ask the camera for its controls, and let the sun or an entity turn those of exposure."""
    entry.async_on_unload(controls.close)
    entry.async_create_background_task(hass, controls.look(), "look for controls")
    if exposure := entry.runtime_data.exposure:
        exposure.follow(hass, entry)


def _hand_over(hass: HomeAssistant, entry: TripodConfigEntry, camera: Camera) -> HandOver | None:
    if entry.data["kind"] != "node" or not entry.options.get(CONF_TAKE_OVER, True):
        return None
    return HandOver(camera, access_of(entry), entry.data["camera"], hass.data[SHARED].nodes.turn)


@callback
def _join_node(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    if hand_over := entry.runtime_data.hand_over:
        hand_over.open()
    hass.data[SHARED].nodes.add(entry)


async def _close(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    shared = hass.data[SHARED]
    await entry.runtime_data.mqtt.close()
    if entry.data["kind"] == "node":
        await shared.nodes.remove(entry)
    if hand_over := entry.runtime_data.hand_over:
        await hand_over.close()
    shared.listener.remove(entry.entry_id)
    shared.links.remove(entry)
    await entry.runtime_data.endpoints.close()
    await entry.runtime_data.camera.close()
    await entry.runtime_data.pipeline.close()


async def _update(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Apply what changed, and nothing else: a link that comes or goes must not touch the running camera."""
    if _configured(entry) != entry.runtime_data.applied:
        hass.config_entries.async_schedule_reload(entry.entry_id)
    else:
        hass.data[SHARED].links.update(entry)
        await entry.runtime_data.camera.stand(standing(entry))
        await publications.stand(hass, entry)
        entry.runtime_data.camera.limit(settings.retention(entry.options), settings.floor(entry.options))
        await entry.runtime_data.mqtt.update()


def _configured(entry: TripodConfigEntry) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the camera must be set up anew for; limits of what is kept are taken over as they are, and MQTT."""
    apart = (CONF_MQTT, brought.CONF_BROUGHT)
    options = {key: value for key, value in entry.options.items() if key not in apart}
    return dict(entry.data), {**options, CONF_STORAGE: settings.storage(entry.options)[CONF_FOLDER]}
