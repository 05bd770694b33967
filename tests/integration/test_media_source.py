"""What is kept, as the media browser and players get it."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from io import BytesIO
from threading import Event
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote
from zipfile import ZipFile

from aiohttp import ClientError
from homeassistant.components import media_source
from homeassistant.components.media_player import BrowseError, MediaClass, SearchMediaQuery
from homeassistant.components.media_source import (
    MediaSourceItem,
    Unresolvable,
    async_browse_media,
    async_resolve_media,
    async_search_media,
)
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator
from yarl import URL

from custom_components.tripod import media_files, media_zip
from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine.archive import Archive, Item, Kind
from custom_components.tripod.engine.timelapse import RenderRequest
from custom_components.tripod.engine.web.kept import held
from custom_components.tripod.media_source import async_get_media_source

from .conftest import Client, SetUp

JPEG = b"\xff\xd8picture\xff\xd9"
VIDEO = bytes(range(256)) * 40
THUMBNAIL = b"\xff\xd8thumbnail\xff\xd9"

ROOT = f"media-source://{DOMAIN}"


@pytest.fixture(autouse=True)
async def _media_source(hass: HomeAssistant) -> None:
    """Have media sources."""
    assert await async_setup_component(hass, "media_source", {})


@pytest.fixture
async def client(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Client:
    """Return a client that is logged in."""
    for component in (
        "camera",
        "image",
        "websocket_api",
        DOMAIN,
    ):  # their addresses must be there before the test server starts
        assert await async_setup_component(hass, component, {})
    client: Client = await hass_client()
    return client


@pytest.fixture
async def entry(client: Client, set_up: SetUp) -> MockConfigEntry:
    """Set up a camera, with its archive."""
    entry = await set_up(title="Yard")
    await entry.runtime_data.camera.ready()
    return entry


@pytest.fixture
def archive(entry: MockConfigEntry) -> Archive:
    """Return the camera's archive."""
    archive: Archive = entry.runtime_data.camera.archive
    return archive


def _publish(archive: Archive, kind: Kind, hour: int = 12, **more: Any) -> Item:
    at = dt_util.start_of_local_day() + timedelta(hours=hour)
    picture = kind in (Kind.SNAPSHOT, Kind.FRAME)
    return archive.publish(kind, at, JPEG if picture else VIDEO, suffix=".jpg" if picture else ".mp4", **more)


async def _titles(hass: HomeAssistant, path: str) -> dict[str, str]:
    """Return what is in a folder, title to the rest of its id."""
    folder = await async_browse_media(hass, f"{ROOT}/{path}" if path else ROOT)
    return {child.title: child.media_content_id.removeprefix(f"{ROOT}/") for child in folder.children}


async def _signed(hass: HomeAssistant, hass_ws_client: WebSocketGenerator, path: str) -> str:
    """Return the address that the media browser plays an item at."""
    websocket = await hass_ws_client(hass)
    await websocket.send_json_auto_id({"type": "media_source/resolve_media", "media_content_id": f"{ROOT}/{path}"})
    url: str = (await websocket.receive_json())["result"]["url"]
    return url


async def test_a_camera_that_kept_nothing_has_no_picture(hass: HomeAssistant, archive: Archive) -> None:
    (camera,) = (await async_browse_media(hass, ROOT)).children or ()
    assert camera.thumbnail is None
    _publish(archive, Kind.SNAPSHOT)
    (camera,) = (await async_browse_media(hass, ROOT)).children or ()
    assert camera.thumbnail


async def test_a_recording_is_found_by_camera_kind_and_day(
    hass: HomeAssistant, entry: MockConfigEntry, archive: Archive
) -> None:
    item = _publish(archive, Kind.RECORDING, details={"duration": 75.2}, thumbnail=THUMBNAIL)
    day = f"{item.captured_at:%A %Y-%m-%d} (1)"
    path = ""
    for title in ("Yard", "Recordings (1)", day, "12:00:00 · 1:15"):
        listed = await _titles(hass, path)
        assert list(listed) == [title]
        path = listed[title]
    assert path == f"{entry.entry_id}/{item.key}"
    played = await async_resolve_media(hass, f"{ROOT}/{path}", None)
    assert (played.mime_type, played.path) == ("video/mp4", item.path)


