"""Choose the encoder: each candidate is tried once, what it showed is remembered, and one that fails in use is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
import hashlib
import logging
import os
from pathlib import Path
import time
from typing import Any

from ..errors import TripodError
from ..ffmpeg import Ffmpeg
from ..listeners import Listeners
from .judge import Outcome, Verdict
from .ladder import LADDER, SOFTWARE, Encoder
from .trial import try_out

_LOGGER = logging.getLogger(__name__)

REST = 600.0
"""Seconds for which an encoder is left alone that failed in use: another program may hold it, or it proved it can work
and one camera's picture is too large for it."""


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    until: float


class Encoders:
    """What is known about the encoders of one ffmpeg, and which of them to use."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        *,
        ladder: Sequence[Encoder] = LADDER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Choose from `ladder`, the best first; `clock` tells seconds."""
        self.ffmpeg = ffmpeg
        self._ladder = ladder
        self._clock = clock
        self._remembered: Mapping[str, Any] = {}
        self._key = ""
        self._nodes: dict[str, list[str]] = {}
        self._in_ffmpeg: frozenset[str] | None = None
        self._verdicts: dict[str, Verdict] = {}
        self._failures: dict[str, _Failure] = {}
        self._trying = asyncio.Lock()
        self._listeners = Listeners()

    async def choose(self) -> Encoder:
        """Return the encoder to use now, trying candidates until one works; raises `FfmpegMissing`.

        Software needs no trial: there is nothing else to turn to.
        """
        async with self._trying:
            await self._look_around()
            for encoder in self._ladder:
                if not encoder.hardware:
                    return encoder
                if not self._rests(encoder) and (verdict := await self._verdict(encoder)).works:
                    return encoder.using(verdict.device)
        return SOFTWARE

    async def prove(self) -> None:
        """Try every candidate that was not tried yet; raises `FfmpegMissing`."""
        for encoder in self._ladder:
            async with self._trying:  # for each one, so that who asks for an encoder need not wait for all
                await self._look_around()
                await self._verdict(encoder)

    def fail(self, encoder: Encoder, error: TripodError) -> None:
        """Leave an encoder alone for a while that failed in use; software goes on, there being nothing else."""
        if not encoder.hardware:
            return
        self._failures[encoder.name] = _Failure(str(error), self._clock() + REST)
        following = self.chosen
        _LOGGER.warning(
            "The encoder %s is left alone for %d minutes, and %s takes over: %s",
            encoder.name,
            REST // 60,
            following.name if following else "the next one that works",
            error,
        )
        self._tell()

    @property
    def chosen(self) -> Encoder | None:
        """The encoder that would be used now; None while that is not known."""
        for encoder in self._ladder:
            if not encoder.hardware:
                return encoder
            if self._rests(encoder):
                continue
            if (verdict := self._verdicts.get(encoder.name)) is None:
                return None
            if verdict.works:
                return encoder.using(verdict.device)
        return SOFTWARE

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """What is known about each candidate that was tried, by name."""
        found = {}
        for name, verdict in self._verdicts.items():
            failure = self._failures.get(name)
            if failure and self._clock() < failure.until:
                found[name] = replace(verdict, outcome=Outcome.FAILED_IN_USE, reason=failure.reason)
            else:
                found[name] = verdict
        return found

    async def recall(self, remembered: Mapping[str, Any]) -> None:
        """Take for true what `remember` returned once, if ffmpeg, the devices and the ladder are still the same.

        Raises `FfmpegMissing`.
        """
        async with self._trying:
            self._remembered = remembered
            if not self._verdicts:
                self._key = ""
            await self._look_around()

    def remember(self) -> dict[str, Any]:
        """Return the verdicts as JSON-able data, for `recall` after the next start; failures in use are not kept."""
        return {"key": self._key, "verdicts": {name: asdict(verdict) for name, verdict in self._verdicts.items()}}

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each new verdict or failure; return a function that ends this."""
        return self._listeners.add(callback)

    def _tell(self) -> None:
        self._listeners.tell()

    def _rests(self, encoder: Encoder) -> bool:
        failure = self._failures.get(encoder.name)
        return failure is not None and self._clock() < failure.until

    async def _look_around(self) -> None:
        """Forget the verdicts where ffmpeg or the devices are no longer those of the trials."""
        version = await self.ffmpeg.version()
        nodes = await asyncio.to_thread(_find_nodes, self._ladder)
        facts = repr((version, self._ladder, nodes))
        key = hashlib.sha256(facts.encode()).hexdigest()
        if key != self._key:
            self._key, self._nodes, self._in_ffmpeg = key, nodes, None
            self._failures.clear()
            self._verdicts = _load(self._remembered) if self._remembered.get("key") == key else {}

    async def _verdict(self, encoder: Encoder) -> Verdict:
        if (known := self._verdicts.get(encoder.name)) is not None:
            return known
        verdict = self._verdicts[encoder.name] = await self._try(encoder)
        _LOGGER.debug("The encoder %s: %s", encoder.name, verdict)
        self._tell()
        return verdict

    async def _try(self, encoder: Encoder) -> Verdict:
        if self._in_ffmpeg is None:
            self._in_ffmpeg = await self._list()
        if encoder.name not in self._in_ffmpeg:
            return Verdict(Outcome.NOT_IN_FFMPEG)
        if not encoder.needs_node:
            return await try_out(self.ffmpeg, encoder)
        verdict = Verdict(Outcome.NO_DEVICE, f"there is no {' or '.join(encoder.nodes)}")
        for node in self._nodes[encoder.name]:
            if not await asyncio.to_thread(os.access, node, os.R_OK | os.W_OK):
                verdict = Verdict(Outcome.NO_PERMISSION, f"{node} may not be opened", node)
            elif (verdict := await try_out(self.ffmpeg, encoder.using(node))).works:
                break
        return verdict

    async def _list(self) -> frozenset[str]:
        """Return the names of all video encoders that this ffmpeg has."""
        output = await self.ffmpeg.run([self.ffmpeg.binary, "-hide_banner", "-encoders"])
        lines = (line.split() for line in output.decode(errors="replace").splitlines())
        return frozenset(words[1] for words in lines if len(words) > 1 and words[0].startswith("V"))


def _find_nodes(ladder: Sequence[Encoder]) -> dict[str, list[str]]:
    root = Path("/")
    return {
        encoder.name: sorted(str(node) for nodes in encoder.nodes for node in root.glob(nodes.removeprefix("/")))
        for encoder in ladder
    }


def _load(remembered: Mapping[str, Any]) -> dict[str, Verdict]:
    try:
        return {
            name: Verdict(**{**fields, "outcome": Outcome(fields["outcome"])})
            for name, fields in remembered["verdicts"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}  # written by another version of this program
