"""What can be done to a camera at the press of a button."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonDeviceClass, ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import control
from .control_entity import ControlEntity, add_controls
from .data import TripodConfigEntry
from .engine.controls import ControlKind
from .engine.errors import TripodError
from .entity import TripodEntity
from .sentences import translated

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class TripodButtonDescription(ButtonEntityDescription):
    """A thing to do."""

    press_fn: Callable[[HomeAssistant, TripodConfigEntry], Awaitable[None]]
    """May raise `TripodError`."""
    exists_fn: Callable[[TripodConfigEntry], bool] = lambda _: True


DESCRIPTIONS = (
    TripodButtonDescription(
        key="restart",
        device_class=ButtonDeviceClass.RESTART,
        entity_category=EntityCategory.CONFIG,
        press_fn=control.restart,
    ),
    TripodButtonDescription(
        key="reset_controls",
        translation_key="reset_controls",
        entity_category=EntityCategory.CONFIG,
        press_fn=control.reset,
        exists_fn=lambda entry: entry.runtime_data.controls is not None,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the buttons of a camera."""
    async_add_entities(TripodButton(entry, button) for button in DESCRIPTIONS if button.exists_fn(entry))
    add_controls(entry, ControlKind.BUTTON, ControlButton, async_add_entities)


class TripodButton(TripodEntity, ButtonEntity):
    """A thing to do."""

    entity_description: TripodButtonDescription

    @override
    async def async_press(self) -> None:
        """Do it."""
        try:
            await self.entity_description.press_fn(self.hass, self.entry)
        except TripodError as error:
            raise translated(error) from error


class ControlButton(ControlEntity, ButtonEntity):
    """A thing that the camera does by itself, such as to turn back to its middle."""

    description = ButtonEntityDescription

    @override
    async def async_press(self) -> None:
        """Let the camera do it; of libcamera's buttons that have choices, the first starts, and others cancel."""
        await self.turn(min(self.control.choices, default=1))
