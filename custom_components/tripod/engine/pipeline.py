"""One camera: demand, capture, feeds, transcoder.

Asking is the demand: whoever enters `frames` or `packets` starts the capture or joins it, and leaving ends the demand.
The medium that the source does not deliver is derived by a transcoder that runs only while somebody wants it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
import time

from .audio import Audio
from .backoff import Backoff
from .capture import Capture, Delivery
from .condition import Condition
from .crew import Crew
from .demand import OnDemand
from .errors import FormatNotSupported, NoFreshPicture, Stopped, TripodError
from .feed import Frame, FrameFeed, FrameReader, PacketFeed, PacketReader
from .options import Options, Start
from .sources.base import Medium, Source, Tools, Wanted
from .status import State, Status
from .transcode import frames_to_packets, packets_to_frames
from .viewers import Viewers
from .warm_up import WarmUp

ENCODER_LINGER = 10.0
"""Seconds that a transcoder, or an encoder of the source's own, outlives its last consumer."""

RING_SECONDS = 4.0
"""Seconds that the ring keeps at least, so that a reader that fell a little behind need not jump."""


class Pipeline:
    """One camera's source, capture, feeds and transcoder: what every consumer talks to."""

    def __init__(
        self,
        source: Source,
        tools: Tools,
        options: Options | None = None,
        *,
        name: str = "camera",
        stopped: bool = False,
        controls: Mapping[str, float] | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare a camera; nothing runs before `open` is called, and then when it is wanted.

        A `stopped` camera stays so until `start`. `controls` are the user's settings, by key. `clock` tells Unix time.
        """
        self.source = source
        self.options = options or Options()
        self.name = name
        self.frame_feed = FrameFeed(clock)
        self.packet_feed = PacketFeed(
            keep_seconds=max(self.options.pre_roll, RING_SECONDS),
            keep_bytes=self.options.ring_bytes,
            # a player that saw this camera before the program was restarted must not see numbers go back
            first_sequence=int(clock()),
            clock=clock,
        )
        self.viewers = Viewers(self.options.max_viewers)
        self.condition = Condition(name, State.STOPPED if stopped else State.IDLE, clock)
        self.condition.listen(self._state_changed)
        self.tools = tools
        self.clock = clock
        self.controls = source.controls(controls or {})
        """What can be turned while the camera runs; None where it has nothing of the kind."""
        self.audio = self._microphone()
        self.crew = Crew()
        """The child processes that work for this camera."""
        self._wanted = Wanted()
        warm_up = self.options.warm_up if source.warms_up else 0.0
        self._warm_up = WarmUp(tools.ffmpeg, self.frame_feed, warm_up, clock)
        self._transcoder_error: TripodError | None = None
        self._began = clock()
        self._stopped = stopped
        self._supervision = Capture(
            source,
            tools,
            Delivery(
                frames=self.frame_feed,
                packets=self.packet_feed,
                wanted=self._wanted,
                controls=self.controls,
                audio=self.audio,
            ),
            condition=self.condition,
            stall_limit=self.picture_age_limit,
            backoff=backoff or Backoff(),
            age=self._age,
        )
        keep = self.options.start is not Start.ON_DEMAND or self.options.pre_roll > 0
        self._capture = OnDemand(self._keep_capturing, self.options.linger, keep=keep)
        self._media = {medium: self._on_demand(medium) for medium in Medium}

    def _microphone(self) -> Audio | None:
        device = self.source.microphone
        if not device:
            return None
        return Audio(
            self.tools.ffmpeg,
            device,
            name=self.name,
            on_change=self.condition.tell,
            input_options=self.tools.audio_input,
        )

    def _on_demand(self, medium: Medium) -> OnDemand:
        """Return what runs while `medium` is wanted, as video always is where recordings may begin in the past."""
        armed = medium is Medium.PACKETS and self.options.pre_roll > 0
        if medium not in self.source.delivers:
            return OnDemand(self._keep_transcoding, ENCODER_LINGER, keep=armed)
        if len(self.source.delivers) == 1:
            return self._capture
        return OnDemand(partial(self._keep_wanted, medium), ENCODER_LINGER, keep=armed)

    def open(self) -> None:
        """Let the camera run when it is wanted, which an always-on camera is at once."""
        if not self._stopped:
            self._capture.allow()
            for work in self._media.values():
                work.allow()

    def start(self) -> State:
        """Let a stopped camera run and start it now; return the state found."""
        found = self.state
        self._stopped = False
        self._wanted.ordered = True
        if found in (State.STOPPED, State.IDLE):
            self.condition.set(State.STARTING)
        self.open()
        self._capture.run_once()
        return found

    async def stop(self) -> State:
        """End the capture, and let nobody start it until `start`; return the state found."""
        found = self.state
        self._stopped = True
        self._wanted.ordered = False
        await self._end()
        self.condition.set(State.STOPPED)
        return found

    async def restart(self) -> None:
        """Begin the capture anew, without waiting for the next try; a stopped camera starts."""
        await self._end()
        self.start()

    async def close(self) -> None:
        """End everything for good, the consumers' reading too."""
        self.condition.unlisten_all()
        self._stopped = True  # whoever waits for a picture is told so
        await self._end()
        await self._warm_up.close()
        self.frame_feed.close()
        self.packet_feed.close()

    async def _end(self) -> None:
        for work in self._media.values():
            if work is not self._capture:
                await work.block()
        await self._capture.block()

    @asynccontextmanager
    async def frames(self, *, max_rate: float | None = None) -> AsyncIterator[FrameReader]:
        """Want JPEG frames, at most `max_rate` per second."""
        with self.demand(Medium.FRAMES):
            yield self.frame_feed.reader(max_rate)

    @asynccontextmanager
    async def packets(self, *, pre_roll: float = 0.0) -> AsyncIterator[PacketReader]:
        """Want MPEG-TS, from the key frame at or before `pre_roll` seconds ago as far as that is kept."""
        with self.demand(Medium.PACKETS):
            yield self.packet_feed.reader(pre_roll)

    @contextmanager
    def demand(self, medium: Medium) -> Iterator[None]:
        """Want `medium` to come, without reading it here."""
        with self._media[medium].hold():
            yield

    async def snapshot(self, *, max_age: float | None = None, after: float | None = None, wait: float = 4.5) -> Frame:
        """Return a picture not older than `max_age` seconds, or captured later than `after` (Unix time).

        Waits up to `wait` seconds for one. Raises `Stopped`, the error that keeps the camera away, or `NoFreshPicture`.
        """
        limit = self.picture_age_limit if max_age is None else max_age
        async with self.frames() as reader:
            deadline = time.monotonic() + wait
            while True:
                frame = reader.latest
                if frame is not None and self._warm_up.settled(frame.captured_at):
                    age = self.clock() - frame.captured_at
                    if frame.captured_at > after if after is not None else age <= limit:
                        return frame
                if failure := self.failure(Medium.FRAMES):
                    raise failure
                if (remaining := deadline - time.monotonic()) <= 0:
                    raise NoFreshPicture(f"waited {wait:g} s")
                await reader.next(remaining)

    async def still(self, *, wait: float = 10.0) -> bytes:
        """Return one JPEG of the sensor's full size, which a running stream may pause for.

        Waits up to `wait` seconds for the camera to start. Raises `FormatNotSupported` where the source has no such
        picture, `Stopped`, or the error that keeps the camera away.
        """
        await self.snapshot(wait=wait)
        with self._capture.hold():
            sink = self._supervision.sink
            if sink is None or sink.still is None:
                raise FormatNotSupported("no picture of the sensor's full size beside the stream")
            return await sink.still()

    def failure(self, medium: Medium) -> TripodError | None:
        """Return why `medium` does not come before the next try; None where it comes, or may come soon."""
        if self._stopped:
            return Stopped()
        error = self.condition.error if self.state is State.RETRYING else None
        if error is None and medium not in self.source.delivers:
            error = self._transcoder_error
        # an exception that is raised again and again would gather a longer traceback each time
        return error and error.with_traceback(None)

    @property
    def picture_age_limit(self) -> float:
        """Seconds past which a picture is too old to be shown."""
        return self.options.stall_limit + self.source.interval

    @property
    def state(self) -> State:
        """What the camera is doing."""
        return self.condition.state

    @property
    def error(self) -> TripodError | None:
        """What keeps the camera away now."""
        return self.condition.error

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of state; return a function that ends this."""
        return self.condition.listen(callback)

    @property
    def status(self) -> Status:
        """How the camera is at this moment, for all who report."""
        native_frames = self._delivered is Medium.FRAMES
        feed = self.frame_feed if native_frames else self.packet_feed
        width, height = feed.picture_size or (None, None)
        return Status(
            state=self.condition.state,
            error=self.condition.error,
            last_error=self.condition.last_error,
            last_error_at=self.condition.last_error_at,
            retry_at=self.condition.retry_at,
            restarts=self.condition.restarts,
            medium=self._delivered,
            codec="mjpeg" if native_frames else self.packet_feed.parser.video_codec,
            width=width,
            height=height,
            frames_per_second=feed.frame_meter.rate,
            bit_rate=feed.bytes_meter.rate * 8,
            frame_at=feed.last_frame_at,
            frames=feed.frames,
            transcoding=any(work.running for medium, work in self._media.items() if medium not in self.source.delivers),
            audio=self.audio.status if self.audio else None,
            ring_bytes=self.packet_feed.size,
            ring_seconds=sum(segment.duration for segment in self.packet_feed.segments),
            viewers=self.viewers.statistics(),
        )

    @property
    def _delivered(self) -> Medium:
        """The medium that the source delivers now; of two, the chief one where it is wanted."""
        native = self.source.native
        wanted = [medium for medium in self.source.delivers if medium in self._wanted]
        return native if native in wanted or not wanted else wanted[0]

    def _state_changed(self) -> None:
        if self.state is State.STREAMING:
            self._warm_up.begin()
        else:
            self._warm_up.end()
        self.frame_feed.interrupt()
        self.packet_feed.interrupt()

    def _age(self) -> float:
        return self.clock() - self._began

    async def _keep_capturing(self) -> None:
        self.crew.work("capture")
        try:
            await self._supervision.run()
        finally:
            if not self._stopped:
                self.condition.set(State.IDLE)

    async def _keep_wanted(self, medium: Medium) -> None:
        """Let a source that delivers both media make this one."""
        self._wanted.add(medium)
        try:
            with self._capture.hold():
                await asyncio.Event().wait()
        finally:
            self._wanted.discard(medium)
            (self.frame_feed if medium is Medium.FRAMES else self.packet_feed).clear()

    async def _keep_transcoding(self) -> None:
        self.crew.work("transcoder")
        backoff = Backoff()
        derived = self.frame_feed if self.source.native is Medium.PACKETS else self.packet_feed
        try:
            with self._capture.hold():
                while True:
                    try:
                        await self._transcode()
                        backoff.reset()
                    except TripodError as error:
                        self._transcoder_error = error
                        self.condition.note(error)
                        derived.interrupt()
                        await asyncio.sleep(backoff.next())
        finally:
            self._transcoder_error = None
            derived.clear()

    async def _transcode(self) -> None:
        """Derive the medium that the source does not deliver, until the stream's parameters change."""
        if self.source.native is Medium.PACKETS:
            await packets_to_frames(
                self.tools.ffmpeg, self.packet_feed.reader(), self.options, self._publish_derived_frame
            )
        else:
            self.packet_feed.restart()
            await frames_to_packets(
                self.tools.encoders,
                self.frame_feed.reader(),
                self.options,
                self.packet_feed.free_from(self._age()),
                self._publish_derived_packets,
                self.audio,
            )

    def _publish_derived_packets(self, data: bytes) -> None:
        self._transcoder_error = None
        self.packet_feed.publish(data)

    def _publish_derived_frame(self, jpeg: bytes, seconds: float) -> None:
        self._transcoder_error = None
        # a picture whose time stamp is not known has no known age, and is not shown
        if self.state is State.STREAMING and (captured_at := self.packet_feed.arrival(seconds)) is not None:
            self.frame_feed.publish(jpeg, captured_at)
