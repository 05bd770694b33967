"""Control of a camera by MQTT, over the connection of Home Assistant's own MQTT integration, where there is one."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, Final

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from . import control
from .const import CONF_MQTT, CONF_PREFIX, DOMAIN
from .data import TripodConfigEntry
from .engine.archive import Item
from .engine.controls import Controls
from .engine.mqtt import Host, MqttControl, MqttStatus, Unsent, default_prefix
from .engine.mqtt.control import OFFLINE
from .engine.status import State
from .media_facts import facts
from .sentences import describe

MQTT: Final = "mqtt"

ONCE: Final = 2
"""The quality of service that commands are taken with: a sender that asks for as much is sure of exactly one."""

AT_LEAST_ONCE: Final = 1


class MqttBridge:
    """What brings one camera's commands, and takes what it says, while MQTT is set up in Home Assistant."""

    def __init__(self, hass: HomeAssistant, entry: TripodConfigEntry) -> None:
        """Begin without a connection."""
        self._hass = hass
        self._entry = entry
        self._control: MqttControl | None = None
        self._unfollow: Callable[[], None] | None = None
        self._detachments: list[Callable[[], None]] = []

    @property
    def status(self) -> MqttStatus | None:
        """How the connection is; None where the camera is not controlled by MQTT."""
        return self._control.status if self._control else None

    async def update(self) -> None:
        """Control the camera as its options say now."""
        prefix = prefix_of(self._entry)
        if (self._control.topics.prefix if self._control else None) == prefix:
            return
        await self.close()
        if prefix is not None:
            self._open(prefix)

    async def close(self) -> None:
        """Say that the camera is offline, and hear no more commands."""
        if self._control is None:
            return
        if self._unfollow:
            self._unfollow()
        self._unsubscribe()
        await self._control.close()
        self._control = None
        self._detachments.clear()

    def _open(self, prefix: str) -> None:
        entry, camera = self._entry, self._entry.runtime_data.camera
        self._control = MqttControl(camera, prefix, self._publish, title=entry.title, host=_host(self._hass, entry))
        self._control.open()
        self._unfollow = async_dispatcher_connect(self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._follow)
        if self._hass.config_entries.async_loaded_entries(MQTT):
            self._attach()

    @callback
    def _follow(self, _: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Come and go with Home Assistant's connection, which would carry our subscriptions over a reload by itself.

        But then nobody could end them.
        """
        if entry.domain != MQTT:
            return
        if entry.state is ConfigEntryState.LOADED and not self._detachments:
            self._attach()
        elif entry.state is not ConfigEntryState.LOADED and self._detachments:
            self._detach()

    @callback
    def _attach(self) -> None:
        self._hass.async_create_task(self._subscribe(), f"{DOMAIN}: subscribe")

    async def _subscribe(self) -> None:
        mqtt, control = _mqtt(), self._control
        assert control is not None

        @callback
        def take(message: Any) -> None:
            control.take(message.topic, message.payload, retained=message.retain)

        @callback
        def connection(connected: bool) -> None:  # noqa: FBT001 - as Home Assistant calls it
            if not connected:
                control.disconnected()

        topics = control.topics.commands
        self._detachments.append(mqtt.async_subscribe_connection_status(self._hass, connection))
        for topic in topics:
            self._detachments.append(await mqtt.async_subscribe(self._hass, topic, take, ONCE, encoding=None))
        # once commands are heard, now and after each break
        self._detachments.append(mqtt.async_on_subscribe_done(self._hass, topics[-1], ONCE, control.connected))

    @callback
    def _detach(self) -> None:
        """Say that the camera is offline while there still is a connection, and forget it."""
        assert self._control is not None
        self._unsubscribe()
        self._detachments.clear()
        self._control.disconnected()
        topic = self._control.topics.availability
        # nobody waits for it: it is on its way at once, or never
        self._hass.async_create_background_task(self._say_last(topic), f"{DOMAIN}: offline")

    @callback
    def _unsubscribe(self) -> None:
        for detach in reversed(self._detachments):
            detach()

    async def _say_last(self, topic: str) -> None:
        try:
            await self._publish(topic, OFFLINE, retain=True)
        except Unsent:
            return  # the broker went first

    async def _publish(self, topic: str, payload: str, retain: bool) -> None:  # noqa: FBT001 - as the engine calls it
        try:
            await _mqtt().async_publish(self._hass, topic, payload, AT_LEAST_ONCE, retain)
        except HomeAssistantError as error:
            raise Unsent(str(error)) from error


def _mqtt() -> ModuleType:
    """Return Home Assistant's integration, whose packages are there only where it is used."""
    from homeassistant.components import mqtt  # noqa: PLC0415

    return mqtt


def prefix_of(entry: ConfigEntry) -> str | None:
    """Return what a camera's topics begin with; None where it is not controlled by MQTT."""
    prefix: str | None = entry.options.get(CONF_MQTT, {}).get(CONF_PREFIX)
    return prefix


@callback
def suggested_prefix(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """Return a prefix by the camera's name, that no other camera has."""
    usual, number = default_prefix(entry.title), 1
    prefix = usual
    while owner(hass, prefix, entry):
        number += 1
        prefix = f"{usual}_{number}"
    return prefix


@callback
def owner(hass: HomeAssistant, prefix: str, other_than: ConfigEntry) -> ConfigEntry | None:
    """Return another camera whose topics begin with `prefix`."""
    cameras = hass.config_entries.async_entries(DOMAIN)
    return next((camera for camera in cameras if camera is not other_than and prefix_of(camera) == prefix), None)


def _host(hass: HomeAssistant, entry: TripodConfigEntry) -> Host:
    """Return what commands do by the same ways as the actions do."""

    async def start() -> State:
        return await control.start(hass, entry)

    async def stop() -> State:
        return await control.stop(hass, entry)

    async def reset(_: Controls) -> None:
        await control.reset(hass, entry)

    def where(item: Item) -> dict[str, Any]:
        return facts(entry, item, {})

    return Host(start=start, stop=stop, reset=reset, facts=where, describe=partial(describe, hass))
