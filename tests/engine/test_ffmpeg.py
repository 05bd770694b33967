"""What ffmpeg's last words mean, as recorded, and short jobs with the real program."""

from pathlib import Path

import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.ffmpeg import Ffmpeg, explain, jpeg_quality, mpegts_output

from .media import jpegs

RECORDED = [
    # ffmpeg 5.1.9 and 9.0.2 on V4L2 devices
    (["[v4l2 @ 0x55] Cannot open video device /dev/video9: No such file or directory"], 1, "device_missing"),
    (["Error opening input file /dev/video9."], 254, "device_missing"),
    (["[video4linux2,v4l2 @ 0x55] ioctl(VIDIOC_DQBUF): No such device"], 0, "device_missing"),
    (["/dev/video0: Device or resource busy"], 1, "device_busy"),
    (["Error opening input: something new"], 240, "device_busy"),
    (["Cannot open video device /dev/video1: Permission denied"], 1, "no_permission"),
    (["proper format for codec 'mjpeg'", "/dev/video0: Invalid argument"], 1, "format_not_supported"),
    (["Conversion of nothing in particular"], 234, "format_not_supported"),
    (["[video4linux2,v4l2 @ 0x55] No such input format: nosuch."], 1, "format_not_supported"),
    (["ioctl(VIDIOC_QUERYCAP): Inappropriate ioctl for device"], 1, "format_not_supported"),
    (["[v4l2 @ 0x1] Not a video capture device.", "/dev/video10: No such device"], 1, "device_missing"),
    (["ioctl(VIDIOC_DQBUF): Input/output error"], 0, "stream_ended"),
    # network sources
    (["[rtsp @ 0x55] method DESCRIBE failed: 401 Unauthorized", "rtsp://h/: Server returned 401"], 1, "unauthorized"),
    (["rtsp://h/: Server returned 404 Not Found"], 1, "not_found"),
    (["[rtsp @ 0x1] method DESCRIBE failed: 454 Session Not Found"], 1, "source_failed"),
    (["[http @ 0x1] HTTP error 503", "http://h: Server returned 5XX Server Error reply"], 1, "source_failed"),
    (["[tcp @ 0x55] Failed to resolve hostname nowhere.invalid: Name or service not known"], 1, "host_not_found"),
    (["[tcp @ 0x55] Connection to tcp://127.0.0.1:1 failed: Connection refused"], 1, "refused"),
    (["[tcp @ 0x55] Connection to tcp://10.0.0.1:1 failed: Connection timed out"], 1, "unreachable"),
    (["rtsp://10.0.0.1/: No route to host"], 1, "unreachable"),
    (["[tls @ 0x55] The certificate's owner does not match hostname"], 1, "tls"),
    (["Stream map '0:v:0' matches no streams."], 1, "no_video"),
    (["[rtsp @ 0x1] Invalid data found when processing input"], 1, "format_not_supported"),
    (["Error initializing output stream 0:0 -- Error while opening encoder"], 1, "encoder_failed"),
    (["av_interleaved_write_frame(): No space left on device"], 1, "disk_full"),
    (["cannot run ffmpeg: No such file or directory"], 127, "ffmpeg_missing"),
    ([], 0, "stream_ended"),
    ([], 255, "stream_ended"),
    ([], -9, "worker_failed"),
    (["something that nobody foresaw"], 69, "worker_failed"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "returncode", "cause"), RECORDED)
def test_recorded_deaths(lines: list[str], returncode: int, cause: str) -> None:
    assert explain(lines, returncode).cause == cause


def test_detail_is_the_telling_line_without_addresses_in_memory_or_passwords() -> None:
    error = explain(["noise", "[rtsp @ 0x55aa] rtsp://me:secret@host/x: Connection refused", "more noise"], 1)
    assert error.placeholders["detail"] == "rtsp://***@host/x: Connection refused"
    assert "secret" not in str(error)


def test_every_error_says_a_sentence() -> None:
    def all_errors(base: type[errors.TripodError]) -> list[type[errors.TripodError]]:
        return [base, *(leaf for sub in base.__subclasses__() for leaf in all_errors(sub))]

    types = all_errors(errors.TripodError)
    # a kind of one of them, which only the code tells apart, has its cause and sentence
    causes = [error.cause for error in types[1:] if "cause" in vars(error)]
    assert len(set(causes)) == len(causes)
    for error in types:
        assert "{" not in str(error())
        assert str(error("some detail", seconds="3", limit="5"))


async def test_version_of_the_real_program() -> None:
    ffmpeg = Ffmpeg()
    assert int((await ffmpeg.version()).split(".")[0]) >= 5


async def test_missing_program() -> None:
    with pytest.raises(errors.FfmpegMissing):
        await Ffmpeg("/nonexistent/ffmpeg").version()


async def test_program_that_is_no_ffmpeg() -> None:
    with pytest.raises(errors.FfmpegMissing):
        await Ffmpeg("/bin/echo").version()


async def test_short_job_returns_its_output() -> None:
    ffmpeg, picture = Ffmpeg(), jpegs(frames=1)
    argv = ffmpeg.argv("-f", "mjpeg", "-i", "pipe:0", "-vf", "scale=64:-2", "-f", "mjpeg", "pipe:1")
    assert (await ffmpeg.run(argv, picture)).startswith(b"\xff\xd8")


async def test_short_job_that_fails_says_why() -> None:
    ffmpeg = Ffmpeg()
    with pytest.raises(errors.FormatNotSupported):
        await ffmpeg.run(ffmpeg.argv("-f", "mpegts", "-i", "pipe:0", "-f", "mjpeg", "pipe:1"), b"no media")


async def test_short_job_that_hangs_is_ended() -> None:
    with pytest.raises(errors.WorkerFailed):
        await Ffmpeg().run(["sleep", "30"], timeout=0.2)


def test_offset_is_written_without_exponent() -> None:
    assert mpegts_output(3.6e-06)[1] == "0.000004"


@pytest.mark.parametrize(("percent", "scale"), [(100, "2"), (1, "31"), (0, "31"), (500, "2"), (80, "8")])
def test_quality(percent: int, scale: str) -> None:
    assert jpeg_quality(percent) == scale


async def test_whether_it_takes_options_from_a_file(tmp_path: Path) -> None:
    ffmpeg = Ffmpeg()
    assert await ffmpeg.hides() is await ffmpeg.hides()
    forgetful = tmp_path / "ffmpeg"
    forgetful.write_text("#!/bin/sh\ncat > /dev/null\n")  # as ffmpeg 9 does: it reads the file, and goes on without
    forgetful.chmod(0o755)
    assert await Ffmpeg(str(forgetful)).hides() is False
    with pytest.raises(errors.FfmpegMissing):
        await Ffmpeg(str(tmp_path / "none")).hides()
