"""What is written about the configuration can be read."""

from __future__ import annotations

from pathlib import Path
import re
import tomllib

import pytest

from custom_components.tripod.engine.sources import Csi, V4l2
from custom_components.tripod.node.commands.init import configuration_text
from custom_components.tripod.node.configuration import build, settings
from custom_components.tripod.node.finding import FoundCamera, Search

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", (DOCS / "node.md").read_text(), re.MULTILINE | re.DOTALL)
CAMERAS = (
    FoundCamera(title="HD Webcam", source=V4l2(device="/dev/video0", input_format="h264"), notes=("it offers much",)),
    FoundCamera(title="HD Webcam", source=V4l2(device="/dev/video2", input_format="mjpeg")),
    FoundCamera(title="imx708", source=Csi(camera="/base/soc/i2c0mux/i2c@1/imx708@1a")),
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("token")
    return tmp_path


def readable(text: str, base: Path) -> str:
    """Let the files that hold secrets be one that is there."""
    return re.sub(r'(?<=_file = ")[^"]+', str(base / "secret"), text)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_are_read(example: str, base: Path) -> None:
    build(tomllib.loads(readable(example, base)), "docs/node.md", base, {})


def test_the_whole_example_says_every_setting() -> None:
    whole = max(EXAMPLES, key=len)
    unsaid = {setting.key for setting in settings()} - set(re.findall(r"^(\w+) =", whole, re.MULTILINE))
    assert unsaid <= {
        "token", "token_file", "url", "verify_tls", "port", "username", "password", "password_file", "rpicam_vid"
    }  # fmt: skip


def test_what_init_writes_is_read_as_it_was_found(base: Path) -> None:
    text = configuration_text(Search(cameras=CAMERAS, troubles=()), 'a "name"', local=True)
    config = build(tomllib.loads(text), "init", base, {})
    assert (config.name, config.host) == ('a "name"', "127.0.0.1")
    assert [camera.id for camera in config.cameras] == ["hd_webcam", "hd_webcam_2", "imx708"]
    assert [camera.source for camera in config.cameras] == [camera.source for camera in CAMERAS]
    assert not [camera.id for camera in config.cameras if camera.learns]


def test_every_line_that_init_comments_out_would_be_read(base: Path) -> None:
    text = configuration_text(Search(cameras=CAMERAS, troubles=()), "name", local=False)
    said = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    said = re.sub(r"^record_while_away.*\n", "", said, flags=re.MULTILINE)
    config = build(tomllib.loads(readable(said, base)), "init", base, {})
    assert config.mqtt is not None
    assert config.announce is not None
    assert config.client_ca is not None
    assert [len(camera.jobs) + len(camera.publications) for camera in config.cameras] == [2, 2, 2]


def test_a_machine_without_cameras_gets_a_picture_to_try(base: Path) -> None:
    text = configuration_text(Search(cameras=(), troubles=()), "name", local=False)
    assert [camera.source.kind for camera in build(tomllib.loads(text), "init", base, {}).cameras] == ["test_pattern"]
