"""One candidate's trial: two seconds of a moving test picture, looked at and measured."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
import re

from ..errors import FfmpegMissing, TripodError
from ..ffmpeg import Ffmpeg, explain, mpegts_output
from ..process import LOW_PRIORITY, Process
from .judge import Outcome, Verdict, judge
from .ladder import Encoder

SIZE = "640x480"
"""Of the test picture: by a larger one, a small computer would be measured by how fast it draws."""

RATE = 25
FRAMES = 56
"""A little more than two seconds: two GOPs are whole, and the third begins."""

BIT_RATE = 2_000_000

FAST_ENOUGH = 1.5
"""Times real time that hardware must reach with so small a picture; software is taken however slow it is."""

PATIENCE = 30.0
"""Seconds after which a candidate has failed that has not finished; a Raspberry Pi's processor takes two."""

_ERROR = re.compile(r"\[(?:error|fatal)\] (.*)")
_BENCHMARK = re.compile(r"bench: utime=([\d.]+)s stime=([\d.]+)s rtime=([\d.]+)s")
_ABSENT = re.compile(r"cannot load lib|no capable devices|no device|could not find a valid device", re.IGNORECASE)
"""How ffmpeg says that the hardware is not there, where only trying tells."""


async def try_out(ffmpeg: Ffmpeg, encoder: Encoder) -> Verdict:
    """Return what one encoder shows; raises `FfmpegMissing`."""
    stream, mend = bytearray(), encoder.mend()
    child = Process(
        _argv(ffmpeg, encoder),
        on_output=lambda data: stream.extend(mend(data)),
        explain=explain,
        nice=LOW_PRIORITY,
    )
    try:
        async with asyncio.timeout(PATIENCE), child:
            await child.wait()
    except TimeoutError:
        return Verdict(Outcome.FAILED, f"not finished after {PATIENCE:g} s", encoder.device)
    except FfmpegMissing:
        raise
    except TripodError as error:
        if child.returncode != 0:
            return _failed(child.last_words, error, encoder)
    verdict = await asyncio.to_thread(judge, bytes(stream), frames=FRAMES, rate=RATE)
    return _measured(replace(verdict, device=encoder.device), child.last_words, encoder)


def _argv(ffmpeg: Ffmpeg, encoder: Encoder) -> list[str]:
    return [
        *(ffmpeg.binary, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info", "-benchmark"),
        *encoder.before_input,
        *("-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate={RATE}", "-frames:v", str(FRAMES)),
        *("-vf", encoder.pictures, *encoder.encode(BIT_RATE), *mpegts_output(0)),
    ]


def _failed(words: Sequence[str], error: TripodError, encoder: Encoder) -> Verdict:
    # the first error is the cause, and what follows its consequences
    reason = next((found[1] for line in words if (found := _ERROR.search(line))), error.placeholders["detail"])
    outcome = Outcome.NO_DEVICE if _ABSENT.search(reason) else Outcome.FAILED
    return Verdict(outcome, reason, encoder.device)


def _measured(verdict: Verdict, words: Sequence[str], encoder: Encoder) -> Verdict:
    """Add what ffmpeg measured of itself."""
    found = next((found for line in reversed(words) if (found := _BENCHMARK.search(line))), None)
    if found is None:
        return verdict
    user, system, elapsed = map(float, found.groups())
    seconds = FRAMES / RATE
    verdict = replace(verdict, speed=round(seconds / max(elapsed, 0.001), 1), cpu=round((user + system) / seconds, 3))
    if verdict.works and encoder.hardware and seconds / max(elapsed, 0.001) < FAST_ENOUGH:
        reason = f"{verdict.speed:g} times real time, and {FAST_ENOUGH:g} are needed"
        return replace(verdict, outcome=Outcome.TOO_SLOW, reason=reason)
    return verdict
