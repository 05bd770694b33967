"""Which encoder makes H.264 here: a ladder of candidates that prove themselves before they are used."""

from .choice import Encoders
from .judge import Outcome, Verdict
from .ladder import LADDER, SOFTWARE, Encoder

__all__ = ["LADDER", "SOFTWARE", "Encoder", "Encoders", "Outcome", "Verdict"]
