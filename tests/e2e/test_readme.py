"""README.md's examples, as they stand there, and what holds of all pages."""

from collections.abc import Callable
import json
from pathlib import Path
import re
import subprocess
from typing import Any
from urllib.parse import parse_qs, urlsplit

from home_assistant import REPOSITORY
from playwright.sync_api import Page
import pytest
import yaml

from tests.kept import Judge, duration, pictures

from .pages import Frontend
from .server import Camera, HomeAssistant

README = (REPOSITORY / "README.md").read_text()
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
TEXTS = REPOSITORY / "custom_components/tripod/translations/en.json"


def blocks(language: str, text: str = README) -> list[str]:
    """Return what stands in a page in `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("shell") for line in block.splitlines()]

EXAMPLES = [page for page in PAGES if any("action: tripod." in block for block in blocks("yaml", page.read_text()))]
ACTIONS = REPOSITORY / "custom_components/tripod/services.yaml"
BEGINS = ("tripod.record", "tripod.start_timelapse")
"""Actions that answer before there is anything of what they begin."""


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


type Run = Callable[[list[dict[str, Any]]], None]


@pytest.fixture
def run(page: Page, frontend: Frontend) -> Run:
    """Return the frontend's own way to try a sequence of actions."""
    script = "sequence => document.querySelector('home-assistant').hass.callWS({type: 'execute_script', sequence})"
    return lambda sequence: page.evaluate(script, sequence)


def sequence(block: str) -> list[dict[str, Any]]:
    """Return the actions of an automation, of a list, or the one action."""
    example = yaml.safe_load(block)
    steps: list[dict[str, Any]] = example if isinstance(example, list) else example.get("actions", [example])
    return steps


def test_the_readmes_examples_do_what_they_say(
    run: Run, page: Page, home_assistant: HomeAssistant, workshop: Camera
) -> None:
    recording, timelapse, prune, picture, stop, start = map(sequence, blocks("yaml"))
    kept = Judge(home_assistant.config / "media/tripod/workshop")

    def state(entity_id: str) -> str:
        (found,) = (s for s in home_assistant.client.states("sensor") if s["entity_id"] == entity_id)
        return str(found["state"])

    assert workshop.entity_id == "camera.workshop"
    run(picture)
    assert kept.files("snapshots")[0].name == "doorbell.jpg"
    page.get_by_text("Notifications").first.click()
    page.get_by_text("doorbell.jpg").first.wait_for()
    run(recording)
    (recorded,) = kept.files("recordings")
    page.get_by_text(recorded.name).first.wait_for()
    assert duration(recorded) >= 2
    run(timelapse)
    (video,) = kept.files("videos")
    assert pictures(video) == len(kept.files("timelapse/print/frames")) >= 3
    run(prune)
    page.get_by_text("0 files would go").first.wait_for()
    kept.look()
    run(stop)
    assert state("sensor.workshop_state") == "stopped"
    run(start)
    assert state("sensor.workshop_state") in ("starting", "streaming")


@pytest.mark.parametrize("page_of_examples", EXAMPLES[1:], ids=lambda page: page.stem)
def test_a_pages_examples_work_one_after_the_other(page_of_examples: Path, run: Run, workshop: Camera) -> None:
    steps: list[dict[str, Any]] = []
    for step in (step for block in blocks("yaml", page_of_examples.read_text()) for step in sequence(block)):
        steps += [step, *([{"delay": 2}] if step["action"] in BEGINS else [])]
    run(steps)


def test_the_readme_has_an_example_of_every_action() -> None:
    told = " ".join(block for page in EXAMPLES for block in blocks("yaml", page.read_text()))
    assert [action for action in yaml.safe_load(ACTIONS.read_text()) if f"action: tripod.{action}\n" not in told] == []


def test_a_blueprint_is_imported_from_where_it_is() -> None:
    links = [
        link for page in PAGES for link in re.findall(r"\]\((https://my\.home-assistant\.io/[^)]+)\)", page.read_text())
    ]
    sources = {parse_qs(urlsplit(link).query)["blueprint_url"][0] for link in links if "blueprint_import/" in link}
    blueprints = (REPOSITORY / "blueprints/automation/tripod").glob("*.yaml")
    assert sources == {re.search(r"source_url: (\S+)", path.read_text())[1] for path in blueprints}  # type: ignore[index]


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
    images = [
        page.parent / image
        for page in PAGES
        for image in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text())
        if not image.startswith("https://my.home-assistant.io/badges/")
    ]
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
