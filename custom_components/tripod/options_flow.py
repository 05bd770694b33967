"""How a camera behaves and what of it is kept, changed while it is set up."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from . import forms, settings
from .const import CONF_DAY_NIGHT, CONF_FLOOR, CONF_FOLDER, CONF_NIGHT_ENTITY, CONF_STORAGE
from .engine.errors import LowSpace, TripodError
from .sentences import placeholders
from .settings import DayNight
from .shared import SHARED
from .storage_forms import CONF_TOTAL, STORAGE, FolderNotAllowed, check, default_folder


class TripodOptionsFlow(OptionsFlow):
    """Change a camera's options; the entry's listener applies them."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose what to change."""
        return self.async_show_menu(step_id="init", menu_options=["behaviour", "storage"])

    async def async_step_behaviour(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show and take how the camera behaves."""
        errors = {}
        stored = self.config_entry.options
        if user_input is not None:
            if user_input.get(CONF_DAY_NIGHT) != DayNight.ENTITY or user_input.get(CONF_NIGHT_ENTITY):
                kept = {CONF_STORAGE: stored[CONF_STORAGE]} if CONF_STORAGE in stored else {}
                return self.async_create_entry(data={**user_input, **kept})
            errors[CONF_NIGHT_ENTITY] = "night_entity_missing"
        known = user_input or {**forms.DEFAULT_OPTIONS, **stored}
        schema = forms.options(self.config_entry.data["kind"])
        return self.async_show_form(
            step_id="behaviour", data_schema=self.add_suggested_values_to_schema(schema, known), errors=errors
        )

    async def async_step_storage(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show and take what is kept, where, and for how long."""
        shared = self.hass.data[SHARED].storage
        known = {**settings.storage(self.config_entry.options), CONF_TOTAL: shared.max_size}
        errors, named = {}, {"folder": default_folder(self.hass)}
        if user_input is not None:
            try:
                if any(user_input.get(field, "") != known[field] for field in (CONF_FOLDER, CONF_FLOOR)):
                    await self.hass.async_add_executor_job(check, self.hass, user_input)
            except FolderNotAllowed:
                errors[CONF_FOLDER] = "folder_not_allowed"
            except LowSpace as error:
                errors[CONF_FLOOR], named = error.cause, {**named, **placeholders(error)}
            except TripodError as error:
                errors[CONF_FOLDER], named = error.cause, {**named, **placeholders(error)}
            else:
                shared.set_max_size(user_input.pop(CONF_TOTAL))
                return self.async_create_entry(data={**self.config_entry.options, CONF_STORAGE: user_input})
        return self.async_show_form(
            step_id="storage",
            data_schema=self.add_suggested_values_to_schema(STORAGE, user_input or known),
            errors=errors,
            description_placeholders=named,
        )
