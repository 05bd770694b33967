"""Add or change a camera on a Raspberry Pi's camera connector: find it, choose how it runs."""

from contextlib import suppress
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_NAME
import probatio

from . import csi_forms, settings
from .engine.errors import DeviceMissing, InvalidSource, TripodError
from .engine.sources import csi
from .engine.sources.csi import Csi, CsiCamera
from .flow import CameraFlow
from .forms import CONF_CAMERA, CONF_PROFILE, EXPERT
from .sentences import phrases
from .shared import tools

NO_CAMERA = "no_csi_camera"
"""What the form says where there is no camera on the connector."""


class CsiFlow(CameraFlow):
    """The steps of a CSI camera."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        self._cameras: dict[str, CsiCamera] = {}
        self._camera: CsiCamera | None = None
        self._wanted = ""
        """The camera that is changed."""
        self._profiles: list[Csi] = []
        self._present: Csi | None = None
        """How it runs."""
        self._choice: dict[str, Any] = {}
        self._fields: dict[str, Any] = {}

    async def change_csi(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Begin to change a camera."""
        self._wanted = entry.data["camera"]
        with suppress(InvalidSource):
            source = settings.source(entry)
            assert isinstance(source, Csi)
            self._present = source
        return await self.async_step_csi()

    async def async_step_csi(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look for cameras."""
        return await self.work("csi", self._find_csi)

    async def _find_csi(self) -> str:
        try:
            found = {camera.id: camera for camera in await csi.list_cameras(tools(self.hass))}
            if self._wanted:
                if self._wanted not in found:
                    raise DeviceMissing(self._wanted)
                found = {self._wanted: found[self._wanted]}
        except TripodError as error:
            self.error = error
            return "csi_none"
        self._cameras = found
        if len(found) > 1:
            return "csi_camera"
        [self._camera] = found.values()
        return "csi_profile"

    async def async_step_csi_none(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say why there is no camera, and look again."""
        if user_input is not None:
            return await self.async_step_csi()
        missing = isinstance(self.error, DeviceMissing)
        return self.show("csi_none", probatio.Schema({}), {}, cause=NO_CAMERA if missing else None)

    async def async_step_csi_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose one of several cameras."""
        if user_input is not None:
            self._camera = self._cameras[user_input[CONF_CAMERA]]
            return await self.async_step_csi_profile()
        cameras = self._cameras.values()
        shown = "\n\n".join(f"**{csi_forms.label(camera)}**\n\n{self._picture(camera)}" for camera in cameras)
        return self.show("csi_camera", csi_forms.cameras(cameras), {}, cameras=shown)

    def _picture(self, camera: CsiCamera) -> str:
        """Return Markdown that shows the camera's picture, which is taken once a browser asks for it."""
        return self.album.show(camera.id, partial(self.take, csi.profiles(camera)[0]))

    async def async_step_csi_profile(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose how the camera runs."""
        assert self._camera is not None
        if user_input is None:
            await self.claim(self._camera.id)
            return await self._show_csi_profiles(self._camera)
        self._choice = user_input
        self.camera_name = user_input.get(CONF_NAME, "")
        if user_input[CONF_PROFILE] == EXPERT:
            return await self.async_step_csi_expert()
        self.form = "csi_profile"
        source = self._profiles[int(user_input[CONF_PROFILE])]
        return await self.look(lambda: csi_forms.mounted(source, self._present))

    async def _show_csi_profiles(self, camera: CsiCamera) -> ConfigFlowResult:
        self._profiles = csi.profiles(camera, await csi.board())
        words = await phrases(self.hass)
        schema = csi_forms.profiles(self._profiles, camera, words, present=self._present, named=not self.changing)
        return self.show("csi_profile", schema, self._choice, name=csi_forms.module(camera))

    async def async_step_csi_expert(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose every setting."""
        source = self._present or self._profiles[0]
        if user_input is None:
            self._fields = self._fields or csi_forms.answers(source)
            return self.show("csi_expert", csi_forms.SETTINGS, self._fields)
        self.form, self._fields = "csi_expert", user_input
        return await self.look(lambda: csi_forms.chosen(source, user_input))
