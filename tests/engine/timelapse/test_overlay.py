"""Text in the picture: what it says, that it is there, and that it is never anything but text."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from custom_components.tripod.engine.errors import InvalidRequest
from custom_components.tripod.engine.timelapse import Look
from custom_components.tripod.engine.timelapse.overlay import Overlay

from .footage import HOUR, MIDNIGHT, NOW, Site, brightness, greys, seen

AT = datetime(2026, 11, 19, 14, 5, 9, tzinfo=timezone(timedelta(hours=1)))
DAY = date(2026, 11, 19)

HOSTILE = (
    'it\'s "100%" %{pts} %{n} %{expr:9*9} %{metadata:lavf} $(id) `id`\n'
    "a:b,c;d[e]f{g}h\\i\\\\j=k|l',drawbox=color=white:t=fill,'\n"
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631 \u202e\u65e5 \U0001f600\U0001f1f3\U0001f1f4\ud800\x00\x1b[0m\r\n"
    "{time:%1000000d} {time.__class__} {camera}"
)
"""What ends quotes, options, filters or graphs, what drawtext or Python would expand, and letters of all kinds."""


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{time:%Y-%m-%d %H:%M:%S} {camera}", "2026-11-19 14:05:09 Yard"),
        ("{time} {job}", "2026-11-19 14:05 site"),
        ("{time:%d.%m.%y, %H Uhr %z}", "19.11.26, 14 Uhr +0100"),
        ("100% of {camera}: {time:%H%%}", "100% of Yard: 14%"),
        (
            "{nobody} {time.__class__} {camera.__init__} {{camera}}",
            "{nobody} {time.__class__} {camera.__init__} {Yard}",
        ),
        ("{time:%1000000Y%!%}", "%1000000Y%!%"),
        ("one\ntwo\r\n three \n4\n5", "one\ntwo\nthree\n4"),
        ("a\0b\x1bc\td", "abcd"),
        ("", ""),
    ],
)
def test_a_template_is_filled_in(template: str, text: str) -> None:
    assert Overlay(template, camera="Yard", job="site").text(AT) == text


@given(st.text(), st.text())
def test_any_template_is_text(template: str, camera: str) -> None:
    text = Overlay(template, camera=camera, job="site").text(AT)
    assert text.count("\n") < 4
    assert all(
        letter == "\n" or letter.isprintable() or letter in "\u200c\u200d\u200e\u200f\u2066\u2067\u2068\u2069"
        for letter in text
    )


def test_a_template_without_end_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        Look(overlay="x" * 501)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "yard", NOW)


async def test_text_is_drawn_into_each_frame(site: Site) -> None:
    for number in range(3):
        site.add(MIDNIGHT + number * HOUR, greys("640x360")[0])
    plain = await site.render(DAY, DAY)
    marked = await site.render(
        DAY, DAY, look=Look(overlay="{time:%H:%M} \u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588")
    )
    corner = "16:16:80:ih-28"
    assert [
        value - before > 10
        for value, before in zip(brightness(marked.path, corner), brightness(plain.path, corner), strict=True)
    ] == [True] * 3
    assert seen(marked.path) == seen(plain.path) == [0] * 3


async def test_hostile_text_is_drawn_and_nothing_else_happens(site: Site) -> None:
    """A filter that got in would paint the picture white, a variable would change from frame to frame."""
    for number in range(4):
        site.add(MIDNIGHT + number * HOUR, greys("640x360")[0])
    item = await site.render(DAY, DAY, look=Look(overlay=HOSTILE), camera="',drawbox=t=fill,'\n%{n}\\")
    assert seen(item.path) == [0] * 4
    text = brightness(item.path, "256:64:16:ih-64")
    assert min(text) > brightness(item.path, "256:64:16:0")[0]
    assert max(text) - min(text) <= 1
    assert site.facts(item)["flaws"] == {}


async def test_without_drawtext_the_video_is_made_without_text_and_says_so(site: Site) -> None:
    """As ffmpeg may be built without FreeType."""
    site.fill(MIDNIGHT, 3)
    site.ffmpeg._filters = await site.ffmpeg.filters() - {"drawtext"}
    item = await site.render(DAY, DAY, look=Look(overlay="{time}"))
    assert seen(item.path) == [0, 1, 2]
    assert site.facts(item)["flaws"] == {"no_overlay": 3}
