"""The player page of a link, which anybody opens who has the address."""

from itertools import pairwise
from typing import Any

from playwright.sync_api import Page

from .pixels import assert_moves
from .server import Camera

_SECONDS = 20

# Notes each new picture with the time it is shown at and its place in the video, and each stall.
_WATCH = """video => {
  window.seen = {frames: [], stalls: 0};
  video.addEventListener("waiting", () => { window.seen.stalls += 1; });
  const next = (now, frame) => {
    window.seen.frames.push([now / 1000, frame.mediaTime]);
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}"""

_SEEN_FOR = """seconds => {
  const {frames} = window.seen;
  return frames.length > 1 && frames.at(-1)[0] - frames[0][0] > seconds;
}"""


def test_hls_plays_without_a_stall(page: Page, camera: Camera) -> None:
    playlists: list[str] = []
    page.on("response", lambda answer: playlists.append(answer.url) if answer.url.endswith(".m3u8") else None)
    page.goto(camera.link("Hall TV"))
    video = page.locator("video")
    assert_moves(video)

    video.evaluate(_WATCH)
    page.wait_for_function(_SEEN_FOR, arg=_SECONDS, timeout=(_SECONDS + 10) * 1000)
    seen: dict[str, Any] = page.evaluate("window.seen")
    shown, places = zip(*seen["frames"], strict=True)

    assert camera.link("Hall TV", "stream.m3u8") in playlists
    assert seen["stalls"] == 0
    assert max(later - earlier for earlier, later in pairwise(shown)) < 1
    assert abs((places[-1] - places[0]) - (shown[-1] - shown[0])) < 1.5
