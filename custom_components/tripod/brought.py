"""What a camera that was set up elsewhere brings besides its source: options, timelapses, controls and pictures."""

from asyncio import Event
from collections.abc import Iterable, Mapping
from dataclasses import replace
import logging
from pathlib import Path
from typing import Any, Final, TypedDict

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from . import forms, settings
from .const import CONF_CODEC, CONF_MAX_AGE, CONF_MAX_COUNT, CONF_MAX_SIZE, CONF_STORAGE, DOMAIN, SUBENTRY_TIMELAPSE
from .data import TripodConfigEntry
from .engine.archive import Kind
from .engine.errors import TripodError
from .engine.importers import Adopted, Adopter, Adoption, Import, Imported
from .engine.sources import Source, load
from .sentences import describe
from .shared import SHARED

CONF_BROUGHT: Final = "brought"
"""The option that holds what is still to be taken over; it goes when that is done, so a restart goes on with it."""

ODD: Final = "odd_pictures"
FAILED: Final = "adoption_failed"

SHOWN = 20
"""Names of odd files that are listed; the rest is counted."""

_LOGGER = logging.getLogger(__name__)


class Record(TypedDict):
    """A camera as it will be stored."""

    title: str
    data: dict[str, Any]
    options: dict[str, Any]
    jobs: list[dict[str, Any]]


def record(camera: Imported, codec: str = "") -> Record:
    """Return how `camera` is stored; `codec` is what a look found, where it found any."""
    data = camera.source.as_dict()
    if codec:
        data[CONF_CODEC] = codec
    options = {**forms.DEFAULT_OPTIONS, **settings.stored(camera.options)}
    if limits := camera.retention.limits:
        options[CONF_STORAGE] = {
            kind.value: {
                CONF_MAX_AGE: limit.max_age_days,
                CONF_MAX_COUNT: limit.max_count,
                CONF_MAX_SIZE: limit.max_bytes // settings.MIB,
            }
            for kind, limit in limits.items()
        }
    waiting = {
        "controls": dict(camera.controls),
        "adopt": [{"folder": str(item.folder), "job": item.job} for item in camera.adopt],
    }
    if any(waiting.values()):
        options[CONF_BROUGHT] = waiting
    return Record(title=camera.title, data=data, options=options, jobs=[job.as_dict() for job in camera.jobs])


def source(record: Record) -> Source:
    """Return the source of a stored camera."""
    return load({key: value for key, value in record["data"].items() if key != CONF_CODEC})


def subentries(record: Record) -> list[ConfigSubentryData]:
    """Return the standing timelapses of a stored camera."""
    return [
        ConfigSubentryData(data=job, subentry_type=SUBENTRY_TIMELAPSE, title=job["name"], unique_id=None)
        for job in record["jobs"]
    ]


def with_folders_that_are_there(found: Import) -> Import:
    """Return `found` without folders of pictures that are not on this host; blocks."""
    cameras = [
        replace(camera, adopt=tuple(item for item in camera.adopt if item.folder.is_dir())) for camera in found.cameras
    ]
    return replace(found, cameras=tuple(cameras))


@callback
def begin(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Give a camera that is set up for the first time the controls that it was used to."""
    wanted = entry.options.get(CONF_BROUGHT, {}).get("controls", {})
    storage = hass.data[SHARED].storage
    if wanted and not storage.controls(entry.entry_id):
        storage.set_controls(entry.entry_id, wanted)


@callback
def take_over(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Take over, beside all else, what is waiting; what a stop interrupts goes on after the next start."""
    if waiting := entry.options.get(CONF_BROUGHT):
        entry.async_create_background_task(hass, _take_over(hass, entry, waiting["adopt"]), "adopt pictures")


async def _present(entry: TripodConfigEntry) -> None:
    """Wait until the camera's archive is there."""
    camera, changed = entry.runtime_data.camera, Event()
    forget = camera.listen(changed.set)
    try:
        while not camera.present:
            changed.clear()
            await changed.wait()
    finally:
        forget()


async def _take_over(hass: HomeAssistant, entry: TripodConfigEntry, waiting: Iterable[Mapping[str, str]]) -> None:
    odd: list[str] = []
    await _present(entry)
    try:
        for item in waiting:
            odd += await _adopt(hass, entry, Adoption(folder=Path(item["folder"]), job=item["job"]))
    except TripodError as error:
        _LOGGER.warning("%s: pictures were not adopted: %s", entry.title, error)
        _report(hass, entry, FAILED, reason=describe(hass, error))
        return
    if odd:
        more = f" … (+{len(odd) - SHOWN})" if len(odd) > SHOWN else ""
        _report(hass, entry, ODD, count=str(len(odd)), names=", ".join(sorted(odd)[:SHOWN]) + more)
    ir.async_delete_issue(hass, DOMAIN, f"{FAILED}_{entry.entry_id}")
    options = {key: value for key, value in entry.options.items() if key != CONF_BROUGHT}
    hass.config_entries.async_update_entry(entry, options=options)


async def _adopt(hass: HomeAssistant, entry: TripodConfigEntry, adoption: Adoption) -> list[str]:
    """Adopt one folder, a day at a time; return the names of what stays there."""
    adopter = Adopter(entry.runtime_data.camera.archive, adoption)
    await hass.async_add_executor_job(adopter.look)
    _LOGGER.info("%s: %d pictures in %s are adopted", entry.title, adopter.total, adoption.folder)
    odd, new = list(adopter.odd), 0
    days = adopter.run()
    while day := await hass.async_add_executor_job(_next, days):
        new += day.new
        odd += day.odd
    archive = entry.runtime_data.camera.archive
    await hass.async_add_executor_job(archive.days, Kind.FRAME, adoption.job)  # counts them
    _LOGGER.info("%s: %d pictures became frames of %s", entry.title, new, adoption.job)
    return odd


def _next(days: Any) -> Adopted | None:
    return next(days, None)


def _report(hass: HomeAssistant, entry: TripodConfigEntry, issue: str, **named: str) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{issue}_{entry.entry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=issue,
        translation_placeholders={"name": entry.title, **named},
    )
