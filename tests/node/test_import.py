"""`tripod-node import`: it says what becomes of each setting, and writes only when it is told to."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from custom_components.tripod.engine.sources import Csi, MotionInOcean, UrlSource, V4l2, csi
from custom_components.tripod.engine.sources.csi import CsiCamera
from custom_components.tripod.node.config import NodeConfig
from custom_components.tripod.node.configuration import load
from custom_components.tripod.node.main import BAD_CONFIGURATION, main
from tests.recorded.set_ups import FOLDER

JPEG = b"\xff\xd8\xff\xe0 a picture"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a configuration file that is not there yet, and a state folder."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("TRIPOD_CONFIG", str(tmp_path / "node.toml"))
    return tmp_path / "node.toml"


@pytest.fixture(autouse=True)
def csi_cameras(monkeypatch: pytest.MonkeyPatch) -> list[CsiCamera]:
    """Stand in for the Raspberry Pi's connectors."""
    found: list[CsiCamera] = []

    async def list_cameras(_: object) -> list[CsiCamera]:
        return found

    monkeypatch.setattr(csi, "list_cameras", list_cameras)
    return found


def written(config: Path) -> NodeConfig:
    return load(config, {"STATE_DIRECTORY": str(config.parent / "state")}, {})


def do(*arguments: str | Path) -> int:
    return main(["import", *map(str, arguments)])


def test_it_says_everything_and_writes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert do(FOLDER / "motion_in_ocean_nodes.json") == 0
    said = capsys.readouterr().out
    assert "Not understood, and lost unless you see to it:\n  Boxed: base_url" in said
    assert 'kind = "motion_in_ocean"' in said
    assert "keep-me-out-of-sight" not in said
    assert not config.exists()


def test_what_is_written_is_a_configuration(config: Path, csi_cameras: list[CsiCamera]) -> None:
    csi_cameras.append(CsiCamera(id="/base/i2c@1/imx708@1a", model="imx708"))
    for file in ("octocam.yaml", "motion_in_ocean.env", "motion_in_ocean_nodes.json", "crowsnest.conf"):
        assert do("--write", FOLDER / file) == 0
    node = written(config)
    assert (node.host, node.port, node.log_level) == ("0.0.0.0", 8000, "info")  # noqa: S104 - as it was
    kinds = [type(camera.source) for camera in node.cameras]
    assert kinds == [V4l2, Csi, *[MotionInOcean] * 3, V4l2, Csi]
    assert node.cameras[5].controls == {"focus_automatic_continuous": 0, "focus_absolute": 30}
    assert config.stat().st_mode & 0o777 == 0o600


def test_what_is_there_stays_and_nothing_comes_twice(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(
        '# mine\nlisten = "127.0.0.1:9000"\n\n[[camera]]\nid = "bench"\n[camera.source]\nkind = "test_pattern"\n'
    )
    for _ in range(2):
        assert do("--write", FOLDER / "motion_in_ocean_nodes.json") == 0
    assert "has these cameras already" in capsys.readouterr().out
    node = written(config)
    assert [camera.id for camera in node.cameras] == ["bench", "bench_2", "open", "older"]
    assert node.port == 9000
    assert "# mine" in config.read_text()


def test_pictures_become_frames_where_they_lie(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = config.parent / "data" / "north" / "images"
    folder.mkdir(parents=True)
    for second in range(3):
        (folder / f"20260301_12000{second}.jpg").write_bytes(JPEG)
    (folder / "latest").symlink_to("20260301_120002.jpg")
    for new in (3, 0):
        assert do("--write", "--pictures", config.parent / "data", FOLDER / "byggeplass.env") == 0
        said = capsys.readouterr().out
        assert f"{new} pictures are frames of north now" in said
        assert "left there: latest" in said
    frames = list((config.parent / "state/archive/north/timelapse/north/frames").glob("*/*.jpg"))
    assert {path.stat().st_ino for path in frames} == {path.stat().st_ino for path in folder.glob("2026*")}
    source = written(config).cameras[1].source
    assert isinstance(source, UrlSource)
    assert source.password == "hidden"


def test_from_standard_input_and_beside_an_environment_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = config.parent / ".env"
    beside.write_text("MOCK=true\n")
    said = "services:\n  a:\n    environment:\n      MIO_MOCK_CAMERA: ${MOCK}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    assert do("-", "--env", beside, "--write", "--from", "motion_in_ocean") == 0
    assert written(config).cameras[0].source.kind == "test_pattern"


@pytest.mark.parametrize(
    ("text", "status"), [("hello", 1), ("MIO_FPS=12", 1), ("FFMPEG_ARGS=-i", 1), (b"\xff\xfe", 1), (None, 1)]
)
def test_what_cannot_be_brought_over_is_said(config: Path, text: str | bytes | None, status: int) -> None:
    file = config.parent / "given"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert do("--write", file) == status
    assert not config.exists()


def test_a_file_that_is_no_configuration_is_left_alone(config: Path) -> None:
    for text in ("this is prose", 'colour = "red"'):
        config.write_text(text)
        assert do("--write", FOLDER / "crowsnest.conf") == BAD_CONFIGURATION
        assert config.read_text() == text
    assert [path.name for path in config.parent.iterdir()] == ["node.toml"]


def test_another_disk_is_said(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (config.parent / "data/north/images").mkdir(parents=True)
    (config.parent / "data/north/images/20260301_120000.jpg").write_bytes(JPEG)

    def refuse(self: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert do("--write", "--pictures", config.parent / "data", FOLDER / "byggeplass.env") == 1
