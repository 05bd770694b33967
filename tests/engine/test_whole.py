"""Whole files of real ffmpeg are taken as whole, and cut ones are not."""

from __future__ import annotations

from pathlib import Path
import subprocess

import pytest

from custom_components.tripod.engine.whole import is_whole

ARGUMENTS = {
    "clip.mp4": ["-t", "1", "-c:v", "libx264", "-movflags", "+faststart"],
    "fragments.mp4": ["-t", "1", "-c:v", "libx264", "-movflags", "frag_keyframe+empty_moov"],
    "clip.mkv": ["-t", "1", "-c:v", "libx264"],
    "picture.jpg": ["-frames:v", "1"],
    "picture.png": ["-frames:v", "1"],
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_cut_file_is_told_from_a_whole_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10"]
    subprocess.run(["ffmpeg", "-v", "error", *source, *ARGUMENTS[name], str(path)], check=True)  # noqa: S607
    assert is_whole(path)
    data = path.read_bytes()
    for cut in (0, 1, 7, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:cut])
        assert not is_whole(path)
    path.write_bytes(b"<html>" + data)
    assert not is_whole(path)


def test_a_live_matroska_has_no_length(tmp_path: Path) -> None:
    path = tmp_path / "live.mkv"
    path.write_bytes(bytes.fromhex("1A45DFA3 80 18538067 01FFFFFFFFFFFFFF") + b"clusters")
    assert is_whole(path)


def test_a_large_box_and_one_that_goes_on_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    boxes = b"\0\0\0\x08ftyp" + b"\0\0\0\x08moov" + b"\0\0\0\x01mdat" + (20).to_bytes(8, "big") + b"data"
    path.write_bytes(boxes + b"\0\0\0\0free" + b"rest")
    assert is_whole(path)
    path.write_bytes(boxes[8:])
    assert not is_whole(path), "no ftyp"


def test_what_no_archive_keeps_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<html></html>")
    assert not is_whole(path)
