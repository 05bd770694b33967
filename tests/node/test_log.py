"""Messages are written by a thread, and never fill anything up."""

from __future__ import annotations

from datetime import datetime
import json
import logging
from pathlib import Path
import threading

import pytest

from custom_components.tripod.engine.errors import InvalidConfiguration
from custom_components.tripod.node import log


@pytest.fixture(autouse=True)
def as_before() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


def test_a_file_never_grows_beyond_its_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log, "FILE_BYTES", 2000)
    file = tmp_path / "node.log"
    with log.logging_to("info", file, {}):
        for number in range(500):
            logging.getLogger("tripod").info("message %d", number)
            logging.getLogger("tripod").debug("never")
    written = sorted(tmp_path.iterdir())
    assert len(written) == 1 + log.FILES
    assert all(path.stat().st_size <= 2000 for path in written)
    assert "message 499" in file.read_text()
    assert "message 499" in capsys.readouterr().err


def test_the_journal_is_told_how_bad_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with log.logging_to("debug", None, {"JOURNAL_STREAM": "8:1"}):
        logging.getLogger("tripod").warning("two\nlines")
        logging.getLogger("aiohttp.access").info("a request")
    assert capsys.readouterr().err == "<4>tripod: two\n<4>lines\n"


def test_what_collects_logs_gets_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with log.logging_to("debug", None, {"JOURNAL_STREAM": "8:1"}, form="json"):
        logging.getLogger("tripod").warning("two\nlines of %s", "text", extra={"facts": {"status": 200}})
    [line] = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert datetime.fromisoformat(told.pop("time")).tzinfo is not None
    assert told == {"level": "warning", "logger": "tripod", "message": "two\nlines of text", "status": 200}


def test_a_journal_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = threading.Event()

    class Hanging(logging.StreamHandler):  # type: ignore[type-arg]
        def emit(self, _: logging.LogRecord) -> None:
            hanging.wait()

    monkeypatch.setattr(logging, "StreamHandler", Hanging)
    with log.logging_to("info", None, {}):
        for number in range(log.WAITING * 2):
            logging.getLogger("tripod").info("message %d", number)
        hanging.set()


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="cannot be written"), log.logging_to("info", tmp_path, {}):
        pass
