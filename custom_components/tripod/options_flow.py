"""How a camera behaves, changed while it is set up."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from . import forms
from .const import CONF_DAY_NIGHT, CONF_NIGHT_ENTITY
from .settings import DayNight


class TripodOptionsFlow(OptionsFlow):
    """Change a camera's options; the entry's listener applies them."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show and take the options."""
        errors = {}
        if user_input is not None:
            if user_input.get(CONF_DAY_NIGHT) != DayNight.ENTITY or user_input.get(CONF_NIGHT_ENTITY):
                return self.async_create_entry(data=user_input)
            errors[CONF_NIGHT_ENTITY] = "night_entity_missing"
        known = user_input or {**forms.DEFAULT_OPTIONS, **self.config_entry.options}
        schema = forms.options(self.config_entry.data["kind"])
        return self.async_show_form(
            step_id="init", data_schema=self.add_suggested_values_to_schema(schema, known), errors=errors
        )
