"""A camera of a node, by HTTP: what it does and says, and what of it outlives the node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from custom_components.tripod.engine.errors import InvalidJob
from custom_components.tripod.engine.options import Options, Start
from custom_components.tripod.engine.sources import UrlSource
from custom_components.tripod.engine.timelapse import Job, Sun
from tests.engine.recorder.judge import judge
from tests.node_process import free_port

from .site import DOOR, YARD, Serve, Site, Turnable

TURNED = replace(DOOR, id="desk", source=Turnable(width=320, height=240, rate=10), controls={"brightness": 100})


async def test_start_and_stop_say_what_they_found_and_are_remembered(serve: Serve) -> None:
    site = await serve()
    assert (await site.ask("POST", "/cameras/door/start")).data == {"changed": True, "state": "starting"}
    assert (await site.ask("POST", "/cameras/door/start")).data["changed"] is False
    assert (await site.ask("POST", "/cameras/door/stop")).data == {"changed": True, "state": "stopped"}
    assert (await site.ask("POST", "/cameras/door/stop")).data == {"changed": False, "state": "stopped"}
    for method, address in (("POST", "snapshot"), ("POST", "recordings")):
        answer = await site.ask(method, f"/cameras/door/{address}", {})
        assert (answer.status, answer.cause) == (409, "stopped")
    answer = await site.ask("GET", "/cameras/door/snapshot.jpg")
    assert (answer.status, answer.cause) == (503, "stopped")
    # a camera that the user stopped is as it should be
    ready = await site.ask("GET", "/ready")
    assert (ready.status, ready.data["cameras"]["door"]["cause"]) == (200, "stopped")
    await site.node.close()
    again = await serve()
    assert (await again.ask("GET", "/cameras/door/status")).data["state"] == "stopped"
    assert (await again.ask("POST", "/cameras/door/start")).data["changed"] is True
    await again.node.close()
    manual = replace(DOOR, options=Options(start=Start.MANUAL))
    last = await serve(cameras=(manual,))
    assert (await last.ask("GET", "/cameras/door/status")).data["state"] != "stopped"


async def test_a_camera_that_cannot_be_had_is_told(serve: Serve) -> None:
    gone = replace(DOOR, source=UrlSource(url=f"http://127.0.0.1:{free_port()}/x"), options=Options(start=Start.ALWAYS))
    site = await serve(cameras=(gone, YARD))
    await site.until(lambda: site.node.cameras["door"].pipeline.error is not None)
    ready = await site.ask("GET", "/ready")
    assert (ready.status, ready.headers["Retry-After"]) == (503, "2")
    assert ready.data["cameras"]["door"]["cause"] == "refused"
    assert ready.data["cameras"]["yard"] == {"ready": True}
    facts = (await site.ask("GET", "/cameras/door/status")).data
    assert (facts["state"], facts["cause"]) == ("retrying", "refused")
    assert (await site.ask("GET", "/snapshot.jpg")).cause == "refused"


async def test_controls_are_turned_and_remembered(serve: Serve) -> None:
    site = await serve(cameras=(TURNED,))
    address = "/cameras/desk/controls"
    shown = (await site.ask("GET", address)).data
    brightness = next(control for control in shown["controls"] if control["key"] == "brightness")
    assert (brightness["kind"], brightness["maximum"]) == ("number", 255)
    assert shown["wanted"] == {"brightness": 100}
    turned = await site.ask("PATCH", address, {"brightness": 7, "power_line_frequency": 1})
    assert turned.data["wanted"] == {"brightness": 7, "power_line_frequency": 1}
    for body, status, cause in (
        ({"nothing": 1}, 400, "invalid_control"),
        ({}, 400, "invalid_control"),
        ({"power_line_frequency": 9}, 400, "invalid_control"),
        ({"focus_absolute": 10}, 409, "control_inactive"),
        ({"brightness": "7"}, 400, "invalid_command"),
        ({"brightness": True}, 400, "invalid_command"),
        ({"brightness": [1]}, 400, "invalid_command"),
    ):
        answer = await site.ask("PATCH", address, body)
        assert (answer.status, answer.cause) == (status, cause), body
    for number in (b"NaN", b"Infinity", b"1e999", b"9" * 400):
        assert (await site.ask("PATCH", address, b'{"brightness": ' + number + b"}")).status == 400
    await site.node.close()
    again = await serve(cameras=(TURNED,))
    assert (await again.ask("GET", address)).data["wanted"] == {"brightness": 7, "power_line_frequency": 1}
    await again.node.close()
    # what the configuration says since then is newer
    last = await serve(cameras=(replace(TURNED, controls={"brightness": 50}),))
    assert (await last.ask("GET", address)).data["wanted"] == {"brightness": 50, "power_line_frequency": 1}
    assert (await last.ask("DELETE", address)).data["wanted"] == {"brightness": 50}


async def test_a_camera_without_controls_or_stills(trusting: Site) -> None:
    for method, address, body in (
        ("GET", "controls", None),
        ("PATCH", "controls", {"brightness": 1}),
        ("DELETE", "controls", None),
        ("POST", "still", None),
        ("POST", "snapshot", {"full_size": True}),
    ):
        answer = await trusting.ask(method, f"/cameras/door/{address}", body)
        assert (answer.status, answer.cause) == (501, "format_not_supported"), address


async def test_recordings_begin_and_end_by_http(trusting: Site) -> None:
    site = trusting
    address = "/cameras/door/recordings"
    begun = await site.ask("POST", address, {"name": "test/first", "container": "mkv"})
    assert (begun.status, begun.data["name"]) == (201, "test/first.mkv")
    second = (await site.ask("POST", address, {"duration": 1})).data
    listed = (await site.ask("GET", address)).data["recordings"]
    assert [each["id"] for each in listed] == [begun.data["id"], second["id"]]
    recorder = site.node.cameras["door"].camera.recorder
    await site.until(lambda: recorder.recordings[0].duration > 1)
    assert (await site.ask("DELETE", f"{address}/{begun.data['id']}")).status == 200
    assert (await site.ask("DELETE", f"{address}/00ff")).status == 404
    await site.ask("DELETE", address)
    await site.until(lambda: not recorder.recordings)
    assert (await site.ask("DELETE", address)).data == {"recordings": []}
    kept = (await site.ask("GET", "/cameras/door/items?kind=recordings")).data["items"]
    assert sorted(item["suffix"] for item in kept) == [".mkv", ".mp4"]
    assert all(item["thumbnail"] and item["details"]["duration"] > 0 for item in kept)
    assert judge(site.folder / "archive/door" / kept[0]["key"]).duration > 0.8
    for body in (b'{"duration": 0}', b'{"duration": 1e9}', b'{"container": "avi"}', b'{"pre_roll": -1}', b"[]"):
        assert (await site.ask("POST", address, body)).cause == "invalid_command", body
    for name in ("../x", "/etc/x", "a/../b", ".x", "con", "x\0"):
        answer = await site.ask("POST", address, {"name": name})
        assert (answer.status, answer.cause in ("invalid_name", "invalid_command")) == (400, True), name


async def test_timelapses_run_and_become_videos(serve: Serve) -> None:
    standing = replace(DOOR, jobs=(Job(name="garden", interval=3600),))
    site = await serve(cameras=(standing, YARD))
    address = "/cameras/door/timelapses"
    await site.until(lambda: bool(site.node.cameras["door"].camera.timelapses.jobs))
    listed = (await site.ask("GET", address)).data["timelapses"]
    assert [(each["job"]["name"], each["standing"], each["running"]) for each in listed] == [("garden", True, True)]
    job = {"name": "print 1", "fps": 5, "look": {"width": 160}}
    assert (await site.ask("POST", address, job)).status == 201
    assert (await site.ask("POST", address, job)).cause == "job_exists"
    for _ in range(3):
        taken = await site.ask("POST", f"{address}/print%201/frame")
        assert (taken.data["kind"], taken.data["job"]) == ("frames", "print 1")
    ended = (await site.ask("DELETE", f"{address}/print%201?render=1")).data
    assert (ended["running"], ended["frames"]) == (False, 3)
    assert ended["render"]["state"] in ("waiting", "running")
    await site.until(lambda: not site.node.cameras["door"].camera.renders)
    (video,) = (await site.ask("GET", "/cameras/door/items?kind=videos")).data["items"]
    assert (video["job"], video["suffix"]) == ("print 1", ".mp4")
    again = await site.ask("POST", "/cameras/door/renders", {"job": "print 1", "length": 2})
    assert (again.status, again.data["request"]["length"]) == (201, 2)
    await site.ask("DELETE", f"/cameras/door/renders/{again.data['id']}")
    assert (await site.ask("DELETE", "/cameras/door/renders/00ff")).cause == "no_such_render"
    assert (await site.ask("DELETE", f"{address}/nothing")).cause == "no_such_job"
    for body, cause in (
        ({"name": "x", "interval": 0.1}, "invalid_job"),
        ({"name": "../x"}, "invalid_job"),
        ({"name": "x", "start_time": "noon"}, "invalid_job"),
        ({"name": "x", "weekdays": [7]}, "invalid_command"),
        ({"name": "x", "sun": "up"}, "invalid_command"),
        ({"name": "x", "look": {"hight": 1}}, "invalid_command"),
        ({"name": "x", "look": {"width": 1}}, "invalid_request"),
        ({"interval": 5}, "invalid_command"),
    ):
        answer = await site.ask("POST", address, body)
        assert (answer.status, answer.cause) == (400, cause), body
    for body, cause in (
        ({"job": "nothing"}, "no_such_job"),
        ({"job": "print 1", "start": "2026-13-01"}, "invalid_command"),
        ({"job": "print 1", "start": "2026-02-01", "end": "2026-01-01"}, "invalid_range"),
        ({"job": "print 1", "fps": 5, "length": 5}, "invalid_request"),
    ):
        assert (await site.ask("POST", "/cameras/door/renders", body)).cause == cause, body


async def test_a_timelapse_that_needs_to_know_the_sun_is_refused(serve: Serve) -> None:
    with pytest.raises(InvalidJob, match="neither where the sun is"):
        await serve(cameras=(replace(DOOR, jobs=(Job(name="x", interval=60, sun=Sun.UP),)),))


async def test_no_camera_at_all(serve: Serve) -> None:
    site = await serve(cameras=())
    assert "No camera is configured" in (await site.ask("GET", "/")).body.decode()
    assert (await site.ask("GET", "/snapshot.jpg")).cause == "no_such_camera"
    assert (await site.ask("GET", "/ready")).status == 200
    assert (await site.ask("GET", "/metrics")).status == 200


async def test_the_first_camera_is_served_at_the_root_as_older_clients_ask(serve: Serve) -> None:
    site = await serve(cameras=(YARD, DOOR))
    for address in ("/snapshot.jpg", "/webcam/?action=snapshot", "/webcam?action=snapshot", "/?action=snapshot"):
        answer = await site.ask("GET", address)
        assert (answer.status, answer.body[:2]) == (200, b"\xff\xd8"), address
    for address in ("/stream.mjpg", "/webcam/?action=stream", "/?action=stream"):
        async with site.open("GET", address) as stream:
            assert stream.content_type == "multipart/x-mixed-replace"
            assert await stream.content.readexactly(9) == b"--frame\r\n"
    master = (await site.ask("GET", "/stream.m3u8")).body.decode()
    variant = next(line for line in master.splitlines() if not line.startswith("#"))
    playlist = (await site.ask("GET", f"/{variant}")).body.decode()
    segment = next(line for line in playlist.splitlines() if not line.startswith("#"))
    answer = await site.ask("GET", f"/{variant.rpartition('/')[0]}/{segment}")
    assert (answer.status, answer.body[:1]) == (200, b"G")
    page = (await site.ask("GET", "/")).body.decode()
    assert "Front &lt;door&gt;" in page
    assert "http" not in page.replace("<!doctype html>", "")
    bare = await site.ask("GET", "/cameras/yard")
    assert (bare.status, bare.headers["Location"]) == (302, "yard/")
    assert "hls.light.min.js" in (await site.ask("GET", "/cameras/yard/")).body.decode()
