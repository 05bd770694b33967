"""The controls of a CSI camera: libcamera's, by the worker that has the camera open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...controls import Control, ControlKind, Controls
from ...errors import Stopped
from .worker import Worker

GOVERNORS: dict[str, tuple[str, int]] = {
    "exposure_time": ("ae_enable", 0),
    "analogue_gain": ("ae_enable", 0),
    "exposure_value": ("ae_enable", 1),
    "ae_metering_mode": ("ae_enable", 1),
    "ae_constraint_mode": ("ae_enable", 1),
    "ae_exposure_mode": ("ae_enable", 1),
    "awb_mode": ("awb_enable", 1),
    "colour_temperature": ("awb_enable", 0),
    "lens_position": ("af_mode", 0),
    "af_trigger": ("af_mode", 1),
}
"""Which control must have which value before another one takes effect. libcamera ignores the other one silently."""


class CsiControls(Controls):
    """What can be turned on one camera; while it does not run, settings wait for its next start."""

    def __init__(self, wanted: Mapping[str, float]) -> None:
        """Begin with what the user had set before, by key."""
        super().__init__(wanted)
        self.metadata: Mapping[str, Any] = {}
        """What the camera said last, by keys in snake case: `exposure_time`, `analogue_gain`, `lux`, `lens_position`,
        `colour_temperature`. Empty while it does not run."""
        self._worker: Worker | None = None
        self._known: list[dict[str, Any]] = []

    @property
    def effective(self) -> dict[str, float]:
        """What the user set, without what the camera would ignore."""
        return {key: value for key, value in self.wanted.items() if self._takes_effect(key, {})}

    async def attach(self, worker: Worker) -> None:
        """Turn the controls of this camera from now on, and put back what the user set."""
        self._worker = worker
        self._known = worker.hello["controls"]
        await self.apply()

    def detach(self) -> None:
        """Leave the camera, which ends."""
        self._worker = None
        self.metadata = {}

    async def _read(self) -> list[Control]:
        if self._worker:
            self._known = (await self._worker.ask("controls"))["controls"]
        elif not self._known:
            raise Stopped
        values = {words["key"]: words["value"] for words in self._known}
        if not self._worker:
            values |= {key: value for key, value in self.effective.items() if key in values}
        return [_control(words, values) for words in self._known]

    async def _write(self, values: Mapping[str, float]) -> None:
        together = {**self.wanted, **values}
        written = {
            key: value
            for key, value in together.items()
            if (key in values or GOVERNORS.get(key, ("", 0))[0] in values) and self._takes_effect(key, values)
        }
        if self._worker and written:
            await self._worker.ask("set", controls=written)

    def _takes_effect(self, key: str, values: Mapping[str, float]) -> bool:
        if key not in GOVERNORS:
            return True
        governor, required = GOVERNORS[key]
        known = {words["key"]: words["value"] for words in self._known}
        value = values.get(governor, self.wanted.get(governor, known.get(governor)))
        return value is None or value == required


def _control(words: Mapping[str, Any], values: Mapping[str, float]) -> Control:
    governor, required = GOVERNORS.get(words["key"], (None, None))
    if governor not in values:
        governor = required = None
    return Control(
        key=words["key"],
        name=words["name"],
        kind=ControlKind(words["kind"]),
        value=values[words["key"]],
        minimum=words["minimum"],
        maximum=words["maximum"],
        step=words["step"],
        default=words["default"],
        choices={int(value): name for value, name in words["choices"].items()},
        inactive=governor is not None and values[governor] != required,
        governor=governor,
        governor_value=required,
    )
