"""List the paired clients, or let one in no longer."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
import sys

from ..credentials import Credentials
from .options import add_place, as_owner, configuration
from .table import moment, print_table


def add_arguments(parser: ArgumentParser) -> None:
    """Have whom to let in no longer."""
    parser.add_argument("--remove", metavar="ID", help="let this client in no longer")
    add_place(parser)


def run(arguments: Namespace) -> int:
    """Print the clients, or remove one; return 1 where there is none of this id."""
    config = configuration(arguments)
    as_owner(config.state)
    credentials = Credentials(config.state)
    credentials.load()
    if arguments.remove:
        if not credentials.remove_token(arguments.remove):
            print(f"There is no client {arguments.remove}.", file=sys.stderr)
            return 1
        print("It is let in no longer; a running node knows it within two seconds.")
        return 0
    rows = [
        (token.id, token.name, moment(token.created_at), moment(credentials.used(token.id)))
        for token in credentials.tokens
    ]
    print_table(("id", "name", "paired", "last seen"), rows, empty="No client is paired: tripod-node code")
    return 0
