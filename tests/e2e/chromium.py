"""The browser."""

from playwright.sync_api import Browser, Playwright

PROGRAM = "/usr/bin/chromium"

_ARGUMENTS = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launch(playwright: Playwright) -> Browser:
    """Start Chromium without a window."""
    return playwright.chromium.launch(executable_path=PROGRAM, args=_ARGUMENTS)
