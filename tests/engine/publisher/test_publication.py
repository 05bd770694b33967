"""What an address says, and where its secrets go."""

from pathlib import Path
import re
import tomllib

import pytest

from custom_components.tripod.engine.errors import CannotPublish
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.publisher import Publication, Sound
from custom_components.tripod.engine.publisher.output import command

ADDRESSES = [
    ("rtsp://host:8554/yard", ("rtsp://host:8554/yard", "", "", "")),
    ("rtsp://me:p%40ss@host/yard", ("rtsp://host/yard", "me", "p@ss", "")),
    ("rtmp://live.example.net/live2/abc-def", ("rtmp://live.example.net/live2", "", "", "abc-def")),
    ("rtmps://host:443/app/inst/k?s=1&t=2#x", ("rtmps://host:443/app/inst", "", "", "k?s=1&t=2#x")),
    ("rtmp://me:pw@host/app/key", ("rtmp://host/app", "me", "pw", "key")),
    (
        "srt://host:8890?streamid=publish:yard&passphrase=0123456789&latency=200000",
        ("srt://host:8890?latency=200000", "", "0123456789", "publish:yard"),
    ),
    ("srt://host:1?mode=caller&streamid=#!::r=yard,m=publish", ("srt://host:1", "", "", "#!::r=yard,m=publish")),
]


@pytest.mark.parametrize(("url", "parts"), ADDRESSES)
def test_secrets_leave_the_address(url: str, parts: tuple[str, ...]) -> None:
    publication = Publication(url=url)
    assert (publication.url, publication.username, publication.password, publication.key) == parts
    for secret in filter(None, parts[2:]):
        assert secret in publication.secrets
        assert secret not in repr(publication)
        assert secret not in publication.address
    assert Publication.from_dict(publication.as_dict()) == publication


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host/live",
        "http://host/live",
        "file:///etc/passwd",
        "rtsp://",
        "rtsp://host/a b",
        "rtsp://host:0/a",
        "rtmp://host",
        "rtmp://host/live",
        "rtmp://host/live/",
        "rtmp://host/live/" + "k" * 600,
        "rtmp://host/live/a%0Ab",
        "srt://host",
        "srt://me:pw@host:1",
        "srt://host:1?mode=listener",
        "srt://host:1?passphrase=short",
        "srt://host:1?latency=soon",
        "srt://host:1?linger=5",
        "rtsp://host/" + "a" * 3000,
    ],
)
def test_no_address_of_a_server(url: str) -> None:
    with pytest.raises(CannotPublish):
        Publication(url=url)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"url": 5},
        {"url": "rtsp://host/a", "sound": "loud"},
        {"url": "rtsp://host/a", "sound": []},
        {"url": "rtsp://host/a", "verify_tls": "yes"},
        {"url": "rtsp://host/a", "key": "k"},
        {"url": "rtmp://host/app?token=1", "key": "k"},
        {"url": "rtsp://host/a", "secret": "k"},
    ],
)
def test_no_publication(data: dict[str, object]) -> None:
    with pytest.raises(CannotPublish):
        Publication.from_dict(data)


def test_what_a_query_hides_is_not_shown() -> None:
    publication = Publication(url="rtsp://host/yard?token=abc&quality=high")
    assert publication.address == "rtsp://host/yard?token=***&quality=high"
    assert "abc" in publication.secrets


@pytest.mark.parametrize("url", [url for url, parts in ADDRESSES if not url.startswith("rtsp") and not parts[1]])
def test_the_command_line_holds_no_secret(url: str) -> None:
    publication = Publication(url=url)
    worker = command(Ffmpeg(), publication, "h264", "aac", hide=True)
    for secret in publication.secrets:
        assert not any(secret in argument for argument in worker.argv)
    assert publication.key.encode() in worker.hidden
    assert publication.password.encode() in worker.hidden


def test_without_a_way_to_hide_them_secrets_are_options() -> None:
    rtmp = command(Ffmpeg(), Publication(url="rtmp://host/app/inst/key"), "h264", None, hide=False)
    assert rtmp.hidden == b""
    assert " -rtmp_app app/inst -rtmp_playpath key " in " ".join(rtmp.argv)
    srt = command(Ffmpeg(), Publication(url=f"srt://host:1?passphrase={'p' * 20}"), "h264", None, hide=False)
    assert f" -passphrase {'p' * 20} " in " ".join(srt.argv)


@pytest.mark.parametrize(
    ("url", "video", "carried"),
    [
        ("rtmp://host/live/key", "h264", True),
        ("rtmp://host/live/key", "hevc", False),
        ("rtsp://host/live", "hevc", True),
        ("srt://host:1", "hevc", True),
        ("srt://host:1", "mpeg2video", False),
        ("rtsp://host/live", None, False),
    ],
)
def test_video_that_a_protocol_carries(url: str, video: str | None, carried: bool) -> None:  # noqa: FBT001
    if carried:
        argv = command(Ffmpeg(), Publication(url=url), video, None, hide=True).argv
        assert argv[argv.index("-c:v") + 1] == "copy"
    else:
        with pytest.raises(CannotPublish):
            command(Ffmpeg(), Publication(url=url), video, None, hide=True)


@pytest.mark.parametrize(
    ("url", "audio", "sound", "options"),
    [
        ("rtmp://host/live/key", "aac", Sound.CAMERA, "-map 0:a:0? -c:a copy"),
        ("rtmp://host/live/key", "ac3", Sound.CAMERA, "-map 0:a:0? -c:a aac"),
        ("rtsp://host/live", "aac", Sound.CAMERA, "-map 0:a:0? -c:a aac"),
        ("rtsp://host/live", "mp3", Sound.CAMERA, "-map 0:a:0? -c:a copy"),
        ("srt://host:1", "eac3", Sound.CAMERA, "-map 0:a:0? -c:a copy"),
        ("srt://host:1", None, Sound.CAMERA, "-an"),
        ("srt://host:1", "aac", Sound.NONE, "-an"),
        ("srt://host:1", "aac", Sound.SILENCE, "-map 1:a:0 -c:a aac"),
    ],
)
def test_what_is_heard(url: str, audio: str | None, sound: Sound, options: str) -> None:
    argv = command(Ffmpeg(), Publication(url=url, sound=sound), "h264", audio, hide=True).argv
    assert f" {options} " in " ".join(argv)


PAGE = (Path(__file__).parents[3] / "docs/publishing.md").read_text()


def test_the_addresses_of_the_page_are_some() -> None:
    rows = re.findall(r"^\|[^|`]+\| `(\w+://[^`]+)` \|(.*?)\|", PAGE, re.MULTILINE)
    assert len(rows) >= 5
    for url, key in rows:
        Publication(url=url, key=key.strip(" `"))


def test_the_node_of_the_page_publishes() -> None:
    [block] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    [camera] = tomllib.loads(f"[[camera]]\n{block}")["camera"]
    assert [Publication.from_dict(table).scheme for table in camera["publish"]] == ["rtsp", "rtmps"]
