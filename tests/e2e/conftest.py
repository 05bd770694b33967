"""A real Home Assistant, a real browser, a real OctoPrint."""

from collections.abc import Generator, Iterator
from pathlib import Path
import re

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright
import pytest

from . import octoprint, server
from .chromium import launch
from .octoprint import OctoPrint
from .pages import Frontend
from .server import Camera, HomeAssistant

_CONFIGURATION = """
automation: !include automations.yaml
mobile_app:
"""
"""What the automations of the tests run on."""

_SCREENSHOTS = Path(__file__).parent / "screenshots"
_SIZE = {"width": 1280, "height": 900}
_TEST_SECONDS = 150
_WAIT_MILLISECONDS = 15_000

_failed = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test the time that a browser and two servers' starts take."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_TEST_SECONDS))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember for the fixtures whether a test failed."""
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture(scope="session")
def home_assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """Run the Home Assistant that most tests share."""
    config = tmp_path_factory.mktemp("home_assistant")
    (config / "automations.yaml").write_text("[]")
    with server.running(config, configuration=_CONFIGURATION) as running:
        yield running


@pytest.fixture(scope="session")
def camera(home_assistant: HomeAssistant) -> Camera:
    """Add the camera that most tests share: a test pattern, with a link."""
    return home_assistant.add_test_camera("Test pattern", "Hall TV")


@pytest.fixture(scope="session")
def printer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrint]:
    """Run an OctoPrint."""
    with octoprint.running(tmp_path_factory.mktemp("octoprint")) as running:
        yield running


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Run what drives browsers."""
    with sync_playwright() as running:
        expect.set_options(timeout=_WAIT_MILLISECONDS)
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Run Chromium."""
    chromium = launch(playwright)
    yield chromium
    chromium.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open a page for one test; it fails where our own part of the page complains on the console."""
    context = browser.new_context(viewport=_SIZE)  # type: ignore[arg-type]
    context.set_default_timeout(_WAIT_MILLISECONDS)
    page = context.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        ours = "/api/tripod/" in f"{message.location['url']} {page.url} {message.text}"
        gone = "net::ERR_CONNECTION" in message.text  # a test may kill the server
        if message.type in ("error", "warning") and ours and not gone:
            complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)) if "/api/tripod/" in page.url else None)
    yield page
    if request.node.stash.get(_failed, False):
        _SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=_SCREENSHOTS / f"{re.sub(r'\W+', '_', request.node.name)}.png")
    context.close()
    assert not complaints


@pytest.fixture
def frontend(page: Page, home_assistant: HomeAssistant) -> Frontend:
    """Log in to the shared Home Assistant."""
    frontend = Frontend(page, home_assistant.url)
    frontend.log_in()
    return frontend
