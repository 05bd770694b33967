"""A camera whose pictures say when they were taken: JPEGs written to a v4l2loopback device.

    camera.py DEVICE RATE PICTURE WIDTH HEIGHT

Each picture carries in a JPEG comment, which whoever copies the picture copies too, its number and the time at which it
was handed to the device. Viewers read both back: see viewers.c.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
import struct
import sys
import time

VIDIOC_S_FMT = 0xC0D05605
OUTPUT = 2
MJPG = int.from_bytes(b"MJPG", "little")
PROGRESSIVE = 1
LARGEST = 1 << 20

START = b"\xff\xd8"


def clocked(jpeg: bytes, number: int) -> bytes:
    """Return the picture with its number and the time."""
    comment = b"TRIPOD-CLOCK %d %.6f" % (number, time.time())
    comment = comment.ljust(64)
    return START + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def main(device: str, rate: str, picture: str, width: str, height: str) -> None:
    jpeg = Path(picture).read_bytes()
    output = os.open(device, os.O_RDWR)
    # struct v4l2_format with its v4l2_pix_format: https://docs.kernel.org/userspace-api/media/v4l/vidioc-g-fmt.html
    pixels = struct.pack("<IIIIII", int(width), int(height), MJPG, PROGRESSIVE, 0, LARGEST)
    fcntl.ioctl(output, VIDIOC_S_FMT, struct.pack("<I4x", OUTPUT) + pixels.ljust(200, b"\0"))
    number, due = 0, time.monotonic()
    while True:
        number += 1
        os.write(output, clocked(jpeg, number))
        due = max(due + 1 / float(rate), time.monotonic() - 0.1)
        time.sleep(max(0, due - time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
