"""A program that publishes and prunes as fast as it can, until it is killed."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
import os
from pathlib import Path

from custom_components.tripod.engine.archive import Archive, Governor, Item, Kind, Limits, Retention, files

from .common import BERLIN, NOON

CONTENT = b"whole" * 10_000
FACTS = {"whole": True}
KEPT = 10


def run(root: Path, day: int, output: int) -> None:
    """Be busy with an archive in `root`, from so many days after some noon on.

    Each line that is written to the descriptor `output` names a key that is there for good, `+`, that may be removed
    from now on, `?`, or that is removed for good, `-`.
    """

    def say(sign: str, item: Item) -> None:
        os.write(output, f"{sign}{item.key}\n".encode())

    archive = Archive(root, "garden", zone=BERLIN, floor=0)
    archive.open()
    archive.clear_parts()
    limits = dict.fromkeys(Kind, Limits(max_count=KEPT))
    governor = Governor({archive: Retention(limits)})
    for step in count():
        at = NOON + timedelta(days=day, minutes=7 * step)
        say("+", archive.publish(Kind.FRAME, at, CONTENT, suffix=".jpg", job="a"))
        named = archive.publish(Kind.SNAPSHOT, at, CONTENT, suffix=".jpg", name=f"door/{step}.jpg", thumbnail=CONTENT)
        say("+", named)
        part = archive.new_part("recording") / "whole.mp4"
        part.write_bytes(CONTENT)
        say("+", archive.publish(Kind.RECORDING, at, part, suffix=".mp4", details=FACTS, thumbnail=CONTENT))
        part.parent.rmdir()
        files.write(archive.chunk_folder("a", "look") / f"{at.date()}.mp4", CONTENT)
        if step % 3 == 0:
            archive.pin(named.key)
            archive.unpin(named.key)
        if step % 4 == 0:
            for removal in governor.plan():
                say("?", removal.item)
            for removal in governor.prune():
                say("-", removal.item)
            archive.close()
