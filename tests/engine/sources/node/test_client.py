"""What is asked of a node, and what becomes of answers that no node would give."""

from __future__ import annotations

import asyncio
from dataclasses import replace
import json
from pathlib import Path
import ssl
import tracemalloc
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.sources import Medium, NodeSource
from custom_components.tripod.engine.sources.node import NodeAccess, NodeClient, Step, connection, diagnose
from custom_components.tripod.engine.sources.node.controls import NodeControls
from tests.engine.capture import capturing
from tests.servers.certificate import Chain, Pair, write_chain

from .bad_servers import HEAD, Behaviour, answers, bad_server, for_ever, says, silence, slowly
from .small_node import ID, STILL, TOKEN, server_context, small_node

NODE = {"protocol": 1, "id": ID, "name": "Shed", "version": "1.0"}
CAMERA = {"id": "bench", "title": "Bench"}


def said(**fields: object) -> Behaviour:
    return answers(json.dumps(NODE | fields).encode())


async def test_pairing() -> None:
    async with small_node() as node, NodeClient(NodeAccess(url=node.url)) as client:
        facts = await client.identity()
        assert (facts.id, facts.name, facts.cameras) == (ID, "Shed", ())
        with pytest.raises(errors.WrongCode):
            await client.pair("ABCD-0000", "Home")
        with pytest.raises(errors.PairingPaused) as paused:
            await client.pair("PAUSE", "Home")
        assert paused.value.placeholders["seconds"] == "30"
        token, facts = await client.pair("ABCD-EFGH", "Home")
        assert token == TOKEN
        assert [camera.id for camera in facts.cameras] == ["bench"]
        assert node.credentials == []
    async with NodeClient(NodeAccess(url=node.url, token=token, node=ID)) as client:
        with pytest.raises(errors.Refused):
            await client.facts()


async def test_what_a_node_says_to_whom_it_knows() -> None:
    async with (
        small_node(facts={"delivers": ["frames", "packets"], "interval": 2}) as node,
        NodeClient(node.source()) as client,
    ):
        (camera,) = (await client.facts()).cameras
        assert (camera.title, camera.delivers, camera.interval) == ("Bench <1>", frozenset(Medium), 2)
        assert await client.camera("bench") == camera
        assert await client.still("bench") == STILL
        assert node.asked.count("POST /proof") == 1, "once is enough"
        with pytest.raises(errors.NoSuchCamera):
            await client.camera("attic")


async def test_events() -> None:
    async with asyncio.timeout(10), small_node() as node, NodeClient(node.source()) as client:
        events = client.events()
        first = await anext(events)
        assert (first.name, first.camera, first.facts and first.facts.title) == ("status", "bench", "Bench <1>")
        item = {"kind": "recordings", "key": "a.mp4", "captured_at": "2026-11-21T14:05:09+01:00", "size": 5}
        data = json.dumps({"camera": "bench", "item": item | {"suffix": ".mp4"}})
        for part in (": still here\n\n", "event: item\nda", f"ta: {data}\r\n\r\n"):
            node.changes.put_nowait(part.encode())
        second = await anext(events)
        assert (second.name, second.item and second.item.key) == ("item", "a.mp4")
        node.changes.put_nowait(b"event: status\ndata: 5\n\n")
        with pytest.raises(errors.NotANode):
            await anext(events)


async def test_what_a_node_keeps_is_fetched(tmp_path: Path) -> None:
    files = {"2026/a b.mp4": b"a" * 700_000, "2026/c#?.mp4": b"c" * 10}
    async with small_node(files=files) as node, NodeClient(node.source()) as client:
        (first,), more = await client.items("bench", "recordings", limit=1)
        assert (first.key, first.size, more) == ("2026/a b.mp4", 700_000, True)
        assert first.captured_at.isoformat() == "2026-11-21T14:05:09.123000+01:00"
        (second,), more = await client.items("bench", "recordings", after=first.key)
        assert not more
        for item in (first, second):
            await client.download("bench", item, target := tmp_path / "part")
            assert target.read_bytes() == files[item.key]
            target.unlink()
        target.write_bytes(files[first.key][:300_000])
        await client.download("bench", first, target)
        assert target.read_bytes() == files[first.key]
        node.files[first.key] += b"more"
        target.unlink()
        with pytest.raises(errors.NotANode):
            await client.download("bench", first, target)
        node.files[first.key] = b"less"
        target.unlink()
        with pytest.raises(errors.StreamEnded):
            await client.download("bench", first, target)


