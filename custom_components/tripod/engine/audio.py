"""A camera's microphone: its sound as AAC beside the video, whatever becomes of the microphone.

One ffmpeg captures, one encodes, and between them a `Timeline` makes one unbroken run of samples: what came, and
silence for what did not, because a browser stops the video where its sound has a hole. The `Mixer` puts the sound
beside the video, which never waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
import logging
from pathlib import Path
import re
import time
from typing import NoReturn

from .backoff import Backoff
from .crew import change_role
from .errors import DeviceMissing, Stalled, TripodError
from .ffmpeg import Ffmpeg, explain, mpegts_output
from .mpegts_mixer import AUDIO_PID, Mixer
from .pcm import LAG, RATE, Timeline
from .process import Process

_LOGGER = logging.getLogger(__name__)

ALSA = ("-f", "alsa")
"""ffmpeg's input options for a sound card."""

CARDS = Path("/proc/asound")
"""Where the kernel has a folder for each card, by its number, and a link by its id."""

BIT_RATE = 64_000
"""Bits per second of the AAC: speech and a workshop's sounds, in one channel."""

BLOCK = RATE // 20
"""Samples that come at once: 20 wake-ups a second, where a sound card's own periods may be a thousand."""

SILENCE = 0.1
"""Seconds of silence made at once while nothing comes."""

FROZEN = 10.0
"""Seconds without a sample after which the microphone counts as frozen; it opens in one, on a slow machine."""

GOOD_SOUND = 60.0
"""Seconds of sound after which a failure counts as the first again."""

WATCH = 1.0
"""Seconds between two looks for a card that is gone."""

BEGIN = 0.1
"""Seconds of the stream's time before there may be sound: AAC begins a frame before its first sample, and a time stamp
must not lie before 0."""

_CARD = re.compile(r"\bCARD=([\w-]+)")


