"""Add or change a camera of a node: find the node, pair with it by its code, choose a camera."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_CODE
from homeassistant.core import callback
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import probatio

from . import node_forms
from .const import CONF_NODE, DOMAIN
from .engine.errors import InvalidSource, NoSuchCamera, NotANode, TlsFailed, TripodError, Unpaired
from .engine.sources.node import CameraFacts, NodeAccess, NodeClient, NodeFacts
from .flow import CameraFlow
from .forms import CONF_CAMERA
from .node_discovery import Announced
from .nodes import apply, entries_of, revoke
from .shared import SHARED

_TELLING: Final = (NotANode, TlsFailed)
"""Which error says most where each way to a node fails: first what answered, then what nearly did."""


class NodeFlow(CameraFlow):
    """The steps of a node's camera."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        self._ways: list[NodeAccess] = []
        """How the node may be reached."""
        self._access: NodeAccess | None = None
        """How it is."""
        self._expected = ""
        """The id of the node that was discovered."""
        self._node: NodeFacts | None = None
        self._code = ""
        self._fresh: NodeAccess | None = None
        """A pairing that no camera uses yet."""

    # --- where it is -----------------------------------------------------------------------------------------------

    async def async_step_node(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a node's address."""
        if user_input is None:
            return self.show("node", node_forms.NODE, self.given)
        self.form, self.given = "node", user_input
        try:
            self._ways = node_forms.ways(user_input)
        except InvalidSource as error:
            self.error = error
            return await self.async_step_node()
        return await self.async_step_node_look()

    async def async_step_node_look(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look whether a node is there."""
        return await self.work("node_look", self._find_node, address=self._ways[0].url)

    async def _find_node(self) -> str:
        try:
            self._access, self._node = await self._reach()
        except TripodError as error:
            self.error = error
            return "node"
        if not (known := self._stored_access(self._node.id)):
            return "node_code"
        return await self._meet(replace(self._access, token=known.token, node=known.node))

    async def _reach(self) -> tuple[NodeAccess, NodeFacts]:
        """Return the first way on which a node answers, the expected one where one is; raises why there is none."""
        failed: list[TripodError] = []
        for way in self._ways:
            try:
                async with NodeClient(way) as client:
                    found = await client.identity()
            except TripodError as error:
                failed.append(error)
            else:
                if self._expected in ("", found.id):
                    return way, found
                failed.append(NotANode("another node answers there"))
        raise next((error for kind in _TELLING for error in failed if isinstance(error, kind)), failed[-1])

    def _stored_access(self, node: str) -> NodeAccess | None:
        """Return how a node is reached that we are paired with."""
        return next((node_forms.access_of(entry) for entry in entries_of(self.hass, node)), None)

    async def _meet(self, access: NodeAccess) -> str:
        """Ask a node for its cameras that we should be paired with, and return the step that follows."""
        try:
            async with NodeClient(access) as client:
                self._node = await client.facts()
        except Unpaired:
            return "node_code"
        except TripodError as error:
            self.error = error
            return "node"
        self._access = access
        return "node_paired"

    # --- pairing ---------------------------------------------------------------------------------------------------

    async def async_step_node_code(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the code that the node shows."""
        if user_input is None:
            return self.show("node_code", node_forms.CODE, {}, **self._named())
        self._code = user_input[CONF_CODE].strip()
        return await self.async_step_node_pair()

    def _named(self) -> dict[str, str]:
        access = self._access or self._ways[0]
        return {"name": self._node.name if self._node and self._node.name else access.url, "address": access.url}

    async def async_step_node_pair(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Exchange the code for a token."""
        return await self.work("node_pair", self._pair)

    async def _pair(self) -> str:
        try:
            if self._access is None:
                self._access, _ = await self._reach()
            way = replace(self._access, token="", node="")
            async with NodeClient(way) as client:
                token, self._node = await client.pair(self._code, self.hass.config.location_name)
        except TlsFailed as error:
            self.error = error
            self.given = node_forms.answers(self._access or self._ways[0])
            return "node" if self.source != SOURCE_REAUTH else "node_code"
        except TripodError as error:
            self.error = error
            return "node_code"
        self._access = self._fresh = replace(way, token=token, node=self._node.id)
        return "node_paired"

    async def async_step_node_paired(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go on with a node that knows us."""
        assert self._node is not None
        assert self._access is not None
        if self.source == SOURCE_REAUTH:
            return self._adopt(self._get_reauth_entry())
        if self.changing and self.changing.data[CONF_CAMERA] in {camera.id for camera in self._node.cameras}:
            return await self._choose(self.changing.data[CONF_CAMERA])
        free = self._free()
        if not free:
            return self.async_abort(reason="no_further_camera")
        if len(free) > 1 or self.changing:
            return await self.async_step_node_camera()
        return await self._choose(free[0].id)

    def _free(self) -> list[CameraFacts]:
        """Return the node's cameras that are not set up."""
        assert self._node is not None
        taken = {entry.data[CONF_CAMERA] for entry in entries_of(self.hass, self._node.id)}
        return [camera for camera in self._node.cameras if camera.id not in taken]

    @callback
    def _adopt(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Let all cameras of the node have the new pairing; the node itself may have been set up anew."""
        assert self._node is not None
        assert self._access is not None
        if entry.data[CONF_CAMERA] not in {camera.id for camera in self._node.cameras}:
            self.error = NoSuchCamera(camera=entry.data[CONF_CAMERA])
            return self.show("node_code", node_forms.CODE, {}, **self._named())
        self._fresh = None
        apply(self.hass, entry.data[CONF_NODE], node_forms.stored(self._access))
        return self.async_abort(reason="reauth_successful")

    # --- which camera ----------------------------------------------------------------------------------------------

    async def async_step_node_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Let the user choose one of a node's cameras by its picture; the others are offered once it is there."""
        if user_input is not None:
            return await self._choose(user_input[CONF_CAMERA])
        free = self._free()
        shown = "\n\n".join(f"**{camera.title}**\n\n{self._camera_picture(camera.id)}" for camera in free)
        return self.show("node_camera", node_forms.cameras(free), {}, cameras=shown)

    def _camera_picture(self, camera: str) -> str:
        """Return Markdown that shows a camera's picture, which is taken once a browser asks for it."""
        assert self._access is not None
        return self.album.show(camera, partial(self.take, node_forms.source(self._access, camera)))

    async def _choose(self, camera: str) -> ConfigFlowResult:
        assert self._access is not None
        assert self._node is not None
        access, self.form = self._access, "node_camera"
        self.camera_name = next((found.title for found in self._node.cameras if found.id == camera), camera) or camera
        await self.claim(node_forms.identity(access.node, camera))
        return await self.look(lambda: node_forms.source(access, camera))

    @override
    async def async_step_apply(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Keep the camera, and let its node's other cameras go the same way to it."""
        if self._access:
            self._fresh = None
            node = self.changing.data[CONF_NODE] if self.changing else self._access.node
            apply(self.hass, node, node_forms.stored(self._access))
        return await super().async_step_apply()

    # --- one that was found ----------------------------------------------------------------------------------------

    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Offer a node that zeroconf found, or follow one that is known."""
        if (found := await Announced.of_zeroconf(discovery_info)) is None:
            return self.async_abort(reason="not_a_node")
        return await self._discovered(found)

    async def async_step_discovery(self, discovery_info: Mapping[str, Any]) -> ConfigFlowResult:
        """Offer a node that announced itself, or a further camera of one that is known."""
        if CONF_CAMERA in discovery_info:
            return await self._offered(discovery_info)
        return await self._discovered(
            Announced(discovery_info["id"], discovery_info["name"], tuple(discovery_info["urls"]))
        )

    async def _discovered(self, found: Announced) -> ConfigFlowResult:
        if entries_of(self.hass, found.id):
            if shared := self.hass.data.get(SHARED):
                await shared.nodes.moved(found.id, found.urls)
            return self.async_abort(reason="already_configured")
        await self.async_set_unique_id(found.id)
        self._abort_if_unique_id_configured()
        self.context["title_placeholders"] = {"name": found.name}
        self._expected = found.id
        self._ways = [NodeAccess(url=url) for url in found.urls]
        self._node = NodeFacts(id=found.id, name=found.name)
        return await self.async_step_node_code()

    async def _offered(self, offer: Mapping[str, Any]) -> ConfigFlowResult:
        """Offer a further camera of a node that we are paired with."""
        await self.async_set_unique_id(node_forms.identity(offer[CONF_NODE], offer[CONF_CAMERA]))
        self._abort_if_unique_id_configured()
        self._access = self._stored_access(offer[CONF_NODE])
        if self._access is None:
            return self.async_abort(reason="not_a_node")
        self.context["title_placeholders"] = {"name": f"{offer['title']} ({offer['name']})"}
        self._node = NodeFacts(
            id=offer[CONF_NODE],
            name=offer["name"],
            cameras=(CameraFacts(id=offer[CONF_CAMERA], title=offer["title"]),),
        )
        return await self.async_step_node_offered()

    async def async_step_node_offered(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the camera, and check it if it shall be added."""
        assert self._node is not None
        [camera] = self._node.cameras
        if user_input is not None:
            return await self._choose(camera.id)
        return self.show(
            "node_offered",
            probatio.Schema({}),
            {},
            name=camera.title,
            node=self._node.name,
            picture=self._camera_picture(camera.id),
        )

    # --- one that is set up ----------------------------------------------------------------------------------------

    async def change_node(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Begin to change a camera, or the way to its node."""
        self.given = node_forms.answers(node_forms.access_of(entry))
        return await self.async_step_node()

    async def pair_again(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Begin because the node does not know our token any more."""
        access = self._access = node_forms.access_of(entry)
        if (shared := self.hass.data.get(SHARED)) and (watch := shared.nodes.watch(access.node)):
            self._node = NodeFacts(id=access.node, name=watch.name)
        return await self.async_step_node_code()

    @callback
    @override
    def async_remove(self) -> None:
        """Give a pairing back that came to nothing."""
        super().async_remove()
        if self._fresh:
            self.hass.async_create_background_task(revoke(self._fresh), f"{DOMAIN}: unwanted pairing")
