"""docs/mqtt.md as it stands there: its certificates, its broker, its node, its commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import json
import os
from pathlib import Path
import re
import shlex
import subprocess
from typing import Any
from urllib.request import urlopen

import pytest

from tests.node_process import NodeProcess, node_process
from tests.servers.mosquitto import PROGRAM
from tests.servers.start import free_port, wait_for_port

PAGE = (Path(__file__).parents[2] / "docs/mqtt.md").read_text()

PLACES = ("/etc/tripod/", "/etc/mosquitto/certs/", "/etc/mosquitto/")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


COMMANDS = [shlex.split(line) for block in _blocks("shell") for line in block.splitlines()]


@dataclass(frozen=True)
class House:
    """The page's household, on this machine."""

    node: NodeProcess
    environment: dict[str, str]

    def run(self, *command: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(command, env=self.environment, text=True, **more)

    def publish_as_the_node(self, command: str) -> None:
        folder = Path(self.environment["XDG_CONFIG_HOME"])
        options = (folder / "mosquitto_pub").read_text().replace("home.", "node.").split()
        publish = ["mosquitto_pub", *options, "-t", "tripod/yard/control/action", "-m", command, "-q", "1"]
        assert self.run(*publish, cwd=folder).wait(20) == 0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    port = free_port()

    def here(text: str) -> str:
        for place in PLACES:
            text = text.replace(place, f"{folder}/")
        return text.replace("broker.local", "localhost").replace("8883", str(port))

    subprocess.run(["/bin/bash", "-e", "-c", here(*_blocks("bash"))], cwd=folder, check=True, capture_output=True)
    configuration, access = _blocks("ini")
    (folder / "mosquitto.conf").write_text(here(configuration) + "user root\n")
    (folder / "cameras.acl").write_text(access)
    (options,) = _blocks("text")
    for tool in ("mosquitto_pub", "mosquitto_sub"):
        (folder / tool).write_text(here(options))
    broker = subprocess.Popen([PROGRAM, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        toml = here(*_blocks("toml")).replace("tls = true", f"tls = true\nport = {port}")
        with node_process(folder, toml) as node:
            yield House(node, {**os.environ, "XDG_CONFIG_HOME": str(folder)})
    finally:
        broker.terminate()
        broker.wait()


def test_the_pages_commands_do_what_the_page_says(house: House) -> None:
    hear = house.run("mosquitto_sub", "-t", "tripod/yard/#", "-F", "%t %p", stdout=subprocess.PIPE)
    try:
        heard = Heard(hear)
        assert heard.until("availability") == "online"
        house.publish_as_the_node("picture of my own")
        replies: dict[str, dict[str, Any]] = {}
        for command in COMMANDS:
            assert house.run(*command).wait(20) == 0
            replies[command[-1]] = heard.reply(command[-1])
    finally:
        hear.terminate()
        hear.wait()
    settings = [command[-1] for command in COMMANDS if "settings" in command[2]]
    refused = {command: reply["cause"] for command, reply in replies.items() if not reply["ok"]}
    assert refused == dict.fromkeys(settings, "invalid_control")  # a test pattern has none
    for taken in ("picture", "picture gate", "stop", "timelapse frame roof"):
        assert Path(replies[taken]["path"]).is_relative_to(house.node.archive)
    assert [reply["id"] for reply in replies.values() if "id" in reply] == ["bell-17", "4"]
    assert "picture of my own" not in heard.commands  # mosquitto does not say so, it only does not pass it on
    _, status = house.node.ask("/cameras/yard/status")
    known = {"connected": True, "cause": None, "breaks": 0, "dropped": 0}
    assert {**status["mqtt"], **known} == status["mqtt"]
    with urlopen(f"{house.node.url}/metrics", timeout=20) as metrics:
        assert 'tripod_mqtt_connected{camera="Yard"} 1\n' in metrics.read().decode()


class Heard:
    """What somebody hears who follows the camera."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        self.lines = process.stdout
        self.commands: list[str] = []

    def until(self, topic: str) -> str:
        """Return the next payload under a topic."""
        for line in self.lines:
            name, _, payload = line.rstrip("\n").partition(" ")
            if "/control/" in name:
                self.commands.append(payload)
            if name == f"tripod/yard/{topic}":
                return payload
        raise AssertionError(topic)

    def reply(self, command: str) -> dict[str, Any]:
        """Return the first reply to a command; what is said when it is done may come between."""
        while (reply := json.loads(self.until("reply")))["command"] != command:
            pass
        return dict(reply)
