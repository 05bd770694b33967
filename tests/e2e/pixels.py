"""What is to be seen on a page, in pixels."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
import time

from PIL import Image, ImageChops
from playwright.sync_api import Error, Locator

_SIZE = (64, 36)
"""Small enough to forget a codec's noise, large enough to see things move."""

_DIFFERENT = 40
"""Of 255, in the colour of a pixel that differs most."""


@dataclass(frozen=True)
class Picture:
    """What an element showed at one moment, made small."""

    image: Image.Image

    @property
    def colourful(self) -> float:
        """The share of pixels with a strong colour: nearly all of a test pattern, none of a page or a notice."""
        histogram = self.image.convert("HSV").getchannel("S").histogram()
        return sum(histogram[128:]) / sum(histogram)

    def changed(self, other: Picture) -> int:
        """Return how many pixels are clearly different in `other`."""
        red, green, blue = ImageChops.difference(self.image, other.image).split()
        most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        return sum(most.histogram()[_DIFFERENT:])


def look(element: Locator) -> Picture:
    """Return what an element shows now."""
    png = element.screenshot(animations="allow", timeout=10_000)
    return Picture(Image.open(BytesIO(png)).convert("RGB").resize(_SIZE, Image.Resampling.BOX))


def wait_until(element: Locator, shows: Callable[[Picture], bool], what: str, timeout: float = 20) -> Picture:
    """Look at an element until it shows what is waited for; a look takes a tenth of a second itself."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with suppress(Error):  # the page may replace the element between two steps of a look
            if shows(picture := look(element)):
                return picture
    raise AssertionError(f"not seen within {timeout} s: {what}")


def pattern(picture: Picture) -> bool:
    """Whether this is ffmpeg's test pattern: strong colours nearly everywhere."""
    return picture.colourful > 0.5


def ball(picture: Picture) -> bool:
    """Whether this is the RTSP server's white ball on black."""
    histogram = picture.image.convert("L").histogram()
    return sum(histogram[128:]) > 0 and sum(histogram[:64]) > 0.8 * sum(histogram)


def _differs(known: Picture, seen: Picture) -> bool:
    return known.changed(seen) > 1


def assert_moves(
    element: Locator, shows: Callable[[Picture], bool] = pattern, changes: int = 3, *, timeout: float = 20
) -> None:
    """See a picture that `shows` knows, within `timeout` seconds, and see it change `changes` times."""
    picture = wait_until(element, shows, f"a picture of the {shows.__name__}", timeout)
    for _ in range(changes):
        picture = wait_until(element, partial(_differs, picture), "a picture that moves")
        assert shows(picture)
