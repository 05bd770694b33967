"""An ffmpeg with encoders that this machine has no hardware for: a program that replays what they would write.

`plan.json` beside it says, for each encoder, the stream and the last words of its trial, and how it behaves in use
(`works`, `dies`, `hangs`). Everything else is done by the real ffmpeg. Each trial adds a line to `trials`.
"""

import json
import os
from pathlib import Path
import signal
import sys
from typing import Any

HERE = Path(__file__).parent
REAL = "ffmpeg"
SOFTWARE = ["libx264", "-preset", "ultrafast", "-tune", "zerolatency"]


def main() -> None:
    arguments = sys.argv[1:]
    plan = json.loads((HERE / "plan.json").read_text())
    if "-version" in arguments and "version" in plan:
        print(f"ffmpeg version {plan['version']} stands in")
        return
    if "-encoders" in arguments:
        print("Encoders:\n V..... = Video\n ------")
        for name in [*plan["encoders"], "libx264"]:
            print(f" V....D {name}  an encoder")
        return
    encoder = arguments[arguments.index("-c:v") + 1] if "-c:v" in arguments else ""
    if encoder not in plan["encoders"]:
        os.execvp(REAL, [REAL, *arguments])  # noqa: S606
    behaviour = plan["encoders"][encoder]
    if "lavfi" in arguments:
        tried(encoder, behaviour)
    used(encoder, behaviour["in_use"], arguments)


def tried(encoder: str, behaviour: dict[str, Any]) -> None:
    with (HERE / "trials").open("a") as trials:
        trials.write(f"{encoder}\n")
    if behaviour["hangs"]:
        signal.pause()
    sys.stdout.buffer.write(Path(behaviour["stream"]).read_bytes())
    sys.stdout.buffer.flush()
    sys.stderr.write(behaviour["words"])
    sys.exit(behaviour["status"])


def used(encoder: str, how: str, arguments: list[str]) -> None:
    if how == "works":
        own_options = slice(arguments.index(encoder), arguments.index("-bf"))
        arguments[own_options] = SOFTWARE
        os.execvp(REAL, [REAL, *arguments])  # noqa: S606
    if how == "hangs":
        while sys.stdin.buffer.read(65536):
            pass
    sys.stderr.write(f"[{encoder} @ 0x5581] VIDIOC_STREAMON failed on output context\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
