"""Chromium on Home Assistant's frontend: open a camera's dialog and see when it moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import json

from playwright.sync_api import Page, sync_playwright

from .clock import AGE, READ
from .home import Home

CHROMIUM = "/usr/bin/chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

WATCH = 2.0
"""Seconds of playing after which it is known how far behind it is."""

_GIVE_UP = 20.0

_PLAY = f"""
async ([entity, watch, giveUp]) => {{
  const read = {READ}, age = {AGE};
  const within = (root) => {{
    for (const element of root.querySelectorAll("*")) {{
      if (element.localName === "video") return element;
      const found = element.shadowRoot && within(element.shadowRoot);
      if (found) return found;
    }}
    return null;
  }};
  const began = performance.now(), seconds = () => (performance.now() - began) / 1000;
  const nextScreen = () => new Promise(requestAnimationFrame);
  const home = document.querySelector("home-assistant");
  home.dispatchEvent(new CustomEvent("hass-more-info", {{ detail: {{ entityId: entity }} }}));
  let first = null, moving = null;
  const ages = [];
  while (moving === null || seconds() < moving + watch) {{
    if (seconds() > giveUp) return null;
    const video = within(home.shadowRoot);
    if (!video || !video.videoWidth) {{ await nextScreen(); continue; }}
    await Promise.race([
      new Promise((shown) => video.requestVideoFrameCallback(shown)),
      new Promise((late) => setTimeout(late, 100)),
    ]);
    const time = read(video);
    if (time === null) continue;
    first ??= time;
    if (moving === null && time !== first) moving = seconds();
    if (moving !== null && seconds() > moving + watch / 2) ages.push(age(time));
  }}
  ages.sort((a, b) => a - b);
  return {{ moving_ms: moving * 1000, behind_ms: ages[Math.floor(ages.length / 2)] }};
}}
"""


@dataclass(frozen=True, slots=True)
class Playing:
    """How a dialog's video began."""

    moving_ms: float
    """From opening until the picture was seen to change."""
    behind_ms: float
    """Age of the picture that was shown, once it played."""


class Browser:
    """A page of the frontend, signed in."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def open_dialog(self, entity_id: str) -> Playing:
        """Open a camera's dialog, watch it play, close it; raises RuntimeError where it does not move."""
        found = self._page.evaluate(_PLAY, [entity_id, WATCH, _GIVE_UP])
        if found is None:
            raise RuntimeError(f"the dialog of {entity_id} shows no moving video")
        self._page.keyboard.press("Escape")
        self._page.locator("ha-more-info-dialog video").wait_for(state="detached")
        return Playing(**found)


@contextmanager
def browser(here: Home) -> Iterator[Browser]:
    """Run Chromium, signed in and on a page with nothing on it that moves."""
    url = here.client.url
    tokens = {
        "access_token": here.client._token,
        "refresh_token": "",
        "token_type": "Bearer",
        "hassUrl": url,
        "clientId": f"{url}/",
        "expires": 2**53 - 1,
        "expires_in": 1800,
    }
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.add_init_script(f"localStorage.hassTokens = {json.dumps(json.dumps(tokens))}")
            page.goto(f"{url}/profile/general")
            page.locator("ha-panel-profile").wait_for(state="attached")
            yield Browser(page)
        finally:
            chromium.close()
