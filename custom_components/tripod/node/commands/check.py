"""Look whether everything is as it should be."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
import asyncio
import logging
import os
from pathlib import Path
import textwrap

from ..checks import Finding, Verdict, every
from ..config import NodeConfig
from ..configuration import find
from ..tools import tools
from .options import add_configuration, configuration

INDENT = 9
WIDTH = 100


def add_arguments(parser: ArgumentParser) -> None:
    """Have those of the configuration, and one to leave the cameras alone."""
    parser.add_argument("--no-cameras", action="store_true", help="do not open the cameras")
    add_configuration(parser)


def run(arguments: Namespace) -> int:
    """Print what was found; return 1 where something will not work."""
    config = configuration(arguments)
    logging.disable(logging.WARNING)  # what is found is said once
    return asyncio.run(_report(config, find(os.environ, arguments.config), look=not arguments.no_cameras))


async def _report(config: NodeConfig, path: Path | None, *, look: bool) -> int:
    problems = 0
    async for finding in every(config, path, tools(config.tools), look=look):
        problems += finding.verdict is Verdict.BAD
        print(_lines(finding), flush=True)
    print(f"\n{problems} problem{'s' if problems != 1 else ''}." if problems else "\nAll is well.")
    return 1 if problems else 0


def _lines(finding: Finding) -> str:
    text = f"{finding.about}: {finding.text}" + (f": {finding.hint}" if finding.hint else "")
    return textwrap.fill(
        text, WIDTH, initial_indent=f"{finding.verdict.value:{INDENT}}", subsequent_indent=" " * INDENT
    )
