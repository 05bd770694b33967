"""All publications of one camera."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain, count

from ..listeners import Listeners
from ..pipeline import Pipeline
from .publication import Publication
from .publisher import Publisher


def named(publications: Iterable[Publication]) -> dict[str, Publication]:
    """Return publications that have no names by that of their host, with a number from the second one on."""
    found: dict[str, Publication] = {}
    for publication in publications:
        names = chain([publication.host], (f"{publication.host} {number}" for number in count(2)))
        found[next(name for name in names if name not in found)] = publication
    return found


class Publications:
    """A publisher for each server that takes the camera's video, by a name that stays."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Begin with none."""
        self.publishers: dict[str, Publisher] = {}
        self._pipeline = pipeline
        self._listeners = Listeners()
        self._settling = asyncio.Lock()

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of any publisher, or of which there are; return what ends this."""
        return self._listeners.add(callback)

    async def stand(
        self,
        wanted: Mapping[str, Publication],
        *,
        off: Collection[str] = (),
        titles: Mapping[str, str] | None = None,
    ) -> None:
        """Have these publications and no others; new ones begin, but for those that are `off`.

        One that stays as it was goes on undisturbed. `titles` are for the log.
        """
        async with self._settling:
            gone = [name for name, known in self.publishers.items() if wanted.get(name) != known.publication]
            ended = [self.publishers.pop(name) for name in gone]
            await asyncio.gather(*(publisher.stop() for publisher in ended))
            for name, publication in wanted.items():
                if name not in self.publishers:
                    self._add(name, publication, (titles or {}).get(name, name), on=name not in off)
        self._listeners.tell()

    async def close(self) -> None:
        """End all."""
        await self.stand({})

    def _add(self, name: str, publication: Publication, title: str, *, on: bool) -> None:
        publisher = self.publishers[name] = Publisher(self._pipeline, publication, name=title)
        publisher.listen(self._listeners.tell)
        if on:
            publisher.start()
