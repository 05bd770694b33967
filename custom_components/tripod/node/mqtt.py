"""A camera's connection to an MQTT broker, kept whatever becomes of the network, the broker and the certificates.

Each camera has a connection of its own: the broker publishes one last will for each, and so tells of each camera that
its node is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
import logging
import ssl

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ..engine.backoff import Backoff
from ..engine.camera import Camera
from ..engine.errors import TripodError, Unauthorized
from ..engine.mqtt import Host, MqttControl, MqttStatus, Unsent
from ..engine.mqtt.control import OFFLINE
from .config import Broker
from .mqtt_diagnosis import diagnose, refusal, tls_context

_LOGGER = logging.getLogger(__name__)

_QUIET = logging.getLogger(f"{__name__}.client")
_QUIET.setLevel(logging.CRITICAL)
"""What the client library has to say is said here, once and in other words."""

LONGEST = 60.0
"""Seconds between two tries at most."""

STABLE = 60.0
"""Seconds after which a connection counts as good, so that the next break is followed by a quick try."""

KEEPALIVE = 30
"""Seconds after which a broker that says nothing is asked whether it is there; at one and a half it tells the will."""

TIMEOUT = 10.0
"""Seconds that the broker may take for an answer."""

LARGEST = 256 * 1024
"""Bytes of a message that the broker may send: what is larger it keeps to itself (MQTT 5), and takes no memory here."""

ONCE = 2
"""The quality of service that commands are taken with: a sender that asks for as much is sure of exactly one."""

AT_LEAST_ONCE = 1

BACKLOG = 64
"""Commands that wait to be looked at; more at once are dropped by the throttle all the same."""

OLD_PROTOCOL = 0x84
"""What a broker answers that does not speak MQTT 5."""


class MqttLink:
    """The connection of one camera."""

    def __init__(
        self,
        broker: Broker,
        camera: Camera,
        *,
        prefix: str,
        title: str,
        client_id: str,
        host: Host | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        timeout: float = TIMEOUT,
    ) -> None:
        """Let `camera`, which people know as `title`, be controlled by way of `broker` under `prefix`."""
        self.control = MqttControl(camera, prefix, self._publish, title=title, host=host)
        self._broker = broker
        self._title = title
        self._client_id = client_id
        self._backoff = Backoff(limit=LONGEST)
        self._sleep = sleep
        self._timeout = timeout
        self._protocol = aiomqtt.ProtocolVersion.V5
        self._client: aiomqtt.Client | None = None
        self._error: TripodError | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def status(self) -> MqttStatus:
        """How the connection is."""
        return replace(self.control.status, error=self._error)

    def open(self) -> None:
        """Begin to connect."""
        self.control.open()
        self._task = asyncio.create_task(self._keep_connected(), name=f"{self._title}: MQTT")
        self._task.add_done_callback(_ended)

    async def close(self) -> None:
        """Tell the broker that the camera is offline, and end."""
        await self.control.close()
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _keep_connected(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            error = await self._serve()
            if loop.time() - began > STABLE:
                self._backoff.reset()
            self._fail(error)
            await self._sleep(self._backoff.next())

    async def _serve(self) -> TripodError:
        """Connect, and bring commands until that ends; return why."""
        try:
            context = await asyncio.to_thread(tls_context, self._broker) if self._broker.tls else None
        except TripodError as error:
            return error
        try:
            async with self._connection(context) as client:
                await self._subscribe(client)
                self._welcome(client)
                async for message in client.messages:
                    self.control.take(str(message.topic), bytes(message.payload), retained=message.retain)
        except TripodError as error:
            return error
        except MqttConnectError as error:
            return self._refused(error)
        except aiomqtt.MqttError as error:
            self._leave()
            return await diagnose(self._broker, context, error)
        finally:
            self._leave()
        raise AssertionError("the messages have no end")

    def _connection(self, context: ssl.SSLContext | None) -> aiomqtt.Client:
        broker, modern = self._broker, self._protocol is aiomqtt.ProtocolVersion.V5
        limit = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        limit.MaximumPacketSize = LARGEST
        return aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.username or None,
            password=broker.password or None,
            identifier=self._client_id,
            protocol=self._protocol,
            # what was asked for while the camera was away is not done hours later
            clean_session=None if modern else True,
            clean_start=modern or MQTT_CLEAN_START_FIRST_ONLY,
            properties=limit if modern else None,
            will=aiomqtt.Will(self.control.topics.availability, OFFLINE, qos=AT_LEAST_ONCE, retain=True),
            keepalive=KEEPALIVE,
            timeout=self._timeout,
            tls_context=context,
            max_queued_incoming_messages=BACKLOG,
            logger=_QUIET,
        )

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        for topic in self.control.topics.commands:
            codes = await client.subscribe(topic, qos=ONCE)
            if any(getattr(code, "is_failure", False) for code in codes):
                raise Unauthorized(f"{self._broker.host} does not let us subscribe to {topic}")

    def _welcome(self, client: aiomqtt.Client) -> None:
        if self._error:
            _LOGGER.info("%s: connected to the MQTT broker again", self._title)
        self._client, self._error = client, None
        self.control.connected()

    def _leave(self) -> None:
        self._client = None
        self.control.disconnected()

    def _refused(self, error: MqttConnectError) -> TripodError:
        if getattr(error.rc, "value", error.rc) == OLD_PROTOCOL and self._protocol is aiomqtt.ProtocolVersion.V5:
            self._protocol = aiomqtt.ProtocolVersion.V311
        return refusal(self._broker, error)

    def _fail(self, error: TripodError) -> None:
        """Note why there is no connection, and log it where that is news."""
        before, self._error = self._error, error
        if str(before) != str(error):
            _LOGGER.warning("%s: no connection to the MQTT broker: %s", self._title, error)

    async def _publish(self, topic: str, payload: str, retain: bool) -> None:  # noqa: FBT001 - as the outbox calls it
        client = self._client
        if client is None:
            raise Unsent("not connected")
        try:
            await client.publish(topic, payload, qos=AT_LEAST_ONCE, retain=retain)
        except aiomqtt.MqttError as error:
            raise Unsent(str(error)) from error


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        task.get_loop().call_exception_handler({"message": "a connection ended", "exception": error, "task": task})
