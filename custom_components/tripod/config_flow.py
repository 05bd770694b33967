"""Set up a camera: choose what it is, describe it, see that it works."""

from asyncio import Task
from collections.abc import Callable, Mapping
import secrets
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_NAME, CONF_USERNAME
from homeassistant.core import callback
import probatio

from . import forms
from .const import CONF_CODEC, DOMAIN, SUBENTRY_LINK
from .engine.errors import InvalidSource, TripodError
from .engine.sources import Found, Source
from .link_flow import LinkFlow
from .options_flow import TripodOptionsFlow
from .preview import previews, words
from .probe import probe
from .sentences import placeholders


class TripodConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add a camera, change it, or give it another password."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._form = ""
        """The step to return to when the live check fails."""
        self._given: dict[str, Any] = {}
        self._source: Source | None = None
        self._error: TripodError | None = None
        self._found: Found | None = None
        self._check: Task[tuple[Source, Found]] | None = None
        self._picture = secrets.token_urlsafe(16)

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what a camera may have: links."""
        return {SUBENTRY_LINK: LinkFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the dialog for a camera's options."""
        return TripodOptionsFlow()

    # --- what it is ------------------------------------------------------------------------------------------------

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose the kind of source."""
        return self.async_show_menu(step_id="user", menu_options=forms.KINDS)

    async def async_step_test_pattern(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Describe a test pattern."""
        return await self._describe("test_pattern", user_input)

    async def async_step_url(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Describe a camera with an address."""
        return await self._describe("url", user_input)

    async def async_step_v4l2(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Describe a device of this machine."""
        return await self._describe("v4l2", user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change what an existing camera is."""
        entry = self._get_reconfigure_entry()
        self._given = self._given or forms.answers(entry.data)
        kind: str = entry.data["kind"]
        result: ConfigFlowResult = await getattr(self, f"async_step_{kind}")(user_input)
        return result

    async def _describe(self, kind: str, given: dict[str, Any] | None) -> ConfigFlowResult:
        changing = self.source == SOURCE_RECONFIGURE
        if given is not None:
            self._form, self._given = kind, given
            stored = self._get_reconfigure_entry().data if changing else {}
            return await self._look(lambda: forms.source(kind, {**forms.kept_secret(stored, given), **given}))
        schema = forms.camera(kind, named=not changing)
        return self._show(kind, schema, self._given)

    # --- another password ------------------------------------------------------------------------------------------

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin because the camera refuses its password."""
        self._given = {CONF_USERNAME: entry_data[CONF_USERNAME]} if entry_data.get(CONF_USERNAME) else {}
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the password and try it."""
        entry = self._get_reauth_entry()
        if user_input is not None:
            self._form, self._given = "reauth_confirm", user_input
            return await self._look(lambda: forms.with_credentials(entry.data, user_input))
        return self._show("reauth_confirm", forms.CREDENTIALS, self._given)

    # --- the live check --------------------------------------------------------------------------------------------

    async def _look(self, describe: Callable[[], Source]) -> ConfigFlowResult:
        """Check the source that `describe` returns, unless it is none or is known already."""
        self._error = None
        try:
            self._source = describe()
        except InvalidSource as error:
            self._error = error
            return await self._back()
        if identity := forms.identity(self._source):
            self._async_abort_entries_match(identity)
        return await self.async_step_check()

    async def async_step_check(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Open the source and see what comes."""
        assert self._source is not None
        if self._check is None:
            self._check = self.hass.async_create_task(probe(self.hass, self._source), "look at a camera")
        if not self._check.done():
            return self.async_show_progress(
                step_id="check",
                progress_action="check",
                progress_task=self._check,
                description_placeholders={"address": self._source.address},
            )
        check, self._check = self._check, None
        try:
            self._source, self._found = check.result()
        except TripodError as error:
            self._error = error
            return self.async_show_progress_done(next_step_id=self._form)
        return self.async_show_progress_done(next_step_id="apply" if self.source == SOURCE_REAUTH else "confirm")

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what was found."""
        if user_input is not None:
            return await self.async_step_apply()
        assert self._found is not None
        picture = previews(self.hass).show(self._picture, self._found.picture)
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            description_placeholders={**words(self._found), "picture": picture},
            last_step=True,
        )

    async def async_step_apply(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Keep the camera as it was found."""
        assert self._source is not None
        assert self._found is not None
        data = {**self._source.as_dict(), CONF_CODEC: self._found.codec}
        if self.source not in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return self.async_create_entry(title=self._given[CONF_NAME], data=data, options=forms.DEFAULT_OPTIONS)
        entry = self._get_reauth_entry() if self.source == SOURCE_REAUTH else self._get_reconfigure_entry()
        result = self.async_update_and_abort(entry, data=data)
        if entry.state is not ConfigEntryState.LOADED:  # else its own listener sees to it
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return result

    async def _back(self) -> ConfigFlowResult:
        """Return to the form that was filled in."""
        result: ConfigFlowResult = await getattr(self, f"async_step_{self._form}")()
        return result

    def _show(self, step: str, schema: probatio.Schema, given: dict[str, Any]) -> ConfigFlowResult:
        error = self._error
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, given),
            errors={"base": error.cause} if error else {},
            description_placeholders=placeholders(error) if error else {},
        )

    @callback
    @override
    def async_remove(self) -> None:
        """Forget the picture when the dialog is closed."""
        previews(self.hass).forget(self._picture)
