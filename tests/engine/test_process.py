"""Supervised children: real processes, real signals."""

import asyncio
import os
from pathlib import Path
import signal
import sys

import pytest

from custom_components.tripod.engine.errors import TripodError, WorkerFailed
from custom_components.tripod.engine.process import LOW_PRIORITY, Process


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-u", "-c", code]


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


class Output:
    """What a child wrote, and a way to wait for it."""

    def __init__(self) -> None:
        self.data = b""
        self._more = asyncio.Event()

    def __call__(self, data: bytes) -> None:
        self.data += data
        self._more.set()

    async def until(self, wanted: bytes) -> None:
        async with asyncio.timeout(10):
            while wanted not in self.data:
                self._more.clear()
                await self._more.wait()


async def test_output_arrives_and_death_is_explained() -> None:
    output = Output()
    code = "import sys; print('hello'); print('went wrong', file=sys.stderr); sys.exit(3)"
    async with Process(python(code), on_output=output) as child:
        with pytest.raises(WorkerFailed, match="went wrong"):
            await child.wait()
    assert output.data == b"hello\n"
    assert child.returncode == 3


async def test_explanation_gets_all_last_words_and_the_status() -> None:
    seen: list[object] = []

    def explain(lines: object, returncode: int) -> TripodError:
        seen.extend((lines, returncode))
        return WorkerFailed("explained")

    code = "import sys; sys.stderr.write('one\\r two \\n\\nthree'); sys.exit(7)"
    async with Process(python(code), on_output=Output(), explain=explain) as child:
        with pytest.raises(WorkerFailed, match="explained"):
            await child.wait()
    assert seen == [["one", "two", "three"], 7]


async def test_a_child_gives_way_to_others() -> None:
    output = Output()
    code = "import os; print(os.nice(0)); os.system('nice')"
    async with Process(python(code), on_output=output, nice=LOW_PRIORITY) as child:
        with pytest.raises(TripodError):
            await child.wait()
    assert output.data == b"19\n19\n"
    assert os.nice(0) == 0


async def test_secrets_are_masked_in_last_words() -> None:
    code = "import sys; sys.stderr.write('rtsp://u:h%40nter2@x h@nter2'); sys.exit(1)"
    async with Process(python(code), on_output=Output(), secrets=("h@nter2", "h%40nter2", "")) as child:
        with pytest.raises(WorkerFailed) as caught:
            await child.wait()
    assert "nter2" not in str(caught.value)
    assert "rtsp://u:***@x ***" in str(caught.value)


@pytest.mark.parametrize("size", [1, 7, 100, 1999, 2001, 5000])
async def test_a_line_keeps_its_beginning_and_no_part_of_a_secret(size: int) -> None:
    line = b"line " + b"x" * 1990 + b"s3cr3t" * 900 + b"\nlast\n"
    process = Process([], on_output=Output(), secrets=("s3cr3t",))
    for cut in range(0, len(line), size):
        process.pipe_data_received(2, line[cut : cut + size])
    first, last = process.last_words
    assert first.startswith("line xxx")
    assert "s3" not in first
    assert len(first) <= 2000
    assert last == "last"


async def test_last_words_are_bounded() -> None:
    code = "import sys\nfor i in range(5000): sys.stderr.write(f'line {i} ' + 'x' * 5000 + '\\n')\nsys.exit(1)"
    async with Process(python(code), on_output=Output()) as child:
        with pytest.raises(WorkerFailed):
            await child.wait()
    assert len(child.last_words) <= 40
    assert child.last_words[-1].startswith("line 4999")
    assert max(map(len, child.last_words)) <= 2000


async def test_leaving_the_context_ends_the_child() -> None:
    output = Output()
    async with Process(python("print('up'); import time; time.sleep(60)"), on_output=output) as child:
        await output.until(b"up")
        pid = child.pid
        assert pid is not None
        assert alive(pid)
    assert not alive(pid)
    assert child.returncode == -signal.SIGTERM


async def test_child_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.process.GRACE", 0.1)
    output = Output()
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(60)"
    async with Process(python(code), on_output=output) as child:
        await output.until(b"up")
    assert child.returncode == -signal.SIGKILL


async def test_a_context_that_is_cancelled_while_it_ends_the_child_waits_for_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.process.GRACE", 0.5)
    output, leaving = Output(), asyncio.Event()
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(60)"
    child = Process(python(code), on_output=output)

    async def work() -> None:
        async with child:
            await output.until(b"up")
            leaving.set()

    before = asyncio.all_tasks()
    task = asyncio.create_task(work())
    await leaving.wait()
    for _ in range(3):  # one who cancels may not be the only one
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert child.returncode == -signal.SIGKILL
    assert asyncio.all_tasks() == before


