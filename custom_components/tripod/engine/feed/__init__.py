"""Fan-out of one medium to many consumers, in memory."""

from .backlog import BACKLOG_LIMIT, Backlog, Piece
from .frames import Frame, FrameFeed, FrameReader
from .packets import PacketFeed, PacketReader
from .segment import Segment

__all__ = [
    "BACKLOG_LIMIT",
    "Backlog",
    "Frame",
    "FrameFeed",
    "FrameReader",
    "PacketFeed",
    "PacketReader",
    "Piece",
    "Segment",
]
