"""The configuration of a camera with a URL, and what a look at a real one finds."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
import logging
import socket
from typing import Any

import pytest
import pytest_socket

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.sources import Medium, Tools, UrlSource, load, settle
from custom_components.tripod.engine.sources.url import Delivery
from tests.servers import start
from tests.servers.application import OLD
from tests.servers.certificate import Certificates
from tests.servers.start import Server

from .capture import TOOLS, capturing

HTTP_PASSWORD = "p@ss:wörd"
RTSP_PASSWORD = "p@ss word"


async def unknown(_: str) -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


# --- configuration ---------------------------------------------------------------------------------------------------


def test_credentials_leave_the_url() -> None:
    source = UrlSource(url="rtsp://ad%40min:p%40ss%3Aw@camera:554/stream?channel=1")
    assert (source.url, source.username, source.password) == ("rtsp://camera:554/stream?channel=1", "ad@min", "p@ss:w")
    assert UrlSource(url="rtsp://a:b@camera/", username="c", password="d").password == "d"
    assert "p@ss" not in repr(source)
    assert "p@ss" not in source.address


def test_survives_storage() -> None:
    source = UrlSource(
        url="https://camera/still.jpg", delivery="stills", still_interval=5, password="x", verify_tls=False
    )
    assert load(source.as_dict()) == source
    assert source.native is Medium.FRAMES
    assert source.interval == 5
    assert UrlSource(url="rtsp://camera/").native is Medium.PACKETS
    assert UrlSource(url="rtsp://camera/").interval == 0


def test_secrets_are_known_in_each_form() -> None:
    source = UrlSource(url="http://camera/snap?Token=a%2Fb&user=me&channel=1", password="p@ss w")
    assert set(source.secrets) == {"p@ss w", "p%40ss%20w", "a/b", "a%2Fb", "me"}
    assert source.address == "http://camera/snap?Token=***&user=***&channel=1"
    assert UrlSource(url="http://camera/").secrets == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "-rtsp://camera/"},
        {"url": "file:///etc/passwd"},
        {"url": "concat:http://a/|http://b/"},
        {"url": "rtsp://camera/", "rtsp_transport": "http"},
        {"url": "rtsp://camera/", "delivery": "stills"},
        {"url": "http://camera/", "delivery": "video"},
        {"url": "http://camera/", "audio": "libx264"},
        {"url": "http://camera/", "delivery": "stills", "still_interval": 0},
        {"url": "http://camera/", "delivery": "stills", "still_interval": 1e9},
        {"url": "http://camera/", "nonsense": 1},
    ],
)
def test_configurations_that_describe_no_camera(fields: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidSource):
        load({"kind": "url", **fields})


# --- a look ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "delivery"),
    [
        ("stream.mjpg", "frames"),
        ("stream.mjpg?length=0", "frames"),
        ("stream.mjpg?type=application/octet-stream", "frames"),
        ("stream.mjpg?type=application/octet-stream&raw=1", "frames"),
        ("still.jpg", "stills"),
        ("redirect?to=/redirect?to=/still.jpg", "stills"),
    ],
)
async def test_finds_pictures(http_camera: Server, path: str, delivery: str) -> None:
    source = UrlSource(url=http_camera.url(path))
    found = await source.probe(TOOLS)
    assert (found.medium, found.codec, found.width, found.height) == (Medium.FRAMES, "mjpeg", 320, 240)
    assert found.picture
    assert dimensions(found.picture) == (320, 240)
    settled = settle(source, found)
    assert isinstance(settled, UrlSource)
    assert settled.delivery == delivery
    assert found.rate is None if delivery == "stills" else found.rate == pytest.approx(15, rel=0.3)


@pytest.mark.parametrize(
    ("path", "codec"),
    [
        ("live.ts", "h264"),
        ("live.ts?type=application/octet-stream", "h264"),
        ("live-hevc.ts", "hevc"),
        ("live.flv?type=binary/octet-stream", "h264"),
        ("hls/live.m3u8", "h264"),
        ("redirect?to=/hls/live.m3u8", "h264"),
    ],
)
async def test_finds_video(http_camera: Server, path: str, codec: str) -> None:
    found = await UrlSource(url=http_camera.url(path), delivery="frames").probe(TOOLS)
    assert (found.medium, found.codec, found.width, found.height) == (Medium.PACKETS, codec, 320, 240)
    assert found.audio_codec == "aac"
    assert found.rate == pytest.approx(15, rel=0.2)
    assert found.picture
    assert dimensions(found.picture) == (320, 240)
    assert found.learned["delivery"] == "packets"


@pytest.mark.parametrize(
    ("path", "codec", "audio", "learned"),
    [
        ("h264", "h264", None, {"delivery": "packets", "audio": "copy"}),
        ("h264-aac", "h264", "aac", {"delivery": "packets", "audio": "copy"}),
        ("h264-alaw", "h264", "aac", {"delivery": "packets", "audio": "aac"}),
        ("h265", "hevc", None, {"delivery": "packets", "audio": "copy"}),
        ("mjpeg", "mjpeg", None, {"delivery": "frames", "audio": "copy"}),
    ],
)
async def test_finds_rtsp(
    rtsp_server: Server, path: str, codec: str, audio: str | None, learned: dict[str, str]
) -> None:
    found = await UrlSource(url=rtsp_server.url(path)).probe(TOOLS)
    assert (found.codec, found.audio_codec, found.width, found.height) == (codec, audio, 320, 240)
    assert found.rate == pytest.approx(15, rel=0.3)
    assert found.picture
    assert found.learned == learned


@pytest.mark.parametrize("scheme", ["rtmp", "srt"])
async def test_finds_rtmp_and_srt(scheme: str) -> None:
    with start.publisher(scheme) as url:
        found = await UrlSource(url=url).probe(TOOLS)
    assert (found.codec, found.width, found.height) == ("h264", 320, 240)
    assert found.picture


async def test_silent_cameras_stay_silent(rtsp_server: Server) -> None:
    found = await UrlSource(url=rtsp_server.url("h264-alaw"), audio="none").probe(TOOLS)
    assert (found.audio_codec, found.learned["audio"]) == (None, "none")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("bad/html.jpg", errors.NotAPicture),
        ("bad/html.mjpg", errors.NotAPicture),
        ("bad/truncated.jpg", errors.NotAPicture),
        ("bad/empty.jpg", errors.NotAPicture),
        ("bad/huge.jpg", errors.NotAPicture),
        ("bad/endless.mjpg", errors.NotAPicture),
        ("bad/png.jpg", errors.FormatNotSupported),
        ("bad/status/401", errors.Unauthorized),
        ("bad/status/403", errors.Unauthorized),
        ("bad/status/404", errors.NotFound),
        ("bad/status/503", errors.SourceFailed),
        ("nowhere", errors.NotFound),
        ("redirect?to=ftp://127.0.0.1/", errors.AddressNotAllowed),
        ("redirect?to=file:///etc/passwd", errors.AddressNotAllowed),
        ("redirect?to=http://169.254.169.254/latest", errors.AddressNotAllowed),
        ("redirect?to=http://[/", errors.AddressNotAllowed),
        ("redirect?to=" + "%2Fredirect%3Fto=" * 7, errors.SourceFailed),
        ("live-audio.ts", errors.NoVideo),
        ("basic/still.jpg", errors.Unauthorized),
        ("digest/stream.mjpg", errors.Unauthorized),
        ("basic/hls/live.m3u8", errors.Unauthorized),
    ],
)
async def test_what_is_no_camera(http_camera: Server, path: str, error: type[errors.TripodError]) -> None:
    with pytest.raises(error):
        await UrlSource(url=http_camera.url(path)).probe(TOOLS)


async def test_rtsp_without_video(rtsp_server: Server) -> None:
    with pytest.raises(errors.NoVideo, match="aac"):
        await UrlSource(url=rtsp_server.url("audio")).probe(TOOLS)
    with pytest.raises(errors.NoVideo):
        async with capturing(UrlSource(url=rtsp_server.url("audio"))) as capture:
            raise await capture.end()


async def test_rtsp_wrong_path(rtsp_server: Server) -> None:
    with pytest.raises(errors.NotFound):
        await UrlSource(url=rtsp_server.url("nowhere")).probe(TOOLS)


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp"])
async def test_wrong_port(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(errors.Refused):
        await UrlSource(url=f"{scheme}://127.0.0.1:{port}/").probe(TOOLS)


@pytest.mark.parametrize("scheme", ["http", "https", "rtsp", "rtsps", "rtmp", "srt"])
async def test_wrong_host(scheme: str) -> None:
    with pytest.raises(errors.HostNotFound, match=r"camera\.invalid"):
        await UrlSource(url=f"{scheme}://camera.invalid/").probe(Tools(ffmpeg=Ffmpeg(), resolve=unknown))


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtsps"])
async def test_places_that_are_not_for_cameras(scheme: str) -> None:
    async def here(_: str) -> Sequence[str]:
        return ["127.0.0.1"]

    for host in ("169.254.169.254", "camera.example"):
        with pytest.raises(errors.AddressNotAllowed):
            await UrlSource(url=f"{scheme}://{host}/").probe(Tools(ffmpeg=Ffmpeg(), resolve=here))


# --- passwords -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["basic", "digest"])
@pytest.mark.parametrize(
    ("path", "delivery"),
    [("still.jpg", "stills"), ("stream.mjpg", "frames"), ("live.ts", "packets"), ("hls/live.m3u8", "packets")],
)
async def test_http_password(
    http_camera: Server, caplog: pytest.LogCaptureFixture, kind: str, path: str, delivery: Delivery
) -> None:
    caplog.set_level(logging.DEBUG)
    source = UrlSource(
        url=http_camera.url(f"{kind}/{path}"), delivery=delivery, username="user", password=HTTP_PASSWORD
    )
    async with capturing(source) as capture:
        await capture.until(lambda sink: bool(sink.pictures or sink.frames))
    async with capturing(replace(source, password="s3cret?")) as capture:
        refused = await capture.end()
    assert isinstance(refused, errors.Unauthorized)
    for text in (caplog.text, str(refused), str(refused.placeholders)):
        assert "p@ss" not in text
        assert "p%40ss" not in text
        assert "s3cret" not in text


async def test_rtsp_password(rtsp_server_with_password: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = rtsp_server_with_password.url("h264")
    assert (await UrlSource(url=url, username="user", password=RTSP_PASSWORD).probe(TOOLS)).codec == "h264"
    for username, password in (("", ""), ("user", "s3cret?")):
        with pytest.raises(errors.Unauthorized) as refused:
            await UrlSource(url=url, username=username, password=password).probe(TOOLS)
        assert "s3cret" not in str(refused.value)
    assert "p@ss" not in caplog.text
    assert "p%40ss" not in caplog.text
    assert "s3cret" not in caplog.text


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authority of the test servers."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))


@pytest.mark.parametrize("path", ["still.jpg", "stream.mjpg", "hls/live.m3u8"])
@pytest.mark.usefixtures("trusted")
async def test_https_with_a_known_certificate(tls_http_camera: Server, path: str) -> None:
    assert (await UrlSource(url=tls_http_camera.url(path)).probe(TOOLS)).width == 320


@pytest.mark.usefixtures("trusted")
async def test_rtsps_with_a_known_certificate(tls_rtsp_server: Server) -> None:
    assert (await UrlSource(url=tls_rtsp_server.url("h264")).probe(TOOLS)).width == 320


async def test_unknown_certificates(tls_http_camera: Server, tls_rtsp_server: Server) -> None:
    for url in (tls_http_camera.url("still.jpg"), tls_rtsp_server.url("h264")):
        with pytest.raises(errors.TlsFailed, match="certificate"):
            await UrlSource(url=url).probe(TOOLS)
        assert (await UrlSource(url=url, verify_tls=False).probe(TOOLS)).width == 320


@pytest.mark.usefixtures("trusted")
async def test_certificates_for_another_name(certificates: Certificates) -> None:
    with (
        start.http_camera("--certificate", str(certificates.other)) as http,
        start.rtsp_server("--certificate", str(certificates.other)) as rtsp,
    ):
        for url in (http.url("still.jpg"), rtsp.url("h264")):
            with pytest.raises(errors.TlsFailed, match="mismatch"):
                await UrlSource(url=url).probe(TOOLS)


async def test_tls_where_there_is_none(http_camera: Server, rtsp_server: Server) -> None:
    for url in (http_camera.url("still.jpg"), rtsp_server.url("h264")):
        with pytest.raises(errors.TlsFailed):
            await UrlSource(url=url.replace("://", "s://")).probe(TOOLS)


async def test_no_tls_where_there_is_some(tls_http_camera: Server, tls_rtsp_server: Server) -> None:
    for server, hint in ((tls_http_camera, "https://"), (tls_rtsp_server, "TLS")):
        with pytest.raises(errors.SourceFailed, match=hint):
            await UrlSource(url=server.url("h264").replace("s://", "://")).probe(TOOLS)


@pytest.mark.parametrize(
    ("answer", "error"),
    # an old aiohttp does not say what came
    [
        (b"\x15\x03\x03\x00\x02\x02\x0a", errors.SourceFailed if OLD else errors.TlsFailed),
        (b"SSH-2.0-OpenSSH_9.2\r\n", errors.SourceFailed),
    ],
)
async def test_what_speaks_no_http(answer: bytes, error: type[errors.TripodError]) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(error):
            await UrlSource(url=f"http://127.0.0.1:{port}/").probe(TOOLS)


async def test_what_speaks_no_rtmp_nor_srt(http_camera: Server) -> None:
    with pytest.raises(errors.SourceFailed):
        await UrlSource(url=http_camera.url("live").replace("http:", "rtmp:")).probe(TOOLS)
    with pytest.raises(errors.Unreachable):
        await UrlSource(url=http_camera.url("").replace("http:", "srt:")).probe(TOOLS)


# --- redirects -------------------------------------------------------------------------------------------------------


def own_address() -> str | None:
    """Return an address of this machine that is not its loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


