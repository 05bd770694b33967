"""Serve the cameras."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
import asyncio
import faulthandler
import gc
import logging
import signal

from ..config import NodeConfig
from ..learned import learned
from ..log import logging_to
from ..node import Node
from ..systemd import Systemd
from ..tools import tools
from .options import add_configuration, configuration

_LOGGER = logging.getLogger(__name__)

STOP_LIMIT = 9.0
"""Seconds to stop in: recordings are published in two or three, and who asked waits ten before it kills."""


def add_arguments(parser: ArgumentParser) -> None:
    """Have those of the configuration."""
    add_configuration(parser)


def run(arguments: Namespace) -> int:
    """Serve until SIGTERM or SIGINT; raises what keeps it from serving."""
    config = configuration(arguments)
    # what hangs is told by where it hangs: systemd's watchdog ends with SIGABRT
    faulthandler.enable()
    with logging_to(config.log_level, config.log_file, form=config.log_format):
        asyncio.run(serve(config, Systemd()))
    faulthandler.cancel_dump_traceback_later()
    return 0


async def serve(config: NodeConfig, systemd: Systemd) -> None:
    """Serve what is configured, until a signal comes."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _LOGGER.warning, "SIGHUP changes nothing: restart for a new configuration")
    pings = asyncio.create_task(systemd.ping())
    node = Node(await learned(config, tools(config.tools)))
    try:
        await node.open()
        _settle()
        count = len(config.cameras)
        systemd.ready(f"Serving {count} camera{'s' if count != 1 else ''}")
        await stop.wait()
    finally:
        systemd.stopping()
        # whatever hangs now, a thread on a dead disk too, is told and left behind
        faulthandler.dump_traceback_later(STOP_LIMIT, exit=True)
        await node.close()
        pings.cancel()


def _settle() -> None:
    """Leave what was loaded alone from now on: going through it again and again frees nothing."""
    gc.collect()
    gc.freeze()
