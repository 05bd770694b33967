"""Add or change a standing timelapse of a camera: one that goes on until it is switched off or deleted."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_NAME
import probatio

from .const import SUBENTRY_TIMELAPSE
from .engine.errors import TripodError
from .engine.timelapse import Job
from .sentences import placeholders
from .timelapse_forms import CHANGE, EXAMPLE, NEW, answers, job


class TimelapseFlow(ConfigSubentryFlow):
    """Describe a timelapse. Neither adding nor changing one touches the running camera."""

    def __init__(self) -> None:
        """Begin without a timelapse."""
        self._name = ""
        self._errors: dict[str, str] = {}
        self._named: dict[str, str] = {"example": EXAMPLE}
        """What the texts name."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what shall be seen to grow, and when."""
        if user_input is not None:
            self._name = user_input[CONF_NAME].strip()
            if data := self._described(user_input):
                return self.async_create_entry(title=self._name, data=data)
        return self._show("user", NEW, user_input or {})

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show what a timelapse is, and take what changes; its name is that of its folder, and stays."""
        timelapse = self._get_reconfigure_subentry()
        self._name = self._named["name"] = timelapse.title
        if user_input is not None and (data := self._described(user_input)):
            return self.async_update_and_abort(self._get_entry(), timelapse, data=data)
        return self._show("reconfigure", CHANGE, user_input or answers(Job.from_dict(timelapse.data)))

    def _described(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the job that a form describes, as it is stored; None where there can be none such."""
        self._errors.clear()
        if CONF_NAME in given and self._name.casefold() in self._taken():
            self._errors[CONF_NAME] = "name_taken"
            return None
        try:
            return job(self._name, given).as_dict()
        except TripodError as error:
            self._errors["base"] = error.cause
            self._named |= placeholders(error)
            return None

    def _taken(self) -> set[str]:
        """Return the names of the camera's timelapses, as a disk knows them that does not tell capitals."""
        return {known.title.casefold() for known in self._get_entry().get_subentries_of_type(SUBENTRY_TIMELAPSE)}

    def _show(self, step: str, schema: probatio.Schema, known: Mapping[str, Any]) -> SubentryFlowResult:
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, known),
            errors=self._errors,
            description_placeholders=self._named,
        )
