"""How long the endpoints wait for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All in seconds."""

    look: float = 5.0
    """Between two looks for viewers that are gone or stalled."""
    stalled: float = 30.0
    """Until a viewer that takes nothing is let go: a phone that changes networks is back sooner."""
    no_signal_after: float = 3.0
    """Until a viewer is told that there is no picture yet: most cameras show one sooner."""
    no_signal_every: float = 5.0
    """Between two of these pictures: a player that joins the stream late, such as a recorder, shall find one."""
    first_packets: float = 15.0
    """For the first video: core's `stream` gives up after 30 s."""
    first_segment: float = 9.0
    """For the first HLS segment: hls.js gives up after 10 s."""
    hls_first: float = 12.0
    """Until a player that took the master playlist must have asked for more; a cold camera's start counts in."""
    hls_idle: float = 30.0
    """Until an HLS player that asks for nothing counts as gone: a hidden tab polls once a minute, and begins anew."""
    hls_yields: float = 4.0
    """Until the place of such a player goes to another of the same client that needs it: a page that was reloaded."""