async def test_cancelled_context_still_ends_the_child() -> None:
    output = Output()
    pids: list[int] = []

    async def work() -> None:
        async with Process(python("print('up'); import time; time.sleep(60)"), on_output=output) as child:
            assert child.pid is not None
            pids.append(child.pid)
            await child.wait()

    task = asyncio.create_task(work())
    await output.until(b"up")
    task.cancel()
    await asyncio.wait([task])
    assert not alive(pids[0])


async def test_writing_waits_for_a_slow_child_and_reaches_it() -> None:
    output = Output()
    code = "import sys, time; time.sleep(0.3); n = len(sys.stdin.buffer.read()); print(n)"
    async with Process(python(code), on_output=output, stdin=True) as child:
        for _ in range(64):
            await child.write(b"x" * 65536)
        child.close_stdin()
        await output.until(b"%d\n" % (64 * 65536))


async def test_writing_to_a_dead_child_raises_its_death() -> None:
    code = "import sys; sys.stderr.write('no thanks'); sys.exit(2)"
    async with Process(python(code), on_output=Output(), stdin=True) as child:
        with pytest.raises(WorkerFailed, match="no thanks"):  # noqa: PT012 - the pipe takes some before it breaks
            while True:
                await child.write(b"x" * 65536)


async def test_side_output_is_a_pipe_of_its_own() -> None:
    main, side = Output(), Output()
    code = (
        "import os, sys, time; fd = int(sys.argv[1].removeprefix('pipe:')); os.write(fd, b'side'); print('main');"
        " time.sleep(60)"
    )
    argv = [*python(code), Process.SIDE_OUTPUT]
    async with Process(argv, on_output=main, on_side_output=side):
        await main.until(b"main\n")
        await side.until(b"side")
    assert (main.data, side.data) == (b"main\n", b"side")


async def test_missing_program_is_said() -> None:
    async with Process(["/nonexistent/ffmpeg"], on_output=Output()) as child:
        with pytest.raises(WorkerFailed, match="cannot run /nonexistent/ffmpeg"):
            await child.wait()
    assert child.returncode == 127


async def test_no_descriptor_is_left() -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def once() -> None:
        argv = [*python("pass"), Process.SIDE_OUTPUT]
        async with Process(argv, on_output=Output(), on_side_output=Output(), stdin=True) as child:
            with pytest.raises(WorkerFailed):
                await child.wait()

    await once()
    before = descriptors()
    for _ in range(5):
        await once()
    assert descriptors() == before


PARENT = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from custom_components.tripod.engine.process import LOW_PRIORITY, Process
async def main():
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    argv = [sys.executable, "-I", "-S", "-u", "-c", code]
    up = asyncio.Event()
    async with Process(argv, on_output=lambda data: up.set()) as child:
        await up.wait()
        print(child.pid, flush=True)
        await child.wait()
asyncio.run(main())
"""


async def test_child_dies_with_its_killed_parent() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(Path(__file__).parents[2]), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert alive(pid)
    child = os.pidfd_open(pid)
    parent.kill()
    await parent.wait()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(child, ended.set)
    try:
        async with asyncio.timeout(5):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(child)
        os.close(child)
    assert not alive(pid)


async def test_child_that_is_dead_at_once_is_no_surprise() -> None:
    for _ in range(20):
        with pytest.raises(WorkerFailed):
            async with Process(["/nonexistent"], on_output=Output(), on_side_output=Output(), stdin=True) as child:
                await child.wait()


async def test_child_that_waits_for_input_ends_by_itself() -> None:
    output = Output()
    code = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); sys.stdin.read()"
    async with Process(python(code), on_output=output, stdin=True) as child:
        await output.until(b"ready")
    assert child.returncode == 0


async def test_child_whose_start_is_cancelled_is_not_left() -> None:
    for turns in range(40):
        before = children()

        async def enter() -> None:
            async with Process(python("input()"), on_output=Output(), on_side_output=Output(), stdin=True):
                await asyncio.Event().wait()

        entering = asyncio.create_task(enter())
        for _ in range(turns):
            await asyncio.sleep(0)
        entering.cancel()
        await asyncio.wait([entering])
        assert children() == before


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
