"""What a node says went wrong, as the error of that cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter

from ... import errors
from ...errors import SourceFailed, Stopped, TripodError, Unauthorized
from .facts import STOPPED, CameraFacts

_SUPERIOR = frozenset({"ffmpeg_missing", "disk_full", "low_space", "archive_missing", "not_writable"})
"""Causes whose remedies belong to the machine that they occur on: here they would be looked for on the wrong one."""


def remote_error(cause: str, message: str = "", placeholders: Mapping[str, str] | None = None) -> TripodError:
    """Return the error that a node's `cause` means, in our own words where we have them.

    A password or a certificate that some camera refuses to the node is nothing that we could be asked for: such an
    error, and one of a cause that is not known here, becomes `SourceFailed` with the node's `message`.
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
    and error.cause not in _SUPERIOR
    and not issubclass(error, (Unauthorized, errors.TlsFailed))
}
