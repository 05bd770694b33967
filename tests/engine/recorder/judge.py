"""What ffprobe says of a finished recording."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
import json
from pathlib import Path
import subprocess
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The facts of a file in which nothing is wrong."""

    duration: float
    video: dict[str, Any]
    audio: dict[str, Any] | None
    times: list[float]
    """Of its frames, as they are shown."""
    tags: dict[str, str]

    @property
    def widest_gap(self) -> float:
        """Seconds between two frames, at most."""
        return max((after - before for before, after in pairwise(self.times)), default=0.0)


def judge(path: Path) -> Verdict:
    """Look at a file; fails where a player would have trouble."""
    said = _ffprobe(path, "-show_format", "-show_streams", "-show_packets")
    streams = {stream["codec_type"]: stream for stream in said["streams"]}
    video, audio = streams["video"], streams.get("audio")
    packets = [packet for packet in said["packets"] if packet["stream_index"] == video["index"]]
    assert packets[0]["flags"].startswith("K"), "it does not begin with a key frame"
    for stream in streams.values():
        own = [packet for packet in said["packets"] if packet["stream_index"] == stream["index"]]
        assert own, stream
        stamps = [float(packet["dts_time"]) for packet in own if "dts_time" in packet]  # which Matroska does not have
        assert all(before < after for before, after in pairwise(stamps)), "time goes back"
    assert abs(float(said["format"]["start_time"])) < 0.1
    if path.suffix == ".mp4":
        atoms = _atoms(path.read_bytes())
        assert atoms.index("moov") < atoms.index("mdat"), atoms
    return Verdict(
        duration=float(said["format"]["duration"]),
        video=video,
        audio=audio,
        times=sorted(float(packet["pts_time"]) for packet in packets),
        tags=said["format"].get("tags", {}),
    )


def _ffprobe(path: Path, *show: str) -> dict[str, Any]:
    command = ("ffprobe", "-v", "error", *show, "-of", "json", str(path))
    run = subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert run.stderr == b"", run.stderr.decode()
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def _atoms(data: bytes) -> list[str]:
    """Return the names of the outermost parts of an MP4 file (ISO/IEC 14496-12, 4.2)."""
    names, position = [], 0
    while position < len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        names.append(data[position + 4 : position + 8].decode())
        position += size if size > 1 else int.from_bytes(data[position + 8 : position + 16], "big") or len(data)
    return names
