"""Add or change a V4L2 camera: find it, measure how it can be run, choose."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_DEVICE, CONF_NAME
import probatio

from . import forms, settings, v4l2_forms
from .data import TripodConfigEntry
from .engine.errors import FormatNotSupported, InvalidSource, TripodError
from .engine.sources import V4l2, alsa
from .engine.sources.alsa import Microphone
from .engine.sources.v4l2 import devices, profiles
from .engine.sources.v4l2.devices import VideoDevice
from .engine.sources.v4l2.profiles import Measured
from .flow import CameraFlow
from .forms import CONF_CAMERA, CONF_PROFILE, EXPERT
from .probe import device_free, probe
from .sentences import phrases
from .shared import tools
from .v4l2_forms import AGAIN, BY_PATH, CONF_MICROPHONE, SILENT


@dataclass(frozen=True, slots=True)
class Seen:
    """A device and how it looks now."""

    device: VideoDevice
    entry: ConfigEntry | None = None
    """The camera that it is already."""
    picture: bytes | None = None
    error: TripodError | None = None
    """Why there is no picture."""


class V4l2Flow(CameraFlow):
    """The steps of a V4L2 camera."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        self._seen: dict[str, Seen] = {}
        self._device: VideoDevice | None = None
        self._measured: list[Measured] = []
        self._microphones: list[Microphone] = []
        self._stored: V4l2 | None = None
        """How the camera runs that is changed."""
        self._answers: dict[str, Any] = {}
        self._settings: dict[str, Any] = {}

    # --- which one -------------------------------------------------------------------------------------------------

    async def async_step_v4l2(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look for cameras."""
        return await self.work("v4l2", self._find)

    async def _find(self) -> str:
        self._seen, self.error = {}, None
        try:
            found = await devices.list_devices()
        except TripodError as error:
            self.error = error
            return "v4l2_none"
        for place, device in enumerate(found):
            self.async_update_progress(place / len(found))
            self._seen[device.id] = await self._see(device)
        return "v4l2_camera" if found else "v4l2_none"

    async def _see(self, device: VideoDevice) -> Seen:
        """Have a short look at a device; a camera that is set up shows what it shows anybody."""
        entry = self._entry_of(device)
        try:
            picture = await (_shown_by(entry) if entry else self._shown_on(device))
        except TripodError as error:
            return Seen(device, entry, error=error)
        return Seen(device, entry, picture)

    async def _shown_on(self, device: VideoDevice) -> bytes | None:
        _, found = await probe(self.hass, _candidates(device)[0])
        return found.picture

    def _entry_of(self, device: VideoDevice) -> ConfigEntry | None:
        entries = self._async_current_entries(include_ignore=False)
        return next((entry for entry in entries if _is_of(entry, device)), None)

    async def async_step_v4l2_none(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what to check where no camera was found."""
        words = await phrases(self.hass)
        error, self.error = self.error, None
        reason = words.why(error) if error else words.say("no_device")
        menu = ["v4l2", "v4l2_path", "csi"]
        return self.async_show_menu(step_id="v4l2_none", menu_options=menu, description_placeholders={"reason": reason})

    async def async_step_v4l2_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose one of the cameras that were found."""
        if user_input is None:
            return await self._show_cameras()
        choice = user_input[CONF_CAMERA]
        if choice == AGAIN:
            return await self.async_step_v4l2()
        if choice == BY_PATH:
            return await self.async_step_v4l2_path()
        self._device = self._seen[choice].device
        await self.claim(choice)
        self.form = "v4l2_camera"
        return await self.async_step_v4l2_measure()

    async def _show_cameras(self) -> ConfigFlowResult:
        words = await phrases(self.hass)
        shown, labels = [], []
        for seen in self._seen.values():
            label = f"{v4l2_forms.camera_name(seen.device.name)} ({seen.device.node})"
            notes = [words.say("set_up", name=seen.entry.title)] if seen.entry else []
            notes += [words.why(seen.error)] if seen.error else []
            parts = (f"**{label}**", *notes, self.album.show(seen.device.id, seen.picture))
            shown.append("\n\n".join(part for part in parts if part))
            if not seen.entry:
                labels.append((seen.device.id, label))
        return self.show("v4l2_camera", v4l2_forms.cameras(labels), {}, cameras="\n\n".join(shown))

    async def async_step_v4l2_path(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Describe a device by hand."""
        if user_input is None:
            return self.show("v4l2_path", forms.camera("v4l2", named=not self.changing), self.given)
        self.form, self.given = "v4l2_path", user_input
        self.camera_name = user_input.get(CONF_NAME, "")
        with suppress(TripodError):  # the live check tells why
            self._device = await devices.device(user_input[CONF_DEVICE])
            await self.claim(self._device.id)
            user_input = {**user_input, CONF_DEVICE: self._device.path}
        return await self.look(lambda: forms.source("v4l2", user_input))

    # --- one that was plugged in -----------------------------------------------------------------------------------

    async def async_step_integration_discovery(self, discovery_info: Mapping[str, Any]) -> ConfigFlowResult:
        """Offer a camera that was plugged in; it is opened when somebody looks at the dialog, not before."""
        await self.claim(discovery_info["id"], device=discovery_info["path"])
        name = v4l2_forms.camera_name(discovery_info["name"])
        self.context["title_placeholders"] = {"name": name}
        self.given = {CONF_DEVICE: discovery_info["path"], CONF_NAME: name}
        return await self.async_step_v4l2_discovered()

    async def async_step_v4l2_discovered(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the camera, and measure it if it shall be added."""
        if user_input is not None:
            self.form = "v4l2_discovered"
            return await self.async_step_v4l2_measure()
        picture = self.album.show("discovered", self._take_discovered)
        name = self.given[CONF_NAME]
        return self.show("v4l2_discovered", probatio.Schema({}), {}, name=name, picture=picture)

    async def _take_discovered(self) -> bytes:
        """Return a picture of the camera, or one that says why there is none."""
        try:
            self._device = await devices.device(self.given[CONF_DEVICE])
            source = _candidates(self._device)[0]
        except TripodError as error:
            return await self.notice(error)
        return await self.take(source)

    # --- how to run it ---------------------------------------------------------------------------------------------

    async def change_v4l2(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Begin to change a camera."""
        self.given = forms.answers(entry.data)
        self.form = "v4l2_path"
        with suppress(InvalidSource):
            source = settings.source(entry)
            assert isinstance(source, V4l2)
            self._stored = source
        return await self.async_step_v4l2_measure()

    async def async_step_v4l2_measure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Try how the camera can be run."""
        device, changing = self._device, self.changing
        name = device.name if device else changing.title if changing else self.given[CONF_NAME]
        return await self.work("v4l2_measure", self._measure, name=v4l2_forms.camera_name(name))

    async def _measure(self) -> str:
        try:
            self._device = device = self._device or await devices.device(self.given[CONF_DEVICE])
            candidates = _candidates(device)
            measured = []
            async with device_free(self.hass, candidates[0]):
                for place, candidate in enumerate(candidates):
                    self.async_update_progress(place / len(candidates))
                    measured.append(await profiles.measure(candidate, tools(self.hass)))
        except TripodError as error:
            self.error = error
            return self.form
        self._measured = [profile for profile in profiles.rank(measured) if profile.error is None]
        if not self._measured:
            self.error = measured[0].error
            return self.form
        self._microphones = await alsa.list_microphones()
        return "v4l2_profile"

    async def async_step_v4l2_profile(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose one of the ways that work."""
        assert self._device is not None
        if user_input is None:
            return await self._show_profiles(self._device)
        await self.claim(self._device.id)
        self._answers = user_input
        self.camera_name = user_input.get(CONF_NAME, "")
        choice = user_input[CONF_PROFILE]
        if choice == EXPERT:
            return await self.async_step_v4l2_expert()
        self.form = "v4l2_profile"
        return await self.look(lambda: self._complete(self._measured[int(choice)].source))

    async def _show_profiles(self, device: VideoDevice) -> ConfigFlowResult:
        words = await phrases(self.hass)
        schema = v4l2_forms.profiles(
            self._measured, self._microphones, device, words, stored=self._stored, named=not self.changing
        )
        picture = self.album.show("profile", self._measured[0].picture)
        return self.show(
            "v4l2_profile", schema, self._answers, name=v4l2_forms.camera_name(device.name), picture=picture
        )

    async def async_step_v4l2_expert(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose every setting among those that the device has."""
        assert self._device is not None
        source, device = self._stored or self._measured[0].source, self._device
        if user_input is None:
            self._settings = self._settings or v4l2_forms.answers(source)
            return self.show("v4l2_expert", v4l2_forms.settings(device), self._settings)
        self.form, self._settings = "v4l2_expert", user_input
        return await self.look(lambda: self._complete(v4l2_forms.chosen(source, device, user_input)))

    def _complete(self, source: V4l2) -> V4l2:
        """Return a source with the device's present path and the microphone that was chosen."""
        assert self._device is not None
        microphone = self._answers.get(CONF_MICROPHONE, SILENT)
        return replace(source, device=self._device.path, microphone="" if microphone == SILENT else microphone)


def _candidates(device: VideoDevice) -> list[V4l2]:
    """Return how a device may be run, cheapest first; raises `FormatNotSupported` where there is no way."""
    if candidates := profiles.candidates(device):
        return candidates
    raise FormatNotSupported(device.name)


def _is_of(entry: ConfigEntry, device: VideoDevice) -> bool:
    """Whether a camera is on this device, by identity or by any of its paths."""
    return entry.unique_id == device.id or entry.data.get(CONF_DEVICE) in device.paths


async def _shown_by(entry: TripodConfigEntry) -> bytes | None:
    """Return a fresh picture of a camera that is set up; none where it is not loaded."""
    if entry.state is not ConfigEntryState.LOADED:
        return None
    return (await entry.runtime_data.pipeline.snapshot()).data
