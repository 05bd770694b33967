"""The program is killed at any instant: what is published is whole, and at most a second is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import iscoroutinefunction
from itertools import pairwise
import os
from pathlib import Path
import random
import sys
import time
from typing import Any

import pytest

from custom_components.tripod.engine.archive import Archive, Item, Kind
from custom_components.tripod.engine.events import Event
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.recorder import Recorder
from custom_components.tripod.engine.recorder.finish import Finisher

from .judge import judge
from .reel import GOP, RATE, Reel, numbers, pictures
from .studio import TOOLS, open_archive, studio

KILLS = int(os.environ.get("TRIPOD_KILLS", "8"))
AT_ONCE = 4

LOSS = 1.0
"""Seconds of a recording that a crash may cost."""


async def killed(root: Path, seconds: float, lives: float) -> tuple[float, float]:
    """Let a victim live for so long after its first recording began; return when its camera began, and its end."""
    argv = (sys.executable, "-m", "tests.engine.recorder.victim", str(root), str(seconds))
    child = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        began = float(await child.stdout.readline())
        assert await child.stdout.readline()
        await asyncio.sleep(lives)
    finally:
        child.kill()
        ended = time.monotonic()
        await child.wait()
    return began, ended


def published(archive: Archive) -> list[Item]:
    return [item for day in archive.days(Kind.RECORDING) for item in archive.items(Kind.RECORDING, day.date)]


async def recovered(archive: Archive) -> list[Event]:
    told: list[Event] = []
    pipeline = Pipeline(Reel(), TOOLS)
    recorder = Recorder(pipeline, archive, told.append)
    await recorder.recover()
    await recorder.close()
    await pipeline.close()
    return told


async def survives(root: Path, seconds: float, lives: float) -> float:
    """Kill and recover once; return how many seconds of what was recorded are lost."""
    began, ended = await killed(root, seconds, lives)
    archive = open_archive(root, known=True)
    already = {item.path: item.size for item in published(archive)}
    told = await recovered(archive)
    items = published(archive)
    assert not archive.parts("recording")
    # what was there when the program died was whole: it is what is shown below
    assert already.items() <= {item.path: item.size for item in items}.items()
    assert len(items) == len(already) + len(told)
    assert not await recovered(archive)  # everything was published once
    shown = [await asyncio.to_thread(numbers, item.path) for item in items]
    for item in items[-len(told) - 1 :]:
        await asyncio.to_thread(judge, item.path)
    for frames in shown:
        assert frames == list(range(frames[0], frames[0] + len(frames)))
    firsts = [frames[0] for frames in shown]
    assert len(set(firsts)) == len(firsts)
    for before, after in pairwise(shown):
        assert after[0] <= before[-1] + GOP + RATE  # none that was begun is missing
    return ended - began - (shown[-1][-1] + 1) / RATE


@pytest.mark.timeout(60 + 10 * KILLS)
async def test_kill_at_any_instant(tmp_path: Path) -> None:
    pictures()
    chance, turns = random.Random(KILLS), asyncio.Semaphore(AT_ONCE)  # noqa: S311 - no secret

    async def turn(number: int) -> float:
        async with turns:
            # clips that are short meet their end while they are being packed, long ones while they are written
            return await survives(tmp_path / str(number), chance.choice((0.8, 30)), chance.uniform(0.6, 1.6))

    lost = await asyncio.gather(*map(turn, range(KILLS)))
    print(f"lost at most {max(lost):.2f} s of {KILLS}")
    assert max(lost) < LOSS


async def test_finishing_goes_on_wherever_it_was_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of packing and publishing is cut off in turn, before and after it."""
    async with studio(Reel(), tmp_path) as here:
        recording = await here.recorder.start(duration=None)
        await here.until(lambda: any(path.stat().st_size for path in recording.folder.glob("*.ts")))
        content = {path.name: path.read_bytes() for path in recording.folder.iterdir()}
        recording.stop()
        await recording.done()

    for step in ("_pack", "_run", "_publish"):
        for after in (False, True):
            root = tmp_path / f"{step}-{after}"
            archive = open_archive(root)
            part = archive.new_part("recording")
            for name, data in content.items():
                (part / name).write_bytes(data)
            monkeypatch.setattr(Finisher, step, cut(whole := getattr(Finisher, step), after=after))
            with pytest.raises(Ended):
                await Finisher(archive, TOOLS.ffmpeg).finish(part, whole=True)
            monkeypatch.setattr(Finisher, step, whole)
            for item in published(archive):
                judge(item.path)
            await recovered(open_archive(root, known=True))
            (item,) = published(open_archive(root, known=True))
            judge(item.path)
            assert not list((root / ".parts").iterdir())


class Ended(Exception):
    """The program ends here."""


def cut(step: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """Return a step that the program ends before, or after."""

    async def cut_async(*arguments: object) -> None:
        if after:
            await step(*arguments)
        raise Ended

    def cut_plain(*arguments: object) -> None:
        if after:
            step(*arguments)
        raise Ended

    return cut_async if iscoroutinefunction(step) else cut_plain
