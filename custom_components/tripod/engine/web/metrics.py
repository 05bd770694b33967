"""A pipeline in Prometheus' text exposition format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from ..audio import AudioState
from ..pipeline import Pipeline
from ..status import State

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = dict[str, str]


def exposition(pipeline: Pipeline, camera: str, now: float) -> str:
    """Return all metrics of one camera at the Unix time `now`."""
    text = _Text({"camera": camera})
    _camera(text, pipeline, now)
    _feeds(text, pipeline)
    _viewers(text, pipeline, now)
    return "".join(text.lines())


class _Text:
    """Samples, grouped by metric as the format wants it."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = dict(labels)
        self._samples: dict[str, list[str]] = {}

    def add(
        self, name: str, kind: Literal["counter", "gauge"], text: str, value: float, labels: Labels | None = None
    ) -> None:
        name = f"tripod_{name}"
        lines = self._samples.setdefault(name, [f"# HELP {name} {text}\n", f"# TYPE {name} {kind}\n"])
        every = self._labels | (labels or {})
        written = ",".join(f'{key}="{label.translate(_ESCAPES)}"' for key, label in every.items())
        lines.append(f"{name}{{{written}}} {value:.15g}\n")

    def lines(self) -> Iterator[str]:
        for lines in self._samples.values():
            yield from lines


def _camera(text: _Text, pipeline: Pipeline, now: float) -> None:
    status = pipeline.status
    for state in State:
        text.add("state", "gauge", "1 for the state the camera is in.", status.state is state, {"state": str(state)})
    if status.error is not None:
        text.add("away", "gauge", "1 while the camera is away, by cause.", 1, {"cause": status.error.cause})
    text.add("frames_total", "counter", "Pictures that the source delivered.", status.frames)
    text.add("frames_per_second", "gauge", "Pictures per second that the source delivers.", status.frames_per_second)
    text.add("bits_per_second", "gauge", "Bits per second that the source delivers.", status.bit_rate)
    if status.frame_at is not None:
        text.add("frame_age_seconds", "gauge", "Age of the newest picture.", max(0.0, now - status.frame_at))
    text.add("restarts_total", "counter", "How often the capture failed.", status.restarts)
    text.add("transcoding", "gauge", "1 while a transcoder runs.", status.transcoding)
    if status.audio is not None:
        heard = status.audio.state is AudioState.STREAMING
        text.add("microphone", "gauge", "1 while the microphone is heard, 0 while it is silent or not wanted.", heard)
    text.add("ring_bytes", "gauge", "Video kept in memory.", status.ring_bytes)
    text.add("ring_seconds", "gauge", "How long the kept video lasts.", status.ring_seconds)
    text.add("viewers", "gauge", "Viewers now.", len(status.viewers))


def _feeds(text: _Text, pipeline: Pipeline) -> None:
    for name, feed in (("frames", pipeline.frame_feed), ("packets", pipeline.packet_feed)):
        labels = {"feed": name}
        text.add("feed_frames_total", "counter", "Pictures that went into a feed.", feed.frames, labels)
        text.add("feed_frames_per_second", "gauge", "Pictures per second in a feed.", feed.frame_meter.rate, labels)
        text.add("feed_bits_per_second", "gauge", "Bits per second in a feed.", feed.bytes_meter.rate * 8, labels)


def _viewers(text: _Text, pipeline: Pipeline, now: float) -> None:
    for viewer in pipeline.status.viewers:
        # no addresses: a link's holder need not know where the others are
        labels = {"viewer": str(viewer.number), "client": viewer.client, "kind": viewer.kind}
        text.add("viewer_pictures_total", "counter", "Pictures sent to a viewer.", viewer.pictures, labels)
        text.add("viewer_dropped_total", "counter", "Pictures a viewer was too slow for.", viewer.dropped, labels)
        text.add("viewer_bytes_total", "counter", "Bytes sent to a viewer.", viewer.bytes, labels)
        text.add("viewer_frames_per_second", "gauge", "Pictures per second sent to a viewer.", viewer.rate, labels)
        text.add(
            "viewer_connected_seconds", "gauge", "How long a viewer has been watching.", now - viewer.since, labels
        )
