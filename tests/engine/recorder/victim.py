"""A program that records one clip after the other, to be killed: `victim.py ROOT SECONDS`.

Prints when its camera's first frame was taken (the machine's monotonic time) and then the id of each recording.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
import sys
from types import ModuleType

# the engine runs without Home Assistant, which would take seconds to import
package = ModuleType("custom_components.tripod")
package.__path__ = [str(Path(__file__).parents[3] / "custom_components/tripod")]
sys.modules[package.__name__] = package

from tests.engine.recorder.reel import Reel  # noqa: E402 - see above
from tests.engine.recorder.studio import studio  # noqa: E402


async def main(root: Path, seconds: float) -> None:
    """Record until killed, each clip for so long and the next one while it is being finished."""
    reel = Reel()
    async with studio(reel, root, pre_roll=1) as here:
        await here.filled(0.5)
        print(reel.began[0], flush=True)
        while True:
            recording = await here.recorder.start(duration=seconds)
            print(recording.id, flush=True)
            await here.until(lambda one=recording: not one.under_way)  # type: ignore[misc]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
