"""The picture that says why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
import subprocess

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.tripod.engine import no_signal
from custom_components.tripod.engine.errors import Refused
from custom_components.tripod.engine.ffmpeg import Ffmpeg, filter_value
from custom_components.tripod.engine.fonts import FONT
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.no_signal import GENERIC, MAX_LINES, NoSignal, wrapped

NASTY = [
    "it's",
    "a:b",
    r"a\b",
    r"a\\:b",
    "[wrong], [0]; x",
    "'quoted' 'twice",
    "100% %{localtime} %{pts}",
    "x':fontsize=200:text='y",
    "x,drawtext=text=y",
    r"\'",
    "ends with \\",
]


class CountingFfmpeg(Ffmpeg):
    """ffmpeg that counts its jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs = 0

    async def run(self, argv: Sequence[str], data: bytes | None = None, timeout: float = 10) -> bytes:
        self.jobs += 1
        return await super().run(argv, data, timeout)


def drawn(option: str) -> bytes:
    graph = f"drawtext=fontfile={filter_value(str(FONT))}:expansion=none:{option}:fontcolor=white:fontsize=16"
    source = ("-f", "lavfi", "-i", "color=c=black:s=320x32:r=1", "-frames:v", "1")
    command = ("ffmpeg", "-v", "error", *source, "-vf", graph, "-f", "rawvideo", "-pix_fmt", "gray", "-")
    return subprocess.run(command, check=True, capture_output=True, timeout=20).stdout


@pytest.mark.parametrize("text", NASTY)
def test_no_character_of_a_text_means_anything_to_ffmpeg(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Drawn as an option it looks as it does read from a file, which knows no special characters."""
    file = tmp_path_factory.mktemp("text") / "text"
    file.write_text(text)
    picture = drawn(f"text={filter_value(text)}")
    assert picture == drawn(f"textfile={file}")
    assert any(picture)


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (160, 120), (720, 1280)])
async def test_it_has_the_size_of_the_camera(size: tuple[int, int]) -> None:
    assert dimensions(await NoSignal(Ffmpeg()).picture(str(Refused("192.0.2.1")), size)) == size


@pytest.mark.parametrize(
    ("size", "drawn_size"), [((3840, 2160), (1920, 1080)), ((641, 361), (640, 360)), ((8, 8), (160, 90))]
)
async def test_it_is_neither_huge_nor_tiny_nor_odd(size: tuple[int, int], drawn_size: tuple[int, int]) -> None:
    assert dimensions(await NoSignal(Ffmpeg()).picture("Away", size)) == drawn_size


@pytest.mark.parametrize("text", [*NASTY, "", "\n\t\0", "摄像机没有响应", "🎥"])
async def test_any_sentence_is_drawn_and_not_replaced(text: str) -> None:
    picture = await NoSignal(Ffmpeg()).picture(text, (320, 240))
    assert dimensions(picture) == (320, 240)


async def test_each_is_drawn_once_and_a_few_are_kept() -> None:
    ffmpeg = CountingFfmpeg()
    pictures = NoSignal(ffmpeg)
    same = await asyncio.gather(*(pictures.picture("Away", (320, 240)) for _ in range(9)))
    assert len(set(same)) == 1
    assert ffmpeg.jobs == 1
    for number in range(no_signal.KEPT):
        await pictures.picture(str(number), (160, 90))
    await pictures.picture("Away", (320, 240))
    assert ffmpeg.jobs == no_signal.KEPT + 2
    assert len(pictures._drawn) == no_signal.KEPT


async def test_without_ffmpeg_there_is_a_picture_still() -> None:
    assert await NoSignal(Ffmpeg("/nonexistent/ffmpeg")).picture("Away", (640, 360)) == GENERIC.read_bytes()
    assert dimensions(GENERIC.read_bytes()) == (1280, 720)


class SlowFfmpeg(Ffmpeg):
    """ffmpeg on a machine with too much to do."""

    async def run(self, argv: Sequence[str], data: bytes | None = None, timeout: float = 0) -> bytes:
        return await super().run(argv, data, timeout)


async def test_a_drawing_that_takes_too_long_costs_no_viewer_the_stream() -> None:
    assert await NoSignal(SlowFfmpeg()).picture("Away", (640, 360)) == GENERIC.read_bytes()


async def test_closing_ends_what_is_being_drawn() -> None:
    pictures = NoSignal(Ffmpeg())
    drawing = asyncio.create_task(pictures.picture("Away", (640, 360)))
    await asyncio.sleep(0)
    await pictures.close()
    with pytest.raises(asyncio.CancelledError):
        await drawing


@settings(max_examples=300)
@given(st.text(max_size=300), st.floats(3, 60))
def test_lines_hold_the_text_and_no_more(text: str, ems: float) -> None:
    lines = wrapped(text, ems)
    assert len(lines) <= MAX_LINES
    assert all(line and line.isprintable() for line in lines)
    whole = "".join(lines).replace(" ", "")
    printable = "".join(letter for letter in text if letter.isprintable() and not letter.isspace())
    assert whole == printable or (whole.endswith("…") and len(lines) == MAX_LINES)
    assert all(no_signal.width_in_ems(line) <= ems or len(line) == 1 for line in lines[: MAX_LINES - 1])


def test_lines_are_balanced() -> None:
    sentence = "The host refused the connection: 192.168.1.20 port 554"
    assert wrapped(sentence, 27) == ["The host refused the connection:", "192.168.1.20 port 554"]
    assert wrapped(sentence, 60) == [sentence]


def test_wide_letters_take_more_room() -> None:
    assert wrapped("没有信号没有信号", 5) == ["没有信号", "没有信号"]
