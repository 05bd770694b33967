"""What is being written: on the archive's own disk, so that a rename publishes it, and out of everybody's sight."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
import secrets

from . import files

FOLDER = ".parts"


class Parts:
    """The folders and files in which an archive's next items are made; raises `OSError`."""

    def __init__(self, root: Path) -> None:
        """Keep them below `root`."""
        self._root = root
        self._folder = root / FOLDER
        self._begun: set[Path] = set()

    def open(self) -> None:
        """Remove single files that were left behind: what they were for, nobody knows."""
        files.make_folder(self._root, self._folder)
        files.remove_parts(self._folder)

    def new(self, owner: str) -> Path:
        """Return a new folder for `owner`."""
        folder = self._folder / f"{owner}-{secrets.token_hex(6)}"
        self._begun.add(folder)  # before it can be seen, and cleared as one from before
        files.make_folder(self._root, folder)
        return folder

    def file(self) -> Path:
        """Return the path for a new file."""
        files.make_folder(self._root, self._folder)
        return self._folder / files.part_name()

    def left(self, owner: str) -> list[Path]:
        """Return the folders of `owner` from before."""
        return sorted(folder for folder in self._left() if _owner(folder) == owner)

    def clear(self, keep: Collection[str]) -> None:
        """Remove all folders from before, but those of the owners in `keep`."""
        for folder in self._left():
            if _owner(folder) not in keep:
                files.remove_folder(folder)

    def _left(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return [
                path
                for path in self._folder.iterdir()
                if path not in self._begun and not path.is_symlink() and path.is_dir()
            ]
        return []


def _owner(folder: Path) -> str:
    return folder.name.rpartition("-")[0]
