"""A print of a real OctoPrint becomes a video on a phone, by the blueprint that a user imports."""

from functools import partial
import shutil
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from home_assistant import REPOSITORY

from tests.kept import Judge, pictures

from . import octoprint, phone
from .octoprint import OctoPrint
from .server import HomeAssistant
from .waiting import until

PRINTER = "sensor.octoprint_current_state"

MOVES = 40
GCODE = "".join(f"G1 X{move} Y{move} F600\nG4 P150\n" for move in range(MOVES))
"""A few seconds of moves."""


def test_a_print_becomes_a_video_on_the_phone(home_assistant: HomeAssistant, printer: OctoPrint) -> None:
    camera = home_assistant.add_test_camera("Printer", format="mjpeg")
    kept = Judge(home_assistant.config / "media/tripod/printer")
    printer.connect()
    add_octoprint(home_assistant, printer)
    refresh = partial(home_assistant.call, "homeassistant", "update_entity", PRINTER)  # which else comes every 30 s
    with phone.registered(home_assistant.client) as hall_phone:
        inputs = {"camera": camera.entity_id, "printer": PRINTER, "interval": 1, "length": 2}
        automate(home_assistant, "print_timelapse", phones=[hall_phone.device_id], **inputs)
        printer.print("cube.gcode", GCODE)
        refresh()
        until(lambda: len(kept.files("timelapse/print/frames")) >= 3, "pictures of the print")
        until(lambda: printer.state == "Operational", "the end of the print", timeout=60)
        refresh()
        notification = hall_phone.notified()
    assert (notification["title"], notification["message"]) == ("Printer", "cube.gcode, 2 s")
    (video,) = kept.files("videos")
    assert pictures(video) == len(kept.files("timelapse/print/frames"))
    kept.look()
    attached = notification["data"]
    assert fetch(home_assistant, attached["video"]) == video.read_bytes()
    assert fetch(home_assistant, attached["image"]).startswith(b"\xff\xd8")


def add_octoprint(home_assistant: HomeAssistant, printer: OctoPrint) -> None:
    """Add Home Assistant's own integration, as its dialog does once OctoPrint's user has allowed it."""
    address = urlsplit(printer.url)
    answer = {"host": address.hostname, "port": address.port, "path": "/", "ssl": False, "verify_ssl": False}
    access = {"username": octoprint.USER, "api_key": octoprint.API_KEY}
    home_assistant.client.flow("/api/config/config_entries/flow", "octoprint", {**answer, **access})


def automate(home_assistant: HomeAssistant, blueprint: str, **inputs: object) -> None:
    """Put the blueprints where an import puts them, and make an automation of one, as the frontend does."""
    folder = "blueprints/automation/tripod"
    shutil.copytree(REPOSITORY / folder, home_assistant.config / folder)
    automation = {"alias": blueprint, "use_blueprint": {"path": f"tripod/{blueprint}.yaml", "input": inputs}}
    home_assistant.client.request("POST", f"/api/config/automation/config/{blueprint}", automation)
    states = partial(home_assistant.client.states, "automation")
    until(lambda: [state["state"] for state in states()] == ["on"], "the automation watches")


def fetch(home_assistant: HomeAssistant, path: str) -> bytes:
    """Return what the app on the phone gets at an address of a notification: it is signed in."""
    headers = {"Authorization": f"Bearer {home_assistant.client._token}"}
    with urlopen(Request(home_assistant.url + path, headers=headers), timeout=20) as answer:
        content: bytes = answer.read()
        return content
