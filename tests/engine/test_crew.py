"""Which children work for a camera, and what they take: read from /proc, of real processes."""

import asyncio
import os
from pathlib import Path
import time

from custom_components.tripod.engine import crew
from custom_components.tripod.engine.crew import Crew, Usage
from custom_components.tripod.engine.process import Process

BUSY = ["sh", "-c", "while :; do :; done"]
QUIET = ["sleep", "60"]


def _child(*argv: str) -> Process:
    return Process(argv, on_output=lambda _: None)


async def test_children_of_a_task_and_of_those_it_starts() -> None:
    own, other = Crew(), Crew()

    async def deeper() -> None:
        crew.change_role("sound")
        async with _child(*QUIET):
            assert {role: usage.count for role, usage in (await own.usage()).items()} == {"capture": 1, "sound": 1}

    async def work() -> None:
        own.work("capture")
        async with _child(*QUIET):
            await asyncio.create_task(deeper())
            assert (await own.usage())["capture"].memory > 0

    await asyncio.create_task(work())
    async with _child(*QUIET):
        assert {usage.count for usage in (await own.usage()).values()} == {0}
        assert await other.usage() == {}


async def test_time_never_goes_back() -> None:
    own, spent = Crew(), 0.0

    async def work() -> None:
        nonlocal spent
        own.work("capture")
        for _ in range(2):
            before = spent
            async with _child(*BUSY), asyncio.timeout(20):
                while spent - before < 0.05:
                    now = (await own.usage())["capture"].cpu
                    assert now >= spent
                    spent = now
            assert (await own.usage())["capture"].cpu >= spent

    await asyncio.create_task(work())
    assert (await own.usage())["capture"] == Usage(cpu=spent, memory=0, count=0)


def test_this_process(tmp_path: Path) -> None:
    own = crew.own()
    assert own
    assert own.usage.memory > 10_000_000
    assert own.usage.cpu > 0
    assert own.threads >= 1
    assert own.open_files >= 3
    assert 0 < time.time() - own.started_at < 86400
    assert crew.own(tmp_path) is None
    assert crew.read(os.getpid(), tmp_path) is None


def test_a_name_with_brackets_and_spaces(tmp_path: Path) -> None:
    fields = " ".join(map(str, range(3, 53)))
    (tmp_path / "7").mkdir()
    (tmp_path / "7/stat").write_text(f"7 (a) b) c) {fields}")
    usage = crew.read(7, tmp_path)
    assert usage
    assert usage.cpu == (14 + 15) / os.sysconf("SC_CLK_TCK")
    assert usage.memory == 24 * os.sysconf("SC_PAGE_SIZE")
