"""The same encodes with Picamera2 and nothing else: what a CSI camera costs at least.

    bare_picamera2.py SETTINGS

SETTINGS are those of the worker, as JSON. Runs under the Python that has Picamera2, from the line `running` on stdout,
which comes with the first frame of each encoder, until stdin closes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

from picamera2 import Picamera2
from picamera2.encoders import JpegEncoder, LibavH264Encoder
from picamera2.outputs import Output


class Nowhere(Output):  # type: ignore[misc]
    """Takes frames, and tells of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.began = threading.Event()

    def outputframe(self, *_: Any, **__: Any) -> None:
        self.began.set()


def main(settings: dict[str, Any]) -> None:
    index = next(i for i, info in enumerate(Picamera2.global_camera_info()) if info["Id"] == settings["camera"])
    camera, rate = Picamera2(index), settings["rate"]
    camera.configure(
        camera.create_video_configuration(
            main={"size": (settings["width"], settings["height"]), "format": "YUV420"},
            lores={"size": (settings["lores_width"], settings["lores_height"]), "format": "YUV420"},
            raw=None,
            controls={"FrameDurationLimits": (round(1e6 / rate),) * 2},
        )
    )
    camera.start()
    video = LibavH264Encoder(bitrate=settings["bit_rate"], repeat=True, iperiod=rate, framerate=rate)
    pictures = JpegEncoder(num_threads=2, q=settings["quality"])
    pictures.frame_skip_count = round(rate / settings["jpeg_rate"])
    outputs = [Nowhere(), Nowhere()]
    for encoder, output, stream in zip((video, pictures), outputs, ("main", "lores"), strict=True):
        camera.start_encoder(encoder, output, name=stream)
    for output in outputs:
        output.began.wait()
    print("running", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    os._exit(0)
