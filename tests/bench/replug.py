"""How soon a USB camera that was unplugged and put back delivers again."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.hardware import machine

from .harness import Benchmark, Key, Values

TIMES = 5
GUEST = Path(__file__).parent / "guest"


def _run() -> Values:
    found = machine.run(GUEST / "replug.py", str(TIMES), options=["--udev", "--uvc", "1"], seconds=900)
    usual = {camera: median(seconds for _, seconds in times) for camera, times in found.items()}
    return {
        "replug_s": max(usual.values()),
        "noticed_s": max(median(noticed for noticed, _ in times) for times in found.values()),
        "platform_s": usual["platform"],
        "usb_s": usual["usb"],
        "worst_s": max(seconds for times in found.values() for _, seconds in times),
    }


BENCHMARK = Benchmark(
    name="replug",
    text="a camera that was unplugged and put back while somebody watches, in an emulated machine",
    keys={
        "replug_s": Key(text="from the device's return to its first picture", unit="s", at_most=3),
        "noticed_s": Key(text="until the engine tries it again; the rest is ffmpeg's start, emulated", unit="s"),
        "platform_s": Key(text="the kernel's virtual camera", unit="s"),
        "usb_s": Key(text="a USB camera, by the name that udev gives it", unit="s"),
        "worst_s": Key(text=f"the longest of {2 * TIMES} times", unit="s"),
    },
    run=_run,
)
