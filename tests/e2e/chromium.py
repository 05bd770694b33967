"""The browser."""

import os
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from .network import Host

PROGRAM = "/usr/bin/chromium"

_ON_HOST = Path(__file__).with_name("on-host")

_ARGUMENTS = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launch(playwright: Playwright, host: Host | None = None) -> Browser:
    """Start Chromium without a window; on a machine of a test's network if one is given."""
    if not host:
        return playwright.chromium.launch(executable_path=PROGRAM, args=_ARGUMENTS)
    environment: dict[str, str | float | bool] = {**os.environ, "ON_HOST": host.path, "ON_HOST_PROGRAM": PROGRAM}
    return playwright.chromium.launch(executable_path=_ON_HOST, args=_ARGUMENTS, env=environment)
