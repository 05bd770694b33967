"""The controls of a camera as its entities see them: known while it is away, remembered over restarts."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from homeassistant.core import callback

from .engine.controls import Control, ControlKind, Controls
from .engine.errors import TripodError
from .engine.listeners import Listeners
from .storage import Storage

_MOMENTARY = ("value", "inactive")
"""What a control is only at the moment, and is not remembered."""


class CameraControls:
    """What can be turned on one camera."""

    def __init__(self, storage: Storage, camera: str, controls: Controls) -> None:
        """Begin with what `camera`, an entry's id, had when it was last there."""
        self.engine = controls
        self.known = {control.key: control for control in map(_remembered, storage.known_controls(camera))}
        """All controls, by key: as the camera tells, or as they were when it last did."""
        self._storage = storage
        self._camera = camera
        self._listeners = Listeners()
        self.close = controls.listen(self._changed)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change; return a function that ends this."""
        return self._listeners.add(listener)

    async def look(self) -> None:
        """Ask the camera for its controls, if it is there."""
        with suppress(TripodError):
            await self.engine.refresh()

    async def reset(self) -> None:
        """Put everything back to the camera's defaults; raises a `TripodError` where it does not take them."""
        try:
            await self.engine.reset()
        finally:
            self._changed()

    @callback
    def _changed(self) -> None:
        if self.engine.current:
            self.known = dict(self.engine.current)
            self._storage.set_known_controls(self._camera, [_description(control) for control in self.known.values()])
        self._storage.set_controls(self._camera, self.engine.wanted)
        self.tell()

    @callback
    def tell(self) -> None:
        """Tell all who listen."""
        self._listeners.tell()


def _description(control: Control) -> dict[str, Any]:
    """Return a control as JSON-able data."""
    fields = {name: value for name, value in asdict(control).items() if name not in _MOMENTARY}
    return {**fields, "choices": {str(value): name for value, name in control.choices.items()}}


def _remembered(description: Mapping[str, Any]) -> Control:
    """Return the control that `_description` described."""
    choices = {int(value): name for value, name in description["choices"].items()}
    control = Control(**{**description, "kind": ControlKind(description["kind"])})
    return replace(control, choices=choices)
