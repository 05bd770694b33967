"""What can be turned on a V4L2 device."""

from __future__ import annotations

from collections.abc import Mapping

from ...controls import Control, Controls


class V4l2Controls(Controls):
    """The controls of one device, which is opened anew each time: that works while another process streams."""

    def __init__(self, device: str, wanted: Mapping[str, float] | None = None) -> None:
        """Begin with what the user had set before, by key."""
        super().__init__(wanted)
        self._device = device

    async def _read(self) -> list[Control]:
        raise NotImplementedError

    async def _write(self, values: Mapping[str, float]) -> None:
        raise NotImplementedError
