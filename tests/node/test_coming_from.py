"""The pages for those who come from another program: their commands run, on set-ups as they come."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
import re
import sys

import pytest

from custom_components.tripod.node.configuration import load
from tests.recorded.set_ups import text

from .site import Site

ROOT = Path(__file__).parents[2]

# the files that each page speaks of, and the ids of the cameras that its commands then leave in the configuration
PAGES: dict[str, tuple[dict[str, str], list[str]]] = {
    "octocam": ({"docker-compose.yaml": "octocam.yaml"}, ["stream"]),
    "motion-in-ocean": ({".env": "", "node-registry.json": "motion_in_ocean_nodes.json"}, ["motion_in_ocean"]),
    "iot-edge": ({}, ["test_pattern"]),
    "podman-mqtt": ({}, ["test_pattern"]),
    "byggeplass": ({"config.env": "byggeplass.env"}, ["north", "south"]),
    "crowsnest": ({"crowsnest.conf": "crowsnest.conf"}, ["camera_1", "nozzle"]),
    "core-cameras": ({"configuration.yaml": "core.yaml"}, ["garage", "yard", "door", "shed"]),
}

NODE = f"""#!/bin/sh
exec {sys.executable} -c '
import sys, tests.node
from custom_components.tripod.node.main import main
sys.exit(main(sys.argv[1:]))' "$@"
"""


def page(name: str) -> str:
    return (ROOT / f"docs/coming-from-{name}.md").read_text()


def test_there_is_a_page_for_each() -> None:
    assert {path.stem.removeprefix("coming-from-") for path in ROOT.glob("docs/coming-from-*.md")} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
async def test_the_commands_of_a_page_run(name: str, trusting: Site, tmp_path: Path) -> None:
    files, cameras = PAGES[name]
    for file, recorded in files.items():
        (tmp_path / file).write_text(text(recorded) if recorded else "MIO_MOCK_CAMERA=true\nMIO_PORT=8000\n")
    (tmp_path / "data/north/images").mkdir(parents=True)
    (tmp_path / "data/north/images/20260301_120000.jpg").write_bytes(b"\xff\xd8\xff a picture")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tripod-node").write_text(NODE)
    (tmp_path / "bin/tripod-node").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "TRIPOD_CONFIG": str(tmp_path / "node.toml"),
        "STATE_DIRECTORY": str(tmp_path / "state"),
        "PYTHONPATH": str(ROOT),
    }
    blocks = re.findall(r"^```bash\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)
    assert blocks
    script = re.sub(r"http://localhost:8089/cameras/\w+/", f"{trusting.url}/cameras/door/", "\n".join(blocks))
    # it may find that nothing is there
    script = script.replace("tripod-node check", "tripod-node check || test $? = 1")
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-exuo", "pipefail", "-c", script),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await shell.communicate()
    assert shell.returncode == 0, said.decode()
    node = load(tmp_path / "node.toml", {"STATE_DIRECTORY": str(tmp_path / "state")}, {})
    assert [camera.id for camera in node.cameras] == cameras
    if name == "byggeplass":
        assert len(list((tmp_path / "state/archive/north/timelapse/north/frames").glob("*/*.jpg"))) == 1


def test_the_configuration_that_a_page_shows_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", page("podman-mqtt"), re.MULTILINE | re.DOTALL)
    file = tmp_path / "node.toml"
    file.write_text(block)
    node = load(file, {"STATE_DIRECTORY": str(tmp_path)}, {})
    assert node.mqtt
    assert node.mqtt_prefix(node.cameras[0]) == "camera"
    assert node.cameras[0].publications[0].url.startswith("rtsp://mediamtx.local")
