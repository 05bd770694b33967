"""Where a URL may lead."""

from collections.abc import Sequence

import pytest

from custom_components.tripod.engine.errors import AddressNotAllowed, HostNotFound, InvalidSource
from custom_components.tripod.engine.sources.address import Zone, find, split

NAMES = {
    "camera.lan": ["192.168.1.20"],
    "camera.example": ["203.0.113.7", "2606:4700::1"],
    "public.example": ["8.8.8.8"],
    "ula.lan": ["fd12::5"],
    "localhost": ["127.0.0.1", "::1"],
    "rebound.example": ["127.0.0.1"],
    "half.example": ["8.8.8.8", "127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "127.1": ["127.0.0.1"],
    "empty.example": [],
}


async def names(host: str) -> Sequence[str]:
    if host not in NAMES:
        raise OSError("unknown")
    return NAMES[host]


@pytest.mark.parametrize(
    ("host", "zone"),
    [
        ("192.168.1.20", Zone.PRIVATE),
        ("10.0.0.1", Zone.PRIVATE),
        ("100.64.0.1", Zone.PRIVATE),
        ("fd12::5", Zone.PRIVATE),
        ("fe80::1", Zone.PRIVATE),
        ("8.8.8.8", Zone.PUBLIC),
        ("127.0.0.1", Zone.LOOPBACK),
        ("::1", Zone.LOOPBACK),
        ("localhost", Zone.LOOPBACK),
        ("camera.lan", Zone.PRIVATE),
        ("ula.lan", Zone.PRIVATE),
        ("public.example", Zone.PUBLIC),
    ],
)
async def test_what_the_user_may_type(host: str, zone: Zone) -> None:
    place = await find(host, resolve=names)
    assert place.zone is zone
    assert place.addresses == tuple(NAMES.get(host, [host]))


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "fd00:ec2::254",
        "0.0.0.0",  # noqa: S104
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "metadata.example",
        "rebound.example",
        "half.example",
        "mapped.example",
        "127.1",
    ],
)
async def test_what_nobody_may_reach(host: str) -> None:
    with pytest.raises(AddressNotAllowed, match=host.split("%", maxsplit=1)[0]):
        await find(host, resolve=names)


@pytest.mark.parametrize(
    ("came_from", "host"),
    [
        (Zone.PUBLIC, "192.168.1.20"),
        (Zone.PUBLIC, "camera.lan"),
        (Zone.PUBLIC, "fe80::1"),
        (Zone.PUBLIC, "127.0.0.1"),
        (Zone.PUBLIC, "localhost"),
        (Zone.PRIVATE, "127.0.0.1"),
        (Zone.PRIVATE, "localhost"),
        (Zone.PRIVATE, "::ffff:127.0.0.1"),
        (Zone.LOOPBACK, "169.254.169.254"),
    ],
)
async def test_redirects_never_lead_further_in(came_from: Zone, host: str) -> None:
    with pytest.raises(AddressNotAllowed):
        await find(host, came_from, names)


@pytest.mark.parametrize(
    ("came_from", "host"),
    [(Zone.PUBLIC, "8.8.8.8"), (Zone.PRIVATE, "192.168.1.20"), (Zone.PRIVATE, "8.8.8.8"), (Zone.LOOPBACK, "127.0.0.1")],
)
async def test_redirects_may_lead_elsewhere(came_from: Zone, host: str) -> None:
    assert (await find(host, came_from, names)).host == host


@pytest.mark.parametrize("host", ["nosuch.example", "empty.example"])
async def test_unknown_names(host: str) -> None:
    with pytest.raises(HostNotFound, match=host):
        await find(host, resolve=names)


async def test_names_that_cannot_be_asked_for() -> None:
    async def refuse(_: str) -> Sequence[str]:
        raise UnicodeError("label too long")

    with pytest.raises(HostNotFound):
        await find("a" * 64 + ".example", resolve=refuse)


async def test_the_systems_resolver() -> None:
    assert (await find("localhost")).zone is Zone.LOOPBACK


@pytest.mark.parametrize(
    "url",
    [
        "",
        "-i",
        "-rtsp://camera/",
        "--help",
        "/dev/video0",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "concat:http://a/1|http://a/2",
        "pipe:0",
        "data:image/jpeg;base64,AAAA",
        "ftp://camera/",
        "udp://239.0.0.1:1234",
        "tcp://camera:80",
        "rtsp:/camera/",
        "rtsp:camera",
        "rtsp://",
        "rtsp:///path",
        "http://user:password@/path",
        "http://camera:0/",
        "http://camera:99999/",
        "http://camera:port/",
        "http://camera:-1/",
        "http://[::1/",
        "http://[not-an-address]/",
        "http://cam era/",
        "http://camera/a b",
        "http://camera/\n",
        "http://camera/\r\nHost: other",
        "http://camera/\x00",
        "http://camera\\@other/",
        "http://a,b/",
        "http://" + "a" * 3000,
    ],
)
def test_what_is_no_camera_url(url: str) -> None:
    with pytest.raises(InvalidSource) as refused:
        split(url)
    assert "password" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://camera.lan:554/user=admin_channel=1_stream=0.sdp?real_stream",
        "rtsps://192.168.1.1:7441/token?enableSrtp",
        "rtmp://camera/live/key",
        "srt://camera:9000?streamid=a",
        "http://[fd12::5]:8080/video",
        "HTTPS://kamera.örtlich/bild.jpg",
        "http://user:p%40ss@camera/still.jpg",
    ],
)
def test_what_is(url: str) -> None:
    assert split(url).geturl().lower() == url.lower()
