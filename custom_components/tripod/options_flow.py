"""How a camera behaves, changed while it is set up."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from . import forms


class TripodOptionsFlow(OptionsFlow):
    """Change a camera's options; the entry's listener applies them."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show and take the options."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        known = {**forms.DEFAULT_OPTIONS, **self.config_entry.options}
        return self.async_show_form(
            step_id="init", data_schema=self.add_suggested_values_to_schema(forms.OPTIONS, known)
        )
