"""Home Assistant's frontend, as far as the tests walk through it."""

import re

from home_assistant import PASSWORD, USER
from playwright.sync_api import Locator, Page, expect


class Frontend:
    """The frontend in one browser page."""

    def __init__(self, page: Page, url: str) -> None:
        """Show the Home Assistant at `url` in `page`."""
        self.page = page
        self.url = url

    def log_in(self) -> None:
        """Log in by the form, as a user does."""
        self.page.goto(self.url)
        self.page.fill("input[name=username]", USER)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("home-assistant-main")).to_be_attached()

    def more_info(self, entity_id: str) -> Locator:
        """Open an entity's dialog by its address and return the dialog's content."""
        self.page.goto(f"{self.url}/?more-info-entity-id={entity_id}")
        dialog = self.page.locator("ha-more-info-dialog")
        expect(dialog.locator("more-info-camera")).to_be_visible()
        return dialog

    def add_camera(self) -> FlowDialog:
        """Open the dialog that adds a camera, and return it."""
        self.page.goto(f"{self.url}/config/integrations/dashboard")
        self.page.get_by_role("button", name="Add integration").click()
        self.page.locator("dialog-add-integration input").fill("Tripod")
        self.page.locator("ha-integration-list-item", has_text="Tripod").click()
        dialog = FlowDialog(self.page)
        another = self.page.get_by_text("Set up another instance of Tripod")  # beside the cameras that were discovered
        expect(dialog.title("Add a camera").or_(another)).to_be_visible()
        if another.is_visible():
            another.click()
        return dialog

    def add_discovered(self, name: str) -> FlowDialog:
        """Open the dialog of a camera that was discovered, and return it."""
        self.page.goto(f"{self.url}/config/integrations/dashboard")
        self.page.locator("ha-config-flow-card", has_text=name).get_by_role("button", name="Add").click()
        return FlowDialog(self.page)

    def sign_in_again(self, name: str) -> FlowDialog:
        """Open the dialog that an integration asks for because it is let in no longer, and return it."""
        self.page.goto(f"{self.url}/config/integrations/dashboard")
        self.page.locator("ha-config-flow-card", has_text=name).get_by_role("button", name="Reconfigure").click()
        return FlowDialog(self.page)

    def media(self, *titles: str) -> MediaBrowser:
        """Open the media browser, and folder after folder in it."""
        self.page.goto(f"{self.url}/media-browser/browser")
        browser = MediaBrowser(self.page)
        for title in titles:
            browser.tile(title).click()
        return browser

    def integration(self) -> IntegrationPage:
        """Open the integration's page."""
        self.page.goto(f"{self.url}/config/integrations/integration/tripod")
        return IntegrationPage(self.page)


class FlowDialog:
    """A flow: one dialog, step by step."""

    def __init__(self, page: Page) -> None:
        """Walk through the flow that is open in `page`."""
        self._page = page
        self.content = page.locator("dialog-data-entry-flow")

    def choose(self, option: str) -> None:
        """Choose from a menu."""
        self.content.get_by_text(option, exact=True).click()

    def select(self, option: str) -> None:
        """Choose from a list in a form."""
        self.content.get_by_role("radio", name=option).click()

    def fill(self, **fields: str) -> None:
        """Fill in text fields, by their names."""
        for name, value in fields.items():
            self.content.locator(f"input[name={name}]").fill(value)

    def open(self, section: str) -> None:
        """Open a section of a form."""
        self.content.get_by_text(section, exact=True).click()

    def number(self, label: str) -> Locator:
        """Return a number field; the hints of others may hold its label in small letters."""
        return self.content.locator("ha-selector-number", has_text=re.compile(label)).locator("input")

    def title(self, text: str) -> Locator:
        """Return the title of a step."""
        return self.content.get_by_text(text, exact=True)

    def wait_for(self, title: str) -> None:
        """Wait for a step."""
        expect(self.title(title)).to_be_visible(timeout=60_000)

    def pictures(self, count: int) -> Locator:
        """Return the pictures that the step shows, once that many were loaded."""
        pictures = self.content.locator("img[src*='/api/tripod/preview/']")
        expect(pictures).to_have_count(count)
        for place in range(count):
            pictures.nth(place).evaluate("image => image.decode()")
        return pictures

    def submit(self, button: str = "Submit") -> None:
        """Send the step off."""
        self.content.get_by_role("button", name=button).click()

    def expect_text(self, text: str) -> None:
        """Wait for a sentence."""
        expect(self.content.get_by_text(text)).to_be_visible(timeout=30_000)


class MediaBrowser:
    """The media browser: folders and files as tiles."""

    def __init__(self, page: Page) -> None:
        """Browse in `page`."""
        self._page = page

    def tile(self, title: str) -> Locator:
        """Return the tile that has this in its title."""
        return self._page.locator("ha-media-player-browse .child", has_text=title)

    def expect_titles(self, *titles: str) -> None:
        """Wait until tiles with these titles are shown, and no others."""
        expect(self._page.locator("ha-media-player-browse .child .title")).to_have_text(titles, use_inner_text=True)

    def see(self, title: str) -> Locator:
        """Open a picture or a video, and return the element that shows it; a video plays again and again."""
        self.tile(title).first.click()
        shown = self._page.locator("hui-dialog-web-browser-play-media").locator("video, img")
        expect(shown).to_be_visible(timeout=30_000)
        shown.evaluate("shown => { if (shown.play) { shown.loop = true; return shown.play(); } }")
        return shown


class IntegrationPage:
    """The page of the integration, with its cameras and their links and timelapses."""

    def __init__(self, page: Page) -> None:
        """Show the page that is open in `page`."""
        self._page = page

    def add_timelapse(self, camera: str) -> FlowDialog:
        """Open the dialog that adds a timelapse to one of several cameras, and return it."""
        self._page.get_by_role("button", name="Add timelapse").click()
        self._page.locator("dialog-pick-config-entry").get_by_text(camera).click()
        return FlowDialog(self._page)

    def change(self, name: str) -> FlowDialog:
        """Open the dialog of a link or a timelapse, and return it."""
        self.part(name).get_by_role("button").first.click()
        return FlowDialog(self._page)

    def configure(self, camera: str) -> FlowDialog:
        """Open the options of a camera, and return the dialog."""
        self._page.locator("ha-config-entry-row", has_text=camera).get_by_role("button", name="Configure").first.click()
        return FlowDialog(self._page)

    def part(self, name: str) -> Locator:
        """Return the row of a link or a timelapse."""
        return self._page.locator("ha-config-sub-entry-row", has_text=name)

    def delete(self, name: str) -> None:
        """Delete a link or a timelapse."""
        self.part(name).get_by_role("button").last.click()
        self._page.get_by_role("menuitem", name="Delete").click()
        self._page.locator("dialog-box").get_by_role("button", name="Delete").click()
        expect(self.part(name)).to_have_count(0)
