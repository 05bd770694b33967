"""Killed at any instant: nothing is half there, nothing that was said to be there is lost, nothing is left behind."""

from __future__ import annotations

from multiprocessing import get_context
import os
from pathlib import Path
import random
import signal

from custom_components.tripod.engine.archive import Archive, Item, Kind

from .busy import CONTENT, FACTS, run
from .common import BERLIN, visible

KILLS = int(os.environ.get("TRIPOD_KILLS", "8"))

MOST = 30
"""Files that are published before it is killed, at most."""

LATEST = 0.01
"""Seconds after the last of them until it is killed, at most: in that time it publishes or removes some more."""


def killed(root: Path, day: int, published: int, delay: float) -> dict[str, set[str]]:
    """Kill the program `delay` seconds after it published so many files; return what it said until then."""
    read, write = os.pipe()
    child = get_context("fork").Process(target=run, args=(root, day, write))  # a new Python would take a second each
    child.start()
    os.close(write)
    said: list[str] = []
    with open(read) as output:  # noqa: PTH123 - a pipe
        while sum(line[0] == "+" for line in said) < published:
            said.append(output.readline())
        child.join(delay)
        child.kill()
        said += output.readlines()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    return {sign: {line[1:].strip() for line in said if line[0] == sign and line[-1] == "\n"} for sign in "+?-"}


def test_killed_at_any_instant(tmp_path: Path) -> None:
    instant = random.Random(os.environ.get("TRIPOD_SEED", "4"))  # noqa: S311 - any will do
    root = tmp_path / "archive"
    there: set[str] = set()
    for kill in range(KILLS):
        said = killed(root, 99 * kill, instant.randrange(MOST), instant.uniform(0, LATEST))
        for path in visible(root):
            assert (root / path).stat().st_size == len(CONTENT), f"{path} is half there after kill {kill}"
        archive = Archive(root, "garden", zone=BERLIN, floor=0, known=True)
        archive.open()
        archive.clear_parts()
        found = items(archive)
        assert not (there | said["+"]) - found.keys() - said["?"], f"lost by kill {kill}"
        assert not found.keys() & said["-"], f"back after kill {kill}"
        assert sorted(found) == visible(root), f"nobody's after kill {kill}"
        assert sum(usage.count for usage in archive.usage().values()) == len(found)
        check_what_lies_beside(archive, found, kill)
        there = {*found}


def check_what_lies_beside(archive: Archive, found: dict[str, Item], kill: int) -> None:
    for item in found.values():
        assert archive.details(item) == (FACTS if item.kind is Kind.RECORDING else {})
        assert bool(archive.thumbnail(item)) == (item.kind in (Kind.RECORDING, Kind.SNAPSHOT))
    details = archive.root / ".details"
    beside = [path.relative_to(details).with_suffix("") for path in details.rglob("*") if path.is_file()]
    assert {str(path) for path in beside} <= found.keys(), f"orphans after kill {kill}"
    assert list((archive.root / ".parts").iterdir()) == []
    assert list(archive.root.rglob("*.part")) == []


def items(archive: Archive) -> dict[str, Item]:
    """Return all there is, by key."""
    found = [
        item
        for kind, job in archive.usage()
        for day in archive.days(kind, job)
        for item in archive.items(kind, day.date, job)
    ]
    return {item.key: item for item in found}
