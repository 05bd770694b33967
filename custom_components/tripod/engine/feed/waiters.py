"""Readers that wait for their feed."""

from __future__ import annotations

import asyncio


class Waiters:
    """Readers that wait for something to happen to their feed."""

    def __init__(self) -> None:
        """Begin with none."""
        self._futures: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Let all go on that wait now."""
        futures, self._futures = self._futures, set()
        for future in futures:
            if not future.done():
                future.set_result(None)

    async def wait(self, timeout: float | None) -> bool:
        """Wait for the next `wake`; False if `timeout` seconds passed first."""
        future = asyncio.get_running_loop().create_future()
        self._futures.add(future)
        try:
            if timeout is None:
                await future
            else:
                async with asyncio.timeout(timeout):
                    await future
        except TimeoutError:
            return False
        finally:
            self._futures.discard(future)
        return True
