"""Give an outside client a link to a camera, change it, or make it a new key."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.util import dt as dt_util
import probatio

from . import forms
from .const import CONF_EXPIRES, CONF_KEY, CONF_LIMIT, CONF_SCOPES
from .engine.web import Scope
from .links import new_key
from .shared import SHARED

CONF_NEW_KEY = "new_key"

_SCOPES = SelectSelector(
    SelectSelectorConfig(options=list(Scope), translation_key="scopes", multiple=True, mode=SelectSelectorMode.LIST)
)

_FIELDS = {
    probatio.Required(CONF_NAME): forms.TEXT,
    probatio.Required(CONF_SCOPES, default=list(Scope)): probatio.All(_SCOPES, probatio.Length(min=1)),
    probatio.Optional(CONF_EXPIRES): DateSelector(),
    probatio.Optional(CONF_LIMIT): forms.number(1, 10_000),
}

NEW = probatio.Schema(_FIELDS)

CHANGE = probatio.Schema({**_FIELDS, probatio.Optional(CONF_NEW_KEY, default=False): BooleanSelector()})

PATHS = {
    "page": "",
    "mjpeg": "stream.mjpg",
    "hls": "stream.m3u8",
    "ts": "stream.ts",
    "snapshot": "snapshot.jpg",
    "latest": "latest.jpg",
    "octoprint": "webcam/?action=stream",
}
"""What a link opens, by the name that the dialogs' texts have for it."""

NEVER = "–"  # noqa: RUF001 - a dash for people

_FALLBACK = "http://homeassistant.local:8123"


def urls(hass: HomeAssistant, key: str) -> dict[str, str]:
    """Return the addresses that a key opens."""
    try:
        base = get_url(hass, allow_cloud=False, prefer_external=False)
    except NoURLAvailableError:
        base = _FALLBACK
    return {name: f"{base}/api/tripod/{key}/{path}" for name, path in PATHS.items()}


class LinkFlow(ConfigSubentryFlow):
    """Add or change a link. Neither touches the running camera."""

    def __init__(self) -> None:
        """Begin with a key at hand."""
        self._title = ""
        self._data: dict[str, Any] = {CONF_KEY: new_key()}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask who gets the link, and what for."""
        if user_input is None:
            return self.async_show_form(step_id="user", data_schema=NEW)
        self._take(user_input, self._data[CONF_KEY])
        return await self.async_step_urls()

    async def async_step_urls(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show what to give to the client, and keep the link."""
        if user_input is None:
            return self.async_show_form(
                step_id="urls",
                data_schema=probatio.Schema({}),
                description_placeholders=urls(self.hass, self._data[CONF_KEY]),
                last_step=True,
            )
        if self.source == SOURCE_RECONFIGURE:
            return self._update()
        return self.async_create_entry(title=self._title, data=self._data)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show a link's addresses and last use, and take what changes."""
        link = self._get_reconfigure_subentry()
        if user_input is None:
            return self.async_show_form(
                step_id="reconfigure",
                data_schema=self.add_suggested_values_to_schema(CHANGE, {**link.data, CONF_NAME: link.title}),
                description_placeholders={
                    **urls(self.hass, link.data[CONF_KEY]),
                    "last_used": _last_used(self.hass, link.subentry_id),
                },
            )
        renewed = user_input.pop(CONF_NEW_KEY)
        self._take(user_input, self._data[CONF_KEY] if renewed else link.data[CONF_KEY])
        return await self.async_step_urls() if renewed else self._update()

    def _take(self, given: dict[str, Any], key: str) -> None:
        self._title = given.pop(CONF_NAME)
        self._data = {**given, CONF_KEY: key}

    def _update(self) -> SubentryFlowResult:
        return self.async_update_and_abort(
            self._get_entry(), self._get_reconfigure_subentry(), title=self._title, data=self._data
        )


def _last_used(hass: HomeAssistant, link: str) -> str:
    shared = hass.data.get(SHARED)
    if shared is None or (at := shared.storage.used(link)) is None:
        return NEVER
    return dt_util.as_local(at).strftime("%Y-%m-%d %H:%M")
