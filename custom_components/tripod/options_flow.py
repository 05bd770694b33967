"""How a camera behaves and what of it is kept, changed while it is set up."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from . import forms, settings
from .const import (
    CONF_DAY_NIGHT,
    CONF_FLOOR,
    CONF_FOLDER,
    CONF_MQTT,
    CONF_NIGHT_ENTITY,
    CONF_PREFIX,
    CONF_STORAGE,
)
from .engine.errors import InvalidConfiguration, LowSpace, TripodError
from .engine.mqtt import check_prefix
from .mqtt_control import owner, prefix_of, suggested_prefix
from .sentences import placeholders
from .settings import DayNight
from .shared import SHARED
from .storage_forms import CONF_TOTAL, STORAGE, FolderNotAllowed, check, default_folder


class TripodOptionsFlow(OptionsFlow):
    """Change a camera's options; the entry's listener applies them."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose what to change."""
        return self.async_show_menu(step_id="init", menu_options=["behaviour", "storage", "mqtt"])

    async def async_step_behaviour(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show and take how the camera behaves."""
        errors = {}
        stored = self.config_entry.options
        if user_input is not None:
            if user_input.get(CONF_DAY_NIGHT) != DayNight.ENTITY or user_input.get(CONF_NIGHT_ENTITY):
                kept = {key: stored[key] for key in (CONF_STORAGE, CONF_MQTT) if key in stored}
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

    async def async_step_mqtt(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show and take whether MQTT controls the camera, and under which topics."""
        entry, errors, named = self.config_entry, {}, {"camera": ""}
        if user_input is not None:
            prefix = user_input[CONF_PREFIX].strip().strip("/")
            others = {key: value for key, value in entry.options.items() if key != CONF_MQTT}
            if not user_input[forms.CONF_ENABLED]:
                return self.async_create_entry(data=others)
            try:
                check_prefix(prefix)
            except InvalidConfiguration:
                errors[CONF_PREFIX] = "prefix_not_valid"
            else:
                if not (other := owner(self.hass, prefix, entry)):
                    return self.async_create_entry(data={**others, CONF_MQTT: {CONF_PREFIX: prefix}})
                errors[CONF_PREFIX], named = "prefix_taken", {"camera": other.title}
        stored = prefix_of(entry)
        known = {
            forms.CONF_ENABLED: stored is not None,
            CONF_PREFIX: stored or suggested_prefix(self.hass, entry),
        }
        return self.async_show_form(
            step_id="mqtt",
            data_schema=self.add_suggested_values_to_schema(forms.MQTT, user_input or known),
            errors=errors,
            description_placeholders=named,
        )
