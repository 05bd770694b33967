"""A worker that says what a test wrote for it: for deaths and nonsense that the real one does not show on request."""

from __future__ import annotations

from pathlib import Path
import sys
import textwrap

from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.sources import Tools

ROOT = Path(__file__).parents[4]
ENGINE = ROOT / "custom_components/tripod/engine"

_PRELUDE = """#!{python}
import json, os, signal, sys, time
sys.path.insert(0, {engine!r})
from picamera2_worker import HEADER, KEY_FRAME, MAGIC, MAX_BODY, VERSION, Kind

CONTROLS = [
    dict(key="ae_enable", name="Ae Enable", kind="switch", minimum=0, maximum=1, step=1, default=1, value=1,
         choices={{}}),
    dict(key="exposure_time", name="Exposure Time", kind="number", minimum=26, maximum=10**6, step=1, default=20000,
         value=20000, choices={{}}),
    dict(key="af_mode", name="Af Mode", kind="menu", minimum=0, maximum=2, step=1, default=2, value=2,
         choices={{"0": "Manual", "1": "Auto", "2": "Continuous"}}),
]
HELLO = dict(version=VERSION, camera="/base/x", model="imx708", picamera2="0.3.38", controls=CONTROLS, sensor=[64, 48])
STARTED = time.monotonic_ns()

def packed(kind, body, stamp=0, flags=0):
    return HEADER.pack(MAGIC, kind, flags, stamp, len(body)) + body

def raw(data):
    while data:
        data = data[os.write(1, data):]

def say(kind, **words):
    raw(packed(kind, json.dumps(words).encode()))

def command():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)

def reply(request, **words):
    say(Kind.REPLY, id=request["id"], **words)

def obey():
    while True:
        request = command()
        reply(request, **(dict(controls=CONTROLS) if request["command"] == "controls" else {{}}))

"""


def worker(folder: Path, code: str) -> Tools:
    """Return tools whose Python runs `code` instead of the worker."""
    program = folder / "python"
    prelude = _PRELUDE.format(python=sys.executable, engine=str(ENGINE))
    program.write_text(prelude + textwrap.dedent(code))
    program.chmod(0o755)
    return Tools(ffmpeg=Ffmpeg(), python=str(program))
