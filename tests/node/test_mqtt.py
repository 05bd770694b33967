"""A camera of a node and a real broker that asks for certificates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
import logging
from pathlib import Path
import socket
import ssl

from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
import pytest

from custom_components.tripod.engine.backoff import Backoff
from custom_components.tripod.engine.camera import Camera
from custom_components.tripod.engine.errors import TripodError
from custom_components.tripod.engine.mqtt import control
from custom_components.tripod.node import mqtt_diagnosis
from custom_components.tripod.node.config import Broker
from custom_components.tripod.node.mqtt import LONGEST, MqttLink
from tests.engine.mqtt.rig import controlled
from tests.servers.certificate import Chain, Pair
from tests.servers.mosquitto import Listener, Mosquitto

PREFIX = "tripod/yard"

PASSWORD = "very-secret"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "REPORT_INTERVAL", 0.05)
    monkeypatch.setattr(mqtt_diagnosis, "ALERT", 0.3)


@pytest.fixture
async def camera(tmp_path: Path) -> AsyncIterator[Camera]:
    async with controlled(tmp_path) as camera:
        yield camera


def _broker(mosquitto: Mosquitto, pair: Pair | None = None) -> Broker:
    own = pair or mosquitto.chain.node
    return Broker(
        host="localhost",
        port=mosquitto.port,
        tls=True,
        ca=mosquitto.chain.root,
        certificate=own.certificate,
        key=own.key,
        username="ignored",
        password=PASSWORD,
    )


class Naps:
    """How long a link waits between two tries, which it need not here."""

    def __init__(self, limit: int = 2) -> None:
        self.taken: list[float] = []
        self.enough = asyncio.Event()
        """Set after so many: a link that has not made it by then waits for `go`."""
        self.limit = limit
        self.go = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) >= self.limit:
            self.enough.set()
            await self.go.wait()


@asynccontextmanager
async def _linked(
    broker: Broker, camera: Camera, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, timeout: float = 5
) -> AsyncIterator[MqttLink]:
    link = MqttLink(
        broker, camera, prefix=PREFIX, title="Yard", client_id="tripod-test-yard", sleep=sleep, timeout=timeout
    )
    link.open()
    try:
        yield link
    finally:
        await link.close()


def _listening(mosquitto: Mosquitto) -> AbstractAsyncContextManager[Listener]:
    return mosquitto.listener(PREFIX)


async def test_a_camera_is_controlled_with_client_certificates(mosquitto: Mosquitto, camera: Camera) -> None:
    async with _listening(mosquitto) as listener, _linked(_broker(mosquitto), camera) as link:
        await listener.until("availability", lambda text: text == "online")
        assert link.status.connected
        await listener.do("picture gate")
        reply = await listener.until("reply")
        assert Path(reply["path"]).name == "gate.jpg"
        assert await listener.until("status", lambda text: text.startswith("A picture")) == (
            f"A picture was taken: {reply['path']}"
        )
        await listener.do("focus 20", to="settings")
        refused = await listener.until("reply")
        assert refused["message"] == "focus cannot be set now: set autofocus to off first"
        await listener.do('{"action": "record", "duration": 0.5, "id": "r"}')
        await listener.until("reply", lambda found: found.get("id") == "r" and found["state"] == "waiting")
        done = await listener.until("reply", lambda found: found.get("id") == "r")
        assert Path(done["path"]).suffix == ".mp4"
        for payload in (b"", b"\xff\x00", b"x" * 100_000, b"dance"):
            await listener.do(payload)
            assert (await listener.until("reply"))["cause"] == "invalid_command"
        await listener.do(b"x" * 1_000_000)  # which the broker keeps to itself
        await listener.do("status")
        assert (await listener.until("reply"))["status"]["state"] == "streaming"
    async with _listening(mosquitto) as listener:
        assert await listener.until("availability") == "offline"
        assert listener.heard[-1][2]
    assert "as tripod-test-yard (p5, c1, k30, u'node')" in mosquitto.log


async def test_a_command_that_the_broker_kept_is_not_done(mosquitto: Mosquitto, camera: Camera) -> None:
    async with _listening(mosquitto) as listener:
        await listener.do("record 60", retain=True)
        async with _linked(_broker(mosquitto), camera):
            reply = await listener.until("reply")
            assert "without retain" in reply["message"]
            assert camera.recordings == ()
        await listener.do(b"", retain=True)


async def test_the_broker_tells_the_last_will(mosquitto: Mosquitto, camera: Camera) -> None:
    async with _listening(mosquitto) as listener, _linked(_broker(mosquitto), camera) as link:
        await listener.until("availability", lambda text: text == "online")
        client = link._client
        assert client
        sock = client._client.socket()
        assert isinstance(sock, socket.socket)
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # without a word to the broker, as when the network breaks
        assert await listener.until("availability", lambda text: text == "offline")
        assert await listener.until("availability", lambda text: text == "online")


async def test_a_broker_that_was_away_for_long_learns_how_things_are(
    mosquitto: Mosquitto, camera: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    naps = Naps()
    async with _linked(_broker(mosquitto), camera, naps.sleep) as link:
        async with _listening(mosquitto) as listener:
            await listener.until("availability", lambda text: text == "online")
        mosquitto.stop()
        await naps.enough.wait()
        assert link.status.error
        assert link.status.error.cause == "refused"
        for _ in range(3600):  # an hour of it
            link.control.say("Something happened")
        await camera.pipeline.stop()
        dropped = link.status.dropped
        mosquitto.start()
        async with _listening(mosquitto) as listener:
            naps.go.set()
            assert await listener.until("availability") == "online"
            assert (await listener.until("status/json"))["state"] == "stopped"
            await listener.do('{"action": "status", "id": "last"}')
            await listener.until("reply", lambda found: found.get("id") == "last")
            texts = [text for topic, text, _ in listener.heard if topic == "status"]
            assert len(texts) == 100
            assert texts[-1] == "The camera is stopped"
        assert link.status.error is None
        assert link.status.breaks == 1
        assert dropped == 3601 - 100
    warnings = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert [text for text in warnings if "dropped" in text] == [
        "Yard: 3501 MQTT messages were dropped while the broker was away"
    ]
    assert len([text for text in warnings if "refused the connection" in text]) == 1


def test_tries_are_far_between() -> None:
    backoff = Backoff(lambda: 0.0, limit=LONGEST)
    assert [backoff.next() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


Change = Callable[[Broker, Chain], Broker]


def _as(name: str) -> Change:
    def change(broker: Broker, chain: Chain) -> Broker:
        pair: Pair = getattr(chain, name)
        return replace(broker, certificate=pair.certificate, key=pair.key)

    return change


@pytest.mark.parametrize(
    ("change", "server", "cause", "words"),
    [
        pytest.param(
            lambda b, _: replace(b, certificate=None, key=None), "server", "client_certificate", "", id="none"
        ),
        pytest.param(_as("stranger"), "server", "client_certificate", "", id="stranger"),
        pytest.param(_as("expired"), "server", "client_certificate", "", id="expired"),
        pytest.param(lambda b, _: b, "elsewhere", "tls", "Hostname mismatch", id="name"),
        pytest.param(lambda b, _: b, "outdated", "tls", "expired", id="outdated"),
        pytest.param(lambda b, _: replace(b, ca=None), "server", "tls", "", id="unknown authority"),
        pytest.param(
            lambda b, _: replace(b, tls=False, ca=None, certificate=None, key=None),
            "server",
            "unreachable",
            "says nothing in MQTT",
            id="no TLS",
        ),
        pytest.param(
            lambda b, _: replace(b, host="nowhere.invalid"), "server", "host_not_found", "nowhere.invalid", id="host"
        ),
        pytest.param(lambda b, _: replace(b, port=1), "server", "refused", "localhost:1", id="port"),
        pytest.param(
            lambda b, c: replace(b, key=c.home.key), "server", "invalid_configuration", "cannot be used", id="key"
        ),
        pytest.param(
            lambda b, _: replace(b, ca=Path("/nowhere")), "server", "invalid_configuration", "/nowhere", id="file"
        ),
    ],
)
async def test_what_is_wrong_is_said_once_and_tried_again(
    chain: Chain,
    tmp_path: Path,
    camera: Camera,
    caplog: pytest.LogCaptureFixture,
    change: Change,
    server: str,
    cause: str,
    words: str,
) -> None:
    mosquitto = Mosquitto(tmp_path, chain, getattr(chain, server))
    mosquitto.start()
    naps = Naps()
    try:
        async with _linked(change(_broker(mosquitto), chain), camera, naps.sleep, timeout=0.5) as link:
            await naps.enough.wait()
            error = link.status.error
            assert isinstance(error, TripodError)
            assert (error.cause, words in str(error)) == (cause, True), error
            assert len(naps.taken) == 2
            said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
            assert said == [f"Yard: no connection to the MQTT broker: {error}"]
            assert PASSWORD not in caplog.text + repr(link.status)
    finally:
        mosquitto.stop()


async def test_a_certificate_that_was_renewed_is_taken_up(mosquitto: Mosquitto, camera: Camera, tmp_path: Path) -> None:
    own = Pair(tmp_path / "node.pem", tmp_path / "node.key")

    def put(pair: Pair) -> None:
        own.certificate.write_bytes(pair.certificate.read_bytes())
        own.key.write_bytes(pair.key.read_bytes())

    put(mosquitto.chain.expired)
    naps = Naps(limit=1)
    async with _listening(mosquitto) as listener, _linked(_broker(mosquitto, own), camera, naps.sleep, timeout=2):
        await naps.enough.wait()
        put(mosquitto.chain.node)
        naps.go.set()
        assert await listener.until("availability") == "online"


async def test_a_broker_takes_nothing_older_than_tls_1_2(mosquitto: Mosquitto) -> None:
    context = mqtt_diagnosis.tls_context(_broker(mosquitto))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


async def test_a_broker_that_speaks_mqtt_3_only_will_do(mosquitto: Mosquitto, camera: Camera) -> None:
    async with _listening(mosquitto) as listener:
        link = MqttLink(_broker(mosquitto), camera, prefix=PREFIX, title="Yard", client_id="tripod-old")
        refused = MqttConnectError(ReasonCode(PacketTypes.CONNACK, "Unsupported protocol version"))
        assert link._refused(refused).cause == "source_failed"
        link.open()
        assert await listener.until("availability") == "online"
        assert (await listener.ask("picture"))["ok"]
        await link.close()
    assert "as tripod-old (p2, c1, k30, u'node')" in mosquitto.log
