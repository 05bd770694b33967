"""A node on one machine and Home Assistant on another: found, paired, watched, cut off, moved, killed and revoked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
import json
import os
import re
import subprocess
import time
from typing import Any

from playwright.sync_api import Browser, Playwright
import pytest

from tests.hardware import virtual_pi
from tests.kept import Judge, began, duration, ended
from tests.servers.certificate import write_chain
from tests.servers.mosquitto import Mosquitto

from . import network, node, server
from .chromium import launch
from .network import Host
from .node import Node
from .pages import FlowDialog, Frontend
from .pixels import Picture, assert_moves
from .server import HomeAssistant
from .waiting import until

pytestmark = pytest.mark.timeout(300)

CUT_SECONDS = float(os.environ.get("TRIPOD_CUT_SECONDS", "3"))
"""For how long the node records on its own, once it has noticed that nobody is there."""

PI, ELSEWHERE, HOME = "10.77.0.2", "10.77.0.20", "10.77.0.3"

BENCH, PATTERN = "camera.bench", "camera.pattern"

NOTICED = 25.0
"""Seconds that both sides need to miss each other, at most."""

BACK = 90.0
"""Seconds until all runs again, at most: back-off is half a minute in the worst case."""

NODE = f"""
name = "Workshop"
listen = "0.0.0.0:{node.PORT}"
state = "FOLDER/state"

[tools]
python = "FOLDER/pi-python"

[mqtt]
host = "{HOME}"
port = BROKER
tls = true
ca = "FOLDER/root.pem"
certificate = "FOLDER/node.pem"
key = "FOLDER/node.key"

[[camera]]
id = "bench"
title = "Bench"
record_while_away = true
[camera.source]
kind = "csi"
camera = "{virtual_pi.IMX708}"

[[camera]]
id = "pattern"
title = "Pattern"
[camera.source]
kind = "test_pattern"
width = 640
height = 360
rate = 15
format = "mjpeg"
"""

CONFIGURATION = """
file_upload:
zeroconf:
"""


@dataclass(frozen=True)
class Hosts:
    """The machines of the network."""

    pi: Host
    home: Host


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    """Run a network; the test itself is on Home Assistant's machine."""
    with ExitStack() as stack:
        try:
            virtual_pi.tools()
            node.build()
            hosts = Hosts(*stack.enter_context(network.of(PI, HOME)))
        except (network.UnavailableError, virtual_pi.UnavailableError) as reason:
            pytest.skip(str(reason))
        stack.enter_context(hosts.home.entered())
        yield hosts