@pytest.mark.parametrize("job", ["A print", "Benchy #3, 100%25 ~ü"])
async def test_who_has_a_signed_address_plays_it_and_nobody_else(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    archive: Archive,
    client: Client,
    hass_client_no_auth: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    job: str,
) -> None:
    item = _publish(archive, Kind.FRAME, job=job)
    stranger = await hass_client_no_auth()
    url = await _signed(hass, hass_ws_client, f"{entry.entry_id}/{item.key}")
    played = await stranger.get(URL(url))
    assert played.status == 200
    assert played.headers["Content-Type"] == "image/jpeg"
    assert await played.read() == JPEG
    assert (await stranger.get(url.partition("?")[0])).status == 401
    assert (await client.get(url.partition("?")[0])).status == 200
    thumbnail = media_files.url(media_files.THUMBNAIL_URL, entry, item.key)
    assert (await stranger.get(URL(thumbnail, encoded=True))).status == 401
    assert await (await client.get(URL(thumbnail, encoded=True))).read() == JPEG


async def test_a_part_of_a_video_is_served_and_asked_for_only_once(
    entry: MockConfigEntry, archive: Archive, client: Client
) -> None:
    item = _publish(archive, Kind.VIDEO, job="Sky", name="Sky.mp4")
    url = f"/api/tripod/media/{entry.entry_id}/{item.key}"
    part = await client.get(url, headers={"Range": "bytes=100-199"})
    assert part.status == 206
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(VIDEO)}"
    assert await part.read() == VIDEO[100:200]
    head = await client.head(url)
    assert (head.status, head.content_length) == (200, len(VIDEO))
    for name, header in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        assert (await client.get(url, headers={name: head.headers[header]})).status == 304


