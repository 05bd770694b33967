"""Where messages go: to stderr, which the journal or the container keeps, and to a file where one is wanted.

They are written by a thread, through a queue that has an end: a journal that hangs holds up no camera, and fills no
memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
import json
import logging
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
import os
from pathlib import Path
import queue
import sys

from ..engine.errors import InvalidConfiguration
from .config import LOG_LEVELS

WAITING = 1000
"""Messages that wait for one that is being written, at most: more come only while a disk hangs, and are lost."""

FILE_BYTES, FILES = 2**20, 3
"""A log file's size, and how many older ones stay."""

_QUIET = ("aiohttp.access", "asyncio", "zeroconf")
"""What would tell of each request, or of the network's noise, below warnings."""

_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""Syslog's numbers, which the journal reads from the beginning of a line."""


@contextmanager
def logging_to(
    level: str, file: Path | None, environ: Mapping[str, str] = os.environ, *, form: str = "text"
) -> Iterator[None]:
    """Log messages of `level` and above, to `file` as well where one is given, as text or JSON.

    Raises `InvalidConfiguration`.
    """
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(WAITING)
    listener = _Writer(waiting, *_handlers(file, environ, form))
    root = logging.getLogger()
    root.handlers = [_Bounded(waiting)]
    root.setLevel(LOG_LEVELS[level])
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(LOG_LEVELS[level], logging.WARNING))
    listener.start()
    try:
        yield
    finally:
        listener.stop()
        root.handlers = []
        for handler in listener.handlers:
            handler.close()


class _Writer(QueueListener):
    """Ends after the last message, even where there was no room for the word that it is the last."""

    def enqueue_sentinel(self) -> None:
        self.queue.put(None)  # type: ignore[attr-defined]  # what tells the thread to end


class _Bounded(QueueHandler):
    """Loses what there is no room for."""

    def enqueue(self, record: logging.LogRecord) -> None:
        with suppress(queue.Full):
            super().enqueue(record)


class _Journal(logging.Formatter):
    """Lines with their priority; the journal knows the time itself."""

    def format(self, record: logging.LogRecord) -> str:
        priority = _PRIORITIES.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())


class _Json(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": super().format(record),
        }
        return json.dumps({**told, **getattr(record, "facts", {})}, ensure_ascii=False)


def _handlers(file: Path | None, environ: Mapping[str, str], form: str) -> list[logging.Handler]:
    timed = _Json() if form == "json" else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    stderr = logging.StreamHandler(sys.stderr)
    journal = "JOURNAL_STREAM" in environ and form != "json"
    stderr.setFormatter(_Journal("%(name)s: %(message)s") if journal else timed)
    if file is None:
        return [stderr]
    try:
        rotating = RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES, encoding="utf-8")
    except OSError as error:
        raise InvalidConfiguration(f"{file} cannot be written: {error.strerror}", where="[log]") from error
    rotating.setFormatter(timed)
    return [stderr, rotating]
