"""Mend what only the user can mend."""

from typing import Any

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_USERNAME
from homeassistant.core import HomeAssistant
import probatio

from . import forms
from .const import CONF_CODEC
from .data import TripodConfigEntry
from .engine.errors import ArchiveMissing, TripodError
from .probe import probe
from .sentences import placeholders


class PasswordFlow(RepairsFlow):
    """Take the password of a camera that refuses the one it was given, once it is seen to work."""

    def __init__(self, entry: ConfigEntry) -> None:
        """Mend the camera of `entry`."""
        self._entry = entry

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin; the input is the issue's own id."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask for the password and try it."""
        error: TripodError | None = None
        if user_input is not None:
            try:
                source = forms.with_credentials(self._entry.data, user_input)
                source, found = await probe(self.hass, source)
            except TripodError as failure:
                error = failure
            else:
                data = {**source.as_dict(), CONF_CODEC: found.codec}
                self.hass.config_entries.async_update_entry(self._entry, data=data)
                return self.async_create_entry(data={})
        known = user_input or {CONF_USERNAME: self._entry.data.get(CONF_USERNAME) or ""}
        return self.async_show_form(
            step_id="confirm",
            data_schema=self.add_suggested_values_to_schema(forms.CREDENTIALS, known),
            errors={"base": error.cause} if error else {},
            description_placeholders={"name": self._entry.title, **(placeholders(error) if error else {})},
        )


class ArchiveFlow(RepairsFlow):
    """Begin a new archive where the known one is gone for good: without a word from the user its disk may come back."""

    def __init__(self, entry: TripodConfigEntry) -> None:
        """Mend the archive of `entry`."""
        self._entry = entry

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin; the input is the issue's own id."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask, and begin it."""
        camera = self._entry.runtime_data.camera
        error: TripodError | None = None
        if user_input is not None:
            try:
                await camera.begin_anew()
            except TripodError as failure:
                error = failure
            else:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            errors={"base": error.cause} if error else {},
            description_placeholders={
                "name": self._entry.title,
                "path": str(camera.archive.root),
                **(placeholders(error) if error else {}),
            },
        )


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the dialog that mends an issue."""
    assert data is not None
    entry = hass.config_entries.async_get_known_entry(str(data["entry_id"]))
    return ArchiveFlow(entry) if issue_id.startswith(ArchiveMissing.cause) else PasswordFlow(entry)
