"""Health, readiness and metrics."""

from __future__ import annotations

from dataclasses import dataclass
import re
import time

import pytest

from custom_components.tripod.engine.errors import DeviceBusy
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.sources import TestPattern
from custom_components.tripod.engine.status import State
from tests.engine.web.conftest import Serve, pattern, pictures
from tests.engine.web.hand import Hand
from tests.engine.web.site import Site

_SAMPLE = re.compile(r'(tripod_[a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} ([0-9.e+-]+)')


async def ready(site: Site, status: int) -> dict[str, object]:
    async with site.session.get(site.url("ready")) as answer:
        assert answer.status == status
        assert ("Retry-After" in answer.headers) == (status == 503)
        body: dict[str, object] = await answer.json()
    assert body["ready"] == (status == 200)
    return body


async def test_ready_tells_the_truth_in_every_state(serve: Serve) -> None:
    site = await serve(source := Hand(), options=Options(linger=0, stall_limit=0.5))
    assert (await ready(site, 200))["state"] == "idle"
    async with site.multipart() as stream:
        sink = await source.lead.wanted()
        body = await ready(site, 503)
        assert body["state"] == "starting"
        assert body["cause"] == "no_fresh_picture"
        sink.frame(pictures()[0])
        await stream.part()
        body = await ready(site, 200)
        assert body["state"] == "streaming"
        assert body["frame_age"] == pytest.approx(0, abs=0.4)
        sink.frame(pictures()[0], time.time() - 5)
        assert (await ready(site, 503))["cause"] == "no_fresh_picture"
        source.lead.fail(DeviceBusy("/dev/video0"))
        await site.until(lambda: site.pipeline.state is State.RETRYING)
        body = await ready(site, 503)
        assert body["cause"] == "device_busy"
        assert body["message"] == str(DeviceBusy("/dev/video0"))
        await site.pipeline.stop()
        assert (await ready(site, 503))["cause"] == "stopped"


async def test_health_only_says_that_somebody_is_there(serve: Serve) -> None:
    site = await serve(source := Hand())
    source.lead.refuse = DeviceBusy()
    await site.pipeline.stop()
    async with site.session.get(site.url("health")) as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "status": "ok",
            "title": "Test <camera>",
            "state": "stopped",
            "frame_age": None,
        }
    assert source.lead.captures == 0


async def test_metrics_are_in_prometheus_format(serve: Serve) -> None:
    site = await serve(pattern(format="mjpeg"), title='A "quoted" \\ back\nslash')
    async with site.multipart() as stream:
        for _ in range(10):
            await stream.picture()
        async with site.session.get(site.url("metrics")) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            text = await answer.text()
    assert text.endswith("\n")
    values: dict[str, list[float]] = {}
    declared: list[str] = []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            declared.append(line.split()[2])
        elif not line.startswith("#"):
            match = _SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] == declared[-1]  # a metric's samples stand together, after its type
            assert r'camera="A \"quoted\" \\ back\nslash"' in match[2]
            values.setdefault(match[1], []).append(float(match[3]))
    assert len(declared) == len(set(declared))
    assert values["tripod_viewers"] == [1]
    assert values["tripod_viewer_pictures_total"][0] >= 9
    assert values["tripod_frames_total"][0] >= 9
    assert sum(values["tripod_state"]) == 1
    assert 0 <= values["tripod_frame_age_seconds"][0] < 2
    assert "127.0.0.1" not in text


async def test_metrics_name_the_cause_of_an_absence(serve: Serve) -> None:
    site = await serve(source := Hand(), options=Options(linger=9))
    source.lead.refuse = DeviceBusy()
    site.pipeline.start()
    await site.until(lambda: site.pipeline.state is State.RETRYING)
    async with site.session.get(site.url("metrics")) as answer:
        assert 'cause="device_busy"} 1' in await answer.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class _WithMicrophone(TestPattern):
    microphone: str = "plughw:CARD=Nowhere,DEV=0"


@pytest.mark.parametrize(("source", "samples"), [(_WithMicrophone(), 1), (TestPattern(), 0)])
async def test_metrics_tell_of_a_microphone_where_there_is_one(serve: Serve, source: TestPattern, samples: int) -> None:
    site = await serve(source)
    async with site.session.get(site.url("metrics")) as answer:
        assert (await answer.text()).count("tripod_microphone{") == samples
