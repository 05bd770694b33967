"""The encoder ladder: what is found out about each candidate, what is remembered, and which one is used."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import json
import logging
from pathlib import Path

import pytest

from custom_components.tripod.engine.encoders import LADDER, SOFTWARE, Encoder, Encoders, Outcome
from custom_components.tripod.engine.encoders.choice import REST
from custom_components.tripod.engine.encoders.judge import judge
from custom_components.tripod.engine.encoders.trial import FRAMES, RATE, try_out
from custom_components.tripod.engine.errors import EncoderFailed, FfmpegMissing
from custom_components.tripod.engine.ffmpeg import Ffmpeg

from .hardware_encoders import (
    FAST,
    SLOW,
    V4L2M2M,
    VAAPI,
    StandIn,
    good,
    that_breaks_off,
    with_b_frames,
    with_gops_of,
    with_open_gops,
    with_time_going_back,
    without_parameter_sets,
)


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("stream", "outcome", "reason"),
    [
        (good, Outcome.WORKS, ""),
        (without_parameter_sets, Outcome.NO_PARAMETER_SETS, "key frame 25"),
        (with_open_gops, Outcome.OPEN_GOP, "no IDR"),
        (with_b_frames, Outcome.TIME_STAMPS, "not above"),
        (with_time_going_back, Outcome.TIME_STAMPS, "frame 28"),
        (lambda: with_gops_of(250), Outcome.GOP_LENGTH, "at 0.00 s"),
        (lambda: with_gops_of(10), Outcome.GOP_LENGTH, "0.00, 0.40, 0.80"),
        (lambda: with_gops_of(20), Outcome.GOP_LENGTH, "0.00, 0.80"),
        (that_breaks_off, Outcome.FRAMES_LOST, "25 of 56"),
        (lambda: b"", Outcome.FRAMES_LOST, "0 of 56"),
        (lambda: b"no video at all" * 100, Outcome.FRAMES_LOST, "0 of 56"),
    ],
)
def test_the_judge_catches_each_flaw(stream: Callable[[], bytes], outcome: Outcome, reason: str) -> None:
    verdict = judge(stream(), frames=FRAMES, rate=RATE)
    assert verdict.outcome is outcome
    assert reason in verdict.reason


async def test_software_proves_itself() -> None:
    verdict = await try_out(Ffmpeg(), SOFTWARE)
    assert verdict.outcome is Outcome.WORKS, verdict
    assert verdict.speed
    assert verdict.cpu
    assert 0.001 < verdict.cpu < 10


@pytest.mark.parametrize(
    "encoder", [encoder for encoder in LADDER if encoder.hardware], ids=lambda encoder: encoder.name
)
async def test_real_ffmpeg_says_what_is_missing(encoder: Encoder, tmp_path: Path) -> None:
    """Without the hardware, asked for what needs it: a file that is no device stands where the node would."""
    if any(node for nodes in encoder.nodes for node in Path("/").glob(nodes.removeprefix("/"))):
        pytest.skip("this machine may have the hardware")
    absent = Encoders(Ffmpeg(), ladder=(encoder,))
    await absent.prove()
    verdict = absent.verdicts[encoder.name]
    assert verdict.outcome in (Outcome.NO_DEVICE, Outcome.NOT_IN_FFMPEG)
    file = tmp_path / "renderD128"
    file.touch()
    wrong = Encoders(Ffmpeg(), ladder=(replace(encoder, nodes=(str(file),)),))
    await wrong.prove()
    verdict = wrong.verdicts[encoder.name]
    if verdict.outcome is not Outcome.NOT_IN_FFMPEG:
        assert verdict.outcome in (Outcome.NO_DEVICE, Outcome.FAILED)
        assert verdict.reason
    assert wrong.chosen == SOFTWARE


async def test_the_best_that_works_is_taken_with_its_device(stand_in: StandIn) -> None:
    pi = stand_in.has(V4L2M2M, with_open_gops())
    intel = stand_in.has(VAAPI, good())
    encoders = Encoders(stand_in.ffmpeg, ladder=(pi, intel, SOFTWARE))
    chosen = await encoders.choose()
    assert chosen.name == "h264_vaapi"
    assert chosen.device == intel.nodes[0]
    assert f"vaapi=hw:{intel.nodes[0]}" in chosen.before_input
    assert encoders.chosen == chosen
    verdicts = encoders.verdicts
    assert verdicts["h264_v4l2m2m"].outcome is Outcome.OPEN_GOP
    assert (verdicts["h264_vaapi"].speed, verdicts["h264_vaapi"].cpu) == (7.5, 0.031)
    assert "libx264" not in verdicts  # nobody needed to know
    await encoders.prove()
    assert encoders.verdicts["libx264"].works
    assert stand_in.trials == ["h264_v4l2m2m", "h264_vaapi"]


async def test_an_encoder_that_tells_its_parameter_sets_once_is_helped(stand_in: StandIn) -> None:
    pi, intel = stand_in.has(V4L2M2M, without_parameter_sets()), stand_in.has(VAAPI, without_parameter_sets())
    encoders = Encoders(stand_in.ffmpeg, ladder=(pi, intel, SOFTWARE))
    await encoders.prove()
    assert encoders.verdicts["h264_v4l2m2m"].works
    assert encoders.verdicts["h264_vaapi"].outcome is Outcome.NO_PARAMETER_SETS


async def test_each_of_several_devices_is_tried(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.has(VAAPI, good(), status=1, words="[error] No usable encoding entrypoint found\n")
    for number in (128, 129):
        (tmp_path / f"renderD{number}").touch()
    encoders = Encoders(stand_in.ffmpeg, ladder=(replace(VAAPI, nodes=(f"{tmp_path}/renderD*",)),))
    await encoders.prove()
    assert stand_in.trials == ["h264_vaapi"] * 2
    assert encoders.verdicts["h264_vaapi"].device.endswith("renderD129")


@pytest.mark.parametrize(
    ("words", "status", "outcome", "reason"),
    [
        (
            "[h264 @ 0x1] [error] Cannot load libcuda.so.1\n[error] Conversion failed!\n",
            1,
            Outcome.NO_DEVICE,
            "libcuda",
        ),
        ("[vaapi @ 0x1] [error] No VA display found\n", 234, Outcome.FAILED, "No VA display found"),
        ("", -9, Outcome.FAILED, ""),
        (SLOW, 0, Outcome.TOO_SLOW, "1.2 times real time"),
        (FAST, 0, Outcome.WORKS, ""),
    ],
)
async def test_why_a_trial_failed(stand_in: StandIn, words: str, status: int, outcome: Outcome, reason: str) -> None:
    encoder = stand_in.has(VAAPI, good(), words=words, status=status)
    verdict = await try_out(stand_in.ffmpeg, encoder.using(encoder.nodes[0]))
    assert verdict.outcome is outcome
    assert reason in verdict.reason


async def test_a_trial_that_breaks_off_has_failed(stand_in: StandIn) -> None:
    words = "[h264_v4l2m2m @ 0x1] [error] VIDIOC_STREAMON failed on output context\n"
    encoder = stand_in.has(V4L2M2M, that_breaks_off(), words=words, status=1)
    verdict = await try_out(stand_in.ffmpeg, encoder)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "VIDIOC_STREAMON failed on output context")


async def test_a_trial_that_hangs_has_failed(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.encoders.trial.PATIENCE", 0.5)
    encoder = stand_in.has(V4L2M2M, b"", hangs=True)
    verdict = await try_out(stand_in.ffmpeg, encoder)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "not finished after 0.5 s")


async def test_a_device_that_may_not_be_opened(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # whoever runs this test may be allowed everything
    encoder = stand_in.has(VAAPI, good())
    encoders = Encoders(stand_in.ffmpeg, ladder=(encoder, SOFTWARE))
    assert await encoders.choose() == SOFTWARE
    assert encoders.verdicts["h264_vaapi"].outcome is Outcome.NO_PERMISSION
    assert not stand_in.trials


async def test_many_cameras_share_one_trial(stand_in: StandIn) -> None:
    encoders = Encoders(stand_in.ffmpeg, ladder=(stand_in.has(VAAPI, good()), SOFTWARE))
    chosen = await asyncio.gather(*(encoders.choose() for _ in range(5)), encoders.prove())
    assert {encoder.name for encoder in chosen if encoder} == {"h264_vaapi"}
    assert stand_in.trials == ["h264_vaapi"]


async def test_a_trial_that_nobody_waits_for_any_more_is_made_again(stand_in: StandIn) -> None:
    encoder = stand_in.has(VAAPI, good(), hangs=True)
    encoders = Encoders(stand_in.ffmpeg, ladder=(encoder, SOFTWARE))
    asking = asyncio.create_task(encoders.choose())
    async with asyncio.timeout(20):
        while not stand_in.trials:  # noqa: ASYNC110 - another process tells it
            await asyncio.sleep(0.02)
    asking.cancel()
    await asyncio.wait([asking])
    stand_in.has(VAAPI, good())
    assert (await encoders.choose()).name == "h264_vaapi"


async def test_verdicts_are_remembered_until_something_changes(stand_in: StandIn, tmp_path: Path) -> None:
    ladder = (replace(stand_in.has(VAAPI, good()), nodes=(f"{tmp_path}/*.node",)), SOFTWARE)
    encoders = Encoders(stand_in.ffmpeg, ladder=ladder)
    await encoders.prove()
    remembered = json.loads(json.dumps(encoders.remember()))

    async def tried_again(*, ladder: tuple[Encoder, ...] = ladder) -> bool:
        before = len(stand_in.trials)
        again = Encoders(stand_in.ffmpeg, ladder=ladder)
        await again.recall(remembered)
        assert (await again.choose()).name == "h264_vaapi"
        await again.prove()
        assert again.verdicts == encoders.verdicts or len(stand_in.trials) > before
        return len(stand_in.trials) > before

    assert not await tried_again()
    assert await tried_again(ladder=(replace(ladder[0], options=("-async_depth", "2")), SOFTWARE))
    (tmp_path / "other.node").touch()
    assert await tried_again()
    (tmp_path / "other.node").unlink()
    assert not await tried_again()
    stand_in.becomes("99.1")
    assert await tried_again()


@pytest.mark.parametrize("verdicts", [None, [], {"h264_vaapi": {}}, {"h264_vaapi": {"outcome": "splendid"}}])
async def test_what_is_remembered_in_another_form_is_found_out_anew(stand_in: StandIn, verdicts: object) -> None:
    ladder = (stand_in.has(VAAPI, good()), SOFTWARE)
    encoders = Encoders(stand_in.ffmpeg, ladder=ladder)
    await encoders.choose()
    again = Encoders(stand_in.ffmpeg, ladder=ladder)
    await again.recall({**encoders.remember(), "verdicts": verdicts})
    assert (await again.choose()).name == "h264_vaapi"
    assert len(stand_in.trials) == 2


async def test_an_encoder_that_fails_in_use_rests_a_while(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock, told = Clock(), []
    encoders = Encoders(stand_in.ffmpeg, ladder=(stand_in.has(VAAPI, good()), SOFTWARE), clock=clock)
    encoder = await encoders.choose()
    unlisten = encoders.listen(lambda: told.append(encoders.verdicts["h264_vaapi"].outcome))
    encoders.fail(encoder, EncoderFailed("the driver gave up"))
    assert told == [Outcome.FAILED_IN_USE]
    assert "h264_vaapi is left alone for 10 minutes, and libx264 takes over" in caplog.text
    assert await encoders.choose() == SOFTWARE == encoders.chosen
    assert "the driver gave up" in encoders.verdicts["h264_vaapi"].reason
    assert encoders.remember()["verdicts"]["h264_vaapi"]["outcome"] == "works"
    unlisten()
    clock.now += REST
    assert (await encoders.choose()).name == "h264_vaapi"
    assert encoders.verdicts["h264_vaapi"].works
    assert len(stand_in.trials) == len(told) == 1


async def test_software_is_never_given_up() -> None:
    encoders = Encoders(Ffmpeg(), ladder=(SOFTWARE,))
    encoders.fail(SOFTWARE, EncoderFailed("too small"))
    assert await encoders.choose() == SOFTWARE
    assert encoders.verdicts == {}


async def test_the_choice_is_not_known_before_it_is_made(stand_in: StandIn) -> None:
    encoders = Encoders(stand_in.ffmpeg, ladder=(stand_in.has(VAAPI, good()), SOFTWARE))
    assert encoders.chosen is None
    await encoders.choose()
    assert encoders.chosen is not None


async def test_what_is_known_already_is_not_forgotten_for_what_is_remembered(stand_in: StandIn) -> None:
    encoders = Encoders(stand_in.ffmpeg, ladder=(stand_in.has(VAAPI, good()), SOFTWARE))
    await encoders.choose()
    await encoders.recall({"key": "of another machine", "verdicts": {}})
    assert encoders.chosen is not None
    assert stand_in.trials == ["h264_vaapi"]


async def test_a_remembered_choice_is_known_at_once(stand_in: StandIn) -> None:
    ladder = (stand_in.has(VAAPI, good()), SOFTWARE)
    encoders = Encoders(stand_in.ffmpeg, ladder=ladder)
    await encoders.choose()
    again = Encoders(stand_in.ffmpeg, ladder=ladder)
    await again.recall(encoders.remember())
    assert again.chosen == encoders.chosen


async def test_without_ffmpeg_there_is_no_encoder() -> None:
    with pytest.raises(FfmpegMissing):
        await Encoders(Ffmpeg("/nowhere/ffmpeg")).choose()
