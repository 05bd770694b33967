"""Say which version this is."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
import platform

from ..identity import PROTOCOL
from ..version import version


def add_arguments(parser: ArgumentParser) -> None:
    """Have none."""


def run(_: Namespace) -> int:
    """Print it, with what it runs on."""
    print(f"tripod-node {version()}, protocol {PROTOCOL}, Python {platform.python_version()}")
    return 0
