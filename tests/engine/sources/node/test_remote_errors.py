"""What a node says went wrong, and what is said here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.errors import TripodError
from custom_components.tripod.engine.sources.node.remote_errors import remote_error


def every_error(error: type[TripodError] = TripodError) -> Iterator[type[TripodError]]:
    for each in error.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from every_error(each)


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (errors.DeviceMissing("/dev/video0"), errors.DeviceMissing),
        (errors.DeviceHeld(device="/dev/video0", holder="motion"), errors.DeviceHeld),
        (errors.Stalled(seconds="10"), errors.Stalled),
        (errors.Stopped(), errors.Stopped),
        (errors.ControlInactive(control="Focus", governor="Autofocus", setting="off"), errors.ControlInactive),
        (errors.Unauthorized("rtsp://door"), errors.SourceFailed),
        (errors.TlsFailed("door: expired"), errors.SourceFailed),
        (errors.FfmpegMissing("ffmpeg"), errors.SourceFailed),
        (errors.NoPermission("/dev/video0"), errors.SourceFailed),
    ],
)
def test_the_same_is_said_here_unless_it_is_mended_there(there: TripodError, here: type[TripodError]) -> None:
    error = remote_error(there.cause, str(there), there.placeholders)
    assert type(error) is here
    assert str(there) in str(error)


def test_without_what_the_sentence_names_the_nodes_own_sentence_is_taken() -> None:
    assert str(remote_error("device_missing", "The device is not there: /dev/video0")) == (
        "The device is not there: /dev/video0"
    )
    held = remote_error("device_held", "motion has it")
    assert (type(held), held.placeholders["detail"]) == (errors.DeviceBusy, "motion has it")
    assert str(remote_error("stalled", "No picture")) == "The source answered with an error: No picture"
    assert str(remote_error("of_the_future", "Fire!")) == "The source answered with an error: Fire!"


def test_whatever_a_node_says_is_an_error_that_has_all_it_names() -> None:
    for error in every_error():
        for placeholders in ({}, {"detail": "x"}, {"seconds": "1"}):
            assert "{" not in str(remote_error(error.cause, "", placeholders))
