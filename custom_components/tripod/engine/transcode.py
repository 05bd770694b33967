"""Derive one feed from the other with one ffmpeg process each, while somebody wants the derived one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from .feed import FrameReader, PacketReader
from .ffmpeg import Ffmpeg, explain, mjpeg, mpegts_output, mpjpeg_part, x264
from .jpeg import JpegSplitter, dimensions
from .options import Options
from .process import Process

REPEAT = 1.0
"""Seconds after which a slow source's picture is encoded again: a player takes a gap for a stall."""

NO_DELAY = ("-thread_type", "slice")
"""For a decoder: threads by frame, the default, hold back a frame each."""


async def packets_to_frames(
    ffmpeg: Ffmpeg, packets: PacketReader, options: Options, deliver: Callable[[bytes, float], None]
) -> None:
    """Decode video into JPEGs until its parameters change; `deliver` gets each with its time stamp in seconds.

    Raises the worker's death.
    """
    times: deque[float] = deque()
    pictures: deque[bytes] = deque()
    splitter = JpegSplitter()
    rest = b""

    def match() -> None:
        while times and pictures:
            deliver(pictures.popleft(), times.popleft())

    def on_picture(data: bytes) -> None:
        pictures.extend(splitter.feed(data))
        match()

    def on_times(data: bytes) -> None:
        nonlocal rest
        *lines, rest = (rest + data).split(b"\n")
        times.extend(int(line) / 1000 for line in lines if not line.startswith(b"#"))
        match()

    argv = _decoder(ffmpeg, options)
    async with Process(argv, on_output=on_picture, on_side_output=on_times, explain=explain, stdin=True) as child:
        began: int | None = None
        while True:
            data = await packets.next()
            if data is None:
                continue
            if began is None:
                began = packets.discontinuities
            elif packets.discontinuities != began:
                return
            await child.write(data)


def _decoder(ffmpeg: Ffmpeg, options: Options) -> list[str]:
    interval = 1 / options.mjpeg_rate
    return ffmpeg.argv(
        # decode at once: the stream begins with its parameters and a key frame, so there is nothing to probe for
        "-probesize",
        "32",
        "-analyzeduration",
        "0",
        *NO_DELAY,
        "-flags",
        "low_delay",
        "-f",
        "mpegts",
        "-i",
        "pipe:0",
        "-copyts",
        "-map",
        "0:v:0",
        "-vf",
        f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{interval:.4f}-0.01)'",
        "-fps_mode",
        "passthrough",
        # the encoder would round time stamps to the frame rate, and nobody could tell which frame a picture was
        "-enc_time_base",
        "1:90000",
        *mjpeg(options.mjpeg_quality),
        # the JPEGs go to stdout and each one's time stamp to the side, so that a picture's age is known
        "-f",
        "tee",
        f"[f=mjpeg:flush_packets=1]pipe:1|[f=mkvtimestamp_v2:flush_packets=1:avoid_negative_ts=disabled]{Process.SIDE_OUTPUT}",
    )


async def frames_to_packets(
    ffmpeg: Ffmpeg, frames: FrameReader, options: Options, timestamp_offset: float, deliver: Callable[[bytes], None]
) -> None:
    """Encode JPEGs into H.264 in MPEG-TS until their size changes.

    Raises the worker's death.
    """
    argv = _encoder(ffmpeg, options, timestamp_offset)
    async with Process(argv, on_output=deliver, explain=explain, stdin=True) as child:
        size: tuple[int, int] | None = None
        while True:
            frame = await frames.next(REPEAT) or frames.latest
            if frame is None:
                continue
            if size is None:
                size = dimensions(frame.data)
            elif dimensions(frame.data) != size:
                return
            await child.write(mpjpeg_part(frame.data))


def _encoder(ffmpeg: Ffmpeg, options: Options, timestamp_offset: float) -> list[str]:
    return ffmpeg.argv(
        "-use_wallclock_as_timestamps",
        "1",
        "-probesize",
        "32",
        "-analyzeduration",
        "0",
        *NO_DELAY,
        "-f",
        "mpjpeg",
        "-i",
        "pipe:0",
        "-vf",
        "crop=trunc(iw/2)*2:trunc(ih/2)*2,scale=in_range=full:out_range=limited",
        "-fps_mode",
        "passthrough",
        *x264(options.h264_bit_rate),
        *mpegts_output(timestamp_offset),
    )
