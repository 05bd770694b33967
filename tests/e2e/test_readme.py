"""README.md's examples, as they stand there, and what holds of all pages."""

import json
from pathlib import Path
import re
import subprocess

from home_assistant import REPOSITORY
from playwright.sync_api import Page
import pytest
import yaml

from .pages import Frontend
from .server import Camera, HomeAssistant

README = (REPOSITORY / "README.md").read_text()
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
TEXTS = REPOSITORY / "custom_components/tripod/translations/en.json"


def blocks(language: str) -> list[str]:
    """Return what stands in README.md in `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("shell") for line in block.splitlines()]


@pytest.fixture(scope="module")
def workshop(home_assistant: HomeAssistant) -> Camera:
    """Add the camera that the examples are about."""
    return home_assistant.add_test_camera("Workshop", "Examples")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(command: str, workshop: Camera, tmp_path: Path) -> None:
    command = re.sub(r"http://homeassistant\.local:8123/api/tripod/KEY/", workshop.link("Examples"), command)
    shell = ["/bin/sh", "-c", command]
    ran = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout or all(file.stat().st_size > 1000 for file in tmp_path.iterdir())


def test_the_automations_do_what_they_say(
    page: Page, frontend: Frontend, home_assistant: HomeAssistant, workshop: Camera
) -> None:
    picture, stop, start = (yaml.safe_load(block)["actions"] for block in blocks("yaml"))

    def run(actions: object) -> None:
        # the frontend's own way to try a sequence of actions
        page.evaluate(
            "sequence => document.querySelector('home-assistant').hass.callWS({type: 'execute_script', sequence})",
            actions,
        )

    def state(entity_id: str) -> str:
        (found,) = (s for s in home_assistant.client.states("sensor") if s["entity_id"] == entity_id)
        return str(found["state"])

    assert workshop.entity_id == "camera.workshop"
    run(picture)
    assert (home_assistant.config / "media/tripod/workshop/doorbell.jpg").stat().st_size > 1000
    page.get_by_text("Notifications").first.click()
    page.get_by_text("media/tripod/workshop/doorbell.jpg").first.wait_for()
    run(stop)
    assert state("sensor.workshop_state") == "stopped"
    run(start)
    assert state("sensor.workshop_state") in ("starting", "streaming")


def anchors(page: Path) -> set[str]:
    """Return what a link may name of a page, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_every_picture_is_there() -> None:
    images = [page.parent / image for page in PAGES for image in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text())]
    assert images
    assert all(image.stat().st_size > 1000 for image in images)


def test_every_compose_file_is_one() -> None:
    files = re.findall(
        r"^```yaml\n(.*?)^```", (REPOSITORY / "docs/install-container.md").read_text(), re.MULTILINE | re.DOTALL
    )
    services = [yaml.safe_load(file)["services"]["homeassistant"] for file in files]
    assert len(services) == 3
    assert all(service["image"] for service in services)


def test_every_cause_is_explained() -> None:
    causes = json.loads(TEXTS.read_text())["entity"]["sensor"]["last_error"]["state"].keys() - {"none"}
    page = (REPOSITORY / "docs/troubleshooting.md").read_text()
    assert [cause for cause in causes if f"| `{cause}` |" not in page] == []
