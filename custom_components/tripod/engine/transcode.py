"""Derive one feed from the other with one ffmpeg process each, while somebody wants the derived one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from . import matroska
from .audio import Audio, beside
from .encoders import Encoder, Encoders
from .errors import EncoderFailed, FfmpegMissing, TripodError
from .feed import Frame, FrameReader, PacketReader
from .ffmpeg import Ffmpeg, explain, mjpeg, mpegts_output
from .jpeg import JpegSplitter, dimensions
from .options import Options
from .process import Process

REPEAT = 1.0
"""Seconds after which a slow source's picture is encoded again: a player takes a gap for a stall."""

STEP = 0.001
"""Seconds between two pictures at least: they may come in a burst, and no two frames of video have the same time."""

SILENCE = 10.0
"""Seconds without an answer to a picture after which an encoder has failed; a cold one takes a second."""

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
    encoders: Encoders,
    frames: FrameReader,
    options: Options,
    timestamp_offset: float,
    deliver: Callable[[bytes], None],
    audio: Audio | None = None,
) -> None:
    """Encode JPEGs into H.264 in MPEG-TS until their size changes, with the sound of a microphone beside it.

    Raises the worker's death. An encoder that failed is then no longer chosen.
    """
    encoder = await encoders.choose()
    delivered, mend = False, encoder.mend()
    argv = _encoder(encoders.ffmpeg, encoder, options, timestamp_offset)
    first = await _next(frames)
    began = asyncio.get_running_loop().time()
    try:
        async with beside(audio, deliver, began - timestamp_offset) as take:

            def on_output(data: bytes) -> None:
                nonlocal delivered
                delivered = True  # which sound does not count for
                take(mend(data))

            await _encode(argv, first, frames, began, on_output)
    except FfmpegMissing:
        raise
    except TripodError as error:
        if isinstance(error, EncoderFailed) or not delivered:
            encoders.fail(encoder, error)
        raise


async def _next(frames: FrameReader) -> Frame:
    """Return the next picture, or the last one again where none comes for a while."""
    while True:
        if frame := await frames.next(REPEAT) or frames.latest:
            return frame


async def _encode(
    argv: Sequence[str], frame: Frame, frames: FrameReader, began: float, on_output: Callable[[bytes], None]
) -> None:
    """Feed one encoding worker, from `frame` on, which came at `began`, until the pictures' size changes."""
    loop = asyncio.get_running_loop()
    waits = over = False

    def answered(data: bytes) -> None:
        nonlocal waits
        waits = False
        if not (over or watch.expired()):  # a worker that is being stopped may still write
            watch.reschedule(None)
        on_output(data)

    size = dimensions(frame.data)
    at = began
    async with Process(argv, on_output=answered, explain=explain, stdin=True) as child:
        try:
            async with asyncio.timeout(None) as watch:
                await child.write(matroska.header(*size))
                while dimensions(frame.data) == size:
                    if not waits:
                        waits = True
                        watch.reschedule(loop.time() + SILENCE)
                    await child.write(matroska.picture(frame.data, at - began))
                    frame = await _next(frames)
                    at = max(loop.time(), at + STEP)
        except TimeoutError:
            raise EncoderFailed(f"no video came for {SILENCE:g} s") from None
        finally:
            over = True


def _encoder(ffmpeg: Ffmpeg, encoder: Encoder, options: Options, timestamp_offset: float) -> list[str]:
    return ffmpeg.argv(
        *encoder.before_input,
        "-probesize",
        "32",
        "-analyzeduration",
        "0",
        *NO_DELAY,
        "-f",
        "matroska",
        "-i",
        "pipe:0",
        "-vf",
        f"crop=trunc(iw/2)*2:trunc(ih/2)*2,{_scale(options.h264_width)},{encoder.pictures}",
        "-fps_mode",
        "passthrough",
        # the encoder would round time stamps to a frame rate that nobody has told
        "-enc_time_base",
        "1:90000",
        *encoder.encode(options.h264_bit_rate),
        *mpegts_output(timestamp_offset),
    )


def _scale(width: int) -> str:
    """Return the filter that makes pictures at most so wide, by even sizes, and of video's range."""
    size = f"w=min(iw\\,{width // 2 * 2}):h=-2:" if width else ""
    return f"scale={size}in_range=full:out_range=limited"
