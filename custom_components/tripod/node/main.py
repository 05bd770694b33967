"""The node's command line: one program, a table of what it does."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
import os
import sys

from ..engine.errors import InvalidConfiguration, TripodError
from .version import version

PROGRAM = "tripod-node"
USUAL = "serve"
"""What is done where nothing is said."""

COMMANDS = {
    "serve": "serve the cameras, until it is told to stop; the usual",
    "init": "find the cameras of this machine and write a configuration",
    "check": "look whether everything is as it should be, and say what is not",
    "code": "show a code with which a Home Assistant can be paired",
    "clients": "list the paired clients, or let one in no longer",
    "links": "list links for players and printers, make one, or take one back",
    "import": "bring over the configuration of another program",
    "version": "say which version this is",
}
"""Each is a module of `commands`, and only the one that is asked for is loaded."""

BAD_CONFIGURATION = 78
"""Exit status where trying again without a change is in vain: sysexits' EX_CONFIG."""

FAILED, NO_SUCH_COMMAND, INTERRUPTED = 1, 2, 130

HELP = "help"
_ASKING = {"-h": HELP, "--help": HELP, "--version": "version"}
"""Flags that stand for a command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and (arguments[0] in _ASKING or not arguments[0].startswith("-")):
        name = _ASKING.get(arguments[0], arguments[0])
        arguments.pop(0)
    else:
        name = USUAL
    if name not in COMMANDS:
        known = name == HELP
        print(
            _help() if known else f"{PROGRAM}: there is no {name}\n\n{_help()}",
            file=sys.stdout if known else sys.stderr,
        )
        return 0 if known else NO_SUCH_COMMAND
    return _run(name, arguments)


def _run(name: str, arguments: Sequence[str]) -> int:
    command = import_module(f"{__package__}.commands.{name}{'_' if name == 'import' else ''}")
    parser = argparse.ArgumentParser(f"{PROGRAM} {name}", description=f"{COMMANDS[name]}.".capitalize())
    command.add_arguments(parser)
    try:
        return int(command.run(parser.parse_args(arguments)))
    except InvalidConfiguration as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return BAD_CONFIGURATION
    except TripodError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.close(sys.stdout.fileno())  # whoever read it has seen enough
        return 0


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            f"usage: {PROGRAM} [COMMAND] [OPTION...]",
            "",
            f"The cameras of this machine, for Home Assistant and all else that wants pictures. Tripod {version()}",
            "",
            *lines,
            "",
            f"{PROGRAM} COMMAND --help tells more.",
        ]
    )
