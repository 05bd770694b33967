"""An ffmpeg that takes its time with one stage of a render: the real one, reading as slowly as the video plays.

    slow_ffmpeg.py STAGE PIPE ARGUMENT...

A byte in the named pipe tells when that stage begins.
"""

import os
from pathlib import Path
import sys

SLOW_FROM = {"chunk": "matroska", "join": "concat"}


def main() -> None:
    stage, pipe, *arguments = sys.argv[1:]
    if SLOW_FROM[stage] in arguments and "-i" in arguments:
        at = arguments.index("-i")
        arguments[at:at] = ["-re"]
        Path(pipe).write_bytes(b"!")
    os.execvp("ffmpeg", ["ffmpeg", *arguments])  # noqa: S606, S607


if __name__ == "__main__":
    main()
