"""The small parts: back-off, meters, viewers."""

import pytest

from custom_components.tripod.engine.backoff import Backoff
from custom_components.tripod.engine.errors import TooManyViewers
from custom_components.tripod.engine.meter import RateMeter
from custom_components.tripod.engine.viewers import Client, Viewers


def test_backoff_doubles_to_half_a_minute() -> None:
    backoff = Backoff(random=lambda: 0.0)
    assert [backoff.next() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next() == 1
    assert backoff.longest() == 30
    assert backoff.next() == 30


def test_backoff_has_jitter() -> None:
    backoff = Backoff()
    delays = {round(backoff.longest(), 6) for _ in range(20)}
    assert len(delays) > 1
    assert all(24 <= delay <= 30 for delay in delays)


def test_rate_over_a_sliding_window() -> None:
    now = 0.0
    meter = RateMeter(window=5, clock=lambda: now)
    assert meter.rate == 0
    for step in range(250):
        now = step / 25
        meter.add()
    assert meter.rate == pytest.approx(25, rel=0.02)
    now += 4.9
    assert meter.rate < 1
    now += 0.2
    assert meter.rate == 0


def test_rate_is_calm_at_the_start() -> None:
    now = 100.0
    meter = RateMeter(clock=lambda: now)
    meter.add(1000)
    assert meter.rate == 1000  # over a second, not over the microseconds since
    meter.reset()
    assert meter.rate == 0


def test_viewers_are_counted_and_measured() -> None:
    viewers = Viewers(limit=2)
    client = Client("hall", "Hall TV")
    with viewers.admit(client, "mjpeg", "192.0.2.1") as viewer:
        viewer.sent(1000)
        viewer.sent(500, pictures=2)
        assert len(viewers) == 1
        (share,) = viewers.statistics()
        assert (share.client, share.kind, share.remote) == ("Hall TV", "mjpeg", "192.0.2.1")
        assert (share.bytes, share.pictures, share.dropped) == (1500, 3, 0)
        assert share.rate == 3
    assert len(viewers) == 0


def test_limit_of_the_camera_and_of_the_client() -> None:
    viewers = Viewers(limit=2)
    one, two = Client("a", "A", limit=1), Client("b", "B")
    with viewers.admit(one, "mjpeg", ""):
        with pytest.raises(TooManyViewers), viewers.admit(one, "hls", ""):
            pass
        with (
            viewers.admit(two, "ts", ""),
            pytest.raises(TooManyViewers, match="limit of 2"),
            viewers.admit(two, "ts", ""),
        ):
            pass
        assert len(viewers) == 1
    with viewers.admit(one, "mjpeg", ""):
        pass
