"""What cameras kept, in the media browser: by camera, by kind, by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final, override

from homeassistant.components import media_source
from homeassistant.components.media_player import BrowseError, MediaClass, SearchMedia, SearchMediaQuery
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.core import HomeAssistant

from . import media_titles, media_tree
from .const import DOMAIN
from .data import TripodConfigEntry
from .engine.archive import Item, Kind
from .engine.errors import NoSuchItem, TripodError
from .engine.web.kept import mime_type, picture
from .media_files import MEDIA_URL, THUMBNAIL_URL, CameraNotSetUp, archive_of, camera, cameras, url
from .media_tree import Folder, Place
from .sentences import Phrases, phrases

MOST_FOUND = 100
"""Folders that a search shows."""

_CLASSES: Final = {
    Kind.SNAPSHOT: MediaClass.IMAGE,
    Kind.FRAME: MediaClass.IMAGE,
    Kind.RECORDING: MediaClass.VIDEO,
    Kind.VIDEO: MediaClass.VIDEO,
}


async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
    """Return the media source."""
    return TripodMediaSource(hass)


class TripodMediaSource(MediaSource):
    """The archives of all cameras."""

    name = "Tripod"

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare."""
        super().__init__(DOMAIN)
        self._hass = hass

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """Return a folder with what is in it."""
        words = await phrases(self._hass)
        if not item.identifier:
            shelves = [_Shelf(entry, words) for entry in cameras(self._hass)]
            roots = await self._hass.async_add_executor_job(lambda: [shelf.root() for shelf in shelves])
            return _folder("", self.name or "", roots)
        try:
            shelf, path = self._shelf(item, words)
            return await self._hass.async_add_executor_job(shelf.browse, path)
        except TripodError as error:
            raise BrowseError(words.why(error)) from error

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Return where a picture or a video is served."""
        words = await phrases(self._hass)
        try:
            shelf, key = self._shelf(item, words)
            return await self._hass.async_add_executor_job(shelf.play, key)
        except TripodError as error:
            raise Unresolvable(words.why(error)) from error

    @override
    async def async_search_media(self, item: MediaSourceItem, query: SearchMediaQuery) -> SearchMedia:
        """Return the folders below one whose titles, such as days and names of timelapses, hold what is asked for."""
        if query.media_filter_classes and MediaClass.DIRECTORY not in query.media_filter_classes:
            return SearchMedia(result=[])  # a file's title is hardly more than its time
        words = await phrases(self._hass)
        try:
            if item.identifier:
                roots = [self._shelf(item, words)]
            else:
                roots = [(_Shelf(entry, words), "") for entry in cameras(self._hass)]
            found = [
                await self._hass.async_add_executor_job(shelf.search, path, query.search_query) for shelf, path in roots
            ]
        except TripodError as error:
            raise BrowseError(words.why(error)) from error
        return SearchMedia(result=list(islice(chain(*found), MOST_FOUND)))

    async def async_get_media_image(self, item: MediaSourceItem) -> Any:
        """Return the newest picture of a folder, as `MediaImage`; None for a file, which is played itself.

        Home Assistant asks from 2026.11 on, and has the class from then on.
        """
        try:
            shelf, path = self._shelf(item, await phrases(self._hass))
            content = await self._hass.async_add_executor_job(shelf.picture, path)
        except TripodError, CameraNotSetUp:
            return None
        return content and media_source.MediaImage(content, "image/jpeg")  # type: ignore[attr-defined]

    def _shelf(self, item: MediaSourceItem, words: Phrases) -> tuple[_Shelf, str]:
        """Return what the item's camera kept, and the rest of the item's identifier."""
        entry_id, _, path = item.identifier.partition("/")
        return _Shelf(camera(self._hass, entry_id), words), path


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What one camera kept; the methods block, and raise a `TripodError`."""

    entry: TripodConfigEntry
    words: Phrases

    def root(self) -> BrowseMediaSource:
        """Return the camera's folder, closed."""
        return self._closed(Place(), self.entry.title)

    def browse(self, path: str) -> BrowseMediaSource:
        """Return a folder with what is in it."""
        if (place := Place.parse(path)) is None:
            raise NoSuchItem(item=path)
        folder = self._closed(place, media_titles.of_open(self.words, self.entry.title, place))
        folder.children = self._listed(media_tree.children(archive_of(self.entry), place))
        return folder

    def play(self, key: str) -> PlayMedia:
        """Return where an item is served."""
        item = archive_of(self.entry).find(key)
        return PlayMedia(url(MEDIA_URL, self.entry, item.key), mime_type(item), path=item.path)

    def search(self, path: str, query: str) -> list[BrowseMediaSource]:
        """Return the timelapses and days below a folder whose titles hold `query`."""
        asked, archive = query.casefold(), archive_of(self.entry)
        open_folders = [Place.parse(path)]
        found: list[BrowseMediaSource] = []
        while open_folders and len(found) < MOST_FOUND:
            place = open_folders.pop(0)
            if place is None or place.day is not None:
                continue
            inner = [child for child in media_tree.children(archive, place) if isinstance(child, Folder)]
            open_folders += [folder.place for folder in inner]
            titled = zip(inner, media_titles.of_folders(self.words, inner), strict=True)
            found += [
                self._closed(
                    folder.place,
                    f"{title} · {media_titles.of_open(self.words, self.entry.title, place)}",
                )
                for folder, title in titled
                if (folder.place.day or folder.place.job) and asked in title.casefold()
            ]
        return found

    def picture(self, path: str) -> bytes | None:
        """Return the newest picture of a folder; None for an item."""
        if (place := Place.parse(path)) is None:
            return None
        archive = archive_of(self.entry)
        return picture(archive, media_tree.newest(archive, place)).read_bytes()

    def _listed(self, found: Sequence[Folder] | Sequence[Item]) -> list[BrowseMediaSource]:
        folders = [child for child in found if isinstance(child, Folder)]
        titled = zip(folders, media_titles.of_folders(self.words, folders), strict=True)
        closed = [self._closed(folder.place, title) for folder, title in titled]
        return closed + [self._item(child) for child in found if isinstance(child, Item)]

    def _closed(self, place: Place, title: str) -> BrowseMediaSource:
        """Return a folder without what is in it."""
        filled = place.path or self._keeps_anything()
        thumbnail = url(THUMBNAIL_URL, self.entry, place.path) if filled else None
        return _folder(f"{self.entry.entry_id}/{place.path}".rstrip("/"), title, thumbnail=thumbnail)

    def _keeps_anything(self) -> bool:
        """Whether there is a picture that stands for the camera: not on a disk that is away."""
        try:
            return bool(media_tree.children(archive_of(self.entry), Place()))
        except TripodError, CameraNotSetUp:
            return False

    def _item(self, item: Item) -> BrowseMediaSource:
        # a picture says all that there is to say; the facts about a video are in a file of their own
        details = archive_of(self.entry).details(item) if _CLASSES[item.kind] is MediaClass.VIDEO else {}
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=f"{self.entry.entry_id}/{item.key}",
            media_class=_CLASSES[item.kind],
            media_content_type=mime_type(item),
            title=media_titles.of_item(item, details),
            can_play=True,
            can_expand=False,
            thumbnail=url(THUMBNAIL_URL, self.entry, item.key),
        )


def _folder(
    identifier: str, title: str, children: list[BrowseMediaSource] | None = None, thumbnail: str | None = None
) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=identifier,
        media_class=MediaClass.DIRECTORY,
        media_content_type="",
        title=title,
        can_play=False,
        can_expand=True,
        can_search=True,
        children=children,
        thumbnail=thumbnail,
    )
