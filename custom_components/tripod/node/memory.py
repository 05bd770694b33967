"""What a node remembers over restarts besides who may come in: the user's last words on its cameras."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import deepcopy
import logging
from pathlib import Path
import secrets
from typing import Any

from ..engine.errors import TripodError
from .state_file import StateFile

_LOGGER = logging.getLogger(__name__)

SOON = 2.0
"""Seconds that a change may wait to be written: a slider that is drawn makes many."""

ID_BYTES = 16


def own_id(state: Path) -> str:
    """Return the node's id, made once; blocks. Raises what keeps the state folder from being read or written."""
    with StateFile(state / "node.json").changing() as held:
        node_id: str = held.setdefault("id", secrets.token_hex(ID_BYTES))
    return node_id


class Memory:
    """A small file of facts about cameras."""

    def __init__(self, state: Path) -> None:
        """Keep it in the folder `state`; `load` reads it."""
        self._file = StateFile(state / "memory.json")
        self._held: dict[str, Any] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    async def load(self) -> None:
        """Read what was remembered; raises `InvalidConfiguration` for a damaged file."""
        self._held = await asyncio.to_thread(self._file.read)

    async def close(self) -> None:
        """Write what is still to be written."""
        if self._timer:
            self._timer.cancel()
            await self.save()
        if self._saving:
            await asyncio.wait([self._saving])

    def stopped(self, camera: str, default: bool) -> bool:  # noqa: FBT001
        """Return whether the user's last word on `camera` was stop; `default` where there was none."""
        return bool(self._camera(camera).get("stopped", default))

    async def set_stopped(self, camera: str, stopped: bool) -> None:  # noqa: FBT001
        """Remember the user's last word on `camera`, on the disk before this returns."""
        self._note(camera, "stopped", stopped)
        await self.save()

    def controls(self, camera: str, configured: Mapping[str, float]) -> dict[str, float]:
        """Return what `camera`'s controls are to be set to, by key.

        What was set while it ran holds over restarts, unless the configuration says something new since.
        """
        before = self._camera(camera).get("configured", {})
        news = {key: value for key, value in configured.items() if before.get(key) != value}
        return {**configured, **self._camera(camera).get("controls", {}), **news}

    def set_controls(self, camera: str, wanted: Mapping[str, float], configured: Mapping[str, float]) -> None:
        """Remember what was set on `camera`, and what its configuration said then."""
        self._note(camera, "controls", dict(wanted))
        self._note(camera, "configured", dict(configured))

    def archive(self, camera: str) -> str:
        """Return where the archive of `camera` was when it was last there; empty before it ever was."""
        return str(self._camera(camera).get("archive", ""))

    def set_archive(self, camera: str, root: str) -> None:
        """Remember where the archive of `camera` is: an empty mount point must not look like a new one."""
        self._note(camera, "archive", root)

    @property
    def encoders(self) -> Mapping[str, Any]:
        """What the encoders showed when they were tried."""
        found: Mapping[str, Any] = self._held.get("encoders", {})
        return found

    def set_encoders(self, remembered: Mapping[str, Any]) -> None:
        """Remember what the encoders showed."""
        if self.encoders != remembered:
            self._held["encoders"] = dict(remembered)
            self._save_soon()

    async def save(self) -> None:
        """Write now; where that fails it is logged, and tried again with the next change."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        try:
            async with self._writing:
                await asyncio.to_thread(self._write, deepcopy(self._held))
        except TripodError as error:
            _LOGGER.warning("What is to be remembered cannot be saved: %s", error)

    def _write(self, held: Mapping[str, Any]) -> None:
        with self._file.changing() as file:
            file.clear()
            file.update(held)

    def _camera(self, camera: str) -> dict[str, Any]:
        found: dict[str, Any] = self._held.get("cameras", {}).get(camera, {})
        return found

    def _note(self, camera: str, key: str, value: Any) -> None:
        if self._camera(camera).get(key) != value:
            self._held.setdefault("cameras", {}).setdefault(camera, {})[key] = value
            self._save_soon()

    def _save_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SOON, self._begin_to_save)

    def _begin_to_save(self) -> None:
        self._timer = None
        self._saving = asyncio.create_task(self.save())