@pytest.fixture
def any_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test connect to this machine by its other address, which the Home Assistant plugin forbids."""
    monkeypatch.setattr(socket.socket, "connect", pytest_socket._true_connect)


@pytest.mark.usefixtures("any_address")
async def test_redirect_to_loopback_from_another_host(open_http_camera: Server) -> None:
    if (address := own_address()) is None:
        pytest.skip("this machine has no address but its loopback")
    elsewhere = f"http://{address}:{open_http_camera.port}"
    for target in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"):
        with pytest.raises(errors.AddressNotAllowed, match="redirect"):
            await UrlSource(url=f"{elsewhere}/redirect?to=http://{target}:{open_http_camera.port}/still.jpg").probe(
                TOOLS
            )
    # the other way is open, but the password stays behind
    requests = open_http_camera.control()["requests"]
    url = open_http_camera.url(f"redirect?to={elsewhere}/basic/still.jpg")
    with pytest.raises(errors.Unauthorized):
        await UrlSource(url=url, username="user", password=HTTP_PASSWORD).probe(TOOLS)
    assert open_http_camera.control()["requests"] == requests + 2


async def test_silence_before_the_answer(http_camera: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.sources.http.FIRST_BYTE_TIMEOUT", 0.3)
    with pytest.raises(errors.Unreachable):
        await UrlSource(url=http_camera.url("bad/silent.jpg")).probe(TOOLS)


async def test_names_are_connected_to_where_they_were_found(http_camera: Server) -> None:
    async def here(_: str) -> Sequence[str]:
        return ["127.0.0.1"]

    url = http_camera.url("still.jpg").replace("127.0.0.1", "localhost")
    assert (await UrlSource(url=url).probe(Tools(ffmpeg=Ffmpeg(), resolve=here))).width == 320


@pytest.mark.usefixtures("any_address")
async def test_no_route() -> None:
    """A network of documentation's own (RFC 3849), which is nowhere."""

    async def nowhere(_: str) -> Sequence[str]:
        return ["2001:db8::1"]

    source = UrlSource(url="http://camera.example/")
    with pytest.raises(errors.Unreachable):
        await source.probe(Tools(ffmpeg=Ffmpeg(), resolve=nowhere))
