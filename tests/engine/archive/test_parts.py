"""Folders of what is being written."""

from pathlib import Path

import pytest

from custom_components.tripod.engine.archive import Archive, files


def test_a_folder_that_is_being_made_is_not_one_from_before(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread clears up while the new folder's name is brought onto the disk."""
    sync_folder = files.sync_folder

    def sync_and_clear(folder: Path) -> None:
        sync_folder(folder)
        archive.clear_parts()

    monkeypatch.setattr(files, "sync_folder", sync_and_clear)
    part = archive.new_part("render")
    assert part.is_dir()
    assert archive.parts("render") == []
