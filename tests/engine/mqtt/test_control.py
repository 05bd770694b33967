"""Commands, replies and status, with a real camera and without a broker."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

from hypothesis import given, strategies
import pytest

from custom_components.tripod.engine.camera import Camera
from custom_components.tripod.engine.errors import InvalidConfiguration, TripodError
from custom_components.tripod.engine.mqtt import check_prefix, commands, control as module, default_prefix, settings
from custom_components.tripod.engine.mqtt.outbox import LIMIT
from custom_components.tripod.engine.status import State

from .conftest import Talk


async def test_a_picture_is_kept_and_the_reply_says_where(talk: Talk) -> None:
    reply = await talk.ask("picture gate")
    assert reply["ok"], reply
    assert reply["command"] == "picture gate"
    path = Path(reply["path"])
    assert path.name == "gate.jpg"
    assert path.stat().st_size == reply["size"] > 1000
    assert reply["key"].endswith("gate.jpg")
    await talk.until(lambda: f"A picture was taken: {path}" in talk.texts)


async def test_recordings_run_side_by_side_and_stop_finishes_them(talk: Talk, camera: Camera) -> None:
    short = await talk.ask('{"action": "record", "duration": 1, "id": "a"}')
    assert (short["ok"], short["id"], short["state"]) == (True, "a", "waiting"), short
    long = await talk.ask("record")
    assert long["recording"] != short["recording"]
    assert long["message"] == "Recording until it is stopped"
    await talk.until(lambda: [1 for reply in talk.replies if reply.get("id") == "a" and reply.get("state") == "done"])
    done = [reply for reply in talk.replies if reply.get("id") == "a"][-1]
    assert Path(done["path"]).stat().st_size == done["size"] > 0
    assert done["duration"] == pytest.approx(1, abs=0.3)
    assert done["recording"] == short["recording"]
    await talk.until(lambda: [one["recording"] for one in talk.facts["recordings"]] == [long["recording"]])
    stopped = await talk.ask("stop")
    assert Path(stopped["path"]).exists()
    assert [file["recording"] for file in stopped["files"]] == [long["recording"]]
    await talk.until(lambda: talk.texts.count(f"Recorded: {stopped['path']}") == 1)
    again = await talk.ask("stop")
    assert (again["ok"], again["cause"]) == (False, "not_recording")
    assert camera.recordings == ()


async def test_what_is_asked_for_at_once_happens_in_that_order(talk: Talk) -> None:
    talk.do('{"action": "record", "id": 1}')
    talk.do('{"action": "stop", "id": 2}')
    await talk.until(lambda: len({reply["id"] for reply in talk.replies} & {"1", "2"}) == 2)
    first = {reply["id"]: reply for reply in reversed(talk.replies)}
    assert first["1"]["ok"]
    assert first["2"]["ok"] or first["2"]["cause"] == "nothing_recorded", first["2"]


async def test_a_slow_command_keeps_no_other_waiting(talk: Talk, camera: Camera) -> None:
    never = asyncio.Event()

    async def snapshot(**_: Any) -> None:
        await never.wait()

    camera.pipeline.snapshot = snapshot  # type: ignore[method-assign,assignment]
    talk.do("picture")
    assert (await talk.ask("brightness 5", to="settings"))["ok"]


async def test_the_camera_is_stopped_and_started(talk: Talk, camera: Camera) -> None:
    stopped = await talk.ask("stream off")
    assert (stopped["found"], stopped["state"]) == ("idle", "stopped")
    assert (await talk.ask("Stream OFF"))["message"] == "The camera is stopped, as it did before"
    refused = await talk.ask("picture")
    assert refused["cause"] == "stopped"
    await talk.until(lambda: talk.facts["state"] == "stopped")
    assert (await talk.ask("start"))["found"] == "stopped"
    await talk.until(lambda: talk.facts["state"] == "streaming")
    assert camera.pipeline.state is State.STREAMING
    assert "The camera streams" in talk.texts


async def test_a_timelapse_is_made_by_words(talk: Talk) -> None:
    begun = await talk.ask("timelapse start roof")
    assert begun["running"], begun
    for _ in range(2):
        frame = await talk.ask("timelapse frame roof")
        assert frame["ok"], frame
    ended = await talk.ask("timelapse stop roof")
    assert ended["frames"] == 2
    await talk.until(lambda: talk.replies[-1].get("state") == "done")
    assert Path(talk.replies[-1]["path"]).suffix == ".mp4"
    assert (await talk.ask("timelapse render roof"))["ok"]
    assert (await talk.ask("timelapse stop roof"))["cause"] == "no_such_job"
    assert (await talk.ask("timelapse render shed"))["cause"] == "no_such_job"


async def test_settings_come_in_the_cameras_words_and_in_everyday_ones(talk: Talk, camera: Camera) -> None:
    refused = await talk.ask("focus 20", to="settings")
    assert refused["cause"] == "control_inactive"
    assert refused["message"] == "focus cannot be set now: set autofocus to off first"
    both = await talk.ask("autofocus off\nfocus 20", to="settings")
    assert both["controls"] == {"focus_automatic_continuous": 0, "focus_absolute": 20}
    assert both["message"] == "autofocus is off, focus is 20"
    late = await talk.ask('{"exposure_time_absolute": 100, "exposure_auto": "manual", "id": "x"}', to="settings")
    assert (late["controls"], late["id"]) == ({"exposure_time_absolute": 100, "auto_exposure": 1}, "x")
    clamped = await talk.ask("brightness 300", to="settings")
    assert clamped["message"] == "brightness is 255"
    assert (await talk.ask("brightness default", to="settings"))["message"] == "brightness is 128"
    assert (await talk.ask("pan_reset", to="settings"))["message"] == "pan_reset is done"
    await talk.until(lambda: talk.facts["controls"].get("focus_absolute") == 20)
    assert (await talk.ask("reset"))["ok"]
    await talk.until(lambda: talk.facts["controls"].get("focus_automatic_continuous") == 1)
    written = [key for key, _ in camera.pipeline.controls.written]  # type: ignore[union-attr]
    assert written.index("auto_exposure") < written.index("exposure_time_absolute")


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("sparkle 3", "The control sparkle cannot be set: the camera has no such control"),
        ("brightness", "The control Brightness cannot be set: its value is a number"),
        ("brightness much", "The control Brightness cannot be set: its value is a number"),
        ("autofocus maybe", "The control autofocus cannot be set: its value is on or off"),
        ("auto_exposure best", "one of Manual Mode, Aperture Priority Mode"),
        ("auto_exposure 2", "it has no value 2"),
        ('{"brightness": [1]}', "a control has one value"),
        ('{"brightness": 1e999}', "its value is a number"),
        ("{}", "it names no control"),
    ],
)
async def test_settings_that_cannot_be_are_refused(talk: Talk, payload: str, message: str) -> None:
    reply = await talk.ask(payload, to="settings")
    assert not reply["ok"]
    assert message.lower() in reply["message"].lower()


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "it is empty"),
        (b"  \n", "it is empty"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "it is not text"),
        (b"pic\x07ture", "it is not text"),
        (b"x" * 5000, "it is longer than 4096 bytes"),
        (b"dance", "known are picture, record, stop"),
        (b'{"action": "dance"}', "known are picture, record, stop"),
        (b'{"action": 7}', "known are"),
        (b"{" * 4000, "is none"),
        (b'{"a":' * 800, "is none"),
        (b'{"action": "record", "duration": ' + b"9" * 4000 + b"}", "duration is a number from 0.1 to 86400"),
        (b"record forever", "duration is a number from 0.1 to 86400"),
        (b"record -1", "duration is a number from 0.1 to 86400"),
        (b"record 0", "duration is a number from 0.1 to 86400"),
        (b"record nan", "duration is a number from 0.1 to 86400"),
        (b'{"action": "record", "colour": 1}', "record has no colour"),
        (b'{"action": "record", "container": "avi"}', "container is mp4 or mkv"),
        (b'{"action": "picture", "id": {}}', "id is not text"),
        (b"stream", "stream needs on"),
        (b"stream perhaps", "on is on or off"),
        (b"start now", "nothing follows start"),
        (b"timelapse start", "timelapse start needs job"),
        (b"timelapse", "known are"),
        (b'{"action": "timelapse start", "job": "x", "start_time": "late"}', "a time such as 07:30"),
        (b'{"action": "timelapse render", "job": "x", "start": 4}', "a day such as 2026-11-21"),
    ],
)
async def test_commands_that_mean_nothing_are_refused(talk: Talk, payload: bytes, message: str) -> None:
    reply = await talk.ask(payload)
    assert (reply["ok"], reply["cause"]) == (False, "invalid_command")
    assert message in reply["message"]
    assert len(reply["command"]) <= 200
    await talk.until(lambda: reply["message"] in talk.texts)


async def test_a_name_that_leads_elsewhere_is_refused(talk: Talk) -> None:
    assert (await talk.ask("picture ../../etc/passwd"))["cause"] == "invalid_name"
    assert (await talk.ask('{"action": "picture", "name": "\\ud800"}'))["cause"] == "invalid_name"


@given(
    payload=strategies.binary(max_size=200)
    | strategies.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_no_payload_does_more_than_be_refused(payload: bytes) -> None:
    for parse in (commands.action, settings.parse):
        try:
            text = commands.read(payload)
            known = commands.structure(text)
            commands.take_id(known)
            parse(text, known)
        except TripodError as error:
            assert error.cause == "invalid_command"  # noqa: PT017 - that nothing is raised is right, too


async def test_what_the_broker_kept_is_not_done(talk: Talk, camera: Camera) -> None:
    reply = await talk.ask("record 5", retained=True)
    assert (reply["ok"], reply["cause"]) == (False, "invalid_command")
    assert "without retain" in reply["message"]
    assert camera.recordings == ()


async def test_what_is_delivered_twice_is_done_once(talk: Talk) -> None:
    for _ in range(3):
        talk.do('{"action": "picture", "id": "once"}')
    await talk.ask("status")
    await talk.until(lambda: [reply for reply in talk.replies if reply.get("id") == "once"])
    await talk.ask("status")
    assert len([reply for reply in talk.replies if reply.get("id") == "once"]) == 1


async def test_a_flood_is_refused_once_and_then_all_is_well(talk: Talk) -> None:
    for _ in range(500):
        talk.do("status")
    await talk.until(lambda: len(talk.replies) == 21)
    assert [reply["ok"] for reply in talk.replies].count(False) == 1
    refused = next(reply for reply in talk.replies if not reply["ok"])
    assert "faster than 5 a second" in refused["message"]
    talk.now += 1
    assert (await talk.ask("status"))["ok"]


async def test_no_more_is_under_way_than_can_be(talk: Talk, camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 2)
    never = asyncio.Event()

    async def snapshot(**_: Any) -> None:
        await never.wait()

    camera.pipeline.snapshot = snapshot  # type: ignore[method-assign,assignment]
    talk.do("picture")
    talk.do("picture")
    assert (await talk.ask("picture"))["cause"] == "too_many_jobs"


async def test_a_broker_that_was_away_learns_how_things_are(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    await talk.until(lambda: ("availability", "online", True) in talk.said)
    await talk.until(lambda: [1 for topic, _, retain in talk.said if topic == "status/json" and retain])
    talk.control.disconnected()
    talk.said.clear()
    for _ in range(LIMIT):
        talk.do("dance")  # a reply and a text each
        talk.now += 1
    await asyncio.sleep(0)
    assert talk.said == []
    talk.control.connected()
    await talk.until(lambda: len(talk.replies) + len(talk.texts) == LIMIT)
    assert talk.said[0] == ("availability", "online", True)
    assert talk.control.outbox.dropped == LIMIT
    assert [record.message for record in caplog.records if "dropped" in record.message] == [
        f"Yard: {LIMIT} MQTT messages were dropped while the broker was away"
    ]


async def test_a_message_that_the_broker_did_not_take_is_sent_again(talk: Talk) -> None:
    await talk.until(lambda: [1 for topic, *_ in talk.said if topic == "status/json"])
    talk.away = True
    talk.do("dance")
    await asyncio.sleep(0)
    talk.away = False
    talk.control.connected()
    await talk.until(lambda: talk.replies)
    assert len(talk.replies) == 1


async def test_the_end_is_told(talk: Talk, camera: Camera) -> None:
    await talk.ask("record 3600")
    await talk.control.close()
    assert [payload for topic, payload, retain in talk.said if topic == "availability" and retain][-1] == "offline"
    assert len(camera.recordings) == 1
    talk.do("picture")


async def test_nothing_of_a_command_reaches_the_log(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for payload in ("dance", b"\xff", "stop", "picture ../x", '{"action": "record", "duration": "x"}'):
        await talk.ask(payload)
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []


@pytest.mark.parametrize("prefix", ["", "a/+/b", "#", "/a", "a/", "a//b", "$SYS/a", "a\0", "a\n", "x" * 201])
def test_a_prefix_that_topics_cannot_have_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidConfiguration):
        check_prefix(prefix)


def test_a_camera_has_a_prefix_by_its_name() -> None:
    assert check_prefix(default_prefix("Café Hof 2")) == "tripod/cafe_hof_2"
    assert default_prefix("庭") == "tripod/camera"


async def test_facts_are_what_programs_need(talk: Talk) -> None:
    await talk.ask("picture")
    await talk.ask("brightness 128", to="settings")
    reply = await talk.ask("status")
    assert (reply["ok"], reply["message"]) == (True, "The camera is streaming")
    found = reply["status"]
    assert found["title"] == "Yard"
    assert (found["state"], found["cause"]) == ("streaming", None)
    assert (found["width"], found["height"], found["codec"]) == (320, 240, "h264")
    assert found["controls"]["brightness"] == 128
    assert json.dumps(found)
