"""Run work while somebody wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from typing import Any


class OnDemand:
    """Work that starts with its first holder and is cancelled a while after its last one."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]], linger: float, *, keep: bool = False) -> None:
        """Run `work` while held, and `linger` seconds longer; with `keep`, always."""
        self._work = work
        self._linger = linger
        self._keep = keep
        self._blocked = True
        self._holders = 0
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        """Whether the work is under way."""
        return self._task is not None

    @property
    def wanted(self) -> bool:
        """Whether somebody wants it now."""
        return self._keep or self._holders > 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Want the work for the time of the context."""
        self._holders += 1
        self._update()
        try:
            yield
        finally:
            self._holders -= 1
            self._update()

    def allow(self) -> None:
        """Let the work run when it is wanted."""
        self._blocked = False
        self._update()

    def run_once(self) -> None:
        """Start now, and linger as if a holder had just left."""
        with self.hold():
            pass

    async def block(self) -> None:
        """End the work and let nobody start it, until `allow`."""
        self._blocked = True
        await self.cancel()

    async def cancel(self) -> None:
        """End the work; it starts again at once if it is wanted and allowed."""
        self._cancel_timer()
        if task := self._task:
            self._end(task)
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])

    def _update(self) -> None:
        if self._blocked:
            return
        if self.wanted:
            self._cancel_timer()
            if self._task is None:
                # contexts of their own, or the request that happened to be first would live as long as the work
                self._task = asyncio.create_task(self._work(), context=Context())
                self._task.add_done_callback(self._done, context=Context())
        elif self._task is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self._let_go, context=Context())

    def _let_go(self) -> None:
        self._timer = None
        if self._task is not None:
            self._end(self._task)

    @staticmethod
    def _end(task: asyncio.Task[None]) -> None:
        # a second request would break off the ending that the first one began, and leave a worker behind
        if not task.cancelling():
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (error := task.exception()):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "work ended", "exception": error, "task": task}
            )
            return
        self._update()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
