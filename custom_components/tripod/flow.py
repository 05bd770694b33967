"""What the dialogs for all kinds of camera share: work under way, the live check, and what becomes of it."""

from asyncio import Task
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.core import callback
import probatio

from . import forms
from .const import CONF_CODEC, DOMAIN
from .engine.errors import InvalidSource, TripodError
from .engine.no_signal import NoSignal
from .engine.sources import Found, Source, UrlSource
from .engine.sources.recognise import is_base, recognise
from .preview import Album, words
from .probe import probe
from .sentences import phrases, placeholders
from .shared import tools

NOTICE_SIZE = (640, 360)
"""Pixels of the picture that says why there is none."""


class CameraFlow(ConfigFlow):
    """The steps that follow once it is known what the camera is."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.given: dict[str, Any] = {}
        """What the user entered, or what is stored of a camera that is changed."""
        self.form = ""
        """The step to return to when work under way fails."""
        self.error: TripodError | None = None
        """Why it failed, which the next form tells."""
        self.camera_name = ""
        """What the camera will be called."""
        self._source: Source | None = None
        self._found: Found | None = None
        self._task: Task[str] | None = None

    @cached_property
    def album(self) -> Album:
        """The pictures that this dialog shows."""
        return Album(self.hass)

    @property
    def changing(self) -> ConfigEntry | None:
        """The camera that is changed, unless one is added."""
        return self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None

    # --- for the steps of a kind of camera -------------------------------------------------------------------------

    async def go(self, step: str) -> ConfigFlowResult:
        """Take a step without an answer to it."""
        result: ConfigFlowResult = await getattr(self, f"async_step_{step}")()
        return result

    async def work(self, step: str, begin: Callable[[], Coroutine[Any, Any, str]], **named: str) -> ConfigFlowResult:
        """Show what `begin` starts for as long as it takes, then take the step whose name it returns."""
        if self._task is None:
            task = self.hass.async_create_task(begin(), f"{DOMAIN}: {step}")
            if task.done():  # without a wait; what was never shown as under way cannot be shown as done
                return await self.go(task.result())
            self._task = task
        if not self._task.done():
            return self.async_show_progress(
                step_id=step, progress_action=step, progress_task=self._task, description_placeholders=named
            )
        task, self._task = self._task, None
        return self.async_show_progress_done(next_step_id=task.result())

    def show(
        self, step: str, schema: probatio.Schema, given: dict[str, Any], *, cause: str | None = None, **named: str
    ) -> ConfigFlowResult:
        """Show a form, filled in with what was `given`, and with the error if there is one.

        Its sentence is that of its cause, unless another `cause` is named.
        """
        error, self.error = self.error, None
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, given),
            errors={"base": cause or error.cause} if error else {},
            description_placeholders={**named, **(placeholders(error) if error else {})},
        )

    async def claim(self, identity: str, **moved: str) -> None:
        """Be the dialog of the hardware that `identity` names; abort where it is a camera already.

        What of that camera has `moved` is kept.
        """
        discovered = self.source == SOURCE_INTEGRATION_DISCOVERY
        known = await self.async_set_unique_id(identity, raise_on_progress=discovered)
        if known is not None and known is not self.changing:
            updates = None if known.source == SOURCE_IGNORE else moved
            self._abort_if_unique_id_configured(updates=updates, reload_on_update=False)

    async def take(self, source: Source) -> bytes:
        """Return a picture from `source`, or one that says why there is none."""
        try:
            _, found = await probe(self.hass, source)
        except TripodError as error:
            return await self.notice(error)
        assert found.picture is not None
        return found.picture

    async def notice(self, error: TripodError) -> bytes:
        """Return a picture that says why there is none."""
        words = await phrases(self.hass)
        return await NoSignal(tools(self.hass).ffmpeg).picture(words.why(error), NOTICE_SIZE)

    async def look(self, describe: Callable[[], Source]) -> ConfigFlowResult:
        """Check the source that `describe` returns, unless it is none or is known already."""
        try:
            self._source = describe()
        except InvalidSource as error:
            self.error = error
            return await self.go(self.form)
        self._known_already(self._source)
        return await self.async_step_check()

    def _known_already(self, source: Source) -> None:
        """Abort where another camera has the same source."""
        if identity := forms.identity(source):
            self._async_abort_entries_match(identity)

    # --- the live check --------------------------------------------------------------------------------------------

    async def async_step_check(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Open the source and see what comes."""
        assert self._source is not None
        return await self.work("check", self._check, address=self._source.address)

    async def _check(self) -> str:
        assert self._source is not None
        try:
            self._source, self._found = await probe(self.hass, await self._behind(self._source))
        except TripodError as error:
            self.error = error
            return self.form
        return "apply" if self.source == SOURCE_REAUTH else "confirm"

    async def _behind(self, source: Source) -> Source:
        """Return where the pictures are, where an address names only what serves them."""
        if not is_base(source):
            return source
        assert isinstance(source, UrlSource)
        found = await recognise(source, tools(self.hass).resolve)
        return found.source if found else source

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what was found."""
        if user_input is not None:
            return await self.async_step_apply()
        assert self._source is not None
        assert self._found is not None
        self._known_already(self._source)
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            description_placeholders={
                **words(self._found, self._source.microphone),
                "picture": self.album.show("found", self._found.picture),
            },
            last_step=True,
        )

    async def async_step_apply(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Keep the camera as it was found."""
        assert self._source is not None
        assert self._found is not None
        data = {**self._source.as_dict(), CONF_CODEC: self._found.codec}
        if self.source not in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return self.async_create_entry(title=self.camera_name, data=data, options=forms.DEFAULT_OPTIONS)
        entry = self._get_reauth_entry() if self.source == SOURCE_REAUTH else self._get_reconfigure_entry()
        result = self.async_update_and_abort(entry, unique_id=self.unique_id or entry.unique_id, data=data)
        if entry.state is not ConfigEntryState.LOADED:  # else its own listener sees to it
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return result

    @callback
    @override
    def async_remove(self) -> None:
        """Forget the pictures when the dialog is closed."""
        if "album" in self.__dict__:
            self.album.close()
