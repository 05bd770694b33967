"""Exposure modes on the kernel's virtual camera, and on the real Picamera2."""

from __future__ import annotations

import asyncio

import pytest

from custom_components.tripod.engine.exposure import Exposure, apply, holds, modes
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Csi, Tools

from . import virtual_pi
from .conftest import Guest

PATIENCE = 60
"""Seconds: the machine is shared with others."""

CAMERA = Csi(camera=virtual_pi.IMX708, width=640, height=360, lores_width=320, lores_height=240)


@pytest.fixture(scope="module")
def tools() -> Tools:
    try:
        return virtual_pi.tools()
    except virtual_pi.UnavailableError as reason:
        pytest.skip(str(reason))


def test_a_gain_is_locked_and_freed(guest: Guest) -> None:
    seen = guest("guest_exposure.py")
    assert seen["modes"] == ["auto", "locked"]
    automatic, gain = seen["locked"]
    assert automatic == 0
    assert seen["wanted"] == {"gain_automatic": 0, "gain": gain}
    assert seen["holds"] == [True, False]
    assert seen["automatic"] == [1, True]
    assert seen["left"] == {"gain_automatic": 1}


async def test_a_csi_camera_is_locked_and_slow_at_night(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_PI_SHARE", str(virtual_pi.ROOT))
    pipeline = Pipeline(CAMERA, tools, Options())
    pipeline.open()
    try:
        async with pipeline.frames() as frames, asyncio.timeout(PATIENCE):
            controls = pipeline.controls
            assert controls is not None
            while not await frames.next() or "exposure_time" not in controls.current:
                pass
            assert modes(controls.current) == tuple(Exposure)
            await apply(Exposure.LOCKED, controls)
            assert controls.current["ae_enable"].value == 0
            assert controls.wanted["exposure_time"] == controls.current["exposure_time"].value
            assert holds(Exposure.LOCKED, controls.current)
            await apply(Exposure.NIGHT, controls, before=Exposure.LOCKED)
            assert set(controls.wanted) == {"ae_enable", "frame_rate"}
            rate = controls.current["frame_rate"]
            assert rate.value == pytest.approx(max(rate.minimum, 4), rel=0.01)
            await apply(Exposure.AUTO, controls, before=Exposure.NIGHT)
            assert set(controls.wanted) == {"ae_enable"}
            assert controls.current["frame_rate"].value == pytest.approx(CAMERA.rate, rel=0.01)
    finally:
        await pipeline.close()
