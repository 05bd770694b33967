"""A folder for what is being made, on the archive's disk, gone when the work is done, failed or cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import shutil

from ..archive import Archive


@asynccontextmanager
async def scratch(archive: Archive, owner: str) -> AsyncIterator[Path]:
    """Make a part of `archive` and remove it, also where that is cancelled; raises what `new_part` raises."""
    making = asyncio.create_task(asyncio.to_thread(archive.new_part, owner))
    try:
        yield await asyncio.shield(making)
    finally:
        await asyncio.shield(_remove(making))


async def _remove(making: asyncio.Task[Path]) -> None:
    await asyncio.wait([making])
    if not making.cancelled() and not making.exception():
        await asyncio.to_thread(shutil.rmtree, making.result(), ignore_errors=True)
