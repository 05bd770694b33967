"""The flags of all commands that read the configuration, and whose files they write."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
import os
from pathlib import Path
import pwd

from ...engine.errors import InvalidConfiguration
from ..config import NodeConfig
from ..configuration import CAMERA, CONFIG, find, load, settings

_STATE = next(setting for setting in settings() if setting.key == "state")


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


def add_place(parser: ArgumentParser) -> None:
    """Let it be said which node is meant: by its configuration file or its state folder."""
    parser.add_argument("--config", metavar="FILE", help=f"the configuration file, also {CONFIG}")
    parser.add_argument(
        _STATE.flag,
        dest=_STATE.environment,
        metavar="FOLDER",
        help=f"the folder of what the node remembers, also {_STATE.environment}",
    )


def configuration(arguments: Namespace) -> NodeConfig:
    """Return what was configured; blocks. Raises `InvalidConfiguration`."""
    flags = {
        setting: value for setting in settings() if (value := getattr(arguments, setting.environment, None)) is not None
    }
    return load(find(os.environ, arguments.config), os.environ, flags, getattr(arguments, "camera", None))


def as_owner(folder: Path) -> None:
    """Go on as the user who owns the node's folder, or what is written there the node cannot read.

    Raises `InvalidConfiguration` for who may not.
    """
    try:
        owner = folder.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidConfiguration(f"{error.strerror}: run this as root", where=str(folder)) from error
    if owner.st_uid == os.geteuid():
        return
    if os.geteuid() != 0:
        raise InvalidConfiguration(f"it belongs to {_name(owner.st_uid)}: run this as that user", where=str(folder))
    os.setgroups([owner.st_gid])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
