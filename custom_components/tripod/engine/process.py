"""One supervised child process: spawn, pump, stop, explain its death; never orphaned.

Output goes straight from the pipe to a callback in the event loop: no task, no queue. stderr is kept as the last few
lines, with secrets masked, for the sentence that explains the death.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
import fcntl
import os
from pathlib import Path
import signal
import sys
from typing import NoReturn, Protocol, Self, cast

from . import crew
from .errors import TripodError, WorkerFailed

GUARD = Path(__file__).with_name("guard.py")

PIPE_SIZE = 1 << 20
"""Bytes the kernel may buffer of a worker's output (fcntl F_SETPIPE_SZ): a whole 1080p JPEG in one wake-up."""

LAST_WORDS = 40
"""Lines of stderr that are kept: ffmpeg's reason is among the last ten, its stream list above that."""

LINE_LIMIT = 2000
"""Characters kept of one line of stderr."""

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL: ffmpeg closes a device in well under one."""

LOW_PRIORITY = 19
"""The nice value of work that can wait: cameras are running meanwhile."""

LEFTOVER = 0.5
"""Seconds to wait for the rest of the output once the child is dead."""


class Explain(Protocol):
    """Turn last words and exit status into the one error."""

    def __call__(self, lines: Sequence[str], returncode: int) -> TripodError:
        """Return the error; `returncode` is negative for a signal."""


class Spawn(Protocol):
    """How child processes are made; `loop.subprocess_exec` unless a test records it."""

    async def __call__(
        self, protocol_factory: Callable[[], asyncio.SubprocessProtocol], *argv: str, **options: object
    ) -> tuple[asyncio.SubprocessTransport, asyncio.SubprocessProtocol]:
        """Spawn `argv`."""


def _explain_plainly(lines: Sequence[str], returncode: int) -> TripodError:
    return WorkerFailed(lines[-1] if lines else f"exit status {returncode}")


class Process(asyncio.SubprocessProtocol):
    """A child that lives as long as the context is open.

    `argv` is a list and never passes a shell. `on_output` gets what the child writes to stdout, as it comes. With
    `on_side_output` the child finds one more pipe, named by the path that `SIDE_OUTPUT` in `argv` is replaced with. It
    finds `side_input` in a file named by `SIDE_INPUT`: what the command line, which everybody may read, must not show.
    """

    SIDE_OUTPUT = "{side-output}"
    SIDE_INPUT = "{side-input}"

    def __init__(  # noqa: PLR0913 - a child has as many sides, each told by name and with a default
        self,
        argv: Sequence[str],
        *,
        on_output: Callable[[bytes], object],
        on_side_output: Callable[[bytes], object] | None = None,
        explain: Explain = _explain_plainly,
        secrets: Sequence[str] = (),
        stdin: bool = False,
        side_input: bytes = b"",
        stop_signal: int = signal.SIGTERM,
        nice: int = 0,
        spawn: Spawn | None = None,
    ) -> None:
        """Prepare the child; entering the context starts it, and leaving it sends `stop_signal`.

        It gives way to others by `nice` (0 to 19), as does all that it starts.
        """
        self._argv = list(argv)
        self._on_output = on_output
        self._on_side_output = on_side_output
        self._explain = explain
        self._secrets = [secret for secret in secrets if secret]
        self._stdin = stdin
        self._side_input = side_input
        self._stop_signal = stop_signal
        self._nice = nice
        self._spawn = spawn
        self._transport: asyncio.SubprocessTransport | None = None
        self._side: asyncio.ReadTransport | None = None
        self._partial = b""
        self.last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._leave: Callable[[], None] = lambda: None
        self._exited = asyncio.Event()
        self._drained = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def pid(self) -> int | None:
        """The child's process id, None before it was started."""
        return self._transport.get_pid() if self._transport else None

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while the child runs."""
        return self._transport.get_returncode() if self._transport else None

    async def __aenter__(self) -> Self:
        """Start the child; raises OSError only if not even Python can be started."""
        loop = asyncio.get_running_loop()
        spawn = self._spawn or cast("Spawn", loop.subprocess_exec)
        side_read, side_write = os.pipe() if self._on_side_output else (-1, -1)
        side_input = _filled_pipe(self._side_input) if self._side_input else -1
        paths = {self.SIDE_OUTPUT: f"pipe:{side_write}", self.SIDE_INPUT: f"/dev/fd/{side_input}"}
        argv = [_replaced(arg, paths) for arg in self._argv]
        try:
            transport, _ = await spawn(
                lambda: self,
                sys.executable,
                "-I",
                "-S",
                str(GUARD),
                str(os.getpid()),
                str(self._nice),
                *argv,
                stdin=asyncio.subprocess.PIPE if self._stdin else asyncio.subprocess.DEVNULL,
                pass_fds=[fd for fd in (side_write, side_input) if fd >= 0],
                start_new_session=True,  # Ctrl-C in a terminal is for the parent, which then stops its children
            )
        except BaseException:
            if side_read >= 0:
                os.close(side_read)
            raise
        finally:
            for fd in (side_write, side_input):
                if fd >= 0:
                    os.close(fd)
        self._transport = transport
        self._leave = crew.join(transport.get_pid())
        try:
            _widen(transport.get_pipe_transport(1))
            if self._on_side_output:
                self._side, _ = await loop.connect_read_pipe(
                    lambda: _SideOutput(self._on_side_output), os.fdopen(side_read, "rb", 0)
                )
        except BaseException:  # such as a cancellation, after which nobody leaves a context that was never entered
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the child, by force if need be, and leave nothing behind."""
        await self._end()

    async def _end(self) -> None:
        """Stop the child to the end, however often that is cancelled meanwhile; then be cancelled."""
        stopping = asyncio.create_task(self.stop())
        cancelled: asyncio.CancelledError | None = None
        while not stopping.done():
            try:
                await asyncio.wait([stopping])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled:
            raise cancelled
        stopping.result()

    async def stop(self) -> None:
        """End the child: by its stop signal, and by SIGKILL after `GRACE` seconds. Safe to call again."""
        transport = self._transport
        if transport is None:
            return
        if not self._exited.is_set():
            stdin = cast("asyncio.WriteTransport | None", transport.get_pipe_transport(0))
            # ffmpeg that waits for input does not see a signal; what is closed and empty cannot be aborted
            if stdin and (not stdin.is_closing() or stdin.get_write_buffer_size()):
                stdin.abort()
            with suppress(ProcessLookupError):
                transport.send_signal(self._stop_signal)
            try:
                async with asyncio.timeout(GRACE):
                    await self._exited.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    transport.kill()
                await self._exited.wait()
        if self._side is not None:
            self._side.close()
        self._leave()
        transport.close()

    async def wait(self) -> NoReturn:
        """Wait for the child's end and raise what explains it: a worker is never expected to end by itself."""
        await self._exited.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(LEFTOVER):
                await self._drained.wait()
        raise self._explain(list(self.last_words), self.returncode or 0)

    async def write(self, data: bytes) -> None:
        """Write to the child's stdin, waiting while it does not keep up; raises the child's death."""
        assert self._transport is not None
        pipe = self._transport.get_pipe_transport(0)
        if self._exited.is_set() or pipe is None or pipe.is_closing():
            await self.wait()
        cast("asyncio.WriteTransport", pipe).write(data)
        await self._writable.wait()

    def close_stdin(self) -> None:
        """Tell the child that nothing more comes, once it has read what was written."""
        if self._transport and (pipe := self._transport.get_pipe_transport(0)):
            pipe.close()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Pass stdout on; collect stderr."""
        if fd == 1:
            self._on_output(data)
        else:
            self._collect(data)

    def pause_writing(self) -> None:
        """Hold writers back: the child's stdin is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let writers go on."""
        self._writable.set()

    def process_exited(self) -> None:
        """Note the death."""
        self._exited.set()
        self._writable.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Note that all pipes are drained."""
        if self._partial:
            self._keep(self._partial)
            self._partial = b""
        self._exited.set()
        self._drained.set()

    def _collect(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).replace(b"\r", b"\n").split(b"\n")
        # of a line without end its beginning is kept, with room for a secret that would be cut, and so not be masked
        self._partial = self._partial[: 2 * LINE_LIMIT]
        for line in lines:
            self._keep(line)

    def _keep(self, line: bytes) -> None:
        text = line.decode(errors="replace").strip()
        for secret in self._secrets:
            text = text.replace(secret, "***")
        if text:
            self.last_words.append(text[:LINE_LIMIT])


class _SideOutput(asyncio.Protocol):
    """Pass on what comes through the second pipe."""

    def __init__(self, on_output: Callable[[bytes], object] | None) -> None:
        self._on_output = on_output

    def data_received(self, data: bytes) -> None:
        if self._on_output:
            self._on_output(data)


def _replaced(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _filled_pipe(data: bytes) -> int:
    """Return the end to read from of a pipe that holds `data`, at most a page, and nothing after it."""
    read, write = os.pipe()
    with os.fdopen(write, "wb", 0) as pipe:
        pipe.write(data)
    return read


def _widen(pipe: asyncio.BaseTransport | None) -> None:
    file = pipe.get_extra_info("pipe") if pipe else None
    if file is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError, ValueError):  # more than pipe-max-size allows; already closed, for the child is dead
            fcntl.fcntl(file.fileno(), fcntl.F_SETPIPE_SZ, PIPE_SIZE)
