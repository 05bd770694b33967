"""Fan-out of one medium to many consumers, in memory."""

from .frames import Frame, FrameFeed, FrameReader
from .packets import PacketFeed, PacketReader
from .segment import Segment

__all__ = ["Frame", "FrameFeed", "FrameReader", "PacketFeed", "PacketReader", "Segment"]
