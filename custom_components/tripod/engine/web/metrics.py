"""All cameras in Prometheus' text exposition format: what each does, keeps, sends and costs.

A metric appears once for all cameras, and names the camera in a label. There are as many series as the configuration
and the viewers of the moment make: nothing that comes and goes has a number of its own for ever.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
import time
from typing import TypeVar

from ..audio import AudioState
from ..camera import Camera
from ..crew import Own, Usage, own
from ..mqtt import MqttStatus
from ..pipeline import Pipeline
from ..publisher import PublisherState
from ..status import State
from .exposition import Exposition

MAX_VIEWERS = 64
"""Viewers of a camera that have series of their own; all count in the sums."""

DAY = 86400

Labels = dict[str, str]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reported:
    """A camera that is reported on: what it delivers, and with `camera` all that it keeps and publishes."""

    title: str
    pipeline: Pipeline
    camera: Camera | None = None
    mqtt: MqttStatus | None = None


async def exposition(
    cameras: Iterable[Reported], *, process: bool = False, clock: Callable[[], float] = time.time
) -> str:
    """Return all metrics of `cameras`, and with `process` those of this process itself."""
    text, now = Exposition(), clock()
    for title, reported in _named(cameras).items():
        one = _One(text, {"camera": title}, now)
        _camera(one, reported.pipeline)
        _feeds(one, reported.pipeline)
        _viewers(one, reported.pipeline)
        _workers(one, await reported.pipeline.crew.usage())
        if reported.camera:
            _kept(one, reported.camera)
            _jobs(one, reported.camera)
            _publications(one, reported.camera)
        if reported.mqtt:
            _mqtt(one, reported.mqtt)
    if process and (facts := await asyncio.to_thread(own)):
        _process(text, facts)
    return str(text)


def _named(cameras: Iterable[Reported]) -> Mapping[str, Reported]:
    """Return the cameras by their titles, with a number where one has another's: no two series may be the same."""
    return _unique((camera.title, camera) for camera in cameras)


