"""Each thing that keeps a node from working is told in plain words, by looking at the real thing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
import errno
from pathlib import Path
import platform
import socket

from aiohttp import web
from cryptography import x509
import pytest

from custom_components.tripod.engine.archive import DEFAULT_FLOOR
from custom_components.tripod.engine.errors import DeviceHeld, DeviceNotPermitted
from custom_components.tripod.engine.sources import Csi, TestPattern, UrlSource, V4l2
from custom_components.tripod.node.checks import Finding, Verdict, every, machine, network
from custom_components.tripod.node.checks.finding import HINTS, failed
from custom_components.tripod.node.config import Announce, Broker, CameraConfig, NodeConfig, ToolPaths
from custom_components.tripod.node.tools import tools
from tests.servers.certificate import Authority, Pair, write_chain

PATTERN = CameraConfig(id="pattern", source=TestPattern(width=320, height=240))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def config(tmp_path: Path) -> NodeConfig:
    return NodeConfig(
        name="Test", port=free_port(), state=tmp_path / "state", archive=tmp_path / "archive", cameras=(PATTERN,)
    )


async def found(config: NodeConfig, path: Path | None = None) -> dict[str, Finding]:
    """Return the findings that are worst, by what they are about."""
    order = list(Verdict)
    worst: dict[str, Finding] = {}
    async for finding in every(config, path, tools(config.tools)):
        known = worst.get(finding.about)
        if known is None or order.index(finding.verdict) > order.index(known.verdict):
            worst[finding.about] = finding
    return worst


async def test_all_is_well(config: NodeConfig, tmp_path: Path) -> None:
    path = tmp_path / "tripod-node.toml"
    path.write_text("")
    findings = await found(config, path)
    assert not [finding for finding in findings.values() if finding.verdict is Verdict.BAD]
    assert findings["camera pattern"].text.startswith("320x240 h264")
    assert "only this machine can connect" in findings[f"port {config.port}"].text


def source_of(kind: str) -> CameraConfig:
    sources = {
        "unplugged": V4l2(device="/dev/video99"),
        "refused": UrlSource(url=f"http://127.0.0.1:{free_port()}/stream"),
        "unknown": UrlSource(url="rtsp://no-such-host.invalid/stream"),
        "csi": Csi(camera="/base/soc/imx708@1a"),
    }
    return CameraConfig(id="bad", source=sources[kind])


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("unplugged", "The device is not there: /dev/video99"),
        ("refused", "127.0.0.1"),
        ("unknown", "no-such-host.invalid"),
        ("csi", "no camera software for CSI cameras"),
    ],
)
async def test_a_camera_that_is_not_there_says_why_and_the_others_are_looked_at(
    config: NodeConfig, kind: str, said: str, tmp_path: Path
) -> None:
    bare = tmp_path / "python"  # a Python that has no libcamera
    bare.write_text('#!/bin/sh\nexec /usr/bin/python3 -S -I "$@"\n')
    bare.chmod(0o755)
    paths = ToolPaths(python=str(bare), rpicam_vid="/nothing")
    findings = await found(replace(config, cameras=(source_of(kind), PATTERN), tools=paths))
    assert findings["camera bad"].verdict is Verdict.BAD
    assert said in findings["camera bad"].text
    assert findings["camera bad"].hint
    assert findings["camera pattern"].verdict is Verdict.GOOD


async def test_without_ffmpeg(config: NodeConfig) -> None:
    findings = await found(replace(config, tools=ToolPaths(ffmpeg="/nothing")))
    assert findings["ffmpeg"].verdict is Verdict.BAD
    assert findings["ffmpeg"].hint.startswith("sudo apt install ffmpeg")


async def test_without_a_hardware_encoder_it_is_said_who_works(config: NodeConfig) -> None:
    camera = CameraConfig(id="jpegs", source=TestPattern(width=320, height=240, format="mjpeg"))
    findings = await found(replace(config, cameras=(camera,)))
    assert findings["encoder"].verdict in (Verdict.NOTE, Verdict.GOOD)
    if findings["encoder"].verdict is Verdict.NOTE:
        assert "jpegs: video is made of JPEGs by the processor" in findings["encoder"].text


@pytest.mark.parametrize(
    ("host", "said"), [("192.0.2.1", "no address of this machine"), ("127.0.0.1", "another program")]
)
def test_a_port_that_cannot_be_had(config: NodeConfig, host: str, said: str) -> None:
    with socket.create_server(("127.0.0.1", config.port)):
        (finding,) = network.port(replace(config, host=host), running=False)
    assert finding.verdict is Verdict.BAD
    assert said in finding.text


def test_a_disk_without_room(config: NodeConfig) -> None:
    findings = list(machine.folders(replace(config, floor=1 << 60)))
    assert findings[-1].verdict is Verdict.BAD
    assert "nothing can be kept" in findings[-1].text
    assert list(machine.folders(replace(config, floor=DEFAULT_FLOOR)))


@pytest.mark.parametrize(("now", "verdict"), [(0.0, Verdict.BAD), (1_900_000_000.0, Verdict.GOOD)])
def test_a_clock_that_was_never_set(now: float, verdict: Verdict) -> None:
    (finding,) = machine.clock(lambda: now)
    assert finding.verdict is verdict


def test_passwords_that_everybody_may_read(config: NodeConfig, tmp_path: Path) -> None:
    path = tmp_path / "tripod-node.toml"
    path.touch(0o644)
    camera = CameraConfig(id="door", source=UrlSource(url="rtsp://user:password@host/"))
    findings = list(machine.file(path, replace(config, cameras=(camera,))))
    assert f"chmod 600 {path}" in findings[-1].text
    path.chmod(0o600)
    assert len(list(machine.file(path, replace(config, cameras=(camera,))))) == 1


# --- certificates -----------------------------------------------------------------------------------------------------


def certified(config: NodeConfig, pair: Pair) -> NodeConfig:
    return replace(config, certificate=pair.certificate, key=pair.key)


def test_certificates(config: NodeConfig, tmp_path: Path) -> None:
    chain = write_chain(tmp_path)

    def said(pair: Pair) -> list[tuple[Verdict, str]]:
        return [(finding.verdict, finding.text) for finding in network.certificate(certified(config, pair))]

    assert said(chain.outdated) == [(Verdict.BAD, "it has expired")]
    good, names = said(chain.elsewhere)
    assert good[0] is Verdict.GOOD
    assert names == (Verdict.NOTE, "it is for elsewhere.example")
    assert said(Pair(chain.server.certificate, chain.node.key))[0][0] is Verdict.BAD
    assert said(Pair(tmp_path / "nothing.pem", chain.node.key))[0][0] is Verdict.BAD
    (tmp_path / "nonsense.pem").write_text("nonsense")
    assert said(Pair(tmp_path / "nonsense.pem", chain.node.key))[0][0] is Verdict.BAD


def test_a_certificate_for_this_machine_that_ends_soon(config: NodeConfig, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "Household")
    name = platform.node().lower()
    soon = authority.server(name, x509.DNSName(f"{name}.local"), days=5)
    (finding,) = network.certificate(certified(config, soon))
    assert (finding.verdict, finding.hint) == (Verdict.NOTE, "renew it soon")


# --- others -----------------------------------------------------------------------------------------------------------


Offer = Callable[[int, dict[str, str]], Awaitable[str]]


@pytest.fixture
async def home() -> AsyncIterator[Offer]:
    """Answer where Home Assistant would."""
    runners: list[web.AppRunner] = []

    async def offer(status: int, headers: dict[str, str]) -> str:
        async def answer(request: web.Request) -> web.Response:
            allowed = request.headers.get("Authorization") == "Bearer right"
            return web.json_response({}, status=status if allowed else 401, headers=headers)

        application = web.Application()
        application.router.add_get("/api/", answer)
        runners.append(runner := web.AppRunner(application))
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return f"http://127.0.0.1:{port}"

    yield offer
    for runner in runners:
        await runner.cleanup()


async def test_a_home_assistant_that_is_to_hear_of_the_node(home: Offer) -> None:
    url = await home(200, {})
    (good,) = await network.announce(Announce(url=url, token="right"))
    assert good.verdict is Verdict.GOOD
    (wrong,) = await network.announce(Announce(url=url, token="wrong"))
    assert "does not know the token" in wrong.text
    (away,) = await network.announce(Announce(url=f"http://127.0.0.1:{free_port()}", token="right"))
    assert away.hint == HINTS["refused"]
    behind = await network.announce(
        Announce(url=await home(200, {"Date": "Sun, 01 Nov 2026 00:00:00 GMT"}), token="right"), lambda: 0.0
    )
    assert "it differs by" in behind[-1].text


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_broker(listening: int) -> None:
    (good,) = await network.broker(Broker(host="127.0.0.1", port=listening))
    assert good.verdict is Verdict.GOOD
    (away,) = await network.broker(Broker(host="127.0.0.1", port=free_port()))
    assert away.hint == HINTS["refused"]
    (unknown,) = await network.broker(Broker(host="no-such-host.invalid"))
    assert unknown.hint == HINTS["host_not_found"]


def test_what_to_do_names_the_group() -> None:
    finding = failed("x", DeviceNotPermitted(device="/dev/video0", group="video", gid="44"))
    assert "usermod -aG video" in finding.hint
    assert "group_add: [44]" in finding.hint
    assert "belongs to the group video (44)" in finding.text
    assert failed("x", DeviceHeld(device="/dev/video0", holder="motion (123)")).hint.startswith("end that program")


def test_every_port_error_has_words() -> None:
    assert {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES} == network._PORT.keys()
