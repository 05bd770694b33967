"""A judge of archives: whether all that is to be seen in one is whole, and stays as it is."""

from __future__ import annotations

from datetime import datetime, timedelta
import json
from pathlib import Path
import subprocess

from PIL import Image

from custom_components.tripod.engine.archive import parse

_PROBE = ("ffprobe", "-v", "error", "-of", "json", "-show_entries", "format=duration:stream=codec_type,nb_frames")
_DECODE = ("ffmpeg", "-v", "error", "-xerror", "-i")
_AS_TIMED = ("-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-")
"""At the times that the file has: a camera whose machine is busy brings two pictures at nearly the same one."""


class Judge:
    """Looks at an archive as anybody else on the disk sees it."""

    def __init__(self, root: Path) -> None:
        """Look at the archive in `root`."""
        self.root = root
        self._judged: dict[Path, tuple[int, int, int]] = {}

    def files(self, kind: str = "") -> list[Path]:
        """Return all finished files, or those below the folder `kind`, oldest first."""
        found = (self.root / kind).rglob("*")
        return sorted(path for path in found if path.is_file() and not self._hidden(path))

    def _hidden(self, path: Path) -> bool:
        return any(part.startswith(".") for part in path.relative_to(self.root).parts)

    def look(self) -> None:
        """Fail where a file is not whole, or is another one than it was at the last look, or gone."""
        files = self.files()
        assert self._judged.keys() <= set(files), "what was finished is lost"
        for path in files:
            stat = path.stat()
            identity = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if path not in self._judged:
                _judge(path)
            assert self._judged.setdefault(path, identity) == identity, f"{path} changed after it could be seen"


def _judge(path: Path) -> None:
    """Fail where a file is not whole."""
    if path.suffix == ".jpg":
        assert path.read_bytes().endswith(b"\xff\xd9"), path
        with Image.open(path) as image:
            image.load()
    elif path.suffix == ".mp4":
        decoded = subprocess.run((*_DECODE, path, *_AS_TIMED), capture_output=True, text=True, check=False)
        assert (decoded.returncode, decoded.stderr) == (0, ""), path
    else:
        json.loads(path.read_bytes())


def began(path: Path) -> datetime:
    """Return the capture time that a file is named by."""
    captured_at = parse(path.name)
    assert captured_at, path
    return captured_at


def ended(path: Path) -> datetime:
    """Return when the last picture of a recording was taken."""
    return began(path) + timedelta(seconds=duration(path))


def duration(path: Path) -> float:
    """Return how many seconds a video lasts."""
    probed = subprocess.run((*_PROBE, path), capture_output=True, check=True)
    return float(json.loads(probed.stdout)["format"]["duration"])


def pictures(path: Path) -> int:
    """Return how many pictures a video has."""
    probed = subprocess.run((*_PROBE, path), capture_output=True, check=True)
    return int(next(s["nb_frames"] for s in json.loads(probed.stdout)["streams"] if s["codec_type"] == "video"))
