"""OctoPrint as the client of a link, of Home Assistant's and of a node's."""

import base64
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from itertools import pairwise
from pathlib import Path
import subprocess
from urllib.parse import urljoin
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Page, expect
import pytest

from tests.kept import pictures

from . import node
from .node import Node
from .octoprint import OctoPrint
from .pixels import Picture, assert_moves, pattern
from .server import Camera
from .waiting import until

type Linked = Callable[[str], str]
"""A camera: returns where a link opens one of its paths."""

NODE = """
name = "Workshop"
listen = "127.0.0.1:PORT"
state = "FOLDER/state"
zeroconf = false
trust_loopback = false

[[camera]]
id = "bench"
title = "Bench"
[camera.source]
kind = "test_pattern"
width = 640
height = 360
rate = 15
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Node]:
    """Run a node with a camera."""
    with node.running(NODE) as running:
        yield running


@pytest.fixture(params=["home_assistant", "node"], scope="module")
def linked(request: pytest.FixtureRequest) -> Linked:
    """Link to a camera of Home Assistant's, or of a node."""
    if request.param == "home_assistant":
        camera: Camera = request.getfixturevalue("camera")
        return partial(camera.link, "Hall TV")
    bench: Node = request.getfixturevalue("bench")
    return bench.link("bench", "OctoPrint")


def test_the_control_tab_shows_mjpeg(page: Page, printer: OctoPrint, linked: Linked) -> None:
    printer.use(stream=linked("stream.mjpg"), snapshot=linked("snapshot.jpg"))
    page.goto(f"{printer.url}/#control")
    image = page.locator("#webcam_image")
    expect(image).to_be_visible()
    assert_moves(image)


def test_the_control_tab_shows_the_address_of_mjpg_streamer(page: Page, printer: OctoPrint, linked: Linked) -> None:
    stream, snapshot = (linked(f"webcam/?action={action}") for action in ("stream", "snapshot"))
    printer.use(stream=stream, snapshot=snapshot)
    page.goto(f"{printer.url}/#control")
    image = page.locator("#webcam_image")
    expect(image).to_be_visible()
    assert_moves(image)


def segments(linked: Linked) -> int:
    """Return how many segments a player may choose from that joins now."""
    address = linked("stream.m3u8")
    with urlopen(address, timeout=20) as answer:
        playlist = answer.read().decode().splitlines()[-1]
    with urlopen(urljoin(address, playlist), timeout=20) as answer:
        return sum(line.endswith(b".ts\n") for line in answer)


def test_the_control_tab_shows_hls(page: Page, printer: OctoPrint, linked: Linked) -> None:
    until(lambda: segments(linked) > 3, "a camera that has run for a while, to be joined in its midst")
    printer.use(stream=linked("stream.m3u8"), snapshot=linked("snapshot.jpg"))
    page.goto(f"{printer.url}/#control")
    video = page.locator("#webcam_hls")
    expect(video).to_be_visible()
    assert_moves(video)


def test_the_test_of_the_snapshot_address_gets_a_picture(printer: OctoPrint, linked: Linked) -> None:
    answer = printer.test_snapshot(linked("snapshot.jpg"))
    assert answer["result"], answer
    assert answer["response"]["assumed_content_type"] == "image/jpeg"
    picture = Image.open(BytesIO(base64.b64decode(answer["response"]["content"])))
    assert picture.size == (640, 360)


def test_a_node_takes_its_token_as_password(printer: OctoPrint, bench: Node) -> None:
    snapshot = f"{bench.url}/cameras/bench/snapshot.jpg"
    told = {password: snapshot.replace("://", f"://octoprint:{password}@") for password in (bench.pair(), "wrong")}
    results = [printer.test_snapshot(address)["result"] for address in (*told.values(), snapshot)]
    assert results == [True, False, False]


TOWER = "".join(f"G1 X{move} Y{move} F600\nG4 P200\n" for move in range(16))
"""A few seconds of moves."""


def test_a_timed_timelapse_is_made_of_our_snapshots(printer: OctoPrint, linked: Linked, tmp_path: Path) -> None:
    printer.use(stream=linked("stream.mjpg"), snapshot=linked("snapshot.jpg"))
    printer.connect()
    movie = tmp_path / "movie.mp4"
    movie.write_bytes(printer.film("tower.gcode", TOWER))
    seen = decoded(movie)
    assert len(seen) == pictures(movie) >= 3
    assert all(pattern(picture) for picture in seen)
    assert all(one.changed(next_one) > 1 for one, next_one in pairwise(seen)), "a picture stands in it twice"


def decoded(movie: Path) -> list[Picture]:
    """Return the pictures of a movie."""
    size = (64, 36)
    command = ["ffmpeg", "-v", "error", "-xerror", "-i", str(movie), "-vf", "scale={}:{}:flags=area".format(*size)]
    pixels = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    step = 3 * size[0] * size[1]
    frames = (pixels.stdout[at : at + step] for at in range(0, len(pixels.stdout), step))
    return [Picture(Image.frombytes("RGB", size, frame)) for frame in frames]
