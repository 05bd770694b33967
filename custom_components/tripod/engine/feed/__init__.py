"""Fan-out of one medium to many consumers, in memory."""

from .backlog import Backlog, Piece
from .frames import Frame, FrameFeed, FrameReader
from .packets import PacketFeed, PacketReader
from .segment import Segment

__all__ = ["Backlog", "Frame", "FrameFeed", "FrameReader", "PacketFeed", "PacketReader", "Piece", "Segment"]