async def test_controls_are_the_nodes() -> None:
    async with small_node() as node:
        controls = NodeControls(node.source(), "bench")
        await controls.refresh()
        assert controls.current["power_line_frequency"].choices == {0: "Disabled", 1: "50 Hz", 2: "60 Hz"}
        done = await controls.set({"brightness": 300})
        assert done["brightness"].value == 255, "as the camera took it"
        assert controls.wanted == node.controls.wanted == {"brightness": 300}
        with pytest.raises(errors.ControlInactive) as inactive:
            await controls.set({"focus_absolute": 10})
        assert inactive.value.placeholders["governor"] == "Focus, Automatic Continuous"
        with pytest.raises(errors.InvalidControl):
            await controls.set({"warp": 1})
        async with NodeClient(node.source()) as client:
            with pytest.raises(errors.ControlInactive) as told:
                await client.set_controls("bench", {"focus_absolute": 10})
        assert str(told.value) == str(inactive.value), "the node's own answer says the same"
        await controls.reset()
        assert controls.wanted == node.controls.wanted == {}
        node.controls.error = errors.Stopped()


BAD = {
    "another protocol": (says(b"SSH-2.0-OpenSSH_9.2p1\r\n"), errors.NotANode),
    "binary": (says(bytes(range(256)) * 50), errors.NotANode),
    "a page": (answers(b"<html>Log in</html>", HEAD.replace(b"application/json", b"text/html")), errors.NotANode),
    "no JSON": (answers(b"{"), errors.NotANode),
    "a list": (answers(b"[1]"), errors.NotANode),
    "depth": (answers(b"[" * 100_000), errors.NotANode),
    "a number without end": (answers(b"9" * 100_000), errors.NotANode),
    "compressed": (answers(b"\x1f\x8b\x08", HEAD + b"Content-Encoding: gzip\r\n"), errors.NotANode),
    "another version": (said(protocol=2), errors.NodeVersion),
    "no version": (said(protocol=None), errors.NotANode),
    "a version that is a word": (said(protocol="1"), errors.NotANode),
    "another id": (said(id="f" * 32), errors.NotANode),
    "an id that is a path": (said(id="../../etc/passwd"), errors.NotANode),
    "cameras that are none": (said(cameras=[5]), errors.NotANode),
    "a camera that is a path": (said(cameras=[CAMERA | {"id": "../x"}]), errors.NotANode),
    "a medium that is none": (said(cameras=[CAMERA | {"delivers": ["smoke"]}]), errors.NotANode),
    "not a number": (said(cameras=[CAMERA | {"interval": float("nan")}]), errors.NotANode),
    "a thousand cameras": (said(cameras=[CAMERA] * 1000), errors.NotANode),
    "elsewhere": (says(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), errors.NotANode),
    "not here": (says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), errors.NotANode),
    "broken": (says(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"), errors.SourceFailed),
    "an error of its own": (
        answers(b'{"cause": "\\u0000", "message": 5, "placeholders": 5}', HEAD.replace(b"200 OK", b"500 Oh")),
        errors.SourceFailed,
    ),
    "nothing": (says(b""), errors.StreamEnded),
    "half": (says(HEAD + b"Content-Length: 500\r\n\r\n{"), errors.StreamEnded),
    "silence": (silence, errors.Unreachable),
    "a body that drips": (slowly(HEAD + b"\r\n{"), errors.Unreachable),
    "a head that drips": (slowly(HEAD + b"X: "), errors.Unreachable),
    "ten gigabytes": (for_ever(HEAD + b"Content-Length: 10737418240\r\n\r\n", b"[" * 65536), errors.NotANode),
    "a refusal of ten gigabytes": (
        for_ever(b"HTTP/1.1 500 Oh\r\nContent-Length: 10737418240\r\n\r\n", b"[" * 65536),
        errors.SourceFailed,
    ),
    "a head without end": (for_ever(HEAD + b"X: ", b"x" * 65536), errors.NotANode),
    "headers without end": (for_ever(HEAD, b"X: y\r\n" * 10000), errors.NotANode),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_node(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    behave, expected = BAD[name]
    if expected is errors.Unreachable:
        monkeypatch.setattr(connection, "FIRST_BYTE_TIMEOUT", 0.5)
        monkeypatch.setattr(connection, "ANSWER_TIMEOUT", 0.5)
    async with bad_server(behave) as server:
        tracemalloc.start()
        try:
            async with asyncio.timeout(30), NodeClient(NodeAccess(url=server.url, node=ID)) as client:
                with pytest.raises(expected) as caught:
                    await client.facts()
            memory = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert caught.type is expected
        assert server.requests in (1, 2), "aiohttp asks again where a connection is closed at once"
        assert memory < 48 * 2**20, "bounded, whatever comes"


PARTS = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n--frame\r\n"
VIDEO = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n"

BAD_STREAMS = {
    "no parts": (for_ever(PARTS[:-9], b"x" * 65536), errors.NotANode),
    "a part without length": (says(PARTS + b"Content-Type: image/jpeg\r\n\r\n"), errors.NotANode),
    "a part of ten gigabytes": (
        for_ever(PARTS + b"Content-Length: 10737418240\r\n\r\n", b"x" * 65536),
        errors.NotANode,
    ),
    "a part that is no picture": (says(PARTS + b"Content-Length: 4\r\n\r\nGIF8"), errors.NotAPicture),
    "a page": (answers(b"<html>", HEAD.replace(b"application/json", b"text/html")), errors.NotANode),
    "an end, and no reason": (says(PARTS), errors.NotANode),
}


@pytest.mark.parametrize("name", BAD_STREAMS)
async def test_what_is_no_stream(name: str) -> None:
    behave, expected = BAD_STREAMS[name]
    async with bad_server(behave) as server, asyncio.timeout(10):
        source = NodeSource(url=server.url, camera="bench", packets=False)
        async with capturing(source) as capture:
            assert type(await capture.end()) is expected
        assert server.written < 16 * 2**20


async def test_video_that_is_none_stalls_and_takes_no_memory() -> None:
    async with bad_server(for_ever(VIDEO, b"\x00\x47" * 30000)) as server:
        source = NodeSource(url=server.url, camera="bench", frames=False)
        tracemalloc.start()
        async with capturing(source) as capture:
            async with asyncio.timeout(20):
                while server.written < 30_000_000:  # noqa: ASYNC110 - a server's counter
                    await asyncio.sleep(0.01)
            assert not capture.sink.chunks
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
        tracemalloc.stop()


async def test_a_name_that_leads_to_this_machine_is_not_followed() -> None:
    async def lookup(_: str) -> list[str]:
        return ["127.0.0.1"]

    async with small_node() as node:
        access = NodeAccess(url=f"http://node.example:{node.port}", token=TOKEN)
        async with NodeClient(access, resolve=lookup) as client:
            with pytest.raises(errors.AddressNotAllowed):
                await client.facts()
        assert node.asked == []
    async with NodeClient(NodeAccess(url="http://169.254.169.254")) as client:
        with pytest.raises(errors.AddressNotAllowed):
            await client.identity()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return write_chain(tmp_path_factory.mktemp("certificates"))


def fingerprint(pair: Pair) -> str:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes()).fingerprint(hashes.SHA256()).hex()


async def test_a_certificate_is_looked_at_before_the_token_is_sent(chain: Chain) -> None:
    root = str(chain.root)
    cases: list[tuple[Pair, dict[str, Any], str]] = [
        (chain.server, {"ca": root}, ""),
        (chain.server, {}, "unable to get local issuer certificate|self.signed"),
        (chain.server, {"verify_tls": False}, ""),
        (chain.server, {"fingerprint": fingerprint(chain.server)}, ""),
        (chain.server, {"fingerprint": "0" * 64}, "another certificate"),
        (chain.server, {"fingerprint": "0" * 64, "verify_tls": False}, "another certificate"),
        (chain.elsewhere, {"ca": root}, "not valid for '127.0.0.1'"),
        (chain.outdated, {"ca": root}, "expired"),
        (chain.outdated, {"fingerprint": fingerprint(chain.outdated)}, ""),
        (chain.server, {"ca": "/nowhere.pem"}, "cannot be read"),
    ]
    for pair, fields, words in cases:
        async with small_node(tls=server_context(pair)) as node, NodeClient(node.source(**fields)) as client:
            if not words:
                assert (await client.facts()).id == ID
                continue
            with pytest.raises(errors.TlsFailed, match=words) as caught:
                await client.facts()
            assert caught.type is errors.TlsFailed
            assert node.asked == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_node_that_wants_our_certificate(chain: Chain, version: ssl.TLSVersion) -> None:
    context = server_context(chain.server, chain.authorities)
    context.minimum_version = context.maximum_version = version
    async with small_node(tls=context) as node:
        good = {"ca": str(chain.root), **client_files(chain.home)}
        async with NodeClient(node.source(**good)) as client:
            assert (await client.facts()).id == ID
        for pair in (None, chain.stranger, chain.expired):
            files = client_files(pair) if pair else {}
            async with NodeClient(node.source(**good | {"client_certificate": "", "client_key": ""} | files)) as client:
                with pytest.raises(errors.ClientCertificate):
                    await client.facts()
        async with NodeClient(node.source(**good | {"client_key": "/nowhere.key"})) as client:
            with pytest.raises(errors.ClientCertificate, match="cannot be read"):
                await client.facts()


def client_files(pair: Pair) -> dict[str, str]:
    return {"client_certificate": str(pair.certificate), "client_key": str(pair.key)}


async def test_the_other_end_speaks_no_tls() -> None:
    async with small_node() as node, NodeClient(NodeAccess(url=node.url.replace("http", "https"))) as client:
        with pytest.raises(errors.TlsFailed):
            await client.identity()


async def test_a_diagnosis_tells_how_far_one_comes(chain: Chain) -> None:
    async def lookup(host: str) -> list[str]:
        if host == "nowhere.example":
            raise OSError
        return ["127.0.0.1"]

    async def look(access: NodeAccess, camera: str = "bench") -> tuple[Step | None, type[object], int]:
        found = await diagnose(access, camera, resolve=lookup)
        return found.failed, type(found.error), len(found.passed)

    async with small_node(tls=server_context(chain.server), stopped=True) as node:
        ours = node.source(ca=str(chain.root))
        assert await look(replace(ours, url=f"https://nowhere.example:{node.port}")) == (
            Step.DNS,
            errors.HostNotFound,
            0,
        )
        assert await look(replace(ours, url="https://localhost:1")) == (Step.TCP, errors.Refused, 1)
        assert await look(replace(ours, ca="")) == (Step.TLS, errors.TlsFailed, 2)
        assert await look(replace(ours, node="f" * 32)) == (Step.NODE, errors.NotANode, 3)
        assert await look(replace(ours, token="old")) == (Step.TOKEN, errors.Unpaired, 3)
        assert await look(ours, "attic") == (Step.CAMERA, errors.NoSuchCamera, 5)
        assert await look(ours) == (Step.CAMERA, errors.Stopped, 5)
        node.facts = {"state": "idle"}
        assert (await diagnose(ours, "bench")).passed == tuple(Step)
    async with bad_server(answers(b"<html>")) as server:
        assert await look(NodeAccess(url=server.url)) == (Step.NODE, errors.NotANode, 2)
