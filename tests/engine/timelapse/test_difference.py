"""What pictures look like from afar, as the real ffmpeg shrinks them."""

import asyncio

import pytest

from custom_components.tripod.engine.errors import FfmpegMissing, WorkerFailed
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.timelapse.difference import Eye, Grey

from ..media import ffmpeg


def drawn(filters: str, *, size: str = "640x480", luma: int = 120) -> bytes:
    return ffmpeg(
        *("-f", "lavfi", "-i", f"color=c=0x{luma:02x}{luma:02x}{luma:02x}:s={size},{filters}"),
        *("-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe"),
    )


CALM = drawn("null")
NOISY = drawn("noise=alls=30:allf=t")
CORNER = drawn("drawbox=x=590:y=430:w=45:h=45:color=white:t=fill")
"""Something moved in a corner: one part in 150 of the picture."""
NIGHT = drawn("noise=alls=12", luma=0)


async def seen(*pictures: bytes) -> list[Grey]:
    eye = Eye(Ffmpeg())
    try:
        return [await eye.see(picture) for picture in pictures]
    finally:
        await eye.close()


async def test_noise_is_no_difference_and_something_small_is() -> None:
    calm, noisy, corner = await seen(CALM, NOISY, CORNER)
    assert calm.difference(noisy) < 2
    assert calm.difference(corner) > 20
    assert calm.difference(calm) == 0


async def test_a_night_is_dark() -> None:
    night, calm = await seen(NIGHT, CALM)
    assert night.dark
    assert not calm.dark


async def test_pictures_of_another_size_can_be_compared() -> None:
    small, large = await seen(CALM, drawn("null", size="1280x720"))
    assert small.difference(large) < 1


async def test_many_at_once_come_out_in_order() -> None:
    eye = Eye(Ffmpeg())
    pictures = [drawn("null", luma=luma) for luma in range(30, 250, 20)]
    greys = await asyncio.gather(*(eye.see(picture) for picture in pictures))
    await eye.close()
    brightness = [sum(grey.dots) for grey in greys]
    assert brightness == sorted(set(brightness))


async def test_a_broken_picture_is_told_and_the_next_one_is_seen() -> None:
    eye = Eye(Ffmpeg(), patience=1.0)
    # its head is whole, and what follows is not a picture
    with pytest.raises(WorkerFailed):
        await eye.see(CALM[:-5000] if len(CALM) > 10000 else CALM[: CALM.index(b"\xff\xda")])
    assert not (await eye.see(CALM)).dark
    await eye.close()


async def test_the_worker_goes_when_nothing_is_asked_and_comes_again() -> None:
    eye = Eye(Ffmpeg(), idle=0.05)
    await eye.see(CALM)
    worker = eye._worker
    assert worker
    await asyncio.wait([worker])
    assert not (await eye.see(CALM)).dark
    await eye.close()


async def test_without_ffmpeg_nobody_can_tell() -> None:
    eye = Eye(Ffmpeg("no-such-ffmpeg"))
    with pytest.raises(FfmpegMissing):
        await eye.see(CALM)
    await eye.close()


async def test_closing_tells_those_who_wait() -> None:
    eye = Eye(Ffmpeg())
    waiting = [asyncio.create_task(eye.see(CALM)) for _ in range(3)]
    await asyncio.sleep(0)
    await eye.close()
    assert all(isinstance(error, WorkerFailed) for error in await asyncio.gather(*waiting, return_exceptions=True))
