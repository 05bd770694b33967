"""What the user pinned: it stays until it is unpinned."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
import json
from pathlib import Path

from . import files

NAME = ".pins.json"


class Pins:
    """Keys of what is pinned, in a file of the archive; raises `OSError`."""

    def __init__(self, root: Path) -> None:
        """Keep them in `root`; `load` reads them."""
        self._root = root
        self.keys: frozenset[str] = frozenset()

    def load(self) -> None:
        """Read them; those of files that are gone are forgotten."""
        with suppress(FileNotFoundError, ValueError):
            saved = json.loads((self._root / NAME).read_bytes())
            if isinstance(saved, list):
                self.keys = frozenset(key for key in saved if isinstance(key, str) and (self._root / key).is_file())

    def add(self, key: str) -> None:
        """Pin, on the disk before this returns."""
        if key not in self.keys:
            self._save({*self.keys, key})

    def discard(self, key: str) -> None:
        """Unpin, on the disk before this returns."""
        if key in self.keys:
            self._save(self.keys - {key})

    def _save(self, keys: Iterable[str]) -> None:
        files.write(self._root / NAME, json.dumps(sorted(keys), indent=1).encode())
        self.keys = frozenset(keys)
