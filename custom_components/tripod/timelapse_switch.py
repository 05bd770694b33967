"""The switches of a camera's standing timelapses: on while frames are taken."""

from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import SUBENTRY_TIMELAPSE
from .data import TripodConfigEntry
from .engine.errors import TripodError
from .engine.timelapse import Job, JobStatus, Timelapses
from .entity import TripodEntity
from .sentences import translated

TIMELAPSE: Final = SwitchEntityDescription(key="timelapse", translation_key="timelapse")


@callback
def standing(entry: TripodConfigEntry) -> list[Job]:
    """Return the standing timelapses that are configured for a camera."""
    return [Job.from_dict(timelapse.data) for timelapse in entry.get_subentries_of_type(SUBENTRY_TIMELAPSE)]


@callback
def add_timelapses(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Have a switch for each standing timelapse, now and when they are added or deleted."""
    added: set[str] = set()

    @callback
    def look() -> None:
        timelapses = {item.subentry_id: item for item in entry.get_subentries_of_type(SUBENTRY_TIMELAPSE)}
        _forget_others(hass, entry, {_unique_id(entry, known) for known in timelapses})
        new = [TimelapseSwitch(entry, item) for known, item in timelapses.items() if known not in added]
        added.clear()
        added.update(timelapses)
        async_add_entities(new)

    async def changed(_hass: HomeAssistant, _entry: TripodConfigEntry) -> None:
        look()

    look()
    entry.async_on_unload(entry.add_update_listener(changed))


def _unique_id(entry: TripodConfigEntry, timelapse: str) -> str:
    return f"{entry.entry_id}_{TIMELAPSE.key}_{timelapse}"


def _forget_others(hass: HomeAssistant, entry: TripodConfigEntry, kept: set[str]) -> None:
    """Forget the switches of timelapses that were deleted: they belong to the camera's device, which stays."""
    registry = er.async_get(hass)
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        if known.unique_id.startswith(_unique_id(entry, "")) and known.unique_id not in kept:
            registry.async_remove(known.entity_id)


class TimelapseSwitch(TripodEntity, SwitchEntity):
    """On: frames are taken when they are due. Off: none are; those that were taken stay."""

    def __init__(self, entry: TripodConfigEntry, timelapse: ConfigSubentry) -> None:
        """Switch the timelapse that a subentry describes."""
        super().__init__(entry, TIMELAPSE)
        self._attr_unique_id = _unique_id(entry, timelapse.subentry_id)
        self._attr_translation_placeholders = {"name": timelapse.title}
        self._job = timelapse.title

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the timelapse."""
        await super().async_added_to_hass()
        self.async_on_remove(self._timelapses.listen(self.async_write_ha_state))

    @property
    def _timelapses(self) -> Timelapses:
        return self.entry.runtime_data.timelapses

    @property
    def _status(self) -> JobStatus | None:
        """What the timelapse does; None before its archive's disk was there."""
        return next((status for status in self._timelapses.jobs if status.job.name == self._job), None)

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it runs."""
        return None if (status := self._status) is None else status.running

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Go on with it; raises what keeps frames from being kept."""
        try:
            await self.entry.runtime_data.camera.ready()
            if not self.is_on:
                await self._timelapses.resume(self._job)
        except TripodError as error:
            raise translated(error) from error

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Stop it, without a video."""
        if self.is_on:
            await self._timelapses.stop(self._job, render=False)
