"""The worker's messages, cut out of a pipe's bytes."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, strategies as st
import pytest

from custom_components.tripod.engine.errors import WorkerFailed
from custom_components.tripod.engine.picamera2_worker import HEADER, KEY_FRAME, MAGIC, MAX_BODY, Kind
from custom_components.tripod.engine.sources.csi.protocol import Message, MessageParser

bodies = st.tuples(st.sampled_from(Kind), st.binary(max_size=300), st.integers(0, 2**63), st.booleans())


def packed(kind: int, body: bytes, stamp: int = 0, *, key: bool = False) -> bytes:
    return HEADER.pack(MAGIC, kind, KEY_FRAME * key, stamp, len(body)) + body


@given(st.lists(bodies, max_size=8), st.lists(st.integers(1, 200), max_size=30))
def test_messages_come_out_as_they_went_in_wherever_the_pipe_cuts_them(
    sent: list[tuple[Kind, bytes, int, bool]], cuts: list[int]
) -> None:
    stream = b"".join(packed(kind, body, stamp, key=key) for kind, body, stamp, key in sent)
    parser = MessageParser()
    found: list[Message] = []
    for cut in cuts:
        found += parser.feed(stream[:cut])
        stream = stream[cut:]
    found += parser.feed(stream)
    assert found == [Message(kind, body, key, stamp / 1e9) for kind, body, stamp, key in sent]


@given(st.lists(bodies, max_size=3), st.binary(min_size=16, max_size=200))
def test_anything_else_is_refused_or_waited_for_never_taken(
    sent: list[tuple[Kind, bytes, int, bool]], nonsense: bytes
) -> None:
    parser = MessageParser()
    stream = b"".join(packed(kind, body, stamp, key=key) for kind, body, stamp, key in sent)
    assert len(parser.feed(stream)) == len(sent)
    if nonsense.startswith(MAGIC):
        with suppress(WorkerFailed):
            parser.feed(nonsense)
    else:
        with pytest.raises(WorkerFailed, match="nonsense"):
            parser.feed(nonsense)


@pytest.mark.parametrize(
    "header",
    [
        HEADER.pack(MAGIC, Kind.JPEG, 0, 0, MAX_BODY + 1),
        HEADER.pack(MAGIC, max(Kind) + 1, 0, 0, 4),
        HEADER.pack(MAGIC, 0, 0, 0, 4),
        b"Traceback (most recent call last):",
    ],
    ids=["oversize", "unknown kind", "no kind", "text"],
)
def test_a_header_that_cannot_be_right_ends_it_at_once(header: bytes) -> None:
    with pytest.raises(WorkerFailed):
        MessageParser().feed(header)


def test_a_torn_message_is_kept_until_its_rest_comes() -> None:
    message = packed(Kind.JPEG, b"x" * 100_000, 5)
    parser = MessageParser()
    assert parser.feed(message[:99_000]) == []
    assert [len(found.body) for found in parser.feed(message[99_000:])] == [100_000]
