"""Let a camera publish to a server, or change that: what the user says is tried before it is kept."""

import asyncio
from asyncio import Task
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME, CONF_PASSWORD, CONF_URL, CONF_USERNAME
from homeassistant.helpers.selector import BooleanSelector, TextSelector, TextSelectorConfig, TextSelectorType
import probatio

from . import forms
from .const import CONF_KEY, CONF_SOUND, CONF_VERIFY_TLS, SUBENTRY_PUBLICATION
from .data import TripodConfigEntry
from .engine.errors import CannotPublish, NoFreshPicture, Stopped, TripodError, Unreachable
from .engine.publisher import Publication, Publisher, PublisherState, Sound
from .sentences import describe, describe_server

PATIENCE: Final = 30.0
"""Seconds for the camera to wake up and the server to take its video."""

SETTLED: Final = 3.0
"""Seconds that the server must go on taking it: some look at the stream key only after they took the first picture."""

SECRETS: Final = (CONF_PASSWORD, CONF_KEY)

FORM = probatio.Schema(
    {
        probatio.Required(CONF_NAME): forms.TEXT,
        probatio.Required(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        probatio.Optional(probatio.Secret(CONF_KEY)): forms.PASSWORD,
        probatio.Optional(CONF_USERNAME): TextSelector(TextSelectorConfig(autocomplete="off")),
        probatio.Optional(probatio.Secret(CONF_PASSWORD)): forms.PASSWORD,
        probatio.Required(CONF_SOUND, default=Sound.CAMERA): forms.choice(*Sound, key="sound"),
        probatio.Required(CONF_VERIFY_TLS, default=True): BooleanSelector(),
    }
)


class PublicationFlow(ConfigSubentryFlow):
    """Describe a server. Neither adding nor changing one touches the running camera."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._given: dict[str, Any] = {}
        self._publication: Publication | None = None
        self._task: Task[None] | None = None
        self._reason = ""
        """Why it did not work."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the server."""
        return await self._ask("user", user_input, {})

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show what is known but for the secrets, and take what changes."""
        known = self._get_reconfigure_subentry()
        shown = {key: value for key, value in known.data.items() if key not in SECRETS}
        return await self._ask("reconfigure", user_input, {CONF_NAME: known.title, **shown})

    async def _ask(self, step: str, given: dict[str, Any] | None, known: Mapping[str, Any]) -> SubentryFlowResult:
        entry: TripodConfigEntry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        if given is None:
            return self._show(step, self._given or known)
        self._given = given
        try:
            self._publication = self._described(given)
        except CannotPublish as error:
            self._reason = describe(self.hass, error)
            return self._show(step, given)
        if self._taken(entry):
            return self.async_abort(reason="already_configured")
        return await self.async_step_check()

    def _show(self, step: str, known: Mapping[str, Any]) -> SubentryFlowResult:
        reason, self._reason = self._reason, ""
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(FORM, known),
            errors={"base": "failed"} if reason else {},
            description_placeholders={"reason": reason},
        )

    def _described(self, given: Mapping[str, Any]) -> Publication:
        """Return what a filled-in form describes; what it left out of the secrets of the same server stays."""
        fields = {key: value for key, value in given.items() if key != CONF_NAME}
        publication = Publication.from_dict(
            {**fields, **{key: fields.get(key, "") for key in SECRETS}, **self._kept(fields)}
        )
        self._given = {**given, CONF_URL: publication.url, CONF_USERNAME: publication.username}
        return publication

    def _kept(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        if self.source != SOURCE_RECONFIGURE:
            return {}
        known = self._get_reconfigure_subentry().data
        if known[CONF_URL] != fields[CONF_URL] or known[CONF_USERNAME] != fields.get(CONF_USERNAME, ""):
            return {}  # a secret goes to nobody whom it was not given for
        return {key: known[key] for key in SECRETS if not fields.get(key)}

    def _taken(self, entry: TripodConfigEntry) -> bool:
        """Tell whether the camera publishes there already."""
        own = self._get_reconfigure_subentry().subentry_id if self.source == SOURCE_RECONFIGURE else None
        assert self._publication is not None
        place = (self._publication.url, self._publication.key)
        return any(
            (item.data[CONF_URL], item.data[CONF_KEY]) == place
            for item in entry.get_subentries_of_type(SUBENTRY_PUBLICATION)
            if item.subentry_id != own
        )

    # --- the live check --------------------------------------------------------------------------------------------

    async def async_step_check(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Publish for a moment."""
        assert self._publication is not None
        if self._task is None:
            self._task = self.hass.async_create_task(self._check(self._publication), "publish for a moment")
        if not self._task.done():
            return self.async_show_progress(
                step_id="check",
                progress_action="check",
                progress_task=self._task,
                description_placeholders={"address": self._publication.address},
            )
        task, self._task = self._task, None
        task.result()
        return self.async_show_progress_done(next_step_id="again" if self._reason else "done")

    async def async_step_again(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show the form again, with why it did not work."""
        return self._show("reconfigure" if self.source == SOURCE_RECONFIGURE else "user", self._given)

    async def async_step_done(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Keep it."""
        assert self._publication is not None
        title, data = self._given[CONF_NAME], self._publication.as_dict()
        if self.source != SOURCE_RECONFIGURE:
            return self.async_create_entry(title=title, data=data)
        return self.async_update_and_abort(self._get_entry(), self._get_reconfigure_subentry(), title=title, data=data)

    async def _check(self, publication: Publication) -> None:
        """Publish until the server has taken it for a while; note why it does not."""
        entry: TripodConfigEntry = self._get_entry()
        camera = entry.runtime_data.camera
        running = None
        if self.source == SOURCE_RECONFIGURE:
            running = camera.publications.publishers.get(self._get_reconfigure_subentry().subentry_id)
        paused = running is not None and running.on
        if running and paused:
            await running.stop()  # a server takes one publisher for a stream
        publisher = Publisher(camera.pipeline, publication, name="check")
        try:
            if error := await _attempt(publisher):
                away = publisher.status.state is PublisherState.WAITING or isinstance(error, Stopped)
                self._reason = (describe if away else describe_server)(self.hass, error)
        finally:
            await publisher.stop()
            if running and paused:
                running.start()


async def _attempt(publisher: Publisher) -> TripodError | None:
    """Publish for a while; return what kept it from that."""
    changed = asyncio.Event()
    unlisten = publisher.listen(changed.set)
    publisher.start()
    try:
        async with asyncio.timeout(PATIENCE):
            while publisher.status.state is not PublisherState.PUBLISHING:
                changed.clear()
                if publisher.status.error:
                    return publisher.status.error
                await changed.wait()
        changed.clear()
        async with asyncio.timeout(SETTLED):
            await changed.wait()
    except TimeoutError:
        match publisher.status.state:
            case PublisherState.PUBLISHING:
                return None
            case PublisherState.WAITING:
                return publisher.status.error or NoFreshPicture(f"waited {PATIENCE:g} s")
        return publisher.status.error or Unreachable(publisher.publication.host)
    finally:
        unlisten()
    return publisher.status.error