async def test_what_is_served_is_held(
    entry: MockConfigEntry, archive: Archive, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, left, hold = archive.new_part("test") / "long.mp4", Event(), archive.hold
    with part.open("wb") as file:
        file.truncate(64 * 2**20)  # more than a connection takes before somebody reads
    item = archive.publish(Kind.RECORDING, dt_util.now(), part, suffix=".mp4")

    @contextmanager
    def noted(held: Item) -> Iterator[None]:
        with hold(held):
            yield
        left.set()

    monkeypatch.setattr(archive, "hold", noted)
    async with client.get(f"/api/tripod/media/{entry.entry_id}/{item.key}"):
        assert archive.held(item.key)
    assert await asyncio.to_thread(left.wait, 10)
    assert not archive.held(item.key)


async def test_who_is_cut_off_while_the_disk_is_slow_holds_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    entering, enter, left = Event(), Event(), Event()

    @contextmanager
    def slow(_item: Item) -> Iterator[None]:
        entering.set()
        enter.wait(10)
        yield
        left.set()

    monkeypatch.setattr(archive, "hold", slow)
    task = asyncio.create_task(held(archive, _publish(archive, Kind.SNAPSHOT)).__aenter__())
    assert await asyncio.to_thread(entering.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    enter.set()
    assert await asyncio.to_thread(left.wait, 10)


async def test_what_went_just_now_is_not_found(
    entry: MockConfigEntry, archive: Archive, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = _publish(archive, Kind.SNAPSHOT)
    hold = archive.hold

    def late(held: Item) -> AbstractContextManager[None]:
        archive.remove(held)
        return hold(held)

    monkeypatch.setattr(archive, "hold", late)
    assert (await client.get(f"/api/tripod/media/{entry.entry_id}/{item.key}")).status == 404


async def test_folders_show_their_newest_picture(entry: MockConfigEntry, archive: Archive, client: Client) -> None:
    url = f"/api/tripod/thumbnail/{entry.entry_id}/"
    assert (await client.get(url)).status == 404
    _publish(archive, Kind.SNAPSHOT, 8)
    recording = _publish(archive, Kind.RECORDING, 9, thumbnail=THUMBNAIL)
    for path in ("", "recordings", recording.key.rpartition("/")[0], recording.key):
        answer = await client.get(url + path)
        assert await answer.read() == THUMBNAIL
    assert (await client.get(url, headers={"If-None-Match": answer.headers["ETag"]})).status == 304
    _publish(archive, Kind.FRAME, 10, job="Sky")
    for path in ("", "timelapse", "timelapse/Sky/frames"):
        assert await (await client.get(url + path)).read() == JPEG


@pytest.mark.parametrize(
    "path",
    [
        "recordings/2026-01-01/2026-01-01_12-00-00.000+0100.mp4",
        "%2e%2e/%2e%2e/secrets.yaml",
        "..%2fyard%2f.tripod.json",
        ".tripod.json",
        "%2fetc%2fpasswd",
        "snapshots%00",
        "timelapse/con/frames",
    ],
)
async def test_nothing_else_is_served(hass: HomeAssistant, entry: MockConfigEntry, client: Client, path: str) -> None:
    for kind in ("media", "thumbnail"):
        answer = await client.get(URL(f"/api/tripod/{kind}/{entry.entry_id}/{path}", encoded=True))
        assert answer.status in (400, 404)
    with pytest.raises(Unresolvable):
        await async_resolve_media(hass, f"{ROOT}/{entry.entry_id}/{unquote(path)}", None)
    with pytest.raises(BrowseError):
        await async_browse_media(hass, f"{ROOT}/{entry.entry_id}/{unquote(path)}")


async def test_the_frames_of_a_timelapse_come_as_a_zip(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    archive: Archive,
    client: Client,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    job = "Benchy #3, 100%25 ~ü"
    frames = [_publish(archive, Kind.FRAME, hour, job=job) for hour in (8, 9, 10)]

    async def names(client: Client, url: str) -> list[str]:
        answer = await client.get(URL(url))
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/zip"
        with ZipFile(BytesIO(await answer.read())) as zipped:
            assert zipped.testzip() is None
            return [name.rpartition("/")[2] for name in zipped.namelist()]

    whole = media_files.url(media_zip.ZIP_URL, entry, job)
    all_names = [frame.path.name for frame in frames]
    assert await names(client, whole) == all_names
    day = frames[0].captured_at.date().isoformat()
    assert await names(client, f"{whole}?start={day}&end={day}") == all_names
    part = RenderRequest(job=job, start=frames[1].captured_at, end=frames[2].captured_at)
    stranger = await hass_client_no_auth()
    assert await names(stranger, media_zip.signed(hass, entry, part)) == all_names[1:]
    assert (await stranger.get(URL(whole))).status == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Sky?start=2026-13-01", 400),
        ("Sky?start=2026-02-01&end=2026-01-01", 400),
        ("Sky?end=2020-01-01T08:00", 400),
        ("Sky?start=2019-01-01&end=2020-01-01", 404),
        ("Nothing", 404),
        ("con", 404),
    ],
)
async def test_a_zip_that_cannot_be_is_refused(
    entry: MockConfigEntry, archive: Archive, client: Client, path: str, status: int
) -> None:
    _publish(archive, Kind.FRAME, job="Sky")
    answer = await client.get(f"/api/tripod/zip/{entry.entry_id}/{path}")
    assert answer.status == status
    assert (await answer.json())["message"]


async def test_a_zip_that_lacks_something_is_cut_off(
    entry: MockConfigEntry, archive: Archive, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    _publish(archive, Kind.FRAME, 8, job="Sky")
    broken = _publish(archive, Kind.FRAME, 9, job="Sky")
    broken.path.unlink()
    broken.path.symlink_to(broken.path)  # as unreadable as a bad sector, to the superuser, too
    with patch.object(Archive, "between", lambda *_: iter([broken])), pytest.raises(ClientError):
        await (await client.get(f"/api/tripod/zip/{entry.entry_id}/Sky")).read()
    assert "A ZIP of frames was cut off" in caplog.text


async def test_a_disk_that_is_away_is_told_everywhere(
    hass: HomeAssistant, entry: MockConfigEntry, archive: Archive, client: Client
) -> None:
    item = _publish(archive, Kind.SNAPSHOT)
    away = archive.root.with_name("away")
    archive.root.rename(away)
    archive.root.mkdir()  # the empty mount point
    with pytest.raises(BrowseError, match="Plug its disk in"):
        await async_browse_media(hass, f"{ROOT}/{entry.entry_id}")
    with pytest.raises(Unresolvable, match="Plug its disk in"):
        await async_resolve_media(hass, f"{ROOT}/{entry.entry_id}/{item.key}", None)
    answer = await client.get(f"/api/tripod/media/{entry.entry_id}/{item.key}")
    assert answer.status == 503
    assert (await answer.json())["cause"] == "archive_missing"
    archive.root.rmdir()
    away.rename(archive.root)
    assert (await client.get(f"/api/tripod/media/{entry.entry_id}/{item.key}")).status == 200


async def test_a_camera_that_is_not_set_up_says_so(hass: HomeAssistant, entry: MockConfigEntry, client: Client) -> None:
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert await _titles(hass, "") == {}
    for ask in (
        async_browse_media(hass, f"{ROOT}/{entry.entry_id}"),
        async_resolve_media(hass, f"{ROOT}/{entry.entry_id}/x", None),
    ):
        with pytest.raises(HomeAssistantError, match="The camera Yard is not set up"):
            await ask
    assert (await client.get(f"/api/tripod/media/{entry.entry_id}/x")).status == 503
    with pytest.raises(BrowseError):
        await async_browse_media(hass, f"{ROOT}/unknown")


async def test_days_and_timelapses_are_found_by_their_titles(
    hass: HomeAssistant, entry: MockConfigEntry, archive: Archive
) -> None:
    _publish(archive, Kind.FRAME, job="Garden")
    item = _publish(archive, Kind.SNAPSHOT, -12)

    async def search(query: str, path: str = f"/{entry.entry_id}", **more: Any) -> list[str]:
        found = await async_search_media(hass, ROOT + path, SearchMediaQuery(search_query=query, **more))
        return [child.title for child in found.result]

    day = f"{item.captured_at:%A %Y-%m-%d} (1)"
    assert await search("gard") == ["Garden (1) · Timelapse frames · Yard"]
    assert await search(f"{item.captured_at:%Y-%m-%d}", "") == [f"{day} · Snapshots · Yard"]
    assert await search("gard", f"/{entry.entry_id}/snapshots") == []
    assert await search("gard", media_filter_classes=[MediaClass.IMAGE]) == []
    with pytest.raises(BrowseError):
        await search("gard", "/unknown")


async def test_a_folder_gives_its_newest_picture_to_who_wants_one(
    hass: HomeAssistant, entry: MockConfigEntry, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home Assistant asks for it from 2026.11 on: the class is a stand-in for the one that it has from then on."""
    monkeypatch.setattr(media_source, "MediaImage", lambda content, mime_type: (content, mime_type), raising=False)
    item = _publish(archive, Kind.SNAPSHOT)
    source: Any = await async_get_media_source(hass)

    async def image(path: str) -> Any:
        return await source.async_get_media_image(MediaSourceItem(hass, DOMAIN, path, None))

    assert await image(f"{entry.entry_id}/snapshots") == (JPEG, "image/jpeg")
    for path in (f"{entry.entry_id}/{item.key}", f"{entry.entry_id}/videos", "unknown"):
        assert await image(path) is None