class AudioState(StrEnum):
    """What a microphone is doing."""

    IDLE = "idle"
    """Nobody listens."""
    STARTING = "starting"
    STREAMING = "streaming"
    RETRYING = "retrying"
    """Failed, and about to try again; silence goes with the video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStatus:
    """One moment of a microphone."""

    device: str
    state: AudioState
    error: TripodError | None
    """What keeps it silent now."""


class Audio:
    """The microphone of one pipeline; it is open only while its sound is wanted."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        device: str,
        *,
        name: str = "camera",
        on_change: Callable[[], None] = lambda: None,
        input_options: Sequence[str] = ALSA,
        cards: Path = CARDS,
    ) -> None:
        """Prepare `device`, ALSA's name of it; `name` is the camera's in the log.

        With other `input_options` it is whatever ffmpeg takes with these, such as a tone made by `-re -f lavfi`: so
        tests run without a sound card.
        """
        self.status = AudioStatus(device=device, state=AudioState.IDLE, error=None)
        self._ffmpeg = ffmpeg
        self._device = device
        self._name = name
        self._on_change = on_change
        self._input_options = input_options
        self._cards = cards
        self._logged: str | None = None

    @asynccontextmanager
    async def beside(self, deliver: Callable[[bytes], None], zero: float) -> AsyncIterator[Callable[[bytes], None]]:
        """Listen for the time of the context, whose value takes video's MPEG-TS; `deliver` gets it with the sound.

        `zero` is the moment, by the monotonic clock, at which the video's time stamps are 0.
        """
        mixer = Mixer(deliver)
        run = _Run(mixer, zero)
        tasks = [asyncio.create_task(self._keep(work, run)) for work in (self._encode, self._capture)]
        try:
            yield mixer.video
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self._set(AudioState.IDLE)

    async def _keep(self, work: Callable[[_Run], Awaitable[NoReturn]], run: _Run) -> None:
        """Do `work` for ever."""
        change_role("audio")
        backoff = Backoff()
        while True:
            began = time.monotonic()
            try:
                await work(run)
            except TripodError as error:
                if time.monotonic() - began >= GOOD_SOUND:
                    backoff.reset()
                self._set(AudioState.RETRYING, error)
                await self._rest(error, backoff)

    async def _capture(self, run: _Run) -> NoReturn:
        """Take what the microphone hears, until it fails."""
        heard = time.monotonic()

        def on_output(pcm: bytes) -> None:
            nonlocal heard
            heard = time.monotonic()
            if run.add(pcm) and self.status.state is not AudioState.STREAMING:
                self._set(AudioState.STREAMING)

        if self.status.state is AudioState.IDLE:
            self._set(AudioState.STARTING)
        if run.timeline:
            run.timeline.restart()
        async with Process(self._capturing(), on_output=on_output, explain=explain) as child:
            while (left := heard + FROZEN - time.monotonic()) > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await child.wait()
        raise Stalled(seconds=f"{FROZEN:g}")

    async def _encode(self, run: _Run) -> NoReturn:
        """Make AAC of one unbroken run of samples, until the encoder fails."""
        began = max(time.monotonic(), run.zero + BEGIN)
        argv = self._encoding(began - run.zero)
        run.mixer.restart_audio()
        timeline = run.timeline = Timeline(began)
        try:
            async with Process(argv, on_output=run.mixer.audio, explain=explain, stdin=True) as child:
                while True:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(SILENCE):
                            await run.came.wait()
                    run.came.clear()
                    late = LAG if self.status.state is AudioState.STREAMING else 0.0
                    if pcm := timeline.read(time.monotonic(), late):
                        await child.write(pcm)
        finally:
            run.timeline = None

    async def _rest(self, error: TripodError, backoff: Backoff) -> None:
        """Wait for the next try: until the card is back, where it is gone."""
        card = _CARD.search(self._device)
        if isinstance(error, DeviceMissing) and card:
            place = self._cards / (f"card{card[1]}" if card[1].isdigit() else card[1])
            if not await asyncio.to_thread(place.exists):
                while not await asyncio.to_thread(place.exists):  # noqa: ASYNC110 - nothing tells us
                    await asyncio.sleep(WATCH)
                backoff.reset()
                return
        await asyncio.sleep(backoff.next())

    def _capturing(self) -> list[str]:
        # The demuxer's time stamps are the clock's: `async` makes the samples as many as these tell, so that a card
        # whose crystal is a little off stays with the video.
        blocks = f"aresample={RATE}:async=1000,asetnsamples=n={BLOCK}:p=0"
        return self._ffmpeg.argv(
            *self._input_options,
            "-i",
            self._device,
            "-map",
            "0:a:0",
            "-af",
            blocks,
            "-ac",
            "1",
            "-flush_packets",
            "1",
            "-f",
            "s16le",
            "pipe:1",
        )

    def _encoding(self, timestamp_offset: float) -> list[str]:
        pcm = ("-f", "s16le", "-ar", str(RATE), "-ac", "1", "-probesize", "32", "-analyzeduration", "0")
        return self._ffmpeg.argv(
            *pcm,
            "-i",
            "pipe:0",
            "-c:a",
            "aac",
            "-b:a",
            str(BIT_RATE),
            # each frame of 21 ms by itself, where the muxer would gather some tenths of a second
            "-pes_payload_size",
            "0",
            "-mpegts_start_pid",
            str(AUDIO_PID),
            # the encoder's first frame lies 21 ms before its input, and everything would be moved on by these
            "-avoid_negative_ts",
            "disabled",
            *mpegts_output(timestamp_offset),
        )

    def _set(self, state: AudioState, error: TripodError | None = None) -> None:
        if error and error.cause != self._logged:
            self._logged = error.cause
            _LOGGER.warning("%s: no sound: %s", self._name, error)
        elif state is AudioState.STREAMING and self._logged:
            self._logged = None
            _LOGGER.info("%s: there is sound again", self._name)
        self.status = replace(self.status, state=state, error=error)
        self._on_change()


class _Run:
    """What the two workers share while sound is wanted."""

    def __init__(self, mixer: Mixer, zero: float) -> None:
        self.mixer = mixer
        self.zero = zero
        self.came = asyncio.Event()
        self.timeline: Timeline | None = None
        """None while there is no encoder."""

    def add(self, pcm: bytes) -> bool:
        """Take samples; False where nobody encodes them."""
        if self.timeline is None:
            return False
        self.timeline.add(pcm, time.monotonic())
        self.came.set()
        return True


def beside(
    audio: Audio | None, deliver: Callable[[bytes], None], zero: float
) -> AbstractAsyncContextManager[Callable[[bytes], None]]:
    """Return `audio.beside`, or for a camera without a microphone a context that leaves the video alone."""
    return audio.beside(deliver, zero) if audio else nullcontext(deliver)
