"""A process that renders one range again and again until it is killed: `rendering.py ROOT START END NOW`.

It says a word when it begins, and the name of each video. The engine is imported alone, as on a node.
"""

import asyncio
from datetime import date
from pathlib import Path
import sys
from zoneinfo import ZoneInfo

from engine.archive import Archive  # type: ignore[import-not-found]
from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.timelapse import RenderRequest, render  # type: ignore[import-not-found]


async def main(root: Path, start: date, end: date, now: float) -> None:
    archive = Archive(root, "yard", zone=ZoneInfo("Europe/Berlin"), floor=0, known=True)
    archive.open()
    archive.clear_parts()
    print("ready", flush=True)
    while True:
        item = await render(RenderRequest(job="site", start=start, end=end), archive, Ffmpeg(), clock=lambda: now)
        print(item.key, flush=True)
        for chunk in root.glob("timelapse/*/chunks/*/*.mp4"):
            chunk.unlink()


if __name__ == "__main__":
    ROOT, START, END, NOW = sys.argv[1:]
    asyncio.run(main(Path(ROOT), date.fromisoformat(START), date.fromisoformat(END), float(NOW)))
