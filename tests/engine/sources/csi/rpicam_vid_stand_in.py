#!/usr/bin/env python3
"""Stands in for rpicam-vid, which runs on a Raspberry Pi only: what it prints and does there was recorded.

Catches SIGINT and not SIGTERM; lists cameras as text; wants --libav-format beside `-o -` where there is no encoder
(`STAND_IN_BOARD=5`), and fails as it does when the camera is in use (`STAND_IN_BUSY=1`). The arguments of each call are
kept in `STAND_IN_LOG`, as is the end by SIGINT.
"""

import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys

CAMERAS = """Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]
                             4608x2592 [14.35 fps - (0, 0)/4608x2592 crop]

1 : ov5647 [2592x1944 10-bit GBRG] (/base/axi/pcie@1000120000/rp1/i2c@80000/ov5647@36)
    Modes: 'SGBRG10_CSI2P' : 640x480 [58.92 fps - (16, 0)/2560x1920 crop]
                             1296x972 [46.34 fps - (0, 0)/2592x1944 crop]
                             2592x1944 [15.63 fps - (0, 0)/2592x1944 crop]

"""
BUSY = (
    "[0:10:12.345678901] [1234]  INFO Camera camera_manager.cpp:330 libcamera v0.5.2",
    "[0:10:12.400000000] [1234] ERROR V4L2 v4l2_device.cpp:390 Unable to set controls: Device or resource busy",
    "[0:10:12.400000001] [1234] ERROR Camera camera.cpp:1042 Camera in Running state trying acquire()",
    "ERROR: *** failed to acquire camera /base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a ***",
)

arguments = sys.argv[1:]
log = Path(os.environ["STAND_IN_LOG"])
with log.open("a") as file:
    print(*arguments, file=file)

if "--list-cameras" in arguments:
    print(CAMERAS if os.environ.get("STAND_IN_CAMERAS") != "0" else "No cameras available!")
    sys.exit(0)
if os.environ.get("STAND_IN_BUSY"):
    sys.exit("\n".join(BUSY))
if os.environ.get("STAND_IN_BOARD") == "5" and "--libav-format" not in arguments:
    sys.exit("ERROR: *** libav: cannot allocate output context, try setting with --libav-format ***")

size, rate = [arguments[arguments.index(name) + 1] for name in ("--width", "--height")], 15
source = ("-re", "-f", "lavfi", "-i", f"testsrc2=size={'x'.join(size)}:rate={rate}")
encoder = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(rate), "-bsf:v", "dump_extra")
program = shutil.which("ffmpeg") or "ffmpeg"
child = subprocess.Popen(
    [program, "-v", "error", "-nostdin", *source, *encoder, "-flush_packets", "1", "-f", "h264", "-"]
)


def stop(*_: object) -> None:
    """End cleanly."""
    child.kill()
    with log.open("a") as file:
        print("stopped by SIGINT", file=file)
    sys.exit(0)


signal.signal(signal.SIGINT, stop)
child.wait()
