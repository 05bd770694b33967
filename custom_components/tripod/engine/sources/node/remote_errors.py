"""What a node says went wrong, as the error of that cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter

from ... import errors
from ...errors import SourceFailed, Stopped, TripodError, Unauthorized
from .facts import STOPPED, CameraFacts

_OF_ITS_MACHINE = frozenset(
    error.cause
    for error in (
        errors.FfmpegMissing,
        errors.NoPermission,
        errors.DeviceNotPermitted,
        errors.NoPicamera2,
        errors.Picamera2Broken,
        errors.DiskFull,
        errors.LowSpace,
        errors.ArchiveMissing,
        errors.NotWritable,
    )
)
"""Causes that are mended on the machine that they occur on; our words for them would send people to this one."""


def remote_error(cause: str, message: str = "", placeholders: Mapping[str, str] | None = None) -> TripodError:
    """Return the error that a node's `cause` means, in our own words where we have them.

    What can only be mended on the node, such as a password that a camera refuses to it, is nothing that we could be
    asked for: that, and a cause that is not known here, becomes `SourceFailed` with the node's `message`.
    """
    known = _BY_CAUSE.get(cause)
    while known is not None:
        given = {"detail": message.removeprefix(_opening(known)), **(placeholders or {})}
        if _needed(known) <= given.keys():
            return known(**given)
        known = next((base for base in known.__bases__ if base in _BY_CAUSE.values()), None)
    return SourceFailed(message or cause)


def failure(facts: CameraFacts) -> TripodError | None:
    """Return what keeps a node's camera away, None for nothing."""
    if facts.state == STOPPED:
        return Stopped()
    return remote_error(facts.cause, facts.message, facts.placeholders) if facts.cause else None


def _opening(error: type[TripodError]) -> str:
    return error.sentence.partition("{")[0]


def _needed(error: type[TripodError]) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(error.sentence) if name}


def _all(error: type[TripodError]) -> Iterator[type[TripodError]]:
    for each in error.__subclasses__():
        yield each
        yield from _all(each)


_BY_CAUSE = {
    error.cause: error
    for error in _all(TripodError)
    if error.__module__ == errors.__name__
    and error.cause not in _OF_ITS_MACHINE
    and not issubclass(error, (Unauthorized, errors.TlsFailed))
}
