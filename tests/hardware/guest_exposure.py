"""Runs in the virtual machine: exposure modes on the kernel's virtual camera, whose gain can be locked.

Prints what it saw as one JSON object.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from engine.exposure import Exposure, apply, holds, modes  # type: ignore[import-not-found]
from engine.sources.v4l2.controls import V4l2Controls  # type: ignore[import-not-found]


async def main() -> dict[str, Any]:
    controls = V4l2Controls("/dev/video0")
    await controls.refresh()
    seen: dict[str, Any] = {"modes": modes(controls.current)}
    await apply(Exposure.LOCKED, controls)
    seen["locked"] = [controls.current[key].value for key in ("gain_automatic", "gain")]
    seen["wanted"] = dict(controls.wanted)
    seen["holds"] = [holds(mode, controls.current) for mode in (Exposure.LOCKED, Exposure.AUTO)]
    await apply(Exposure.AUTO, controls, before=Exposure.LOCKED)
    seen["automatic"] = [controls.current["gain_automatic"].value, controls.current["gain"].inactive]
    seen["left"] = dict(controls.wanted)
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
