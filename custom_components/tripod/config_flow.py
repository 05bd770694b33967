"""Set up a camera: choose what it is, describe it, see that it works."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult, ConfigSubentryFlow, OptionsFlow
from homeassistant.const import CONF_NAME, CONF_USERNAME
from homeassistant.core import callback

from . import forms
from .const import DOMAIN, SUBENTRY_LINK, SUBENTRY_PUBLICATION, SUBENTRY_TIMELAPSE
from .csi_flow import CsiFlow
from .import_flow import ImportFlow
from .link_flow import LinkFlow
from .node_flow import NodeFlow
from .options_flow import TripodOptionsFlow
from .publication_flow import PublicationFlow
from .timelapse_flow import TimelapseFlow
from .v4l2_flow import V4l2Flow


class TripodConfigFlow(V4l2Flow, CsiFlow, NodeFlow, ImportFlow, domain=DOMAIN):
    """Add a camera, change it, or give it another password."""

    VERSION = 1

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what a camera may have: links, timelapses that stay, and servers that it publishes to."""
        return {SUBENTRY_LINK: LinkFlow, SUBENTRY_TIMELAPSE: TimelapseFlow, SUBENTRY_PUBLICATION: PublicationFlow}

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

    async def async_step_motion_in_ocean(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Describe a node of motion-in-ocean."""
        return await self._describe("motion_in_ocean", user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change what an existing camera is."""
        entry = self._get_reconfigure_entry()
        kind: str = entry.data["kind"]
        if kind == "v4l2":
            return await self.change_v4l2(entry)
        if kind == "csi":
            return await self.change_csi(entry)
        if kind == "node":
            return await self.change_node(entry)
        self.given = forms.answers(entry.data)
        return await self.go(kind)

    async def _describe(self, kind: str, given: dict[str, Any] | None) -> ConfigFlowResult:
        if given is None:
            return self.show(kind, forms.camera(kind, named=not self.changing), self.given)
        self.form, self.given = kind, given
        self.camera_name = given.get(CONF_NAME, "")
        stored = self.changing.data if self.changing else {}
        return await self.look(lambda: forms.source(kind, {**forms.kept_secret(stored, given), **given}))

    # --- another password ------------------------------------------------------------------------------------------

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin because the camera refuses its password, or its node our token."""
        if entry_data["kind"] == "node":
            return await self.pair_again(self._get_reauth_entry())
        if entry_data["kind"] == "motion_in_ocean":
            return await self.async_step_reauth_token()
        self.given = {CONF_USERNAME: entry_data[CONF_USERNAME]} if entry_data.get(CONF_USERNAME) else {}
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the password and try it."""
        if user_input is None:
            return self.show("reauth_confirm", forms.CREDENTIALS, self.given)
        self.form, self.given = "reauth_confirm", user_input
        stored = self._get_reauth_entry().data
        return await self.look(lambda: forms.with_credentials(stored, user_input))

    async def async_step_reauth_token(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the token of a motion-in-ocean node and try it."""
        if user_input is None:
            return self.show("reauth_token", forms.TOKEN, {})
        self.form = "reauth_token"
        stored = self._get_reauth_entry().data
        return await self.look(lambda: forms.with_credentials(stored, user_input))