@pytest.fixture(scope="module")
def broker(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Run a broker on Home Assistant's machine, which lets in nobody without a certificate."""
    folder = tmp_path_factory.mktemp("broker")
    broker = Mosquitto(folder, write_chain(folder, HOME), address=HOME)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def workshop(hosts: Hosts, broker: Mosquitto) -> Iterator[Node]:
    """Run a node with a CSI camera."""
    own = broker.chain.node
    told = NODE.replace("BROKER", str(broker.port))
    with node.running(told, hosts.pi, (broker.chain.root, own.certificate, own.key)) as running:
        yield running


@pytest.fixture(scope="module")
def home_assistant(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """Run Home Assistant."""
    config = tmp_path_factory.mktemp("home_assistant")
    with server.running(config, configuration=CONFIGURATION, host=HOME) as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright, hosts: Hosts) -> Iterator[Browser]:
    """Run Chromium on Home Assistant's machine."""
    chromium = launch(playwright, hosts.home)
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def paired(browser: Browser, workshop: Node, home_assistant: HomeAssistant) -> HomeAssistant:
    """Set both cameras up, as a user who has nothing but the node's code."""
    with browser.new_context() as context:
        frontend = Frontend(context.new_page(), home_assistant.url)
        frontend.log_in()
        dialog = frontend.add_discovered("Workshop")
        dialog.wait_for("Pair with Workshop")
        dialog.fill(code=workshop.code())
        dialog.submit()
        dialog.wait_for("Which camera?")
        dialog.pictures(2)
        dialog.select("Bench")
        dialog.submit()
        finish(dialog)
        dialog = frontend.add_discovered("Pattern (Workshop)")
        dialog.pictures(1)
        dialog.submit("Add this camera")
        finish(dialog)
    return home_assistant


def finish(dialog: FlowDialog) -> None:
    """Add the camera that a dialog shows."""
    dialog.wait_for("This is what the camera shows")
    dialog.pictures(1)
    dialog.submit()
    dialog.submit("Skip and finish")


@pytest.fixture
def frontend(frontend: Frontend, paired: HomeAssistant) -> Frontend:
    """Log in where the cameras are set up."""
    return frontend


@pytest.fixture
def kept(paired: HomeAssistant) -> Judge:
    """Look at what Home Assistant keeps of the CSI camera."""
    return Judge(paired.config / "media/tripod/bench")


def moves(frontend: Frontend) -> None:
    """See the CSI camera's video, and the other one's MJPEG."""
    assert_moves(frontend.more_info(BENCH).locator("video"), stripes, timeout=BACK)
    mjpeg = frontend.more_info(PATTERN).locator("img[src*='/api/camera_proxy_stream/']")
    assert_moves(mjpeg, timeout=BACK)


def stripes(picture: Picture) -> bool:
    """Whether this is what libcamera's virtual camera sees: grey and black lines."""
    levels = picture.image.convert("L").histogram()
    return 0.2 < sum(levels[:64]) / sum(levels) < 0.8 and picture.colourful < 0.1


def test_its_cameras_are_shown_live(frontend: Frontend) -> None:
    moves(frontend)


def test_one_pairing_serves_both_cameras(paired: HomeAssistant, workshop: Node) -> None:
    assert len(workshop.ask("/clients")["clients"]) == 1
    assert [entry["state"] for entry in paired.client.entries("tripod")] == ["loaded", "loaded"]


def test_home_assistant_records_it(paired: HomeAssistant, kept: Judge) -> None:
    paired.ask("record", BENCH, duration=2, wait=True)
    assert duration(kept.files("recordings")[-1]) >= 2
    kept.look()


def test_both_are_controlled_by_mqtt_with_client_certificates(
    broker: Mosquitto, workshop: Node, paired: HomeAssistant, kept: Judge
) -> None:
    own = broker.chain.home
    authority = broker.chain.root
    paired.add_broker(HOME, broker.port, authority=authority, certificate=own.certificate, key=own.key)
    entry = next(entry["entry_id"] for entry in paired.client.entries("tripod") if entry["title"] == "Bench")
    answers = ({"next_step_id": "mqtt"}, {"enabled": True, "prefix": "home/bench"})
    paired.client.flow("/api/config/config_entries/options/flow", entry, *answers)

    assert command(broker, "home/bench", "picture")["ok"]
    assert len(kept.files("snapshots")) == 1
    kept.look()
    reply = command(broker, "tripod/bench", "record 1")
    assert reply["ok"], reply
    until(lambda: len(kept.files("recordings")) == 2, "what the node recorded for MQTT is handed over", timeout=BACK)
    refused = subprocess.run(
        broker.tool("mosquitto_pub", "-t", "tripod/bench/control/action", "-m", "stop", pair=broker.chain.stranger),
        capture_output=True,
        check=False,
    )
    assert refused.returncode != 0


def command(broker: Mosquitto, prefix: str, text: str) -> dict[str, Any]:
    """Tell a camera what to do, and return what it replies first."""
    listen = broker.tool(
        "mosquitto_sub", "-t", f"{prefix}/reply", "-t", f"{prefix}/availability", "-C", "2", "-W", "30"
    )
    with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdout
        assert listening.stdout.readline() == "online\n"
        subprocess.run(broker.tool("mosquitto_pub", "-t", f"{prefix}/control/action", "-m", text), check=True)
        reply: dict[str, Any] = json.loads(listening.stdout.readline())
        return reply


def test_what_a_node_recorded_while_it_was_cut_off_is_handed_over(
    hosts: Hosts, workshop: Node, frontend: Frontend, paired: HomeAssistant, kept: Judge
) -> None:
    before = set(kept.files("recordings"))
    hosts.pi.unplug()
    cut_at = time.time()
    recording = partial(on_its_own, workshop)
    until(recording, "the node records on its own", timeout=NOTICED)
    until(lambda: recording() >= CUT_SECONDS, "the node goes on", timeout=CUT_SECONDS + 10)
    hosts.pi.plug()
    plugged_at = time.time()
    until(lambda: set(kept.files("recordings")) - before, "the node's recording", timeout=BACK)
    (handed_over,) = set(kept.files("recordings")) - before
    print(f"cut off for {plugged_at - cut_at:.1f} s, of which the node has {duration(handed_over):.1f} s")
    assert began(handed_over).timestamp() - cut_at <= NOTICED
    assert ended(handed_over).timestamp() >= plugged_at - 1
    kept.look()
    until(lambda: not items(workshop), "the node has given it away")
    browser = frontend.media("Tripod", "Bench", "Recordings", "(")
    shown = browser.see(f"{began(handed_over):%H:%M:%S}")
    assert_moves(shown, stripes)
    moves(frontend)


def on_its_own(workshop: Node) -> float:
    """Return how many seconds the node has recorded that nobody asked it for."""
    recordings: list[dict[str, float]] = workshop.ask("/cameras/bench/status")["recordings"]
    return float(sum(recording["duration"] for recording in recordings))


def items(workshop: Node) -> list[str]:
    """Return the recordings that the node keeps."""
    return [item["key"] for item in workshop.ask("/cameras/bench/items?kind=recordings")["items"]]


def test_a_node_is_followed_to_another_address(hosts: Hosts, frontend: Frontend, paired: HomeAssistant) -> None:
    hosts.pi.move(ELSEWHERE)

    def followed() -> bool:
        text = (paired.config / ".storage/core.config_entries").read_text()
        return ELSEWHERE in text and PI + ":" not in text

    until(followed, "Home Assistant knows the new address", timeout=BACK)
    moves(frontend)


def kill_worker(workshop: Node) -> None:
    """Kill Picamera2."""
    (worker,) = (process for process in workshop.workers() if "picamera2_worker" in " ".join(process.cmdline()))
    worker.kill()


def kill_node(workshop: Node) -> None:
    """Kill the node, and start it again."""
    workshop.kill()
    until(lambda: not workshop.processes(), "no process is left behind")
    workshop.start()


def kill_home_assistant(home: HomeAssistant) -> None:
    """Kill Home Assistant, and start it again."""
    home.kill()
    until(lambda: not home.processes(), "no process is left behind")
    home.start()


def test_all_comes_back_after_a_kill(frontend: Frontend, workshop: Node, paired: HomeAssistant) -> None:
    moves(frontend)
    kills: tuple[Callable[[], None], ...] = (
        partial(kill_worker, workshop),
        partial(kill_node, workshop),
        partial(kill_home_assistant, paired),
    )
    for kill in kills:
        kill()
        moves(frontend)


def test_a_node_that_knows_us_no_longer_is_paired_again(
    frontend: Frontend, workshop: Node, paired: HomeAssistant
) -> None:
    (client,) = workshop.ask("/clients")["clients"]
    workshop.tell("clients", "--remove", client["id"])
    dialog = frontend.sign_in_again("Bench")
    dialog.wait_for("Pair with Workshop")
    dialog.fill(code=workshop.code())
    dialog.submit()
    dialog.expect_text("That works, and was stored.")
    moves(frontend)
    assert len(workshop.ask("/clients")["clients"]) == 1


def test_nothing_is_left_that_somebody_would_have_to_look_at(workshop: Node, paired: HomeAssistant) -> None:
    paired.stop()
    assert paired.processes() == []
    # others complain, too: there is no internet here
    assert [line for line in paired.log.splitlines() if re.search("(ERROR|blocking call).*tripod", line)] == []
    assert "ERROR" not in workshop.log, workshop.log
    paired.start()