def _unique(named: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, thing in named:
        names = chain([name], (f"{name} {number}" for number in count(2)))
        found[next(free for free in names if free not in found)] = thing
    return found


class _One:
    """Samples of one camera, or of something of it."""

    def __init__(self, text: Exposition, labels: Labels, now: float) -> None:
        self.now = now
        self._text = text
        self._labels = labels

    def of(self, **labels: str) -> _One:
        return _One(self._text, {**self._labels, **labels}, self.now)

    def gauge(self, name: str, text: str, value: float) -> None:
        self._text.add(f"tripod_{name}", "gauge", text, value, self._labels)

    def counter(self, name: str, text: str, value: float) -> None:
        self._text.add(f"tripod_{name}_total", "counter", text, value, self._labels)


def _camera(one: _One, pipeline: Pipeline) -> None:
    status = pipeline.status
    for state in State:
        one.of(state=str(state)).gauge("state", "1 for the state the camera is in.", status.state is state)
    if status.error is not None:
        one.of(cause=status.error.cause).gauge("away", "1 while the camera is away, by cause.", 1)
    one.counter("frames", "Pictures that the source delivered.", status.frames)
    one.gauge("frames_per_second", "Pictures per second that the source delivers.", status.frames_per_second)
    one.gauge("bytes_per_second", "Bytes per second that the source delivers.", status.bit_rate / 8)
    if status.frame_at is not None:
        one.gauge("frame_age_seconds", "Age of the newest picture.", max(0.0, one.now - status.frame_at))
    one.counter("restarts", "How often the capture failed.", status.restarts)
    one.gauge("transcoding", "1 while a transcoder runs.", status.transcoding)
    if status.audio is not None:
        heard = status.audio.state is AudioState.STREAMING
        one.gauge("microphone", "1 while the microphone is heard, 0 while it is silent or not wanted.", heard)
    one.gauge("ring_bytes", "Video kept in memory.", status.ring_bytes)
    one.gauge("ring_seconds", "How long the kept video lasts.", status.ring_seconds)
    one.gauge("viewers", "Viewers now.", len(status.viewers))


def _feeds(one: _One, pipeline: Pipeline) -> None:
    for name, feed in (("frames", pipeline.frame_feed), ("packets", pipeline.packet_feed)):
        of = one.of(feed=name)
        of.counter("feed_frames", "Pictures that went into a feed.", feed.frames)
        of.gauge("feed_frames_per_second", "Pictures per second in a feed.", feed.frame_meter.rate)
        of.gauge("feed_bytes_per_second", "Bytes per second in a feed.", feed.bytes_meter.rate)


def _viewers(one: _One, pipeline: Pipeline) -> None:
    for kind, sent in pipeline.viewers.sent().items():
        of = one.of(kind=kind)
        of.counter("sent_pictures", "Pictures sent to viewers, those that left too.", sent.pictures)
        of.counter("sent_bytes", "Bytes sent to viewers, those that left too.", sent.bytes)
        of.counter("sent_dropped", "Pictures that viewers were too slow for.", sent.dropped)
    for viewer in pipeline.status.viewers[:MAX_VIEWERS]:
        # no addresses: a link's holder need not know where the others are
        of = one.of(viewer=str(viewer.number), client=viewer.client, kind=viewer.kind)
        of.counter("viewer_pictures", "Pictures sent to a viewer.", viewer.pictures)
        of.counter("viewer_dropped", "Pictures a viewer was too slow for.", viewer.dropped)
        of.counter("viewer_bytes", "Bytes sent to a viewer.", viewer.bytes)
        of.gauge("viewer_frames_per_second", "Pictures per second sent to a viewer.", viewer.rate)
        of.gauge("viewer_connected_seconds", "How long a viewer has been watching.", one.now - viewer.since)


def _workers(one: _One, crew: Mapping[str, Usage]) -> None:
    for role, usage in sorted(crew.items()):
        of = one.of(worker=role)
        of.gauge("workers", "Child processes that work for the camera.", usage.count)
        of.counter("worker_cpu_seconds", "CPU time of the camera's child processes.", usage.cpu)
        of.gauge("worker_memory_bytes", "Resident memory of the camera's child processes.", usage.memory)


def _kept(one: _One, camera: Camera) -> None:
    one.gauge("archive_writable", "1 while files can be kept.", camera.present and camera.error is None)
    sizes: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for (kind, _), usage in camera.kept.usage.items():
        sizes[kind] += usage.size
        files[kind] += usage.count
    for name, size in sizes.items():
        of = one.of(kind=str(name))
        of.gauge("archive_bytes", "What is kept of the camera.", size)
        of.gauge("archive_files", "Files that are kept of the camera.", files[name])
    if camera.kept.free is not None:
        one.gauge("archive_free_bytes", "Free space on the disk of the archive.", camera.kept.free)
    if camera.kept.forecast is not None:
        one.gauge("archive_full_seconds", "Time until that disk is full, as things go.", camera.kept.forecast * DAY)


def _jobs(one: _One, camera: Camera) -> None:
    one.gauge("recordings", "Recordings under way.", len(camera.recordings))
    lost = sum(recording.lost for recording in camera.recordings)
    one.gauge("recordings_lost_seconds", "What recordings under way could not write.", lost)
    for status in camera.timelapses.jobs:
        of = one.of(job=status.job.name)
        of.gauge("timelapse_running", "1 while a timelapse takes frames.", status.running)
        of.gauge("timelapse_frames_today", "Frames of a timelapse since midnight.", status.frames_today)
        of.gauge("timelapse_missed", "Frames that were due while the camera or the disk was away.", status.missed)
        of.gauge("timelapse_skipped", "Pictures left out, being unchanged or dark.", status.skipped)
    one.gauge("renders", "Timelapse videos that wait or are made.", len(camera.renders))
    if camera.renders:
        one.gauge("render_progress", "How far the first of these is, of 1.", camera.renders[0].progress)


def _publications(one: _One, camera: Camera) -> None:
    publishers = camera.publications.publishers.values()
    for title, publisher in _unique((publisher.title, publisher) for publisher in publishers).items():
        status, of = publisher.status, one.of(publication=title)
        for state in PublisherState:
            of.of(state=str(state)).gauge("publication_state", "1 for the state it is in.", status.state is state)
        of.counter("publication_frames", "Pictures that the server took.", status.frames)
        of.counter("publication_bytes", "Bytes that went to the server.", status.bytes)
        of.counter("publication_dropped", "How often the server was too slow.", status.dropped)
        of.counter("publication_restarts", "Connections that failed or were lost.", status.restarts)


def _mqtt(one: _One, status: MqttStatus) -> None:
    one.gauge("mqtt_connected", "1 while the MQTT broker is there.", status.connected)
    one.counter("mqtt_breaks", "How often the connection to the MQTT broker was lost.", status.breaks)
    one.counter("mqtt_dropped", "Messages that the MQTT broker never got.", status.dropped)


def _process(text: Exposition, facts: Own) -> None:
    """Add what every exporter tells of itself, by the names that are usual for it."""
    add = partial(text.add, labels={})
    add("process_cpu_seconds_total", "counter", "CPU time of this process.", facts.usage.cpu)
    add("process_resident_memory_bytes", "gauge", "Resident memory of this process.", facts.usage.memory)
    add("process_start_time_seconds", "gauge", "When this process began, in Unix time.", facts.started_at)
    add("process_open_fds", "gauge", "Open file descriptors of this process.", facts.open_files)
    add("process_threads", "gauge", "Threads of this process.", facts.threads)
