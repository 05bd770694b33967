"""The flags of all commands that read the configuration."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
import os

from ..config import NodeConfig
from ..configuration import CAMERA, CONFIG, find, load, settings


def add_configuration(parser: ArgumentParser) -> None:
    """Let the configuration file be named, and everything in it that has a flag be overridden."""
    parser.add_argument("--config", metavar="FILE", help=f"the configuration file, also {CONFIG}")
    parser.add_argument("--camera", metavar="KIND:ADDRESS", help=f"one camera instead of the file's, also {CAMERA}")
    overriding = parser.add_argument_group("settings, instead of what the file says")
    for setting in settings():
        if not setting.secret:
            overriding.add_argument(
                setting.flag, dest=setting.environment, metavar="VALUE", help=f"also {setting.environment}"
            )


def configuration(arguments: Namespace) -> NodeConfig:
    """Return what was configured; blocks. Raises `InvalidConfiguration`."""
    flags = {
        setting: value for setting in settings() if (value := getattr(arguments, setting.environment, None)) is not None
    }
    return load(find(os.environ, arguments.config), os.environ, flags, arguments.camera)
