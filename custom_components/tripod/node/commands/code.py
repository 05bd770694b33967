"""Show a pairing code."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..credentials import Credentials
from ..pairing import LIFETIME, Pairing
from .options import add_place, as_owner, configuration


def add_arguments(parser: ArgumentParser) -> None:
    """Have which node is meant."""
    add_place(parser)


def run(arguments: Namespace) -> int:
    """Print a code that is good from now on."""
    config = configuration(arguments)
    as_owner(config.state)
    code = Pairing(config.state, Credentials(config.state)).show()
    print(f"{code.text}\n\nType it in Home Assistant within {LIFETIME / 60:.0f} minutes; it is good for one pairing.")
    return 0
